"""Genotypes out of the tables, into the formats of other tools."""

from allofus_spark.export.stage import FORMATS, Selection, export_genotypes

__all__ = ["FORMATS", "Selection", "export_genotypes"]

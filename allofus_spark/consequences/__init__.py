"""What variants do to transcripts: coding consequences by bcftools csq, or from a ready table."""

from allofus_spark.consequences.annotator import Annotator
from allofus_spark.consequences.stage import annotate_consequences
from allofus_spark.consequences.table_import import import_annotation
from allofus_spark.consequences.terms import severity_table

__all__ = ["Annotator", "annotate_consequences", "import_annotation", "severity_table"]

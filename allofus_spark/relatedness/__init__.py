"""Who is related to whom, and the largest set of people of whom no two are."""

from allofus_spark.relatedness.compute import METHODS, Relatedness, compute_relatedness

__all__ = ["METHODS", "Relatedness", "compute_relatedness"]

"""Genetic ancestry: models trained on labelled genomes, and the ancestry of every sample."""

from allofus_spark.ancestry.projection import project_samples
from allofus_spark.ancestry.training import train_model

__all__ = ["project_samples", "train_model"]

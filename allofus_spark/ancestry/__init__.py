"""Genetic ancestry: models trained on labelled genomes, and the ancestry of every sample."""

from allofus_spark.ancestry.imports import import_labels
from allofus_spark.ancestry.pictures import write_pictures
from allofus_spark.ancestry.projection import project_samples
from allofus_spark.ancestry.training import train_model

__all__ = ["import_labels", "project_samples", "train_model", "write_pictures"]

"""Genetic ancestry: models trained on labelled genomes, and the ancestry of every sample."""

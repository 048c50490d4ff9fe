"""Joint callsets and what is known about their samples, into the warehouse."""

from allofus_spark.ingest.genotypes import ingest_genotypes
from allofus_spark.ingest.samples import ingest_samples

__all__ = ["ingest_genotypes", "ingest_samples"]

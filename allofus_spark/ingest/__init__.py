"""Joint callsets, what is known about their samples, and catalogues of known variants, into the warehouse."""

from allofus_spark.ingest.catalogues import ingest_catalogue
from allofus_spark.ingest.genotypes import ingest_genotypes
from allofus_spark.ingest.samples import ingest_samples

__all__ = ["ingest_catalogue", "ingest_genotypes", "ingest_samples"]

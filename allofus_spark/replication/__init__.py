"""Whether associations that are known are seen again."""

from allofus_spark.replication.ingest import ingest_known_associations
from allofus_spark.replication.replicate import Replication, replicate

__all__ = ["Replication", "ingest_known_associations", "replicate"]

"""The attacker: what of the counts of few people follows from what is published."""

from allofus_spark.disclosure.findings import Finding, Verification
from allofus_spark.disclosure.verify import verify_release

__all__ = ["Finding", "Verification", "verify_release"]

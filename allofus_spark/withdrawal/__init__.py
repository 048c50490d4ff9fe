"""People who withdraw consent: out of every table at once, their old bytes removed, and the proof of it."""

from allofus_spark.withdrawal.proof import Check
from allofus_spark.withdrawal.purge import purge_withdrawn, verify_withdrawn
from allofus_spark.withdrawal.withdraw import Withdrawal, withdraw_samples

__all__ = ["Check", "Withdrawal", "purge_withdrawn", "verify_withdrawn", "withdraw_samples"]

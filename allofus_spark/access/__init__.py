"""Who may see individual-level data: researchers, their tiers and passports, and the audit."""

from allofus_spark.access.changes import agree, grant, record, register, revoke, standing
from allofus_spark.access.decisions import Request, demand_access, judge
from allofus_spark.access.registry import load_registry
from allofus_spark.access.standing import Rule, Tier, failures
from allofus_spark.access.times import access_times

__all__ = [
    "Request",
    "Rule",
    "Tier",
    "access_times",
    "agree",
    "demand_access",
    "failures",
    "grant",
    "judge",
    "load_registry",
    "record",
    "register",
    "revoke",
    "standing",
]

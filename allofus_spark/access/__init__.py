"""Who may see individual-level data: researchers, their tiers and passports, and the audit."""

from allofus_spark.access.changes import agree, described, grant, record, register, revoke, standing
from allofus_spark.access.decisions import Decision, Request, demand_access, judge
from allofus_spark.access.reasons import Reason
from allofus_spark.access.registry import Registry, load_registry
from allofus_spark.access.standing import Researcher, Rule, Tier, failures
from allofus_spark.access.times import access_times

__all__ = [
    "Decision",
    "Reason",
    "Registry",
    "Request",
    "Researcher",
    "Rule",
    "Tier",
    "access_times",
    "agree",
    "demand_access",
    "described",
    "failures",
    "grant",
    "judge",
    "load_registry",
    "record",
    "register",
    "revoke",
    "standing",
]

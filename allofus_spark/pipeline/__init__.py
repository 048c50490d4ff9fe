"""The nightly recompute: what is stale, why, and made again in order."""

from allofus_spark.pipeline.nightly import Night, Outcome, run_nightly
from allofus_spark.pipeline.plan import Plan, State, Step, make_plan

__all__ = ["Night", "Outcome", "Plan", "State", "Step", "make_plan", "run_nightly"]

"""The sites that kinship is computed over."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa

from allofus_spark.cohort import choose_sites, rows_of_widest, site_rules, warehouse_build
from allofus_spark.relatedness.people import People
from allofus_spark.tables import Run, rows_per_batch
from allofus_spark.tables.relatedness_tables import DEGREES

# Of unrelated people one pair in forty would pass for third degree.
_MAX_STANDARD_ERROR = DEGREES["third"] / 2


def sites_of_kinship(run: Run, people: People) -> pa.Table:
    """Sites by the settings ``sites`` and ``relatedness``; warns where they are too few for third degree.

    Raises BadSource where there is none.
    """
    warehouse = run.warehouse
    with rows_per_batch(warehouse.spark, rows_of_widest(warehouse, people.sizes.values())):
        settings = warehouse.settings
        rules = site_rules(settings.sites, settings.relatedness, leave_out_long_range_ld=False)
        sites = choose_sites(run, people.members, people.sizes, warehouse_build(warehouse), rules)
    run.counters["sites"] = len(sites)
    error = standard_error(sites)
    if error > _MAX_STANDARD_ERROR:
        run.progress(
            f"warning: over {len(sites):,} sites the kinship of unrelated people has a standard error of "
            f"{error:.4f} or more: at {DEGREES['third']:g} chance makes relatives of some. Believe the "
            "nearer degrees, or give more common variants"
        )
    return sites


def standard_error(sites: pa.Table) -> float:
    """Standard error of KING-robust kinship of two unrelated people of one population.

    √(3·Σ(pq)²) / (2·Σpq) with allele frequencies p and q = 1 − p, as their kinship is (both − 2·IBS0) /
    (2·het), and a site adds to the numerator 1 with probability 4p²q² and −2 with 2p²q². It holds for
    independent sites in Hardy-Weinberg proportions; linkage makes it larger.
    """
    p = np.asarray(sites.column("ac")) / np.asarray(sites.column("an"))
    pq = p * (1 - p)
    return math.sqrt(3 * float((pq**2).sum())) / (2 * float(pq.sum()))

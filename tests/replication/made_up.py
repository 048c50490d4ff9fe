"""A map and a scan in which every status and every orientation occurs."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

from pyspark.sql import Row, SparkSession

from allofus_spark.replication import Replication, ingest_known_associations, replicate
from allofus_spark.settings import load_settings
from allofus_spark.tables import REPLICATIONS, Warehouse
from tests.replication.maps import write_frequencies, write_map
from tests.replication.scans import Fit, Scanned, put_cohort, put_scan

PLAIN, LOST, RARE, TURNED = (
    ("chr1", 1000, "A", "G"),
    ("chr1", 2000, "A", "G"),
    ("chr1", 3000, "A", "G"),
    ("chr2", 30_000_000, "C", "T"),
)
REF_RISK = ("chr3", 500, "G", "A")
PALINDROMES = [("chr4", 100 * n, "T", "A") for n in range(1, 5)]
MAP = "made_up"
UNSEEN = ("chr5", 700, "A", "G")
T2D, GOUT, LDL, FEW, UNFIT = "250.2", "274.1", "ldl", "008", "090"

LINES = {
    "plain": {"SNP_hg38": "1:1000:A:G"},
    "ref_risk": {"SNP_hg38": "3:500:G:A", "risk_allele_dir": "ref", "risk_allele": "G"},
    # The risk allele's letter is of the other strand: the direction alone tells.
    "odd_letter": {"SNP_hg38": "3:500:G:A", "risk_allele_dir": "ref", "risk_allele": "C", "phecode": GOUT},
    "turned": {"SNP_hg38": "2:30000000:T:C", "risk_allele_dir": "alt"},
    "wrong_way": {"SNP_hg38": "1:1000:A:G", "phecode": GOUT},
    "in_no_callset": {"SNP_hg38": "1:1000:A:T"},
    "not_scanned": {"SNP_hg38": "1:1000:A:G", "phecode": "999"},
    "quantity": {"SNP_hg38": "1:1000:A:G", "phecode": LDL},
    "few": {"SNP_hg38": "1:1000:A:G", "phecode": FEW, "category_string": ""},
    "unfit": {"SNP_hg38": "1:1000:A:G", "phecode": UNFIT},
    "lost": {"SNP_hg38": "1:2000:A:G"},
    "rare": {"SNP_hg38": "1:3000:A:G"},
    "swapped_palindrome": {"SNP_hg38": "4:100:A:T"},
    "strand_palindrome": {"SNP_hg38": "4:200:A:T"},
    "half_palindrome": {"SNP_hg38": "4:300:A:T"},
    "unmapped_palindrome": {"SNP_hg38": "4:400:A:T"},
}
FREQUENCIES = {
    "1:1000:A:G": {"eur": 0.4, "all": 0.35},
    "3:500:G:A": {"eur": 0.9, "all": 0.8},
    "4:100:A:T": {"eur": 0.8, "all": 0.8},
    "4:200:A:T": {"eur": 0.2, "all": 0.2},
    "4:300:A:T": {"eur": 0.45, "all": 0.45},
}


def fits(phenotype: str, allele, beta: float, neg_log10_p: float = 5.0, af: float = 0.3) -> list[Fit]:
    return [Fit(allele, phenotype, group, beta, 0.1, neg_log10_p, af) for group in ("eur", "all")]


FITS = [
    *fits(T2D, PLAIN, math.log(1.4)),
    *fits(T2D, REF_RISK, math.log(0.5)),
    *fits(GOUT, REF_RISK, math.log(0.5), neg_log10_p=1.2),
    *fits(T2D, TURNED, math.log(0.8), af=0.15),
    *fits(GOUT, PLAIN, math.log(0.7), neg_log10_p=9),
    *(Fit(RARE, T2D, group, status="too_rare") for group in ("eur", "all")),
    *(test for allele in PALINDROMES for test in fits(T2D, allele, math.log(1.3), af=0.2)),
]
SCANNED = [
    item
    for group in ("eur", "all")
    for item in (
        Scanned(T2D, group, 400, 1600),
        Scanned(GOUT, group, 150, 1850),
        Scanned(LDL, group, None, None, kind="quantitative"),
        Scanned(FEW, group, 99, 1900),
        Scanned(UNFIT, group, 300, 0, status="too_few_controls"),
    )
]


class Done(NamedTuple):
    """A warehouse with the scan held against the map; rows of replications by association and ancestry."""

    warehouse: Warehouse
    found: Replication
    rows: dict[tuple[str, str], Row]


def make_replication(spark: SparkSession, folder: Path) -> Done:
    warehouse = Warehouse(spark, load_settings(warehouse=str(folder / "warehouse")))
    put_cohort(warehouse, [PLAIN, LOST, RARE, TURNED, REF_RISK, *PALINDROMES, UNSEEN])
    put_scan(warehouse, FITS, SCANNED, definition="Simulated by the tests")
    lines = [{"assoc_ID": name, **line} for name, line in LINES.items()]
    ingest_known_associations(
        warehouse,
        write_map(folder / "map.csv", lines),
        name=MAP,
        version="1",
        frequencies=write_frequencies(folder / "frequencies.csv", FREQUENCIES),
    )
    found = replicate(warehouse, scan="default", map_name=MAP)
    return Done(warehouse, found, rows_of(warehouse))


def rows_of(warehouse: Warehouse, scan: str = "default") -> dict[tuple[str, str], Row]:
    """Rows of replications of the map, by association and ancestry."""
    rows = warehouse.read(REPLICATIONS).where(f"scan = '{scan}' AND map_name = '{MAP}'").collect()
    return {(row.association_id, row.ancestry): row for row in rows}

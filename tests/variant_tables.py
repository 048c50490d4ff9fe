"""A small random catalogue of variants as plain values, and the tables that say the same.

Tests hold what is computed from the tables against what plain Python says of the values.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from pyspark.sql import SparkSession

from allofus_spark.genome import build_as_text, load_build, variant_id
from allofus_spark.settings import load_settings
from allofus_spark.tables import (
    BIN_WIDTH_PROPERTY,
    BUILD_PROPERTY,
    CALLSETS,
    CATALOGUE_SETS,
    CONSEQUENCES,
    NOVELTY,
    VARIANT_SITES,
    VARIANTS,
    RowsWrite,
    Table,
    Warehouse,
    allele_frequencies,
    start_run,
)

GROUPS = ("afr", "amr", "eas", "eur", "mid", "sas", "oth")
BIN_WIDTH = 10_000_000
ACTIVE, RETIRED = ("c1", "c2"), "old"
VERSION_OF = {"dbsnp": "156", "gnomad": "4.1"}
CODING = ("missense_variant", "synonymous_variant", "frameshift_variant")
TERMS = {
    "frameshift_variant": "HIGH",
    "missense_variant": "MODERATE",
    "synonymous_variant": "LOW",
    "intron_variant": "MODIFIER",
}


@dataclass
class Allele:
    """One allele. ``counts`` is (ac, an) by group; ``sites`` the filters by callset; ``transcripts`` rows of
    (transcript_id, gene_symbol, terms, aa_change), most severe first."""

    contig: str
    position: int
    ref: str
    alt: str
    kind: str = "snv"
    counts: dict[str, tuple[int, int]] = field(default_factory=dict)
    sites: dict[str, list[str] | None] = field(default_factory=lambda: {"c1": []})
    status: str | None = None
    reports: list[tuple[str, str | None]] = field(default_factory=list)
    transcripts: list[tuple[str | None, str | None, list[str], str | None]] | None = None

    @property
    def key(self) -> tuple[str, int, int, str, str]:
        return (self.contig, self.position // BIN_WIDTH, self.position, self.ref, self.alt)

    @property
    def id(self) -> str:
        return variant_id(self.contig, self.position, self.ref, self.alt)

    def frequency(self, group: str) -> dict[str, Any]:
        """``overall`` adds up the groups; people carry one copy each."""
        pairs = list(self.counts.values()) if group == "overall" else [self.counts.get(group, (0, 0))]
        ac, an = (sum(values) for values in zip(*pairs, strict=True)) if pairs else (0, 0)
        af = ac / an if an else None
        return {"ac": ac, "an": an, "af": af, "sc": ac, "n_hom": 0, "n_hemi": 0, "faf95": af}

    def max_group(self) -> str | None:
        called = [group for group in GROUPS if self.frequency(group)["an"]]
        return max(called, key=lambda group: self.frequency(group)["af"], default=None)

    @property
    def passes(self) -> bool:
        return any(callset in ACTIVE and not filters for callset, filters in self.sites.items())

    @property
    def term(self) -> str:
        return self.transcripts[0][2][0] if self.transcripts and self.transcripts[0][2] else "not_annotated"

    @property
    def coding(self) -> bool:
        return any(term in CODING for row in self.transcripts or () for term in row[2])


def random_alleles(seed: int, n: int) -> list[Allele]:
    """Alleles of every status, type and class, some of them filtered, uncalled or not looked at."""
    random = Random(seed)
    alleles: dict[tuple[Any, ...], Allele] = {}
    while len(alleles) < n:
        ref, alt, kind = random.choice([("A", "G", "snv"), ("A", "T", "snv"), ("AC", "A", "deletion")])
        allele = Allele(
            random.choice(["chr1", "chr22", "chrX"]), random.randrange(1, 3 * BIN_WIDTH), ref, alt
        )
        allele.kind = kind
        allele.counts = {group: _counts(random) for group in GROUPS}
        callsets = random.sample([*ACTIVE, RETIRED], random.choice([1, 1, 2, 3]))
        allele.sites = {callset: random.choice([[], None, ["LowQual"]]) for callset in callsets}
        allele.status = random.choice(
            [None, "reported", "known_site_new_allele", "unreported", "not_assessable"]
        )
        if allele.status == "reported":
            ids = [f"rs{random.randrange(1000)}", "rs7;rs44;x1", None]
            allele.reports = [(name, random.choice(ids)) for name in random.sample(["dbsnp", "gnomad"], 2)]
        allele.transcripts = random.choice([None, _transcripts(random), _transcripts(random)])
        alleles[allele.key] = allele
    return list(alleles.values())


def _counts(random: Random) -> tuple[int, int]:
    an = random.choice([0, 10, 1_000, 100_000])
    return (min(an, random.choice([0, 0, 1, 1, 2, 40, 700])), an)


def _transcripts(random: Random) -> list[tuple[str | None, str | None, list[str], str | None]]:
    if random.random() < 0.2:
        return [(None, None, random.choice([[], ["intergenic_variant"]]), None)]
    terms = sorted((random.choice(list(TERMS)) for _ in range(random.randrange(1, 4))), key=list(TERMS).index)
    gene = random.choice(["COMT", "C9orf72"])
    return [
        (f"ENST{number:011}", gene, [term], "158V>158M" if term == "missense_variant" else None)
        for number, term in enumerate(terms)
    ]


def make_warehouse(
    spark: SparkSession, root: str, alleles: Sequence[Allele], *, left_out: Sequence[Table] = (), **more: str
) -> Warehouse:
    """A warehouse with these alleles; without the tables ``left_out``. ``more`` are settings, a__b=value."""
    settings = [f"{key.replace('__', '.')}={value}" for key, value in more.items()]
    warehouse = Warehouse(spark, load_settings(warehouse=root, overrides=settings))
    properties = {
        BUILD_PROPERTY: build_as_text(load_build("GRCh38")),
        BIN_WIDTH_PROPERTY: str(BIN_WIDTH),
    }
    writes = [
        RowsWrite(CALLSETS, [_callset(name) for name in (*ACTIVE, RETIRED)], properties=properties),
        RowsWrite(VARIANTS, [(*item.key, item.id, item.kind, "c1") for item in alleles]),
        RowsWrite(
            VARIANT_SITES, [_site(item, *site) for item in alleles for site in sorted(item.sites.items())]
        ),
        RowsWrite(allele_frequencies(GROUPS), [_frequencies(item) for item in alleles]),
        RowsWrite(CATALOGUE_SETS, _catalogue_sets()),
        RowsWrite(NOVELTY, [_novelty(item) for item in alleles if item.status]),
        RowsWrite(CONSEQUENCES, [row for item in alleles for row in _consequences(item)]),
    ]
    with start_run(warehouse, "make") as run:
        run.write(*(write for write in writes if write.table not in left_out))
    return warehouse


def _callset(name: str) -> tuple[Any, ...]:
    retired_by = "c1" if name == RETIRED else None
    return (name, dt.date(2026, 1, 1), "GRCh38", 10, "", "", [], None, [], retired_by)


def _site(item: Allele, callset: str, filters: list[str] | None) -> tuple[Any, ...]:
    written = (filters, 50.0, None, item.position, item.ref, item.alt, 1, 1)
    return (callset, *item.key, *written, *[0] * 7, None)


def _frequencies(item: Allele) -> tuple[Any, ...]:
    overall, group = item.frequency("overall"), item.max_group()
    most = item.frequency(group)["af"] if group else None
    groups = [item.frequency(name) for name in GROUPS]
    return (*item.key, item.id, *[overall] * 3, *groups, *[most, group] * 3)


def _catalogue_sets() -> list[tuple[Any, ...]]:
    old = dict(VERSION_OF, dbsnp="155")
    return [("default", 1, old, {}), ("default", 2, VERSION_OF, {}), ("other", 9, {"clinvar": "1"}, {})]


def _novelty(item: Allele) -> tuple[Any, ...]:
    reports = [{"catalogue": name, "known_id": known} for name, known in item.reports]
    reason = "not_covered" if item.status == "not_assessable" else None
    known_to = ["dbsnp"] if item.status == "known_site_new_allele" else []
    compared = [] if reason else list(VERSION_OF)
    return ("default", *item.key, item.status, reason, reports, known_to, compared)


def _consequences(item: Allele) -> list[tuple[Any, ...]]:
    rows = []
    for number, (transcript, gene, terms, change) in enumerate(item.transcripts or ()):
        impact = TERMS.get(terms[0], "MODIFIER") if terms else None
        gene_id = f"ENSG-{gene}" if gene else None
        coding = any(term in CODING for term in terms)
        why = None if terms else "symbolic"
        about = (transcript, gene_id, gene, "protein_coding" if gene else None, terms, impact, change, None)
        rows.append(("csq", *item.key, *about, number == 0, coding, why, "csq 1.24, genes 110"))
    return rows

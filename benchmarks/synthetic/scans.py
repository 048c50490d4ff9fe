"""Invented scans: phenotypes, associations, replications, and numbers of variants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from allofus_spark.tables.association_tables import QQ_EDGES
from allofus_spark.tables.contract import Table
from benchmarks.synthetic.alleles import TERMS, Contig
from benchmarks.synthetic.people import rounded
from benchmarks.synthetic.shape import as_table, from_rows

PHENOTYPES = (
    ("250.2", "Type 2 diabetes", "endocrine/metabolic", "binary", None),
    ("401.1", "Essential hypertension", "circulatory", "binary", None),
    ("ldl_cholesterol", "LDL cholesterol", None, "quantitative", "mg/dL"),
    ("495", "Asthma", "respiratory", "binary", None),
)
_SCAN = "default"
_N, _CASES = 98_000, 21_000
_TESTS = 900_000
_SHARE_STORED = 0.2  # of variants that associations are stored of
_HIT_ODDS = 4_000  # variants to one with a strong association


def phenotypes(table: Table, groups: Sequence[str]) -> pa.Table:
    """The product phenotypes; asthma's numbers in the last group are withheld."""
    rows = []
    for phenotype_id, description, category, kind, unit in PHENOTYPES:
        for number, ancestry in enumerate(("all", *groups, "unlabelled")):
            is_withheld = phenotype_id == "495" and ancestry == groups[-1]
            n = _N // (number + 1)
            sizes = (
                {"n_cases": rounded(n * 0.2), "n_controls": rounded(n * 0.7)}
                if kind == "binary"
                else {"n_measured": rounded(n * 0.5), "mean": 119.0, "sd": 33.1}
            )
            row = {
                "phenotype_set": "synthetic",
                "phenotype_id": phenotype_id,
                "description": description,
                "category": category,
                "kind": kind,
                "unit": unit,
                "ancestry": ancestry,
                "is_withheld": is_withheld,
            }
            rows.append(row if is_withheld else row | sizes)
    return from_rows(table, rows)


def _effects(rng: Any, n: int) -> dict[str, Any]:
    """Effects with their errors and p: most by chance, a few strong."""
    strength = np.where(rng.random(n) < 1 / _HIT_ODDS, rng.gamma(9, 2.0, n), 0.0)
    neg_log10_p = rng.exponential(1 / np.log(10), n) + strength
    se = rng.uniform(0.01, 0.1, n)
    beta = rng.choice([-1, 1], n) * se * np.sqrt(2 * np.log(10) * neg_log10_p)
    return {"beta": beta, "se": se, "neg_log10_p": neg_log10_p}


def _sizes(kinds: np.ndarray[Any, Any]) -> dict[str, Any]:
    is_quantitative = kinds == "quantitative"
    return {
        "n": np.full(len(kinds), rounded(_N)),
        "n_cases": pa.array(np.full(len(kinds), rounded(_CASES)), mask=is_quantitative),
        "n_controls": pa.array(np.full(len(kinds), rounded(_N - _CASES)), mask=is_quantitative),
    }


def associations_of(table: Table, contig: Contig, rng: Any) -> pa.Table:
    """The product associations of a contig: of a share of variants with every phenotype, afr and all."""
    stored = np.nonzero(rng.random(len(contig.position)) < _SHARE_STORED)[0]
    tests = [(item[0], item[3], ancestry) for item in sorted(PHENOTYPES) for ancestry in ("afr", "all")]
    rows = np.repeat(stored, len(tests))
    ids, kinds, ancestries = (np.tile(np.array(part), len(stored)) for part in zip(*tests, strict=True))
    columns = {name: values[rows] for name, values in contig.allele().items()}
    columns |= {"scan": np.repeat(_SCAN, len(rows)), "phenotype_id": ids, "ancestry": ancestries}
    tested_by = np.where(kinds == "binary", "score", "linear")
    return as_table(table, columns | _effects(rng, len(rows)) | _sizes(kinds) | {"test": tested_by})


def meta_associations_of(table: Table, contig: Contig, rng: Any) -> pa.Table:
    """The product meta_associations of a contig, likewise."""
    stored = np.nonzero(rng.random(len(contig.position)) < _SHARE_STORED)[0]
    rows = np.repeat(stored, len(PHENOTYPES))
    ids, kinds = (np.tile(np.array([item[at] for item in sorted(PHENOTYPES)]), len(stored)) for at in (0, 3))
    n = len(rows)
    columns = {name: values[rows] for name, values in contig.allele().items()}
    columns |= {
        "scan": np.repeat(_SCAN, n),
        "phenotype_id": ids,
        "ancestries": pa.ListArray.from_arrays(
            pa.array(np.arange(n + 1, dtype=np.int32) * 2), pa.array(np.tile(np.array(["afr", "eur"]), n))
        ),
        "q": rng.chisquare(1, n),
        "q_neg_log10_p": rng.exponential(0.43, n),
        "i2": rng.random(n) * 0.4,
    }
    return as_table(table, columns | _effects(rng, n) | _sizes(kinds))


def association_summaries(table: Table, groups: Sequence[str], rng: Any) -> pa.Table:
    """The product association_summaries, with p by chance but for a few."""
    rows = []
    edges = np.concatenate([[0.0], QQ_EDGES])
    shares = 10.0**-edges - np.append(10.0 ** -edges[1:], 0.0)
    for phenotype_id, _, _, kind, _ in PHENOTYPES:
        for ancestry in (*groups, "all", "meta"):
            counts = rng.multinomial(_TESTS, shares / shares.sum())
            counts[-40:-20] += 1
            row = {
                "scan": _SCAN,
                "phenotype_id": phenotype_id,
                "ancestry": ancestry,
                "kind": kind,
                "status": "scanned",
                "n": rounded(_N),
                "n_tested": int(counts.sum()),
                "n_genome_wide": 20,
                "lambda_gc": 1.02,
                "neg_log10_p_counts": counts.tolist(),
            }
            if kind == "binary":
                row |= {"n_cases": rounded(_CASES), "n_controls": rounded(_N - _CASES)}
            rows.append(row)
    return from_rows(table, rows)


def replications_of(table: Table, contigs: Sequence[Contig], groups: Sequence[str], rng: Any) -> pa.Table:
    """The product replications: a few known associations; those of the last group are withheld."""
    rows = []
    for number, contig in enumerate(contigs[:12]):
        allele = {name: contig.allele()[name][0].item() for name in contig.allele()}
        for ancestry in groups[:4]:
            row = allele | {
                "scan": _SCAN,
                "phenotype_id": "250.2",
                "map_name": "synthetic",
                "map_version": "1",
                "association_id": f"known{number}",
                "ancestry": ancestry,
                "category": "endocrine/metabolic",
                "status": "tested",
                "known_odds_ratio": 1.3,
                "is_powered": True,
                "is_replicated": bool(rng.random() < 0.8),
                "is_withheld": ancestry == groups[3],
            }
            shown = {"odds_ratio": 1.25, "lower95": 1.1, "upper95": 1.4, "neg_log10_p": 4.0}
            rows.append(row if row["is_withheld"] else row | shown)
    return from_rows(table, rows)


def replication_summary(table: Table, groups: Sequence[str]) -> pa.Table:
    """The product replication_summary."""
    rows = []
    for number, ancestry in enumerate(groups[:4]):
        for known_in in ("same", "any"):
            for category, share in (("all", 1.0), ("endocrine/metabolic", 0.3)):
                known = int(share * 800 / (number + 1))
                tested, powered, seen = int(known * 0.9), int(known * 0.6), int(known * 0.45)
                rows.append(
                    {
                        "scan": _SCAN,
                        "map_name": "synthetic",
                        "map_version": "1",
                        "ancestry": ancestry,
                        "known_in": known_in,
                        "category": category,
                        "known": known,
                        "tested": tested,
                        "powered": powered,
                        "replicated": seen + 10,
                        "powered_replicated": seen,
                        "expected": tested * 0.6,
                        "rr_all": (seen + 10) / tested,
                        "rr_power": seen / powered,
                        "aer": (seen + 10) / (tested * 0.6),
                    }
                )
    return from_rows(table, rows)


def variant_counts(table: Table, groups: Sequence[str], rng: Any) -> pa.Table:
    """The product variant_counts."""
    classes = {
        "all": {"all": 1.0},
        "type": {"snv": 0.9, "insertion": 0.04, "deletion": 0.06},
        "consequence": dict(zip(TERMS, (0.55, 0.08, 0.15, 0.01, 0.06), strict=True)) | {"none": 0.15},
        "frequency": {"singleton": 0.35, "<0.0001": 0.2, "0.0001-0.001": 0.2, "0.001-0.01": 0.1}
        | {"0.01-0.05": 0.07, ">=0.05": 0.08},
        "filter": {"passing": 0.97, "filtered": 0.03},
    }
    rows = []
    for number, ancestry in enumerate(("all", *groups)):
        for dimension, shares in classes.items():
            for name, share in shares.items():
                n = int(share * 1_000_000 / (1 + number / 2))
                reported = int(n * rng.uniform(0.6, 0.8))
                known_site, unknown = int(n * 0.05), int(n * 0.02)
                is_coding = name in TERMS[1:4] or dimension != "consequence"
                rows.append(
                    {
                        "catalogue_set": "default",
                        "annotator": "csq",
                        "ancestry": ancestry,
                        "dimension": dimension,
                        "class": name,
                        "n_variants": n,
                        "n_reported": reported,
                        "n_known_site_new_allele": known_site,
                        "n_unreported": n - reported - known_site - unknown,
                        "n_not_assessable": unknown,
                        "n_not_flagged": 0,
                        "n_coding": n // 10 if is_coding else 0,
                        "n_new_coding": n // 40 if is_coding else 0,
                    }
                )
    return from_rows(table, rows)

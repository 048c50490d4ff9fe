"""Which variants are flagged, which could not be assessed, and that metrics and sites are one to one."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allofus_spark.cohort import Sample
from allofus_spark.errors import ContractViolation
from allofus_spark.genome import load_build
from allofus_spark.qc.groups import build_groups
from allofus_spark.qc.lists import list_column
from allofus_spark.qc.variant_flags import VariantFlags, pairs
from allofus_spark.qc.variant_metrics import KEY, VariantMetrics
from allofus_spark.settings import QcSettings
from allofus_spark.tables.qc_tables import (
    EXCESS_HETEROZYGOSITY,
    SAMPLE_NOT_ASSESSED,
    SAMPLE_REASONS,
    VARIANT_NOT_ASSESSED,
    VARIANT_REASONS,
)

LABELLED = [Sample("a", "eur", "XX"), Sample("b", None, "XY")]
UNLABELLED = [Sample("a", None, "XX")]


def rows_of(keys: Sequence[tuple[Any, ...]], is_site: Sequence[bool]) -> pa.RecordBatch:
    columns = dict(zip(KEY, zip(*keys, strict=True), strict=True)) if keys else {name: [] for name in KEY}
    return pa.RecordBatch.from_pydict({**columns, "is_site": pa.array(is_site, pa.bool_())})


def variants(count: int) -> list[tuple[Any, ...]]:
    return [("c", "chr1", 0, position, "A", "C") for position in range(1, count + 1)]


@given(count=st.integers(0, 12), cuts=st.lists(st.integers(0, 24), max_size=8))
def test_pairs_are_whole_for_any_cut_into_batches(count: int, cuts: list[int]) -> None:
    keys = [key for key in variants(count) for _ in range(2)]
    whole = rows_of(keys, [False, True] * count)
    ends = sorted({min(cut, 2 * count) for cut in cuts} | {0, 2 * count})
    pieces = [whole.slice(0, 0), *(whole.slice(a, b - a) for a, b in itertools.pairwise(ends))]
    found = list(pairs(pieces))
    for place, is_site in ((0, False), (1, True)):
        rows = [row for pair in found for row in pair[place].to_pylist()]
        assert rows == [dict(zip(KEY, key, strict=True)) | {"is_site": is_site} for key in variants(count)]


@pytest.mark.parametrize(
    "change", ["no site", "no metrics", "site twice", "metrics twice", "last has no site"]
)
def test_rows_that_are_not_one_to_one_are_refused(change: str) -> None:
    rows = [(key, is_site) for key in variants(4) for is_site in (False, True)]
    if change == "last has no site":
        rows.pop()
    elif change.startswith("no"):
        del rows[3 if change == "no site" else 2]
    else:
        place = 3 if change == "site twice" else 2
        rows.insert(place, rows[place])
    keys, is_site = zip(*rows, strict=True)
    with pytest.raises(ContractViolation, match=r"not one to one, .*near c:chr1:0:[2-4]:A:C"):
        list(pairs([rows_of(keys, is_site)]))


def judged(
    *sites: dict[str, Any], known: bool = True, samples: Sequence[Sample] = LABELLED
) -> list[tuple[Any, Any]]:
    """(reasons, not assessed) of hand-made rows."""
    groups = {"c": build_groups("c", samples, ("eur",), frozenset({"a"}) if known else None)}
    metrics = VariantMetrics(groups, load_build("GRCh38"), ("eur",), known)
    whole = {"phred": 3.0, "qual": 100.0, "hq": 5, "ref": "A", "alt": "C", "call_rate": 1.0, "diploid": True}
    filled = [whole | site for site in sites]
    columns: dict[str, Any] = {}
    for number, item in enumerate(filled, 1):
        test = (
            {"n_hom_ref": 1, "n_het": 1, "n_hom_alt": 0, "phred": item["phred"]} if item["diploid"] else None
        )
        values = ("c", "chr1", 0, number, item["ref"], item["alt"], 2, 2, item["call_rate"], test, None)
        for name, value in zip(metrics.names, values, strict=True):
            for said in (value, value if name in KEY else None):
                columns.setdefault(name, []).append(said)
        columns.setdefault("qual", []).extend([None, item["qual"]])
        columns.setdefault("n_high_quality_calls", []).extend([None, item["hq"]])
        columns.setdefault("is_site", []).extend([False, True])
    struct = pa.struct(
        [
            (field.name, pa.float64() if field.name == "phred" else pa.int32())
            for field in EXCESS_HETEROZYGOSITY.fields
        ]
    )
    types = {
        "excess_het": struct,
        "hwe_eur": struct,
        "qual": pa.float64(),
        "n_high_quality_calls": pa.int32(),
        "call_rate": pa.float64(),
    }
    batch = pa.RecordBatch.from_pydict(
        {name: pa.array(column, types.get(name)) for name, column in columns.items()}
    )
    ((table, answer),) = VariantFlags("variant_qc", metrics, QcSettings())([batch])
    assert table == "variant_qc"
    return list(zip(answer["reasons"].to_pylist(), answer["not_assessed"].to_pylist(), strict=True))


def test_flags_stand_beyond_their_thresholds_alone() -> None:
    assert judged({}) == [([], [])]
    assert judged({"phred": 54.69}, {"phred": 54.6901}) == [([], []), (["ExcessHet"], [])]
    assert judged({"hq": 1}, {"hq": 0}) == [([], []), (["NO_HQ_GENOTYPES"], [])]
    assert judged({"phred": 99.0, "hq": 0, "qual": 1.0}) == [(list(VARIANT_REASONS), [])]


@pytest.mark.parametrize(
    ("ref", "alt", "threshold"),
    [("A", "C", 60), ("AT", "GC", 60), ("A", "AT", 69), ("AT", "A", 69), ("ATG", "CC", 69)],
)
def test_low_qual_goes_by_the_kind_of_allele(ref: str, alt: str, threshold: float) -> None:
    allele = {"ref": ref, "alt": alt}
    found = judged({**allele, "qual": float(threshold)}, {**allele, "qual": threshold - 0.01})
    assert found == [([], []), (["LowQual"], [])]


def test_what_was_not_assessed_is_said() -> None:
    found = judged(
        {"qual": None}, {"hq": None}, {"alt": "<DEL>", "qual": 1.0}, {"ref": "G", "alt": "G]chr2:5]"},
        {"diploid": False}, {"phred": None}, {"call_rate": None},
    )  # fmt: skip
    assert [reasons for reasons, _ in found] == [[]] * 7
    assert [names for _, names in found] == [
        ["no_qual"], ["no_genotype_quality"], ["no_qual_threshold"], ["no_qual_threshold"],
        ["not_diploid"], ["no_diploid_call"], ["no_sample_meant"],
    ]  # fmt: skip


def test_hardy_weinberg_needs_the_unrelated_and_labels() -> None:
    assert judged({}, {"diploid": False}, known=False) == [([], ["no_unrelated_list"]), ([], ["not_diploid"])]
    assert judged({}, samples=UNLABELLED) == [([], ["no_ancestry_label"])]


def test_the_methods_say_what_every_reason_means() -> None:
    methods = (Path(__file__).parents[2] / "docs" / "methods.md").read_text(encoding="utf-8")
    for closed in (VARIANT_REASONS, VARIANT_NOT_ASSESSED, SAMPLE_REASONS, SAMPLE_NOT_ASSESSED):
        for name, meaning in closed.items():
            assert f"| `{name}` | {meaning} |" in methods


def test_lists_keep_the_order_of_the_closed_list() -> None:
    holds = {"b": np.array([True, False, True]), "a": np.array([True, False, False])}
    assert list_column(holds, ("a", "b")).to_pylist() == [["a", "b"], [], ["b"]]
    with pytest.raises(ValueError, match="not those of the closed list"):
        list_column(holds, ("a", "c"))

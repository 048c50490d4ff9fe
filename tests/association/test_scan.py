"""A scan against statsmodels, and against itself: other callsets, phenotypes, partitions and stores."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import statsmodels.api as sm
from pyspark.sql import SparkSession

from allofus_spark.settings import load_settings
from allofus_spark.tables import (
    GENOTYPES,
    KNOWN_ASSOCIATIONS,
    WHOLE_TABLE,
    RowsWrite,
    Warehouse,
    live_files,
    start_run,
)

from .cohort import ingest, new_warehouse, rows_of, write_phenotypes
from .made_cohort import LABELS, NAMES, RULES, Made, N, make_cohort, records, scan_made, told_sexes

KEY = ("phenotype_id", "ancestry", "contig", "position", "ref", "alt")
Floats = npt.NDArray[np.float64]


def _columns(made: Made) -> Floats:
    """Intercept, sex, age, age², age × sex of everybody; the scan adds sex, as X is among the variants."""
    sex = np.array([float(LABELS[name][1] == "XY") for name in NAMES])
    return np.column_stack([np.ones(N), sex, made.ages, made.ages**2, made.ages * sex])


def _least_squares(
    made: Made, trait: str, dosage: Floats, people: npt.NDArray[np.bool_]
) -> tuple[float, ...]:
    """beta, se, −log10 p and n of a dosage, NaN where it is missing, by statsmodels."""
    values = np.array([made.traits[trait].values.get(name, np.nan) for name in NAMES], np.float64)
    columns = _columns(made)
    own = people & np.isfinite(values) & np.isfinite(columns).all(axis=1)
    copies = np.where(np.isnan(dosage[own]), np.nanmean(dosage[own]), dosage[own])
    fit = sm.OLS(values[own], np.column_stack([copies, columns[own]])).fit()
    return fit.params[0], fit.bse[0], -np.log10(fit.pvalues[0]), own.sum()


def _of(ancestry: str) -> npt.NDArray[np.bool_]:
    return np.array([ancestry == "all" or LABELS[name][0] == ancestry for name in NAMES])


def _check(row: dict[str, Any], expected: tuple[float, ...]) -> None:
    beta, se, neg_log10_p, n = expected
    assert (row["status"], row["test"], row["n"]) == ("ok", "linear", n)
    assert abs(row["beta"] - beta) <= 1e-6 * se
    assert row["se"] == pytest.approx(se, rel=1e-6)
    assert row["neg_log10_p"] == pytest.approx(neg_log10_p, rel=1e-6, abs=1e-9)


def _copies(calls: npt.NDArray[np.int8]) -> Floats:
    return np.where(calls == 3, np.nan, calls.astype(float))


def test_measures_are_those_of_statsmodels(made: Made) -> None:
    rows = [row for row in rows_of(made.warehouse, "associations") if row["test"] == "linear"]
    assert {(row["phenotype_id"], row["ancestry"]) for row in rows} == {
        (trait, ancestry) for trait in ("height", "weight") for ancestry in ("afr", "eur")
    }
    autosomal = [row for row in rows if row["contig"] != "chrX"]
    for row in autosomal[::7]:
        calls = made.calls[row["contig"]][(row["position"] - 1000) // 10]
        _check(row, _least_squares(made, row["phenotype_id"], _copies(calls), _of(row["ancestry"])))


def test_cases_and_controls_are_counted_by_hand(made: Made) -> None:
    rows = [row for row in rows_of(made.warehouse, "associations") if row["phenotype_id"] == "disease"]
    row = next(
        row
        for row in rows
        if row["contig"] == "chr1" and row["position"] == 1070 and row["ancestry"] == "eur"
    )
    values = made.traits["disease"].values
    state = np.array(
        [np.nan if values.get(name, 0) is None else values.get(name, 0.0) for name in NAMES], float
    )
    own = _of("eur") & np.isfinite(state) & np.isfinite(made.ages)
    dosage = _copies(made.calls["chr1"][7])

    def frequency(people: npt.NDArray[np.bool_]) -> float:
        return float(np.nanmean(dosage[people]) / 2)

    assert (row["n"], row["n_cases"]) == (own.sum(), (state[own] == 1).sum())
    assert (row["ac"], row["an"]) == (np.nansum(dosage[own]), 2 * np.isfinite(dosage[own]).sum())
    assert row["af_cases"] == pytest.approx(frequency(own & (state == 1)), rel=1e-12)
    assert row["af_controls"] == pytest.approx(frequency(own & (state == 0)), rel=1e-12)


def test_a_phenotype_of_women_has_controls_among_women_alone(made: Made) -> None:
    rows = rows_of(made.warehouse, "association_summaries")
    own = {row["ancestry"]: row for row in rows if row["phenotype_id"] == "of_women"}
    for ancestry in ("afr", "eur"):
        women = [
            name
            for name in NAMES
            if LABELS[name] == (ancestry, "XX") and not np.isnan(made.ages[NAMES.index(name)])
        ]
        cases = [name for name in women if name in made.traits["of_women"].values]
        assert (own[ancestry]["n_cases"], own[ancestry]["n"]) == (len(cases), len(women))


def test_a_phenotype_without_cases_has_a_summary_and_no_row(made: Made) -> None:
    rows = rows_of(made.warehouse, "association_summaries")
    own = [row for row in rows if row["phenotype_id"] == "nobody"]
    assert [(row["ancestry"], row["status"], row["n_tested"], row["lambda_gc"]) for row in own] == [
        ("afr", "too_few_cases", 0, None), ("eur", "too_few_cases", 0, None),
    ]  # fmt: skip
    assert not [row for row in rows_of(made.warehouse, "associations") if row["phenotype_id"] == "nobody"]


def test_meta_is_the_weighted_sum_of_the_rows(made: Made) -> None:
    rows = [row for row in rows_of(made.warehouse, "associations") if row["status"] == "ok"]
    by_cell: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        by_cell.setdefault(tuple(row[name] for name in KEY if name != "ancestry"), []).append(row)
    metas = rows_of(made.warehouse, "meta_associations")
    assert len(metas) == len(by_cell)
    assert any(len(own) == 1 for own in by_cell.values())
    for meta in metas:
        own = by_cell[tuple(meta[name] for name in KEY if name != "ancestry")]
        beta, se = (np.array([row[name] for row in own]) for name in ("beta", "se"))
        weight = 1 / se**2
        mean = (weight * beta).sum() / weight.sum()
        assert meta["ancestries"] == [row["ancestry"] for row in own]
        assert meta["beta"] == pytest.approx(mean, rel=1e-9, abs=1e-12)
        assert meta["se"] == pytest.approx(weight.sum() ** -0.5, rel=1e-9)
        assert meta["n"] == sum(row["n"] for row in own)
        assert meta["n_cases"] == (None if own[0]["n_cases"] is None else sum(row["n_cases"] for row in own))
        if len(own) == 1:
            assert (meta["q"], meta["left_out_beta"]) == (None, [])
        else:
            assert meta["q"] == pytest.approx((weight * (beta - mean) ** 2).sum(), rel=1e-6, abs=1e-9)
            assert meta["left_out_beta"] == pytest.approx(beta[::-1].tolist(), rel=1e-9)


def test_hits_are_fitted_exactly_and_counted_once(made: Made) -> None:
    rows = [row for row in rows_of(made.warehouse, "associations") if row["phenotype_id"] == "disease"]
    tests = {row["test"] for row in rows if row["status"] == "ok"}
    assert "firth_exact" in tests
    assert {"score", "firth_approximate"} & tests
    assert not [
        row for row in rows if row["test"] == "firth_approximate" and row["neg_log10_p"] > -np.log10(0.05)
    ]
    assert len({tuple(row[name] for name in KEY) for row in rows}) == len(rows) == 2 * 60
    for summary in rows_of(made.warehouse, "association_summaries"):
        if summary["phenotype_id"] == "disease" and summary["ancestry"] != "meta":
            own = [row for row in rows if row["ancestry"] == summary["ancestry"]]
            tested = [row["neg_log10_p"] for row in own if row["status"] == "ok"]
            assert summary["n_tested"] == sum(summary["neg_log10_p_counts"]) == len(tested)
            assert sum(summary["n_by_status"].values()) == len(own)
            assert sum(summary["n_by_test"].values()) == sum(row["test"] is not None for row in own)
            assert summary["max_neg_log10_p"] == max(tested)


@pytest.mark.parametrize("x_male_dosage", [1, 2])
def test_hemizygotes_on_x_count_as_the_setting_says(made: Made, x_male_dosage: int) -> None:
    held = made.warehouse
    other = Warehouse(held.spark, load_settings(
        warehouse=held.root, overrides=[*RULES, f"association.x_male_dosage={x_male_dosage}"]
    ))  # fmt: skip
    scan_made(made, other, scan="x", phenotype_ids=["height"], regions=["chrX"])
    rows = rows_of(other, "associations", "x")
    assert {row["contig"] for row in rows} == {"chrX"}
    is_xy = np.array([LABELS[name][1] == "XY" for name in NAMES])
    tested = [row for row in rows if row["status"] == "ok"]
    assert len(tested) >= 8
    for row in tested:
        copies = _copies(made.calls["chrX"][(row["position"] - 20_000_000) // 10])
        copies[is_xy] *= x_male_dosage / 2
        _check(row, _least_squares(made, "height", copies, _of("all")))


def _same(rows: Sequence[dict[str, Any]], others: Sequence[dict[str, Any]], rel: float) -> None:
    """Rows equal in all but the scan's name, numbers within a relative difference; 0: bit for bit."""
    assert len(rows) == len(others) > 0
    for row, other in zip(rows, others, strict=True):
        for name, value in row.items():
            if name == "scan":
                continue
            if rel and isinstance(value, float):
                assert other[name] == pytest.approx(value, rel=rel, abs=1e-12), name
            else:
                assert other[name] == value, name


def test_a_phenotype_is_the_same_to_the_bit_alone_and_with_others(made: Made) -> None:
    before = rows_of(made.warehouse, "associations")
    scan_made(made, scan="alone", phenotype_ids=["height"], ancestries=[])
    alone = rows_of(made.warehouse, "associations", "alone")
    _same(alone, [row for row in before if row["phenotype_id"] == "height"], 0)
    assert rows_of(made.warehouse, "associations") == before  # of the other scan


def test_a_scan_is_replaced_whole(made: Made) -> None:
    scan_made(made, scan="again", phenotype_ids=["weight"], regions=["chr1:1000-1100"])
    scan_made(made, scan="again", phenotype_ids=["height"], regions=["chr2:1,000-1,045"])
    for name in ("associations", "association_summaries"):
        assert {row["phenotype_id"] for row in rows_of(made.warehouse, name, "again")} == {"height"}
    rows = rows_of(made.warehouse, "associations", "again")
    assert [(row["contig"], row["position"]) for row in rows] == [("chr2", 1000 + 10 * n) for n in range(5)]


def test_listed_variants_and_those_that_are_not_there(made: Made, tmp_path: Path) -> None:
    listed = tmp_path / "variants.txt"
    listed.write_text("1-1010-A-G\nchr2:1020:A:G\n3-5-A-T\n")
    found = scan_made(made, scan="listed", phenotype_ids=["height"], variants_file=str(listed))
    rows = rows_of(made.warehouse, "associations", "listed")
    assert [(row["contig"], row["position"]) for row in rows] == [("chr1", 1010), ("chr2", 1020)]
    assert found.counters["variants_not_found"] == 1  # type: ignore[attr-defined]


@pytest.mark.long
def test_two_callsets_are_one_with_the_same_people(spark: SparkSession, made: Made, tmp_path: Path) -> None:
    held = new_warehouse(spark, tmp_path / "warehouse", *RULES)
    first = N // 3
    for callset_id, people in (("a", slice(0, first)), ("b", slice(first, N))):
        names = NAMES[people]
        own = records(made.calls, people)
        ingest(held, tmp_path, own, names, callset_id=callset_id, labels=LABELS)
    write_phenotypes(held, made.traits, NAMES, told_sexes())
    scan_made(made, held, ancestries=[])
    for name in ("associations", "meta_associations"):
        _same(rows_of(held, name), rows_of(made.warehouse, name), 1e-9)
    summaries = zip(*(rows_of(each, "association_summaries") for each in (held, made.warehouse)), strict=True)
    for one, other in summaries:
        assert one["n_by_status"] == other["n_by_status"]


def test_other_partitions_give_the_same_rows(made: Made) -> None:
    spark, name = made.warehouse.spark, "spark.sql.files.maxPartitionBytes"
    before = spark.conf.get(name)
    other = Warehouse(spark, load_settings(
        warehouse=made.warehouse.root,
        overrides=[*RULES, "ingest.batch_bytes=1024", "spark.shuffle_partitions=3"],
    ))  # fmt: skip
    spark.conf.set(name, "4096")
    try:
        scan_made(made, other, scan="small", ancestries=[])
    finally:
        spark.conf.set(name, str(before))
    for table in ("associations", "meta_associations", "association_summaries"):
        _same(rows_of(other, table, "small"), rows_of(other, table), 0)


def test_rows_under_the_threshold_are_counted_and_not_stored(made: Made) -> None:
    other = Warehouse(made.warehouse.spark, load_settings(
        warehouse=made.warehouse.root, overrides=[*RULES, "association.keep_neg_log10_p=1"]
    ))  # fmt: skip
    scan_made(made, other, scan="kept", ancestries=[])
    for table in ("associations", "meta_associations"):
        wanted = [row for row in rows_of(other, table) if (row["neg_log10_p"] or 0) >= 1]
        _same(rows_of(other, table, "kept"), wanted, 0)
    _same(rows_of(other, "association_summaries", "kept"), rows_of(other, "association_summaries"), 0)


def test_rows_at_known_associations_are_stored_whatever_their_p(made: Made) -> None:
    settings = load_settings(
        warehouse=made.warehouse.root, overrides=[*RULES, "association.keep_neg_log10_p=300"]
    )
    other = Warehouse(made.warehouse.spark, settings)
    known = sorted({_allele(row) for row in rows_of(other, "associations")})[::7]
    _write_known(other, [_known(number, *key) for number, key in enumerate(known)])
    scan_made(made, other, scan="known", ancestries=[])
    _write_known(other, [])
    for table in ("associations", "meta_associations"):
        wanted = [row for row in rows_of(other, table) if _allele(row) in known]
        assert wanted
        _same(rows_of(other, table, "known"), wanted, 0)


def _allele(row: dict[str, Any]) -> tuple[str, int, str, str]:
    return row["contig"], row["position"], row["ref"], row["alt"]


def _known(number: int, contig: str, position: int, ref: str, alt: str) -> tuple[object, ...]:
    return ("map", "1", str(number), contig, 0, position, ref, alt, None, "1", None, None, "eur", None,
            "alt", 1.5, 1.2, 1.8, None, None, None, {})  # fmt: skip


def _write_known(warehouse: Warehouse, rows: Sequence[tuple[object, ...]]) -> None:
    with start_run(warehouse, "known") as run:
        run.write(RowsWrite(KNOWN_ASSOCIATIONS, rows, WHOLE_TABLE))


@pytest.mark.long
def test_a_store_that_tasks_cannot_open_gets_the_same_rows(
    spark: SparkSession, made: Made, tmp_path: Path
) -> None:
    elsewhere = make_cohort(spark, tmp_path, name="100 %").warehouse
    assert elsewhere.local_root is None
    for table in ("associations", "meta_associations", "association_summaries"):
        _same(rows_of(elsewhere, table), rows_of(made.warehouse, table), 0)


def test_a_task_that_fails_leaves_nothing(made: Made, tmp_path: Path) -> None:
    root = Path(shutil.copytree(made.warehouse.root, tmp_path / "warehouse"))
    held = Warehouse(made.warehouse.spark, load_settings(warehouse=str(root), overrides=RULES))
    before, rows = held.snapshot(), rows_of(held, "associations")
    broken = next(file for file in live_files(held.local_path(GENOTYPES), before["genotypes"])
                  if file.partition["contig"] == "chrX")  # fmt: skip
    Path(broken.path).write_bytes(b"PAR1" + bytes(Path(broken.path).stat().st_size - 8) + b"PAR1")
    files = set(root.rglob("*.parquet"))
    with pytest.raises(Exception, match="corrupted file"):
        scan_made(made, held, scan="broken", phenotype_ids=["height"])
    assert held.snapshot() == before
    assert rows_of(held, "associations", "broken") == []
    assert rows_of(held, "associations") == rows
    left = set(root.rglob("*.parquet")) - files
    assert {path.parent.name for path in left} == {"pipeline_runs"}
    assert not list((root / "_staging").glob("*"))

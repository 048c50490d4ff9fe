"""Cases 20, 21 and 22 of the collection, through the whole pipeline."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyspark.sql import SparkSession

from allofus_spark.ingest import ingest_genotypes
from allofus_spark.tables import Warehouse
from tests.cases.vcf_files import write_bytes

from .cohort import Trait, ingest, new_warehouse, records_of, rows_of, scan, write_phenotypes


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def _ingested(spark: SparkSession, case: Path, folder: Path, *overrides: str) -> Warehouse:
    held = new_warehouse(spark, folder / "warehouse", *overrides)
    about = {"callset_id": "all", "callset_date": "2026-01-01", "build": "GRCh38"}
    ingest_genotypes(held, [str(case / "input.vcf")], **about)
    return held


def _covariate_file(folder: Path, rows: list[dict[str, str]], *columns: str) -> str:
    lines = ["\t".join(("sample_id", *columns))]
    lines += ["\t".join((row["sample"], *(row[name] for name in columns))) for row in rows]
    return str(write_bytes(folder / "covariates.tsv", "".join(f"{line}\n" for line in lines)))


@pytest.fixture(scope="module")
def case_20(
    spark: SparkSession, cases: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[int, dict[str, Any]], dict[str, Any]]:
    """Rows by position of exact fits, as the case wants them, and what it expects."""
    case, folder = cases / "20_firth_separation_monomorphic", tmp_path_factory.mktemp("case")
    rows = _table(case / "pheno.tsv")
    held = _ingested(
        spark, case, folder, "association.exact_below_p=1", "association.firth_below_p=1",
        "association.min_mac=1", "association.min_mac_few_cases=1",
    )  # fmt: skip
    values = {row["sample"]: float(row["case"]) for row in rows}
    write_phenotypes(held, {"case": Trait(values, is_binary=True)}, list(values))
    found = scan(held, covariates=["age"], covariate_file=_covariate_file(folder, rows, "age"))
    assert found.counters["variants"] == 6
    by_position = {row["position"]: row for row in rows_of(held, "associations")}
    return by_position, json.loads((case / "expected.json").read_text())


def test_separation_gives_the_values_of_firth(case_20: Any) -> None:
    rows, expected = case_20
    assert len(rows) == len(expected["variants"])
    for key, wanted in expected["variants"].items():
        row = rows[int(key.split(":")[1])]
        assert (row["ac"], row["an"], row["n"], row["n_cases"]) == (wanted["AC"], wanted["AN"], 60, 20)
        if "firth" in wanted:
            assert (row["test"], row["status"]) == ("firth_exact", "ok")
            assert row["beta"] == pytest.approx(wanted["firth"]["beta"], rel=1e-3)
            assert row["se"] == pytest.approx(wanted["firth"]["se"], rel=1e-3)
            assert 10 ** -row["neg_log10_p"] == pytest.approx(wanted["firth"]["p_lrt"], rel=1e-2)


def test_without_variation_there_is_a_row_that_says_so(case_20: Any) -> None:
    rows, _ = case_20
    for position in (6100, 6200):
        row = rows[position]
        assert (row["status"], row["test"], row["beta"], row["neg_log10_p"]) == (
            "no_variation",
            None,
            None,
            None,
        )


def test_covariates_that_say_nothing_are_dropped_by_name(
    spark: SparkSession, cases: Path, tmp_path: Path
) -> None:
    case = cases / "21_covariates_and_phenotype_coding"
    rows = _table(case / "pheno.tsv")
    expected = json.loads((case / "expected.json").read_text())[
        "bmi ~ 1 + g + age (+ sex_const + age_months)"
    ]
    held = _ingested(spark, case, tmp_path, "association.min_people=10")
    bmi = Trait({row["sample"]: float(row["bmi"]) for row in rows})
    write_phenotypes(held, {"bmi": bmi}, [row["sample"] for row in rows])
    names = ["age", "sex_const", "age_months"]
    scan(held, covariates=names, covariate_file=_covariate_file(tmp_path, rows, *names))
    (row,) = rows_of(held, "associations")
    assert (row["n"], row["test"]) == (expected["n"], "linear")
    assert row["beta"] == pytest.approx(expected["beta"], rel=1e-10)
    assert row["se"] == pytest.approx(expected["se"], rel=1e-10)
    assert 10 ** -row["neg_log10_p"] == pytest.approx(expected["p"], rel=1e-9)
    (summary,) = [row for row in rows_of(held, "association_summaries") if row["ancestry"] == "all"]
    assert [text.partition(":")[0] for text in summary["dropped_covariates"]] == expected[
        "dropped_covariates"
    ]
    assert (summary["covariates"], summary["n_no_covariate"]) == (["age"], 2)


def test_a_perfect_fit_has_a_beta_and_a_status(spark: SparkSession, cases: Path, tmp_path: Path) -> None:
    rows = _table(cases / "22_p_underflow" / "perfect_fit.tsv")
    names = [row["sample"] for row in rows]
    held = new_warehouse(spark, tmp_path / "warehouse", "association.min_people=3", "association.min_mac=1")
    ingest(held, tmp_path, records_of(np.array([[int(row["g"]) for row in rows]], np.int8)), names)
    write_phenotypes(held, {"y": Trait({row["sample"]: float(row["y"]) for row in rows})}, names)
    scan(held)
    (row,) = rows_of(held, "associations")
    assert row["beta"] == pytest.approx(2, rel=1e-12)
    assert (row["status"], row["se"], row["neg_log10_p"]) == ("perfect_fit", None, None)

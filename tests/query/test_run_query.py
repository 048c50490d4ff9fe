"""Answers of ``run_query`` and ``warehouse_status`` over a finished warehouse."""

from __future__ import annotations

import os
from typing import Any

import pytest

from allofus_spark.errors import ContractViolation, QueryRefused
from allofus_spark.query import run_query, warehouse_status
from allofus_spark.query.statement import distinct_headers
from allofus_spark.settings import load_settings
from allofus_spark.tables import Warehouse, contracts
from tests.cases.pool import Pool


def rows_of(pool: Pool, text: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in run_query(pool.warehouse, text).collect()]


def test_questions_are_answered(pool: Pool) -> None:
    star = "contig = 'chr20' AND position > 20000"
    counts = f"SELECT variant_id, overall.ac FROM allele_frequencies WHERE {star} ORDER BY variant_id"
    assert rows_of(pool, counts) == [("20-20001-T-C", 2), ("20-20003-G-C", 4)]
    joined = (
        "WITH known AS (SELECT * FROM variants WHERE variant_type = 'snv') "
        "SELECT /*+ BROADCAST(k) */ k.variant_id, g.n_samples FROM known k "
        "JOIN Genotypes g USING (contig, bin, position, ref, alt) "
        f"WHERE {star} AND k.position IN (SELECT position FROM allele_frequencies WHERE overall.ac > 3) "
        "UNION ALL SELECT 'none', 0 ORDER BY 1"
    )
    n_samples = pool.frequencies_counters["samples"]
    assert rows_of(pool, joined) == [("20-20003-G-C", n_samples), ("none", 0)]


def test_a_with_of_a_table_s_own_name_reads_the_table(pool: Pool) -> None:
    text = "WITH variants AS (SELECT * FROM variants WHERE contig = 'chr20') SELECT count(*) FROM variants"
    assert rows_of(pool, text) == [(5,)]


def test_counts_by_stratum_as_a_view(pool: Pool) -> None:
    text = (
        "SELECT sex_class, sum(n_hemi_alt), sum(n_het), sum(an_called) FROM allele_counts_long "
        "WHERE contig = 'chrX' AND position = 50000000 GROUP BY sex_class ORDER BY sex_class"
    )
    assert rows_of(pool, text) == [("XX", 0, 1, 6), ("XY", 2, 0, 3), ("other", 0, 0, 0)]


def with_labels(pool: Pool, labels: str) -> Warehouse:
    """The pool's warehouse with another setting ``ancestry.labels``."""
    settings = load_settings(warehouse=pool.warehouse.root, overrides=[f"ancestry.labels={labels}"])
    return Warehouse(pool.warehouse.spark, settings)


def test_the_label_that_counts_as_a_view(pool: Pool) -> None:
    text = (
        "SELECT l.ancestry, l.supplied_ancestry, a.ancestry, s.ancestry, l.inferred_ancestry, l.source "
        "FROM sample_labels l "
        "JOIN samples s USING (callset_id, sample_id) LEFT JOIN ancestries a USING (callset_id, sample_id)"
    )
    rows = [tuple(row) for row in run_query(with_labels(pool, "supplied_else_inferred"), text).collect()]
    assert len(rows) == pool.frequencies_counters["samples"]
    assert all(label == (supplied or inferred) for label, supplied, inferred, *_ in rows)
    assert all(supplied == of_sample for _, supplied, _, of_sample, *_ in rows)
    assert any(inferred and supplied and inferred != supplied for _, supplied, inferred, *_ in rows)
    assert all(inferred == of_view for _, _, inferred, _, of_view, _ in rows)
    sources = {
        (supplied is not None, inferred is not None): source for _, supplied, inferred, _, _, source in rows
    }
    expected = {
        (True, True): "supplied",
        (True, False): "supplied",
        (False, True): "inferred",
        (False, False): None,
    }
    assert sources.items() <= expected.items()
    assert sources[True, True] == "supplied"


def test_a_label_that_is_set_to_be_inferred_has_that_source(pool: Pool) -> None:
    rows = run_query(with_labels(pool, "inferred"), "SELECT * FROM sample_labels").collect()
    assert all(row.ancestry == row.inferred_ancestry for row in rows)
    assert {row.source for row in rows if row.ancestry is None} <= {None}
    assert {row.source for row in rows if row.ancestry} == {"inferred"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("SELECT * FROM variant", "there is no table variant; did you mean variants"),
        ("SELECT * FROM allele_count_long", "did you mean allele_counts_long"),
        ("SELECT * FROM `/etc/passwd`", "there is no table /etc/passwd"),
        ("SELECT * FROM frequencies_of_nobody", "there is no table frequencies_of_nobody"),
        ("WITH a AS (SELECT 1) SELECT * FROM a JOIN b", "there is no table b"),
    ],
)
def test_an_unknown_table_is_named_with_those_that_there_are(text: str, message: str, pool: Pool) -> None:
    with pytest.raises(ContractViolation, match=message) as refusal:
        run_query(pool.warehouse, text)
    assert "genotypes" in str(refusal.value)


def test_the_machine_s_variables_stay_outside(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    name = next(iter(os.environ))
    with pytest.raises(QueryRefused):
        run_query(pool.warehouse, f"SELECT '${{env:{name}}}'")
    assert rows_of(pool, "SELECT '$' || '{env:PATH}'") == [("${env:PATH}",)]


def test_a_warehouse_without_tables_says_what_is_missing(pool: Pool, tmp_path: Any) -> None:
    empty = Warehouse(pool.warehouse.spark, load_settings(warehouse=str(tmp_path)))
    with pytest.raises(ContractViolation, match="table variants is in no finished snapshot"):
        run_query(empty, "SELECT * FROM variants")
    assert warehouse_status(empty) == []
    assert [tuple(row) for row in run_query(empty, "SELECT 1").collect()] == [(1,)]


@pytest.mark.long
def test_status_tells_versions_rows_bytes_and_the_last_run(whole_pool: Pool) -> None:
    statuses = {item.name: item for item in warehouse_status(whole_pool.warehouse)}
    assert set(statuses) == {table.name for table in contracts(whole_pool.warehouse.settings)}
    n_alleles = len(whole_pool.frequencies)
    assert statuses["genotypes"].rows == statuses["allele_frequencies"].rows == n_alleles
    assert statuses["samples"].rows == whole_pool.frequencies_counters["samples"] + 1
    assert (statuses["genotypes"].last_run, statuses["allele_counts"].last_run) == (
        "ingest_genotypes",
        "compute_frequencies",
    )
    for item in statuses.values():
        assert item.version is not None
        assert item.version <= item.live_version
        assert item.bytes > 0 or item.rows == 0
    assert statuses["genotypes"].zone == "controlled"


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("SELECT variant_id, eas.af, eur.af FROM allele_frequencies", ["variant_id", "eas.af", "eur.af"]),
        ("SELECT 1 AS a, 2 AS b, 3 AS a", ["a", "b", "a_2"]),
        ("SELECT *, 1 AS a FROM (SELECT 2 AS a)", ["a", "a_2"]),
        ("SELECT eas.af, 1 AS af_2, eur.af FROM allele_frequencies", ["eas.af", "af_2", "eur.af"]),
        ("SELECT af, a.af FROM (SELECT eas.af FROM allele_frequencies) a UNION SELECT 1, 2", ["af", "a.af"]),
    ],
)
def test_columns_of_one_name_get_headers_of_their_own(text: str, columns: list[str], pool: Pool) -> None:
    answer = run_query(pool.warehouse, text)
    assert answer.columns == columns
    for row in answer.limit(1).collect():
        assert len(row.asDict()) == len(columns)


def test_a_number_is_not_given_to_a_name_that_is_there() -> None:
    assert distinct_headers(["a", "a", "a_2", "a"], []) == ["a", "a_3", "a_2", "a_4"]

"""The view ``vat`` against plain restatements of the values that its tables were made from."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pyspark.sql import SparkSession

from allofus_spark.query import run_query
from allofus_spark.settings import load_settings
from allofus_spark.tables import Warehouse
from tests.variant_tables import GROUPS, Allele, make_warehouse, random_alleles

from .conftest import BARE

ALLELES = random_alleles(seed=3, n=60)


@pytest.fixture(scope="module")
def alleles_held(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return make_warehouse(spark, str(tmp_path_factory.mktemp("vat") / "w"), ALLELES)


def plain_rows(allele: Allele) -> list[dict[str, Any]]:
    row: dict[str, Any] = {"vid": allele.id, "contig": allele.contig, "position": allele.position}
    row |= {"ref_allele": allele.ref, "alt_allele": allele.alt, "variant_type": allele.kind}
    most = allele.max_group()
    sources = {"all": "overall", **{group: group for group in GROUPS}}
    for name, group in sources.items():
        row |= {f"gvs_{name}_{field}": allele.frequency(group)[field] for field in ("ac", "an", "af", "sc")}
    for field in ("ac", "an", "af", "sc"):
        row[f"gvs_max_{field}"] = allele.frequency(most)[field] if most else None
    row["gvs_max_subpop"] = most
    known = {part for _, text in allele.reports for part in (text or "").split(";")}
    rs = sorted(part for part in known if re.fullmatch(r"rs\d+", part))
    row |= {"novelty_status": allele.status, "dbsnp_rsid": rs if allele.status else None}
    return [
        {
            **row,
            "transcript": transcript,
            "transcript_source": "Ensembl" if transcript else None,
            "gene_symbol": gene,
            "gene_id": f"ENSG-{gene}" if gene else None,
            "consequence": terms or None,
            "aa_change": change,
            "dna_change_in_transcript": None,
        }
        for transcript, gene, terms, change in allele.transcripts or [(None, None, [], None)]
    ]


def sort_key(row: dict[str, Any]) -> tuple[Any, ...]:
    return (row["vid"], row["transcript"] or "")


def rows_of(warehouse: Warehouse, text: str = "SELECT * FROM vat") -> list[dict[str, Any]]:
    return sorted((row.asDict() for row in run_query(warehouse, text).collect()), key=sort_key)


def test_every_cell_is_that_of_the_tables(alleles_held: Warehouse) -> None:
    expected = [row for allele in ALLELES if allele.passes for row in plain_rows(allele)]
    assert rows_of(alleles_held) == sorted(expected, key=sort_key)
    assert 0 < sum(allele.passes for allele in ALLELES) < len(ALLELES)


def test_columns_stand_in_the_order_of_the_public_table(alleles_held: Warehouse) -> None:
    columns = run_query(alleles_held, "SELECT * FROM vat").columns
    assert ",".join(columns[:7]) == "vid,transcript,contig,position,ref_allele,alt_allele,gvs_all_ac"
    assert ",".join(columns[-9:]) == (
        "gene_symbol,transcript_source,aa_change,consequence,dna_change_in_transcript,variant_type,"
        "dbsnp_rsid,gene_id,novelty_status"
    )


def test_other_settings_show_all_sites_and_another_annotator_s_nothing(alleles_held: Warehouse) -> None:
    overrides = ["summary.passing_only=false", "summary.catalogue_set=other", "consequences.annotator=vep"]
    other = Warehouse(alleles_held.spark, load_settings(warehouse=alleles_held.root, overrides=overrides))
    rows = rows_of(other)
    assert [row["vid"] for row in rows] == sorted(allele.id for allele in ALLELES)
    assert {row["novelty_status"] for row in rows} == {row["consequence"] for row in rows} == {None}


def test_it_answers_before_novelty_and_consequences_are_there(bare: Warehouse) -> None:
    rows = rows_of(bare, "SELECT vid, transcript, gene_id, novelty_status, dbsnp_rsid FROM vat")
    passing = sorted(allele.id for allele in BARE if allele.passes)
    assert [tuple(row.values()) for row in rows] == [(vid, None, None, None, None) for vid in passing]


def test_a_place_prunes_every_table_that_is_read(alleles_held: Warehouse) -> None:
    text = "SELECT vid FROM vat WHERE contig = 'chr22' AND position BETWEEN 1 AND 20000000"
    plan = run_query(alleles_held, text)._jdf.queryExecution().executedPlan().toString()
    scans = re.findall(r"PartitionFilters: \[(.*?)\].*?PushedFilters: \[(.*?)\]", plan)
    assert len(scans) >= 3
    for partition, pushed in scans:
        assert "chr22" in partition
        assert "LessThanOrEqual(position,20000000)" in pushed

"""Which sites stand for the genome: every rule, one by one, and equal results however rows lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from allofus_spark.cohort import SiteRules, calls_at, choose_sites, warehouse_build
from allofus_spark.errors import BadSource
from allofus_spark.genotypes import HET, HOM_ALT, MISSING, decode, unpack
from allofus_spark.ingest import ingest_genotypes
from allofus_spark.settings import load_settings
from allofus_spark.tables import Warehouse, start_run
from tests.cases.vcf_files import gt_record, vcf_text, write_bytes

N = 8
RULES = SiteRules(
    min_call_rate=0.75,
    min_maf=0.1,
    max_sites=1_000,
    max_r2=None,
    window_bases=1_000,
    max_ld_samples=100,
    leave_out_long_range_ld=True,
)
HALF = ("0/1", "0/1", "1/1", "0/0", "0/1", "0/0", "0/1", "0/0")
RECORDS = {
    "kept": gt_record(*HALF, contig="chr1", pos=1_000),
    "alt is the common allele": gt_record(*["1/1"] * 7, "0/1", contig="chr1", pos=3_000),
    "all alt": gt_record(*["1/1"] * N, contig="chr1", pos=4_000),
    "nobody": gt_record(*["0/0"] * N, contig="chr1", pos=5_000),
    "two of eight missing": gt_record("./.", "./.", *HALF[2:], contig="chr1", pos=6_000),
    "three of eight missing": gt_record("./.", "./.", "./.", *HALF[3:], contig="chr1", pos=7_000),
    "two alternates": gt_record("0/2", *HALF[1:], contig="chr1", pos=8_000, alt="C,T"),
    "an insertion begins there too": gt_record(*HALF, contig="chr1", pos=9_000),
    "that insertion": gt_record(*HALF, contig="chr1", pos=9_000, alt="AT"),
    "a deletion": gt_record(*HALF, contig="chr1", pos=10_000, ref="AT", alt="A"),
    "a base that is not known": gt_record(*HALF, contig="chr1", pos=11_000, ref="N"),
    "long-range linkage": gt_record(*HALF, contig="chr6", pos=30_000_000),
    "beside it": gt_record(*HALF, contig="chr6", pos=40_000_000),
    "on X": gt_record(*HALF, contig="chrX", pos=20_000_000),
    "in a pseudoautosomal region": gt_record(*HALF, contig="chrX", pos=100_000),
    "on MT": gt_record(*["1/1"] * 4, *["0/0"] * 4, contig="chrM", pos=100),
    "another contig": gt_record(*HALF, contig="chrUn_1", pos=100),
    "before chr6 in the genome": gt_record(*HALF, contig="chr2", pos=500),
}
KEPT = {
    "kept": ("chr1", 1_000, 6, 16),
    "two of eight missing": ("chr1", 6_000, 4, 12),
    "before chr6 in the genome": ("chr2", 500, 6, 16),
    "beside it": ("chr6", 40_000_000, 6, 16),
}


@pytest.fixture(scope="module")
def ingested(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Warehouse]:
    """Makes a warehouse of callsets, each from records."""

    def make(**callsets: list[str]) -> Warehouse:
        folder = tmp_path_factory.mktemp("sites")
        made = Warehouse(spark, load_settings(warehouse=str(folder / "warehouse")))
        for name, records in callsets.items():
            samples = [f"{name}{number}" for number in range(len(records[0].split()) - 9)]
            source = write_bytes(folder / f"{name}.vcf", vcf_text(records, samples))
            ingest_genotypes(made, [str(source)], callset_id=name, callset_date="2026-01-01", build="GRCh38")
        return made

    return make


@pytest.fixture(scope="module")
def one(ingested: Callable[..., Warehouse]) -> Warehouse:
    return ingested(c=list(RECORDS.values()))


def chosen(
    held: Warehouse, rules: SiteRules, members: dict[str, list[int]], sizes: dict[str, int]
) -> pa.Table:
    with start_run(held, "choose") as run:
        arrays = {name: np.array(own, np.int64) for name, own in members.items()}
        return choose_sites(run, arrays, sizes, warehouse_build(held), rules)


def as_rows(sites: pa.Table) -> list[tuple[str, int, int, int]]:
    assert sites.column("site").to_pylist() == list(range(len(sites)))
    return [(row["contig"], row["position"], row["ac"], row["an"]) for row in sites.to_pylist()]


def test_each_rule_leaves_out_what_it_says(one: Warehouse) -> None:
    assert as_rows(chosen(one, RULES, {"c": list(range(N))}, {"c": N})) == list(KEPT.values())
    no_regions = replace(RULES, leave_out_long_range_ld=False)
    assert ("chr6", 30_000_000, 6, 16) in as_rows(chosen(one, no_regions, {"c": list(range(N))}, {"c": N}))
    rare = replace(RULES, min_maf=0.01)
    assert ("chr1", 3_000, 15, 16) in as_rows(chosen(one, rare, {"c": list(range(N))}, {"c": N}))


def test_only_members_are_counted(one: Warehouse) -> None:
    sites = as_rows(chosen(one, RULES, {"c": [0, 1, 2, 4]}, {"c": N}))
    assert ("chr1", 1_000, 5, 8) in sites
    assert ("chr1", 6_000, 3, 4) not in sites, "half of the members have no call"


def test_most_sites_are_spread_and_do_not_depend_on_the_order_of_rows(
    ingested: Callable[..., Warehouse], spark: SparkSession
) -> None:
    records = [gt_record(*HALF, contig="chr3", pos=10 * number) for number in range(1, 200)]
    forward, backward = ingested(c=records), ingested(c=records[::-1])
    few = replace(RULES, max_sites=20)
    first = chosen(forward, few, {"c": list(range(N))}, {"c": N})
    assert len(first) == 20
    assert first.column("position").to_pylist() == sorted(first.column("position").to_pylist())
    before = spark.conf.get("spark.sql.shuffle.partitions")
    try:
        spark.conf.set("spark.sql.shuffle.partitions", "7")
        assert chosen(backward, few, {"c": list(range(N))}, {"c": N}).equals(first)
    finally:
        spark.conf.set("spark.sql.shuffle.partitions", before or "2")


def test_linked_sites_are_pruned_by_window_and_contig(ingested: Callable[..., Warehouse]) -> None:
    other = ("0/0", "1/1", "0/1", "1/1", "0/0", "0/0", "0/1", "1/1")
    held = ingested(
        c=[
            gt_record(*HALF, contig="chr1", pos=100),
            gt_record(*HALF, contig="chr1", pos=200),
            gt_record(*other, contig="chr1", pos=300),
            gt_record(*HALF, contig="chr1", pos=1_201),
            gt_record(*HALF, contig="chr2", pos=200),
        ]
    )
    pruned = replace(RULES, max_r2=0.9)
    rows = as_rows(chosen(held, pruned, {"c": list(range(N))}, {"c": N}))
    assert [row[:2] for row in rows] == [("chr1", 100), ("chr1", 300), ("chr1", 1_201), ("chr2", 200)]


def test_callsets_count_together_and_absent_is_missing(ingested: Callable[..., Warehouse]) -> None:
    two = ("0/1", "1/1")
    held = ingested(
        a=[gt_record(*HALF, pos=100), gt_record(*HALF, pos=200), gt_record(*HALF, pos=300)],
        b=[gt_record(*two, pos=100), gt_record(*two, pos=300, alt="G")],
    )
    members, sizes = {"a": list(range(N)), "b": [0, 1]}, {"a": N, "b": 2}
    rows = as_rows(chosen(held, RULES, members, sizes))
    assert rows == [("chr1", 100, 9, 20), ("chr1", 200, 6, 16)], "at 300 the callsets have other alternates"
    everyone = replace(RULES, min_call_rate=1)
    assert as_rows(chosen(held, everyone, members, sizes)) == rows[:1]


def test_calls_at_sites_are_those_of_the_genotypes(one: Warehouse) -> None:
    with start_run(one, "calls") as run:
        members = {"c": np.arange(N)}
        sites = choose_sites(run, members, {"c": N}, warehouse_build(one), RULES)
        rows = calls_at(run, sites, ["c"])
        assert dict(rows.dtypes)["site"] == "int"
        batches = [pa.RecordBatch.from_pandas(rows.orderBy("site").toPandas())]
    table = pa.Table.from_batches(batches)
    lists = ("het_index", "hom_alt_index", "missing_index")
    for name in lists:
        table = table.set_column(
            table.schema.get_field_index(name), name, table.column(name).cast(pa.list_(pa.int32()))
        )
    calls = unpack(decode(table.combine_chunks().to_batches()[0], N).to_packed(), N)
    code = {"0/0": 0, "0/1": HET, "1/1": HOM_ALT, "./.": MISSING}
    expected = [[code[gt] for gt in RECORDS[name].split()[9:]] for name in KEPT]
    assert calls.tolist() == expected


def test_no_site_left_says_what_left_them_out(one: Warehouse) -> None:
    with pytest.raises(BadSource, match="no site is left") as raised:
        chosen(one, replace(RULES, min_maf=0.49), {"c": list(range(N))}, {"c": N})
    assert "minor allele frequency of 0.49" in str(raised.value)
    assert "8 samples" in str(raised.value)

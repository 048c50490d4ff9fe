"""One real cohort from VCF, MatrixTable, .bed, .pgen and BGEN; a VDS against Hail; damaged inputs of each.

The files of other formats are made by PLINK 2 and Hail from the VCF that bcftools has split.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from allofus_spark.errors import AllofusError, BuildMismatch
from allofus_spark.export import export_genotypes
from allofus_spark.frequencies import compute_frequencies
from allofus_spark.genotypes import BED_HEADER, bed_from_packed, pack
from allofus_spark.hail_bridge import start_hail
from allofus_spark.ingest import ingest_genotypes, ingest_samples
from allofus_spark.qc import compute_qc
from allofus_spark.settings import load_settings
from allofus_spark.tables import GENOTYPES, REJECTED_RECORDS, VARIANT_SITES, Warehouse
from tests.cases.vcf_files import vcf_text, write_bytes

from .engine import KEY, read_calls, read_rows

pytestmark = pytest.mark.long


CHR22 = "multisample/1kg_p3_2504_chr22_16.05-16.5M.grch37.vcf.gz"
FASTA = "reference/grch37_chr22_1-22000000.fa.gz"
DEPTHS = (
    "multisample/hail_sample2_100_chr22_multiallelic_DP_GQ_PL.grch37.vcf.gz",
    "multisample/hail_sample_100_chr20_AD_DP_GQ_PL.grch37.vcf.gz",
)


def run(*command: object) -> None:
    subprocess.run([str(part) for part in command], check=True, capture_output=True)


@pytest.fixture(scope="module")
def hail(spark: SparkSession) -> Any:
    start_hail(spark, "GRCh37")
    import hail as hl

    return hl


@pytest.fixture(scope="module")
def cohort(
    realdata: Path, oracle: Callable[[str], str], hail: Any, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with the chr22 cohort as split.vcf.gz, cohort.mt, p.pgen, b.bed, major.bed and g.bgen."""
    folder = tmp_path_factory.mktemp("sources")
    plink2, source = oracle("plink2"), realdata / CHR22
    run(oracle("bcftools"), "norm", "-m-", "-Oz", "-o", folder / "split.vcf.gz", source)
    run(plink2, "--vcf", folder / "split.vcf.gz", "--make-pgen", "--out", folder / "p")
    run(plink2, "--vcf", source, "--make-pgen", "pvar-cols=maybequal,maybefilter", "--out", folder / "whole")
    run(plink2, "--pfile", folder / "p", "--make-bed", "--out", folder / "b")
    # A2 is the commoner allele, as PLINK 1 wrote it: for some variants not the reference.
    run(plink2, "--pfile", folder / "p", "--maj-ref", "force", "--make-bed", "--out", folder / "major")
    run(plink2, "--pfile", folder / "p", "--export", "bgen-1.2", "bits=8", "ref-first", "--out", folder / "g")
    run(plink2, "--pfile", folder / "p", "--export", "bgen-1.3", "--out", folder / "zstd")
    matrix = hail.import_vcf(str(source), force_bgz=True, min_partitions=3, reference_genome="GRCh37")
    matrix.write(str(folder / "cohort.mt"))
    return folder


Ingest = Callable[..., Warehouse]


@pytest.fixture(scope="module")
def ingested(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Ingest:
    """Ingests a source into a new warehouse; ``overrides`` are settings."""

    def make(path: Path, *overrides: str, build: str = "GRCh37") -> Warehouse:
        root = tmp_path_factory.mktemp("w") / "warehouse"
        warehouse = Warehouse(spark, load_settings(warehouse=str(root), overrides=overrides))
        ingest_genotypes(warehouse, [str(path)], callset_id="c", callset_date="2026-01-01", build=build)
        return warehouse

    return make


@pytest.fixture(scope="module")
def from_vcf(realdata: Path, ingested: Ingest) -> Warehouse:
    return ingested(realdata / CHR22)


@pytest.mark.parametrize(
    ("name", "overrides"),
    [
        ("cohort.mt", []),
        ("p.pgen", []),
        ("whole.pgen", []),
        ("b.bed", ["ingest.reference_allele=last"]),
        ("g.bgen", ["ingest.reference_allele=first"]),
        ("zstd.bgen", ["ingest.reference_allele=last"]),
    ],
)
def test_every_source_gives_the_keys_and_genotypes_of_the_vcf(
    cohort: Path, from_vcf: Warehouse, ingested: Ingest, name: str, overrides: list[str]
) -> None:
    warehouse = ingested(cohort / name, *overrides)
    expected = read_rows(from_vcf, GENOTYPES)
    found = read_rows(warehouse, GENOTYPES)
    assert expected.num_rows == 6139
    assert found.equals(expected)
    # A MatrixTable and a .pgen of whole records keep what the VCF says of a site.
    if name in ("cohort.mt", "whole.pgen"):
        sites = [read_rows(held, VARIANT_SITES) for held in (from_vcf, warehouse)]
        assert sites[0].equals(sites[1])


def test_a_matrix_table_is_ingested_where_tasks_cannot_open_the_store(
    cohort: Path, from_vcf: Warehouse, tmp_path: Path
) -> None:
    # A per cent sign stands for such a store: what tasks would open is then reached by Hadoop.
    settings = load_settings(warehouse=str(tmp_path / "w%20"))
    warehouse = Warehouse(from_vcf.spark, settings)
    assert warehouse.local_root is None
    ingest_genotypes(
        warehouse, [str(cohort / "cohort.mt")], callset_id="c", callset_date="2024-07-01", build="GRCh37"
    )
    found, expected = (
        held.read(GENOTYPES).drop("callset_id", "bin").orderBy("position", "ref", "alt").collect()
        for held in (warehouse, from_vcf)
    )
    assert found == expected


def test_alleles_of_a_bed_are_turned_as_the_fasta_has_them(
    cohort: Path, realdata: Path, ingested: Ingest
) -> None:
    fasta = f"genome.reference_fasta={realdata / FASTA}"
    expected = read_rows(ingested(cohort / "split.vcf.gz", fasta), GENOTYPES)
    warehouse = ingested(cohort / "major.bed", fasta)
    found = read_rows(warehouse, GENOTYPES)
    refused = DeltaTable(warehouse.path(REJECTED_RECORDS)).to_pyarrow_table()
    # An insertion or deletion of which both alleles begin the reference there could be either.
    assert set(refused["reason"].to_pylist()) == {"ambiguous_reference"}
    assert found.num_rows + refused.num_rows == expected.num_rows == 6139
    assert 0 < refused.num_rows < 300
    by_key = dict(zip(_keys(expected), expected.to_pylist(), strict=True))
    assert all(by_key[key] == row for key, row in zip(_keys(found), found.to_pylist(), strict=True))


def _keys(rows: pa.Table) -> Iterator[tuple[Any, ...]]:
    return zip(*(rows[name].to_pylist() for name in KEY), strict=True)


@pytest.mark.parametrize("name", ["b.bed", "g.bgen"])
def test_without_fasta_or_option_the_reference_is_not_guessed(
    cohort: Path, ingested: Ingest, name: str
) -> None:
    with pytest.raises(AllofusError, match=r"does not say which allele .* ingest\.reference_allele=first"):
        ingested(cohort / name)


@pytest.mark.parametrize("preset", ["adj", "adj_no_dp"])
@pytest.mark.parametrize("path", DEPTHS)
def test_filters_in_hail_are_those_on_the_vcf(
    realdata: Path, hail: Any, ingested: Ingest, tmp_path: Path, path: str, preset: str
) -> None:
    matrix = hail.import_vcf(str(realdata / path), force_bgz=True, reference_genome="GRCh37")
    matrix.write(str(tmp_path / "depths.mt"))
    filters = f'ingest.genotype_filters=["{preset}"]'
    both = [ingested(source, filters) for source in (realdata / path, tmp_path / "depths.mt")]
    for table in (GENOTYPES, VARIANT_SITES):
        of_vcf, of_hail = (read_rows(warehouse, table) for warehouse in both)
        assert of_vcf.equals(of_hail)
    assert pc.sum(read_rows(both[0], VARIANT_SITES)["n_gq_calls_missing"]).as_py() > 0


ODD_CALLS = [
    "0/1:20:10:8,2,0", "0/1:20:10:81,20,0", "0/1:20:10:.", "0/1:20:10:.,9,1", "0/1:20:10:9", "0/1:.:10:5,5,0",
    "0/1:20:.:5,5,0", "0/1:20:10:0,0,0", "1/2:20:10:0,5,5", "1|2:20:10:0,9,1", "0/2:20:10:5,0,5",
    "0/0:20:10:1,9,0", "1/1:20:10:9,1,0", "./.:.:.:.", "1:20:10:9,1,0", "1:19:10:0,9,0", "2:20:10:0,0,9",
]  # fmt: skip


def test_odd_calls_and_depths_are_the_same_from_hail(hail: Any, spark: SparkSession, tmp_path: Path) -> None:
    """On an autosome and on X: haploid calls, AD too short or with dots, and calls of two ALTs."""
    meta = ["##contig=<ID=20,length=63025520>", "##contig=<ID=X,length=155270560>"]
    numbers = {"GT": ("1", "String"), "GQ": ("1", "Integer"), "DP": ("1", "Integer"), "AD": ("R", "Integer")}
    for name, (number, kind) in numbers.items():
        meta.append(f'##FORMAT=<ID={name},Number={number},Type={kind},Description="{name}">')
    records = [
        f"{contig} {position} . A T,C 30.25 PASS . GT:GQ:DP:AD " + " ".join(ODD_CALLS)
        for contig, position in (("20", 1000), ("X", 50_000_000))
    ]
    names = [f"S{number}" for number in range(len(ODD_CALLS))]
    vcf = write_bytes(tmp_path / "odd.vcf", vcf_text(records, names, meta=meta))
    matrix = hail.import_vcf(str(vcf), reference_genome="GRCh37", array_elements_required=False)
    matrix.write(str(tmp_path / "odd.mt"))
    # The same with local alleles, in an order of their own.
    local = matrix.annotate_entries(
        LA=[0, 2, 1], LGT=_recoded(hail, matrix.GT), LAD=_reordered(hail, matrix.AD)
    )
    local.drop("GT", "AD").write(str(tmp_path / "local.mt"))
    found = []
    for source in ("odd.vcf", "odd.mt", "local.mt"):
        settings = load_settings(
            warehouse=str(tmp_path / f"w_{source}"), overrides=['ingest.genotype_filters=["adj"]']
        )
        warehouse = Warehouse(spark, settings)
        ingest_samples_of(warehouse, names, tmp_path)
        ingest_genotypes(
            warehouse, [str(tmp_path / source)], callset_id="c", callset_date="2026-01-01", build="GRCh37"
        )
        rows = read_rows(warehouse, VARIANT_SITES)
        # Hail applies the filters before the policy on haploid calls.
        counts = [name for name in rows.column_names if "haploid" not in name and "_gq_" not in name]
        found.append((read_rows(warehouse, GENOTYPES), rows.select([n for n in counts if "high" not in n])))
    assert found[0][0].num_rows == 4
    assert all(genotypes.equals(found[0][0]) for genotypes, _ in found)
    assert all(sites.equals(found[0][1]) for _, sites in found)


def _recoded(hl: Any, call: Any) -> Any:
    """A call's alleles by their place in LA = [0, 2, 1]."""
    place = hl.literal([0, 2, 1])
    return (
        hl.case()
        .when(call.ploidy == 1, hl.call(place[call[0]]))
        .when(call.ploidy == 2, hl.call(place[call[0]], place[call[1]]))
        .or_missing()
    )


def _reordered(hl: Any, depths: Any) -> Any:
    return hl.if_else(hl.len(depths) == 3, [depths[0], depths[2], depths[1]], depths)


def ingest_samples_of(warehouse: Warehouse, names: list[str], folder: Path) -> None:
    lines = [f"{name}\t{('XX', 'XY')[number % 2]}\n" for number, name in enumerate(names)]
    path = write_bytes(folder / "samples.tsv", "".join(["sample_id\tsex_karyotype\n", *lines]))
    ingest_samples(warehouse, str(path), callset_id="c", columns={})


def test_an_allele_with_a_comma_is_refused_and_moves_no_other_call(
    spark: SparkSession, tmp_path: Path
) -> None:
    """A .bed has one row a variant: two alternates read out of A1 would take the next variant's."""
    calls = np.array([[2, 2, 2], [0, 0, 1], [0, 3, 0]], np.int8)
    (tmp_path / "x.bed").write_bytes(BED_HEADER + bed_from_packed(pack(calls), 3).tobytes())
    write_bytes(tmp_path / "x.bim", "1 multi 0 3 T,A G\n1 ok 0 4 A T\n1 mono 0 5 0 T\n")
    write_bytes(tmp_path / "x.fam", "".join(f"0 {name} 0 0 0 -9\n" for name in "abc"))
    settings = load_settings(
        warehouse=str(tmp_path / "w"),
        overrides=["ingest.reference_allele=last", "ingest.max_rejected_share=1"],
    )
    warehouse = Warehouse(spark, settings)
    ingest_genotypes(
        warehouse, [str(tmp_path / "x.bed")], callset_id="c", callset_date="2026-01-01", build="GRCh37"
    )
    keys, found = read_calls(warehouse)
    assert (keys, found.tolist()) == ([("1", 4, "T", "A")], [[0, 0, 1]])
    rejected = DeltaTable(warehouse.path(REJECTED_RECORDS)).to_pyarrow_table()
    assert rejected["reason"].to_pylist() == ["bad_alt"]


def test_a_custom_build_goes_through_every_job(spark: SparkSession, tmp_path: Path) -> None:
    """Its contigs are kept with the warehouse; 23 is a chromosome there, not X."""
    contigs = "22\t900\t4\t60\t61\n23\t800\t4\t60\t61\nX\t700\t4\t60\t61\n"
    index = write_bytes(tmp_path / "cow.fa.fai", contigs)
    write_bytes(tmp_path / "cow.fa", ">22\n")
    calls = np.array([[0, 1, 2], [2, 1, 0]], np.int8)
    (tmp_path / "x.bed").write_bytes(BED_HEADER + bed_from_packed(pack(calls), 3).tobytes())
    write_bytes(tmp_path / "x.bim", "22 a 0 3 T G\n23 b 0 4 A T\n")
    write_bytes(tmp_path / "x.fam", "".join(f"0 {name} 0 0 0 -9\n" for name in "abc"))
    settings = load_settings(warehouse=str(tmp_path / "w"), overrides=["ingest.reference_allele=last"])
    warehouse = Warehouse(spark, settings)
    ingest_genotypes(
        warehouse, [str(tmp_path / "x.bed")], callset_id="c", callset_date="2026-01-01", build=str(index)
    )
    compute_frequencies(warehouse)
    compute_qc(warehouse, assume_unrelated=True)
    export_genotypes(warehouse, file_format="bed", out=str(tmp_path / "out"))
    assert (tmp_path / "out.bed").read_bytes() == (tmp_path / "x.bed").read_bytes()
    assert [line.split()[0] for line in (tmp_path / "out.bim").read_text().splitlines()] == ["22", "23"]
    write_bytes(index, contigs.replace("900", "901"))
    with pytest.raises(BuildMismatch, match="holds other contigs under that name, the source is cow"):
        ingest_genotypes(
            warehouse, [str(tmp_path / "x.bed")], callset_id="d", callset_date="2026-01-01", build=str(index)
        )


DAMAGES: dict[str, Callable[[Path], None]] = {
    "cut.bed": lambda path: path.write_bytes(path.read_bytes()[:-7]),
    "cut.pgen": lambda path: path.write_bytes(path.read_bytes()[:-7]),
    "cut.bgen": lambda path: path.write_bytes(path.read_bytes()[:-7]),
    "magic.bed": lambda path: path.write_bytes(b"\x6c\x1c" + path.read_bytes()[2:]),
    "magic.bgen": lambda path: path.write_bytes(path.read_bytes()[:16] + b"bgem" + path.read_bytes()[20:]),
    "mangled.pgen": lambda path: path.write_bytes(
        path.read_bytes()[:200_000] + bytes(200) + path.read_bytes()[200_200:]
    ),
    "mangled.bgen": lambda path: path.write_bytes(
        path.read_bytes()[:500_000] + bytes(200) + path.read_bytes()[500_200:]
    ),
}
COMPANIONS = {"bed": ("bim", "fam"), "pgen": ("pvar", "psam"), "bgen": ("sample",)}
STEMS = {"bed": "b", "pgen": "p", "bgen": "g"}


def copied(cohort: Path, folder: Path, kind: str) -> Path:
    for ending in (kind, *COMPANIONS[kind]):
        shutil.copy(cohort / f"{STEMS[kind]}.{ending}", folder / f"x.{ending}")
    return folder / f"x.{kind}"


def refused(warehouse: Warehouse, path: Path, match: str) -> None:
    """The ingest raises an error that names the file, and no table of it is there."""
    with pytest.raises(AllofusError, match=match) as refusal:
        ingest_genotypes(warehouse, [str(path)], callset_id="c", callset_date="2026-01-01", build="GRCh37")
    assert path.stem in str(refusal.value)
    assert not Path(warehouse.root.removeprefix("file:"), "controlled").exists()


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_files_are_refused_before_any_commit(
    cohort: Path, spark: SparkSession, tmp_path: Path, damage: str
) -> None:
    path = copied(cohort, tmp_path, damage.rpartition(".")[2])
    DAMAGES[damage](path)
    settings = load_settings(warehouse=str(tmp_path / "w"), overrides=["ingest.reference_allele=first"])
    refused(Warehouse(spark, settings), path, "cut short|damaged|not|is no")


@pytest.mark.parametrize("kind", COMPANIONS)
@pytest.mark.parametrize("change", ["one sample less", "an id twice"])
def test_companions_that_do_not_fit_are_refused(
    cohort: Path, spark: SparkSession, tmp_path: Path, kind: str, change: str
) -> None:
    path = copied(cohort, tmp_path, kind)
    samples = path.with_suffix(f".{COMPANIONS[kind][-1]}")
    lines = samples.read_text().splitlines(keepends=True)
    lines = lines[:-1] if change == "one sample less" else [*lines[:-1], lines[-2]]
    samples.write_text("".join(lines))
    settings = load_settings(warehouse=str(tmp_path / "w"), overrides=["ingest.reference_allele=first"])
    refused(Warehouse(spark, settings), path, "do not belong together|more than once|cut short")

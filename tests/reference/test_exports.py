"""Exports opened by PLINK 2, bcftools, cyvcf2 and Hail: every genotype against the tables.

A haploid call is compared as it is stored: 0 or 2. The cohorts are real files, and a small one with every
coding of calls on autosomes, PAR, X, Y and MT and with symbolic alleles and breakends.
"""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
import pytest
from cyvcf2 import VCF
from pyspark.sql import SparkSession

from allofus_spark.errors import BuildMismatch
from allofus_spark.export import FORMATS, Selection, export_genotypes
from allofus_spark.export.matrix_table import check_reference
from allofus_spark.genome import load_build
from allofus_spark.hail_bridge import start_hail
from allofus_spark.ingest import ingest_samples
from allofus_spark.tables import SAMPLES, VARIANT_SITES, Warehouse
from tests.export.cohort import BUILD, OTHER_CONTIG, write_cohort, write_people

from .engine import KEY, ingest, read_calls, read_rows
from .plain_alleles import Key

pytestmark = pytest.mark.long


Calls = npt.NDArray[np.int8]
Oracle = Callable[[str], str]
CALL_OF_TEXT = {"0/0": 0, "0/1": 1, "1/1": 2, "./.": 3, "0": 0, "1": 2, ".": 3}


@dataclass(frozen=True)
class Exported:
    """Files ``stem + ending`` of all formats, and what they must hold: keys and calls in genomic order."""

    warehouse: Warehouse
    stem: Path
    build: str
    samples: list[str]
    keys: list[Key]
    calls: Calls

    def file(self, ending: str) -> str:
        return f"{self.stem}{ending}"


MULTI_ALLELIC = "hail_sample2_100_chr22_multiallelic_DP_GQ_PL.grch37.vcf.gz"
LAST = 16_109_999  # of phase 3: the first 744 records of chr22 are exported
FILES = ("pgen", "bed", "vcf")
of_all = pytest.mark.parametrize(
    "exported", ["phase_3", "mitochondria", "multi_allelic", "every_coding"], indirect=True
)
of_two = pytest.mark.parametrize("exported", ["multi_allelic", "every_coding"], indirect=True)
of_diploids = pytest.mark.parametrize("exported", ["phase_3", "multi_allelic"], indirect=True)


def export_all(warehouse: Warehouse, build: str, stem: Path, formats: Iterable[str]) -> Exported:
    for name in formats:
        export_genotypes(warehouse, file_format=name, out=str(stem))
    return expected_of(warehouse, build, stem, *read_calls(warehouse))


def export_region(warehouse: Warehouse, stem: Path) -> Exported:
    """The beginning of chr22, GRCh37."""
    selection = Selection(regions=[f"chr22:1-{LAST}"])
    for name in FILES:
        export_genotypes(warehouse, file_format=name, out=str(stem), selection=selection)
    keys, calls = read_calls(warehouse)
    inside = [place for place, key in enumerate(keys) if key[0] == "22" and key[1] <= LAST]
    assert len(inside) > 500
    return expected_of(warehouse, "GRCh37", stem, [keys[place] for place in inside], calls[inside])


def expected_of(warehouse: Warehouse, build: str, stem: Path, keys: list[Key], calls: Calls) -> Exported:
    order = [*load_build(build).contig_lengths, OTHER_CONTIG]
    places = sorted(range(len(keys)), key=lambda place: (order.index(keys[place][0]), *keys[place][1:]))
    members = [row for row in warehouse.rows(SAMPLES) if row.sample_index is not None]
    samples = [row.sample_id for row in sorted(members, key=lambda row: row.sample_index)]
    return Exported(warehouse, stem, build, samples, [keys[place] for place in places], calls[places])


@pytest.fixture(scope="module")
def exported(
    request: pytest.FixtureRequest,
    realdata: Path,
    new_warehouse: Callable[..., Warehouse],
    tmp_path_factory: pytest.TempPathFactory,
) -> Exported:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "phase_3":
        return export_region(request.getfixturevalue("phase_3").warehouse, folder / "x")
    if request.param == "mitochondria":
        return export_all(request.getfixturevalue("mitochondria").warehouse, "GRCh37", folder / "x", FILES)
    warehouse = new_warehouse()
    if request.param == "multi_allelic":
        ingest(warehouse, realdata / "multisample" / MULTI_ALLELIC, build="GRCh37")
        return export_all(warehouse, "GRCh37", folder / "x", FORMATS)
    ingest_samples(warehouse, write_people(folder / "people.tsv"), callset_id="c")
    ingest(warehouse, write_cohort(folder / "in.vcf"), build=BUILD)
    return export_all(warehouse, BUILD, folder / "x", FORMATS)


def assert_same(exported: Exported, keys: list[Key], calls: Calls) -> None:
    assert keys == exported.keys
    different = np.argwhere(calls != exported.calls)
    first = [(keys[row], exported.samples[sample]) for row, sample in different[:5]]
    assert not len(different), f"{len(different)} calls differ, first {first}"


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def calls_of_text(rows: list[list[str]]) -> Calls:
    return np.array([[CALL_OF_TEXT[text] for text in row] for row in rows], np.int8)


@of_all
def test_cyvcf2(exported: Exported) -> None:
    reader = VCF(exported.file(".vcf.gz"))
    assert reader.samples == exported.samples
    keys: list[Key] = []
    rows = []
    for record in reader:
        alleles = record.genotype.array()[:, :-1]
        copies = (alleles == 1).sum(axis=1)
        haploid = (alleles != -2).sum(axis=1) == 1
        rows.append(np.where((alleles == -1).any(axis=1), 3, np.where(haploid, 2 * copies, copies)))
        keys.append((record.CHROM, record.POS, record.REF, record.ALT[0]))
    assert_same(exported, keys, np.array(rows, np.int8))


@of_all
def test_bcftools_and_its_index(exported: Exported, oracle: Oracle) -> None:
    bcftools = oracle("bcftools")
    path = exported.file(".vcf.gz")
    rows = [
        line.split("\t")
        for line in run(bcftools, "query", "-f", "%CHROM\t%POS\t%REF\t%ALT[\t%GT]\n", path).splitlines()
    ]
    keys = [(row[0], int(row[1]), row[2], row[3]) for row in rows]
    assert_same(exported, keys, calls_of_text([row[4:] for row in rows]))
    contigs = [key[0] for key in keys]
    counted = [line.split("\t") for line in run(bcftools, "index", "-s", path).splitlines()]
    assert [(row[0], int(row[2])) for row in counted] == [
        (contig, contigs.count(contig)) for contig in dict.fromkeys(contigs)
    ]
    middle = keys[len(keys) // 2]
    seen = run(bcftools, "view", "-H", "-G", path, f"{middle[0]}:{middle[1]}-{middle[1]}").splitlines()
    expected = [key for key in keys if key[0] == middle[0] and key[1] <= middle[1] < key[1] + len(key[2])]
    assert [line.split("\t")[1] for line in seen] == [str(key[1]) for key in expected]
    assert run(oracle("tabix"), "-l", path).split() == list(dict.fromkeys(contigs))


@of_all
@pytest.mark.parametrize("load", ["--pfile", "--bfile"])
def test_plink(exported: Exported, load: str, oracle: Oracle, tmp_path: Path) -> None:
    plink2 = oracle("plink2")
    load_it = [plink2, load, str(exported.stem), "--allow-extra-chr"]
    run(*load_it, "--validate", "--out", str(tmp_path / "validated"))
    spelling = "chrM" if exported.build == "GRCh38" else "MT"
    run(*load_it, "--output-chr", spelling, "--export", "vcf", "--out", str(tmp_path / "out"))
    with (tmp_path / "out.vcf").open() as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines if not line.startswith("##")]
    assert rows[0][9:] == exported.samples
    keys = [(row[0], int(row[1]), row[3], row[4]) for row in rows[1:]]
    assert_same(exported, keys, calls_of_text([row[9:] for row in rows[1:]]))


@of_all
def test_plink_makes_the_same_bed_of_the_pgen(exported: Exported, oracle: Oracle, tmp_path: Path) -> None:
    plink2 = oracle("plink2")
    run(
        plink2,
        "--pfile",
        str(exported.stem),
        "--allow-extra-chr",
        "--make-bed",
        "--out",
        str(tmp_path / "out"),
    )
    assert (tmp_path / "out.bed").read_bytes() == Path(exported.file(".bed")).read_bytes()


@of_diploids
def test_plink_counts(exported: Exported, oracle: Oracle, tmp_path: Path) -> None:
    plink2 = oracle("plink2")
    run(plink2, "--pfile", str(exported.stem), "--freq", "counts", "--out", str(tmp_path / "out"))
    with (tmp_path / "out.acount").open() as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    called = exported.calls < 3
    assert [int(row["ALT_CTS"]) for row in rows] == (exported.calls * called).sum(axis=1).tolist()
    assert [int(row["OBS_CT"]) for row in rows] == (2 * called.sum(axis=1)).tolist()


@pytest.mark.parametrize("exported", ["phase_3"], indirect=True)
def test_an_ingest_of_the_vcf_gives_the_same_rows(
    exported: Exported, new_warehouse: Callable[..., Warehouse]
) -> None:
    again = new_warehouse()
    ingest(again, Path(exported.file(".vcf.gz")), build=exported.build)
    assert_same(exported, *read_calls(again))
    after = read_rows(again, VARIANT_SITES)
    before = read_rows(exported.warehouse, VARIANT_SITES)
    inside = pc.and_(pc.equal(before["contig"], "22"), pc.less_equal(before["position"], LAST))
    for name in (*KEY, "filters", "qual", "input_id"):
        assert before.filter(inside)[name].combine_chunks().equals(after[name].combine_chunks()), name


@of_two
def test_hail(exported: Exported) -> None:
    start_hail(exported.warehouse.spark, exported.build)
    import hail as hl

    from_bed = hl.import_plink(
        bed=f"file://{exported.stem}.bed",
        bim=f"file://{exported.stem}.bim",
        fam=f"file://{exported.stem}.fam",
        reference_genome=exported.build,
        a2_reference=True,
    )
    matrix_table = hl.read_matrix_table(f"file://{exported.stem}.mt")
    for table in (from_bed, matrix_table):
        assert table.s.collect() == exported.samples
        copies = hl.if_else(table.GT.ploidy == 1, 2 * table.GT.n_alt_alleles(), table.GT.n_alt_alleles())
        rows = table.annotate_rows(calls=hl.agg.collect(hl.or_else(copies, 3))).rows()
        collected = rows.select("calls").collect()
        keys = [(row.locus.contig, row.locus.position, *row.alleles) for row in collected]
        assert_same(exported, keys, np.array([row.calls for row in collected], np.int8))
    haploid = matrix_table.aggregate_entries(hl.agg.count_where(matrix_table.GT.ploidy == 1))
    assert (haploid > 0) == (exported.build == BUILD)


def test_hail_lacks_a_reference(spark: SparkSession) -> None:
    with pytest.raises(BuildMismatch, match="Hail has no reference genome named toy"):
        check_reference(spark, "toy", [])
    with pytest.raises(BuildMismatch, match="lacks 1 contigs of the callset: HLA-A; leave them out"):
        check_reference(spark, "GRCh38", ["chr1", "HLA-A"])

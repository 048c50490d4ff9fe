"""Exports opened by PLINK 2, bcftools, cyvcf2 and Hail: every genotype against the tables.

A haploid call is compared as it is stored: 0 or 2. The cohorts are real files, and a small one with every
coding of calls on autosomes, PAR, X, Y and MT and with symbolic alleles and breakends.
"""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from cyvcf2 import VCF

from allofus_spark.errors import BuildMismatch
from allofus_spark.export import FORMATS, Selection, export_genotypes
from allofus_spark.export.matrix_table import check_reference
from allofus_spark.genome import load_build
from allofus_spark.hail_bridge import start_hail
from allofus_spark.ingest import ingest_samples
from allofus_spark.tables import SAMPLES, Warehouse
from tests.export.cohort import BUILD, OTHER_CONTIG, write_cohort, write_people

from .conftest import Cohort
from .engine import ingest, read_calls
from .plain_alleles import Key

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
    counters: dict[str, int] = field(compare=False)

    def file(self, ending: str) -> str:
        return f"{self.stem}{ending}"


@dataclass(frozen=True)
class Cohorts:
    """The exports by name, each made when it is first asked for."""

    make: Callable[[str], Exported]
    made: dict[str, Exported] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Exported:
        if name not in self.made:
            self.made[name] = self.make(name)
        return self.made[name]


def export_all(
    warehouse: Warehouse, build: str, stem: Path, formats: Iterable[str], regions: Sequence[str] = ()
) -> Exported:
    keys, calls = read_calls(warehouse)
    order = [*load_build(build).contig_lengths, OTHER_CONTIG]
    limit = int(regions[0].partition("-")[2]) if regions else 1 << 30
    places = [place for place, key in enumerate(keys) if not regions or (key[0] == "22" and key[1] <= limit)]
    places.sort(key=lambda place: (order.index(keys[place][0]), *keys[place][1:]))
    selection = Selection(regions=regions)
    for name in formats:
        counters = export_genotypes(warehouse, file_format=name, out=str(stem), selection=selection)
    members = [row for row in warehouse.rows(SAMPLES) if row.sample_index is not None]
    samples = [row.sample_id for row in sorted(members, key=lambda row: row.sample_index)]
    return Exported(
        warehouse, stem, build, samples, [keys[place] for place in places], calls[places], counters
    )


@pytest.fixture(scope="module")
def cohorts(
    request: pytest.FixtureRequest,
    realdata: Path,
    new_warehouse: Callable[..., Warehouse],
    tmp_path_factory: pytest.TempPathFactory,
) -> Cohorts:
    def make(name: str) -> Exported:
        folder = tmp_path_factory.mktemp(name)
        if name == "phase_3":
            # The first 500 records of chr22.
            shared: Cohort = request.getfixturevalue(name)
            return export_all(shared.warehouse, "GRCh37", folder / "x", FILES, ["chr22:16050000-16109999"])
        if name == "mitochondria":
            shared = request.getfixturevalue(name)
            return export_all(shared.warehouse, "GRCh37", folder / "x", FILES)
        warehouse = new_warehouse()
        if name == "multi_allelic":
            ingest(warehouse, realdata / "multisample" / MULTI_ALLELIC, build="GRCh37")
            return export_all(warehouse, "GRCh37", folder / "x", FORMATS)
        ingest_samples(warehouse, write_people(folder / "people.tsv"), callset_id="c")
        ingest(warehouse, write_cohort(folder / "in.vcf"), build=BUILD)
        return export_all(warehouse, BUILD, folder / "x", FORMATS)

    return Cohorts(make)


MULTI_ALLELIC = "hail_sample2_100_chr22_multiallelic_DP_GQ_PL.grch37.vcf.gz"
FILES = ("pgen", "bed", "vcf")
of_all = pytest.mark.parametrize("name", ["phase_3", "mitochondria", "multi_allelic", "every_coding"])
of_two = pytest.mark.parametrize("name", ["multi_allelic", "every_coding"])


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
def test_cyvcf2(name: str, cohorts: Cohorts) -> None:
    exported = cohorts[name]
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
def test_bcftools_and_its_index(name: str, cohorts: Cohorts, oracle: Oracle) -> None:
    exported, bcftools = cohorts[name], oracle("bcftools")
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
def test_plink(name: str, load: str, cohorts: Cohorts, oracle: Oracle, tmp_path: Path) -> None:
    exported, plink2 = cohorts[name], oracle("plink2")
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
def test_plink_makes_the_same_bed_of_the_pgen(
    name: str, cohorts: Cohorts, oracle: Oracle, tmp_path: Path
) -> None:
    exported, plink2 = cohorts[name], oracle("plink2")
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


@pytest.mark.parametrize("name", ["phase_3", "multi_allelic"])
def test_plink_counts(name: str, cohorts: Cohorts, oracle: Oracle, tmp_path: Path) -> None:
    exported, plink2 = cohorts[name], oracle("plink2")
    run(plink2, "--pfile", str(exported.stem), "--freq", "counts", "--out", str(tmp_path / "out"))
    with (tmp_path / "out.acount").open() as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    called = exported.calls < 3
    assert [int(row["ALT_CTS"]) for row in rows] == (exported.calls * called).sum(axis=1).tolist()
    assert [int(row["OBS_CT"]) for row in rows] == (2 * called.sum(axis=1)).tolist()


@of_two
def test_hail(name: str, cohorts: Cohorts) -> None:
    exported = cohorts[name]
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
        rows = table.select_rows(
            key_text=hl.delimit([table.locus.contig, hl.str(table.locus.position), *_alleles(table)], "\t"),
            calls=hl.agg.collect(hl.or_else(copies, 3)),
        ).rows()
        collected = rows.select("key_text", "calls").collect()
        keys = [
            (row[0], int(row[1]), row[2], row[3]) for row in (item.key_text.split("\t") for item in collected)
        ]
        assert_same(exported, keys, np.array([item.calls for item in collected], np.int8))
    haploid = matrix_table.aggregate_entries(hl.agg.count_where(matrix_table.GT.ploidy == 1))
    assert (haploid > 0) == (name == "every_coding")


def test_hail_lacks_a_reference(cohorts: Cohorts) -> None:
    spark = cohorts["every_coding"].warehouse.spark
    with pytest.raises(BuildMismatch, match="Hail has no reference genome named toy"):
        check_reference(spark, "toy", [])
    with pytest.raises(BuildMismatch, match="lacks 1 contigs of the callset: HLA-A; leave them out"):
        check_reference(spark, "GRCh38", ["chr1", "HLA-A"])


def _alleles(table: object) -> list[object]:
    return [table.alleles[0], table.alleles[1]]  # type: ignore[attr-defined]

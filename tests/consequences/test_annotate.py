"""The stage: what is annotated anew, what stays, what goes, and what a failure leaves behind."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from allofus_spark.consequences import Annotator, annotate_consequences
from allofus_spark.consequences.annotator import Opened
from allofus_spark.consequences.rows import Effect, RowMaker
from allofus_spark.consequences.stage import find_changes
from allofus_spark.errors import AnnotationFailed, BadSource, SettingsError
from allofus_spark.settings import load_settings
from allofus_spark.tables import CONSEQUENCES, PARTITION_INPUTS, PIPELINE_RUNS, Warehouse, start_run
from tests.consequences.cohort import Allele, alleles_in, files_of, ingest_alleles, rows_in
from tests.consequences.genome import CODING, settings_of, write_fasta, write_gff3

Copy = Callable[..., Warehouse]


def snvs(contig: str, alts: str = "ACGT") -> list[Allele]:
    """Every SNV of the coding sequence."""
    return [
        (contig, position, base, alt)
        for position, base in enumerate(CODING, 21)
        for alt in alts
        if alt != base
    ]


FIRST = [*snvs("one", "AC"), *snvs("chrM", "A"), ("bare", 24, "A", "G"), ("one", 2, "A", "T")]
SECOND = [*snvs("one", "ACGT"), ("two", 24, "A", "<DEL>"), ("two", 26, "ATGG", "A")]


def one_term(log: Path) -> Annotator:
    """An annotator that says the same of everything, and writes down what it was asked."""

    def annotate(alleles: pa.RecordBatch) -> pa.RecordBatch:
        maker = RowMaker({})
        with log.open("a") as file:
            file.writelines(
                f"{row['contig']}:{row['position']}:{row['alt']}\n" for row in alleles.to_pylist()
            )
        return maker.rows(alleles, [maker.code([Effect(None, ("sequence_variant",))])] * alleles.num_rows)

    return Annotator("one term", "1", lambda: Opened(annotate, ["it is only a test"]))


def open_copy(spark: SparkSession, root: Path, gff3: str = "genes.gff3") -> Warehouse:
    overrides = settings_of(root.parent / "small.fa", root.parent / gff3)
    settings = load_settings(warehouse=str(root), overrides=(*overrides, "consequences.variants_per_range=7"))
    return Warehouse(spark, settings)


@pytest.fixture(scope="module")
def annotated(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Warehouse, dict[str, int]]:
    """A warehouse with the first callset, annotated, and the counters; to be read only."""
    folder = tmp_path_factory.mktemp("annotated")
    fasta = write_fasta(folder)
    write_gff3(folder / "genes.gff3")
    warehouse = open_copy(spark, folder / "w")
    ingest_alleles(warehouse, fasta, folder, FIRST)
    return warehouse, annotate_consequences(warehouse)


@pytest.fixture
def copy(annotated: tuple[Warehouse, dict[str, int]], spark: SparkSession) -> Copy:
    """Opens copies of the annotated warehouse, which can be changed."""
    source = Path(annotated[0].root)

    def make(gff3: str = "genes.gff3") -> Warehouse:
        root = source.parent / f"copy{len(list(source.parent.glob('copy*')))}"
        shutil.copytree(source, root)
        return open_copy(spark, root, gff3)

    return make


def add(warehouse: Warehouse, alleles: list[Allele], callset: str = "c", *, replace: bool = False) -> None:
    folder = Path(warehouse.root).parent
    ingest_alleles(warehouse, folder / "small.fa", folder, alleles, callset=callset, replace=replace)


def test_every_variant_is_annotated(annotated: tuple[Warehouse, dict[str, int]]) -> None:
    warehouse, counters = annotated
    assert alleles_in(warehouse) == sorted(set(FIRST))
    assert (counters["variants_annotated"], counters["variants_kept"]) == (len(FIRST), 0)
    assert counters["variants_intergenic"] == counters["variants_not_annotated_contig_without_genes"] == 1
    assert counters["variants_coding"] == len(FIRST) - 2


def test_where_nothing_is_new_nothing_is_written(annotated: tuple[Warehouse, dict[str, int]]) -> None:
    warehouse, _ = annotated
    versions = [warehouse.state(table) for table in (CONSEQUENCES, PARTITION_INPUTS)]
    counters = annotate_consequences(warehouse)
    assert (counters["variants_annotated"], counters["variants_kept"]) == (0, len(FIRST))
    assert [warehouse.state(table) for table in (CONSEQUENCES, PARTITION_INPUTS)] == versions


@pytest.mark.long
def test_only_new_alleles_are_annotated_and_added(copy: Copy, spark: SparkSession) -> None:
    warehouse = copy()
    before = {contig: files_of(warehouse, contig) for contig in ("one", "chrM")}
    add(warehouse, SECOND, "d")
    counters = annotate_consequences(warehouse)
    both = sorted({*FIRST, *SECOND})
    assert alleles_in(warehouse) == both
    assert counters["variants_annotated"] == len(both) - len(FIRST)
    assert counters["variants_kept"] == len(FIRST)
    assert counters["partitions_written"] == 2
    assert files_of(warehouse, "chrM") == before["chrM"]
    assert files_of(warehouse, "one") > before["one"]

    whole = open_copy(spark, Path(warehouse.root).with_name("whole"))
    add(whole, both)
    annotate_consequences(whole)
    assert rows_in(whole) == rows_in(warehouse)


def test_alleles_that_are_gone_take_their_rows_with_them(copy: Copy) -> None:
    warehouse = copy()
    kept = [("one", 2, "A", "T"), *snvs("one", "A")]
    rows = {tuple(row.items()) for row in map(_hashable, rows_in(warehouse))}
    add(warehouse, [*kept, ("one", 22, "T", "G")], replace=True)
    counters = annotate_consequences(warehouse)
    assert alleles_in(warehouse) == sorted([*kept, ("one", 22, "T", "G")])
    assert (counters["variants_annotated"], counters["variants_kept"]) == (1, len(kept))
    again = {tuple(row.items()) for row in map(_hashable, rows_in(warehouse)) if row["alt"] != "G"}
    assert again < rows


def _hashable(row: dict[str, object]) -> dict[str, object]:
    return row | {"terms": str(row["terms"])}


def test_other_genes_make_every_row_anew(copy: Copy) -> None:
    warehouse = copy("other.gff3")
    write_gff3(Path(warehouse.root).parent / "other.gff3", contigs=["two"])
    counters = annotate_consequences(warehouse)
    n_variants = len(FIRST)
    assert counters["variants_annotated"] == n_variants
    assert counters["variants_not_annotated_contig_without_genes"] == n_variants
    assert {row["not_annotated"] for row in rows_in(warehouse)} == {"contig_without_genes"}


def test_a_failure_names_the_variant_and_leaves_the_rows(copy: Copy) -> None:
    warehouse = copy("broken.gff3")
    broken = write_gff3(Path(warehouse.root).parent / "broken.gff3", contigs=["one"])
    broken.write_text(
        broken.read_text() + "one\te\tCDS\t38\t40\t.\t+\t1\tParent=transcript:ENST00000000001\n"
    )
    before = rows_in(warehouse)
    with pytest.raises(AnnotationFailed, match="csq failed at one:2 A>T: Error: GFF3 assumption failed"):
        annotate_consequences(warehouse)
    assert rows_in(warehouse) == before
    run = max(warehouse.rows(PIPELINE_RUNS), key=lambda row: row.started_at)
    assert (run.stage, run.status) == ("annotate_consequences", "failed")


def test_another_annotator_has_rows_of_its_own(copy: Copy, tmp_path: Path) -> None:
    warehouse = copy()
    before = rows_in(warehouse)
    log = tmp_path / "log"
    counters = annotate_consequences(warehouse, one_term(log))
    asked = log.read_text().splitlines()
    assert len(asked) == len(set(asked)) == counters["variants_annotated"] == counters["variants"]
    assert {tuple(row["terms"]) for row in rows_in(warehouse, "one term")} == {("sequence_variant",)}
    assert rows_in(warehouse) == before


def test_partitions_are_compared_by_their_alleles(annotated: tuple[Warehouse, dict[str, int]]) -> None:
    with start_run(annotated[0], "look") as run:
        changes = find_changes(run, "nobody", "1")
    assert set(changes.inputs) == changes.touched
    assert changes.predicate == "annotator = 'nobody'"
    assert changes.is_anew


def test_a_warehouse_without_a_callset_is_named(warehouse: Warehouse) -> None:
    with pytest.raises(BadSource, match="holds no callset; run ingest-genotypes first"):
        annotate_consequences(warehouse)


def test_settings_that_are_missing_are_named(
    annotated: tuple[Warehouse, dict[str, int]], spark: SparkSession
) -> None:
    bare = Warehouse(spark, load_settings(warehouse=str(annotated[0].root)))
    with pytest.raises(
        SettingsError, match=r"set consequences\.gff3 and genome\.reference_fasta, as in --set"
    ):
        annotate_consequences(bare)

"""The stage: what is annotated anew, what stays, what goes, and what a failure leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from allofus_spark.consequences import Annotator, annotate_consequences
from allofus_spark.consequences.annotator import AnnotateAlleles
from allofus_spark.consequences.rows import Effect, RowMaker
from allofus_spark.consequences.stage import find_changes
from allofus_spark.errors import AnnotationFailed, BadSource, SettingsError
from allofus_spark.settings import load_settings
from allofus_spark.tables import CONSEQUENCES, PARTITION_INPUTS, PIPELINE_RUNS, Warehouse, start_run
from tests.consequences.cohort import Allele, alleles_in, files_of, ingest_alleles, rows_in
from tests.consequences.genome import CODING, settings_of, write_fasta, write_gff3


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

    class OneTerm:
        name = "one term"
        version = "1"

        def open(self) -> AnnotateAlleles:
            return annotate

        def warnings(self) -> list[str]:
            return ["it is only a test"]

    return OneTerm()


@pytest.fixture(scope="module")
def story(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Warehouse, Path, Path]]:
    """A warehouse with the first callset, annotated; its FASTA and folder."""
    folder = tmp_path_factory.mktemp("story")
    fasta = write_fasta(folder)
    overrides = (*settings_of(fasta, write_gff3(folder / "genes.gff3")), "consequences.variants_per_range=7")
    warehouse = Warehouse(spark, load_settings(warehouse=str(folder / "w"), overrides=overrides))
    ingest_alleles(warehouse, fasta, folder, FIRST)
    return warehouse, fasta, folder


def test_only_what_is_new_is_annotated(story: tuple[Warehouse, Path, Path], spark: SparkSession) -> None:
    warehouse, fasta, folder = story
    counters = annotate_consequences(warehouse)
    assert alleles_in(warehouse) == sorted(set(FIRST))
    assert (counters["variants_annotated"], counters["variants_kept"]) == (len(FIRST), 0)
    assert counters["variants_intergenic"] == counters["variants_not_annotated_contig_without_genes"] == 1
    assert counters["variants_coding"] == len(FIRST) - 2

    # Nothing new: nothing is written.
    versions = [warehouse.state(table) for table in (CONSEQUENCES, PARTITION_INPUTS)]
    counters = annotate_consequences(warehouse)
    assert (counters["variants_annotated"], counters["variants_kept"]) == (0, len(FIRST))
    assert [warehouse.state(table) for table in (CONSEQUENCES, PARTITION_INPUTS)] == versions

    # A second callset: its new alleles only, and partitions without any stay as they are.
    untouched = files_of(warehouse, "chrM")
    ingest_alleles(warehouse, fasta, folder, SECOND, callset="d")
    counters = annotate_consequences(warehouse)
    both = sorted({*FIRST, *SECOND})
    assert alleles_in(warehouse) == both
    assert counters["variants_annotated"] == len(both) - len(FIRST)
    assert counters["variants_kept"] == len(FIRST)
    assert counters["partitions_written"] == 2
    assert files_of(warehouse, "chrM") == untouched

    # It is what annotating everything at once gives.
    whole = Warehouse(spark, warehouse.settings.model_copy(update={"warehouse": str(folder / "whole")}))
    ingest_alleles(whole, fasta, folder, both, callset="all")
    annotate_consequences(whole)
    assert rows_in(whole) == rows_in(warehouse)

    # Alleles that are gone take their rows with them, contigs too.
    ingest_alleles(warehouse, fasta, folder, [("one", 2, "A", "T")], replace=True)
    ingest_alleles(warehouse, fasta, folder, snvs("one", "A"), callset="d", replace=True)
    counters = annotate_consequences(warehouse)
    assert alleles_in(warehouse) == sorted({("one", 2, "A", "T"), *snvs("one", "A")})
    assert counters["variants_annotated"] == 0

    # Other genes: everything anew.
    genes = write_gff3(folder / "other.gff3", contigs=["two"])
    other = warehouse.settings.model_copy(
        update={"consequences": warehouse.settings.consequences.model_copy(update={"gff3": str(genes)})}
    )
    counters = annotate_consequences(Warehouse(spark, other))
    assert counters["variants_annotated"] == counters["variants_not_annotated_contig_without_genes"]
    assert {row["not_annotated"] for row in rows_in(warehouse)} == {"contig_without_genes"}

    # A failure names the variant, and leaves the rows as they were.
    before = rows_in(warehouse)
    broken = write_gff3(folder / "broken.gff3", contigs=["one"])
    broken.write_text(
        broken.read_text() + "one\te\tCDS\t38\t40\t.\t+\t1\tParent=transcript:ENST00000000001\n"
    )
    settings = other.consequences.model_copy(update={"gff3": str(broken)})
    with pytest.raises(AnnotationFailed, match="csq failed at one:2 A>T: Error: GFF3 assumption failed"):
        annotate_consequences(Warehouse(spark, other.model_copy(update={"consequences": settings})))
    assert rows_in(warehouse) == before
    run = max(warehouse.rows(PIPELINE_RUNS), key=lambda row: row.started_at)
    assert (run.stage, run.status) == ("annotate_consequences", "failed")

    # Another annotator has rows of its own, beside these.
    log = folder / "log"
    counters = annotate_consequences(warehouse, one_term(log))
    asked = log.read_text().splitlines()
    assert len(asked) == len(set(asked)) == counters["variants_annotated"] == counters["variants"]
    assert {tuple(row["terms"]) for row in rows_in(warehouse, "one term")} == {("sequence_variant",)}
    assert rows_in(warehouse) == before


def test_partitions_are_compared_by_their_alleles(story: tuple[Warehouse, Path, Path]) -> None:
    warehouse, *_ = story
    with start_run(warehouse, "look") as run:
        changes = find_changes(run, "nobody", "1")
    assert set(changes.inputs) == changes.touched
    assert changes.predicate == "annotator = 'nobody'"


def test_what_is_missing_is_named(spark: SparkSession, tmp_path: Path) -> None:
    warehouse = Warehouse(spark, load_settings(warehouse=str(tmp_path / "w")))
    with pytest.raises(BadSource, match="holds no callset; run ingest-genotypes first"):
        annotate_consequences(warehouse)
    fasta = write_fasta(tmp_path)
    ingest_alleles(warehouse, fasta, tmp_path, [("one", 24, "A", "G")])
    with pytest.raises(
        SettingsError, match=r"set consequences\.gff3 and genome\.reference_fasta, as in --set"
    ):
        annotate_consequences(warehouse)

"""Alleles that each sample carries and no catalogue has."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import SparkSession

from allofus_spark.errors import BadSource
from allofus_spark.genome import load_build
from allofus_spark.ingest import ingest_genotypes
from allofus_spark.novelty import flag_novelty
from allofus_spark.qc import compute_qc
from allofus_spark.qc.new_alleles import NewAlleles
from allofus_spark.qc.sample_sums import SampleSums, sums_by_sample
from allofus_spark.tables import SAMPLE_QC, Warehouse
from tests.novelty.filled import Allele, Known, put_known

SAMPLES = ("a", "b", "c")
# Alleles with the calls of the three samples. The last two cannot be compared.
RECORDS: list[tuple[str, int, str, str, str]] = [
    ("chr1", 100, "A", "G", "0/1 1/1 0/0"),
    ("chr1", 200, "A", "C", "0/1 ./. 0/1"),
    ("chr1", 300, "A", "T", "1/1 0/1 0/1"),
    ("chr2", 100, "A", "G", "0/0 0/1 ./."),
    ("chr2", 200, "A", "AT", "1/1 1/1 1/1"),
    ("chr2", 300, "A", "<DEL>", "1/1 1/1 1/1"),
]
KNOWN: dict[Allele, str] = {("chr1", 100, "A", "G"): "rs1", ("chr1", 300, "A", "C"): "rs2"}
NEW = [record[:4] for record in RECORDS[1:4]]


@pytest.mark.long
def test_new_alleles_are_counted_by_carrier(warehouse: Warehouse, tmp_path: Path) -> None:
    vcf = tmp_path / "cohort.vcf"
    head = "\t".join(("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *SAMPLES))
    lines = [
        "\t".join((contig, str(position), ".", ref, alt, ".", ".", ".", "GT", *calls.split()))
        for contig, position, ref, alt, calls in RECORDS
    ]
    vcf.write_text("\n".join(("##fileformat=VCFv4.2", head, *lines)) + "\n")
    more = tmp_path / "more.vcf"
    more.write_text(
        vcf.read_text().replace("\ta\tb\tc", "\td\te\tf").replace("chr1\t100\t.\tA\tG", "chr1\t100\t.\tA\tC")
    )
    ingest_genotypes(warehouse, [str(vcf)], callset_id="c", callset_date="2026-01-01", build="GRCh38")
    with pytest.raises(BadSource, match=r"no catalogue set default; there is none\. Run flag-novelty first"):
        compute_qc(warehouse, assume_unrelated=True, catalogue_set="default")
    put_known(warehouse, Known("k", "1", KNOWN))
    flag_novelty(warehouse)
    compute_qc(warehouse, assume_unrelated=True, catalogue_set="default")
    counted = {row.sample_id: row.n_not_in_catalogues for row in warehouse.read(SAMPLE_QC).collect()}
    assert counted == {
        sample: sum("1" in calls.split()[place] for *allele, calls in RECORDS if tuple(allele) in NEW)
        for place, sample in enumerate(SAMPLES)
    }
    ingest_genotypes(warehouse, [str(more)], callset_id="more", callset_date="2026-02-02", build="GRCh38")
    with pytest.raises(BadSource, match=r"of 1 of 2 partitions are not those .* run flag-novelty first"):
        compute_qc(warehouse, assume_unrelated=True, catalogue_set="default")
    compute_qc(warehouse, assume_unrelated=True)
    rows = warehouse.read(SAMPLE_QC).select("n_not_in_catalogues", "catalogue_set").distinct().collect()
    assert [tuple(row) for row in rows] == [(None, None)]


def test_the_status_stands_beside_the_calls_where_files_cannot_be_opened(spark: SparkSession) -> None:
    """Rows of several callsets come mixed from a join; each keeps its tally."""
    rows = [(callset, *_place(allele), [0], [], [], None) for callset in "ab" for allele in (*KNOWN, *NEW)]
    calls = "het_index array<int>, hom_alt_index array<int>, missing_index array<int>, calls binary"
    key = "contig string, bin int, position int, ref string, alt string"
    genotypes = spark.createDataFrame(rows, f"callset_id string, {key}, {calls}")
    known = [("default", *_place(allele), "reported") for allele in KNOWN]
    new = [("default", *_place(allele), "unreported") for allele in NEW]
    novelty = spark.createDataFrame([*known, *new], f"catalogue_set string, {key}, status string")
    chosen = NewAlleles("default", None)
    sexes = {name: np.zeros(1, np.int32) for name in "ab"}
    sums = sums_by_sample(
        chosen.beside(genotypes, novelty), SampleSums(sexes, load_build("GRCh38"), chosen)
    ).collect()
    assert {row.callset_id: (row.n_het, row.n_not_in_catalogues) for row in sums} == {
        name: (len(KNOWN) + len(NEW), len(NEW)) for name in "ab"
    }


def _place(allele: tuple[object, ...]) -> tuple[object, ...]:
    contig, position, ref, alt = allele
    return contig, 0, position, ref, alt

"""Two callsets with calls of every kind, and everything by which a table can be compared with another."""

from __future__ import annotations

import random
from pathlib import Path

from pyspark.sql import SparkSession

from allofus_spark.frequencies import compute_frequencies
from allofus_spark.ingest import ingest_genotypes, ingest_samples
from allofus_spark.settings import load_settings
from allofus_spark.tables import (
    ALLELE_COUNTS,
    GENOTYPES,
    SAMPLES,
    VARIANT_SITES,
    VARIANTS,
    Warehouse,
    allele_frequencies,
)
from tests.cases.vcf_files import gt_record, vcf_text, write_bytes

FIRST = ("NA 12878", "-x", "o'neil", *(f"A{number}" for number in range(97)))
SECOND = tuple(f"B{number}" for number in range(6))
_SEXES = ("XX", "XY", "")
_GROUPS = ("afr", "eur", "")


def open_cohort(spark: SparkSession, folder: Path) -> Warehouse:
    """An empty warehouse for it."""
    overrides = ["genome.bin_width_bases=10000", "ancestry.labels=supplied"]
    return Warehouse(spark, load_settings(warehouse=str(folder), overrides=overrides))


def ingest_cohort(warehouse: Warehouse, folder: Path) -> None:
    """Both callsets with what is known of their samples, and counts of them."""
    folder.mkdir(exist_ok=True)
    for callset_id, samples, date in (("first", FIRST, "2026-01-01"), ("second", SECOND, "2026-01-02")):
        rows = [f"{name}\t{_SEXES[n % 3]}\t{_GROUPS[n // 3 % 3]}\n" for n, name in enumerate(samples)]
        about = "sample_id\tsex_karyotype\tancestry\n" + "".join(rows)
        described = write_bytes(folder / f"{callset_id}.tsv", about)
        ingest_samples(warehouse, described, callset_id=callset_id)
        source = write_bytes(folder / f"{callset_id}.vcf", vcf_text(records(samples), samples))
        ingest_genotypes(warehouse, [str(source)], callset_id=callset_id, callset_date=date, build="GRCh38")
    compute_frequencies(warehouse)


def records(samples: tuple[str, ...]) -> list[str]:
    """Records of random calls: common, rare and carried by nobody, on each kind of contig.

    Each of the first three samples is the only carrier of an allele on each contig, and of one they share.
    """
    rng = random.Random(len(samples))
    made = []
    for contig in ("chr1", "chrX", "chrY", "chrM"):
        position = 3_000_000 if contig in ("chrX", "chrY") else 5_000
        one_copy = contig == "chrM"
        alt, ref = ("1", "0") if one_copy else ("1/1", "0/0")
        for sole in range(3):
            calls = [alt if place == sole else ref for place in range(len(samples))]
            made.append(gt_record(*calls, pos=position + sole, contig=contig))
        both = [alt if place < 2 else ref for place in range(len(samples))]
        made.append(gt_record(*both, pos=position + 3, contig=contig))
        # Nobody carries it, though one who will leave has no call.
        nobody = ["." if place == 0 else ref for place in range(len(samples))]
        made.append(gt_record(*nobody, pos=position + 4, contig=contig))
        for number in range(12):
            choices = ("0", "1", ".") if one_copy else ("0/0", "0/1", "1/1", "./.", "1/2")
            share = (0.5, 0.02)[number % 2]
            calls = [rng.choice(choices) if rng.random() < share else ref for _ in samples]
            alts = "T" if one_copy else "T,C"
            place = position + 5 + 3_500 * (number % 3) + number
            made.append(gt_record(*calls, pos=place, alt=alts, contig=contig))
    return sorted_by_place(made)


def sorted_by_place(made: list[str]) -> list[str]:
    order = ("chr1", "chrX", "chrY", "chrM")
    return sorted(made, key=lambda line: (order.index(line.split()[0]), int(line.split()[1])))


def content(warehouse: Warehouse) -> dict[str, set[str]]:
    """The rows of the tables that follow from the genotypes, as text."""
    frequencies = allele_frequencies(warehouse.settings.frequencies.ancestry_groups)
    tables = (GENOTYPES, VARIANT_SITES, VARIANTS, SAMPLES, ALLELE_COUNTS, frequencies)
    return {table.name: {str(row) for row in warehouse.read(table).collect()} for table in tables}

"""Several small VCFs as one cohort, so that one run of the whole pipeline answers for all of them.

Each file keeps its own samples, under a prefix; in the records of the other files they have no call. So every
record counts the samples of its own file alone.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pyspark.sql import SparkSession

from allofus_spark.access import Request, Tier, demand_access, register
from allofus_spark.ancestry import project_samples, train_model
from allofus_spark.consequences import import_annotation
from allofus_spark.errors import AccessRefused
from allofus_spark.frequencies import compute_frequencies
from allofus_spark.ingest import ingest_catalogue, ingest_genotypes, ingest_samples
from allofus_spark.novelty import flag_novelty
from allofus_spark.qc import compute_qc, flag_sample_outliers
from allofus_spark.relatedness import compute_relatedness
from allofus_spark.representation import ingest_persons, report_cohort
from allofus_spark.settings import load_settings
from allofus_spark.summary import summarise_variants
from allofus_spark.tables import Warehouse
from allofus_spark.withdrawal import verify_withdrawn, withdraw_samples
from tests.cases.pool_records import tell_of_health
from tests.cases.vcf_files import FIXED, gt_record, vcf_text, write_bytes

BIN_WIDTH = 10_000
# A file whose records are hom-ref in all other samples: they are stored as sparse calls.
WIDE = "wide:"
WIDE_SAMPLES = tuple(f"W{number}" for number in range(80))
WIDE_RECORD = gt_record("0/1", "1/1", "./.", *["0/0"] * 77, contig="chr4", pos=5)
# Records beside those of the files: over the edge of a bin, and on a contig with characters that need care.
EDGE_SAMPLES = ("E1", "E2")
EDGE_RECORDS = (
    gt_record("0/1", "0/0", contig="chr3", pos=9_998, ref="ACGT", alt="ACGA"),  # is 10001 T>A
    gt_record("0/1", "0/0", contig="chr3", pos=10_001, ref="T", alt="A"),  # the same again
    gt_record("1/1", "0/1", contig="chr3", pos=9_999, ref="CACGT", alt="C"),  # reaches over the edge
    gt_record("0/1", "0/1", contig="chr3", pos=19_990, ref="GTTTTTTTTTTTA", alt="GTTTTTTTTTTTC,G"),
    gt_record("0/0", "0/1", contig="chr3", pos=19_995, ref="T", alt="G"),  # before the ones above
    gt_record("0/1", "1|0", contig="HLA*01:01:01:01", pos=7, ref="A", alt="C"),
)
# What is inferred from a handful of sites must not move what the files say of groups.
OVERRIDES = (f"genome.bin_width_bases={BIN_WIDTH}", "ancestry.labels=supplied")
# Settings that make do with the handful of sites.
FEW_SITES = (
    f"genome.bin_width_bases={BIN_WIDTH}",
    "sites.min_call_rate=0.01",
    "relatedness.min_maf=0",
    "ancestry.n_pcs=1",
    "ancestry.n_trees=3",
    "ancestry.min_called_share=0.01",
)


@dataclass
class Pool:
    """The cohort's warehouse, and what the runs counted."""

    warehouse: Warehouse
    samples_counters: dict[str, int]
    genotypes_counters: dict[str, int]
    frequencies_counters: dict[str, int]
    frequencies: dict[str, dict] = field(default_factory=dict)


def make_pool(spark: SparkSession, cases: Path, folder: Path) -> Pool:
    """The cohort, ingested and counted, with its relatives and ancestries; inputs lie in ``folder``."""
    edges = write_bytes(folder / "edges.vcf", vcf_text(EDGE_RECORDS, EDGE_SAMPLES))
    wide = write_bytes(folder / "wide.vcf", vcf_text([WIDE_RECORD], WIDE_SAMPLES))
    files = {
        "half:": cases / "01_half_calls" / "input.vcf",
        "sex:": cases / "02_chrx_nonpar_males" / "input.vcf",
        "star:": cases / "04_star_minrep_split" / "input.vcf",
        "long:": cases / "08_symbolic_and_long_alleles" / "input.vcf",
        "mixed:": cases / "10_gt_missing_or_undeclared" / "mixed_format.vcf",
        "no_gt:": cases / "10_gt_missing_or_undeclared" / "undeclared_gt.vcf",
        "": cases / "11_sample_ids" / "ids.vcf",
        "label:": cases / "18_an0_and_group_labels" / "input.vcf",
        "edge:": edges,
        WIDE: wide,
    }
    source = write_bytes(folder / "pool.vcf", pooled_text(files))
    labels = "".join(f"{name}\t{('afr', 'eur')[place % 2]}\n" for place, name in enumerate(WIDE_SAMPLES))
    about = {
        WIDE: write_bytes(folder / "wide.tsv", "sample\tancestry\n" + labels),
        "sex:": cases / "02_chrx_nonpar_males" / "sex.tsv",
        "": cases / "11_sample_ids" / "labels.tsv",
        "label:": cases / "18_an0_and_group_labels" / "labels.tsv",
    }
    sample_file = write_bytes(folder / "pool.tsv", pooled_sample_file(about))
    warehouse = Warehouse(spark, load_settings(warehouse=str(folder / "w é [1]"), overrides=OVERRIDES))
    columns = {"sample_id": "sample", "sex_karyotype": "sex"}
    pool = Pool(
        warehouse,
        ingest_samples(warehouse, sample_file, callset_id="pool", columns=columns),
        ingest_genotypes(
            warehouse, [str(source)], callset_id="pool", callset_date="2026-01-01", build="GRCh38"
        ),
        compute_frequencies(warehouse),
    )
    _infer(spark, warehouse.root)
    frequencies = warehouse.read(warehouse.contract("allele_frequencies"))
    for row in frequencies.collect():
        pool.frequencies[f"{row.contig}:{row.position}:{row.ref}:{row.alt}"] = row.asDict(recursive=True)
    return pool


def fill_pool(pool: Pool) -> None:
    """Rows in every table."""
    warehouse, folder = pool.warehouse, Path(pool.warehouse.root).parent
    compute_qc(warehouse, assume_unrelated=True)
    _tell_of_people(warehouse, folder, WIDE_SAMPLES)
    tell_of_health(warehouse, folder, [f"{WIDE}{name}" for name in WIDE_SAMPLES], OVERRIDES)
    _look_up(warehouse, folder)
    withdraw_samples(warehouse, ["nobody"], allow_absent=True)
    verify_withdrawn(warehouse)
    register(warehouse, "ada", name="Ada Lovelace", institution="University of X")
    with suppress(AccessRefused):
        demand_access(warehouse, Request("query", Tier.CONTROLLED, ["samples"]), None)


def _tell_of_people(warehouse: Warehouse, folder: Path, samples: Sequence[str]) -> None:
    """Persons of some samples, how they are represented, and which samples are outliers."""
    rows = [
        f"P{name}\t{WIDE}{name}\t2018-0{1 + place % 9}-02\tBlack;White\trural"
        for place, name in enumerate(samples)
    ]
    header = "person_id\tsample_id\tenrolled_on\trace_ethnicity\tgeography"
    persons = write_bytes(folder / "persons.tsv", "".join(f"{row}\n" for row in (header, *rows)))
    ingest_persons(warehouse, persons)
    report_cohort(warehouse)
    flag_sample_outliers(warehouse)


def _infer(spark: SparkSession, root: str) -> None:
    """Relatives and ancestry by the handful of sites that there are, which says nothing about anybody."""
    warehouse = Warehouse(spark, load_settings(warehouse=root, overrides=FEW_SITES))
    compute_relatedness(warehouse)
    train_model(warehouse, callset_id="pool", name="few_sites")
    project_samples(warehouse)


def _look_up(warehouse: Warehouse, folder: Path) -> None:
    """Novelty against two versions of a catalogue, consequences of a ready table, and the summary."""
    lines = [f"chr5\t{position}\t.\tA\tG" for position in range(1, 30)]
    for version, known in (("1", "chr4\t5\trs1\tA\tG"), ("2", "chr4\t5\trs1\tA\tT")):
        sites = [*lines, known, "chr5\tnowhere\t.\tA\tG"]
        text = "".join(f"{line}\t.\t.\t.\n" for line in sites)
        head = "##fileformat=VCFv4.2\n" + "\t".join(FIXED) + "\n"
        catalogue = write_bytes(folder / f"known_{version}.vcf", head + text)
        ingest_catalogue(warehouse, [str(catalogue)], name="known", version=version, build="GRCh38")
        flag_novelty(warehouse, catalogues={"known": version})
    header = "vid\ttranscript\tgene_symbol\tconsequence\n"
    table = write_bytes(folder / "table.tsv", header + "4-5-A-T\tENST1\tGENE\tmissense_variant\n")
    import_annotation(warehouse, str(table), annotator="csq2", version="1")
    summarise_variants(warehouse)


def pooled_text(files: Mapping[str, Path]) -> str:
    """One VCF of all files, samples prefixed."""
    parts = [(prefix, *_columns_and_records(path)) for prefix, path in files.items()]
    samples = [prefix + sample for prefix, columns, _ in parts for sample in columns]
    records = []
    before = 0
    for prefix, columns, rows in parts:
        absent = "0/0" if prefix == WIDE else "./."
        left, right = [absent] * before, [absent] * (len(samples) - before - len(columns))
        before += len(columns)
        for row in rows:
            if "GT" in row[8].split(":"):
                records.append([*row[:9], *left, *row[9:], *right])
            else:
                records.append([*row[:9], *["."] * len(left), *row[9:], *["."] * len(right)])
    lines = ["##fileformat=VCFv4.2", "\t".join([*FIXED, "FORMAT", *samples]), *map("\t".join, records)]
    return "".join(f"{line}\n" for line in lines)


def _columns_and_records(path: Path) -> tuple[list[str], Iterable[list[str]]]:
    lines = [line.split("\t") for line in path.read_text().splitlines() if not line.startswith("##")]
    return lines[0][9:], lines[1:]


def pooled_sample_file(files: Mapping[str, Path]) -> str:
    """One sample file with the columns sample, sex and ancestry."""
    rows = ["sample\tsex\tancestry"]
    for prefix, path in files.items():
        with path.open(newline="") as lines:
            rows += [
                f"{prefix}{row['sample']}\t{row.get('sex', '')}\t{row.get('ancestry', '')}"
                for row in csv.DictReader(lines, delimiter="\t")
            ]
    return "".join(f"{row}\n" for row in rows)

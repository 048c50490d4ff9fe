"""The stages that are killed, in order; each is safe to run again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from allofus_spark.ancestry import project_samples, train_model
from allofus_spark.association import Request, associate
from allofus_spark.consequences import import_annotation
from allofus_spark.frequencies import compute_frequencies
from allofus_spark.ingest import ingest_catalogue, ingest_genotypes, ingest_samples
from allofus_spark.novelty import flag_novelty
from allofus_spark.phenotypes import build_from_file, build_phecodes, ingest_omop
from allofus_spark.qc import compute_qc, flag_sample_outliers
from allofus_spark.relatedness import compute_relatedness
from allofus_spark.replication import ingest_known_associations, replicate
from allofus_spark.representation import ingest_persons, report_cohort
from allofus_spark.summary import summarise_variants
from allofus_spark.tables import Warehouse
from tools.soak.processes import INTERPRETED

# What a small cohort needs.
SETTINGS = (
    *INTERPRETED,
    "spark.shuffle_partitions=2",
    "spark.driver_memory=2g",
    "spark.master=local[2]",
    "genome.bin_width_bases=20_000_000",  # two bins a contig
    "ancestry.n_pcs=2",
    "ancestry.n_trees=10",
    "association.min_cases=5",
    "association.min_people=20",
    "replication.min_cases=5",
)
CALLSET = "c1"

Stage = Callable[[Warehouse, Path], object]


def _genotypes(warehouse: Warehouse, inputs: Path) -> object:
    return ingest_genotypes(
        warehouse,
        [str(inputs / "cohort.vcf.gz")],
        callset_id=CALLSET,
        callset_date="2026-01-01",
        build="GRCh38",
        replace=warehouse.snapshot().get("genotypes") is not None,
    )


def _catalogue(warehouse: Warehouse, inputs: Path) -> object:
    source = str(inputs / "known.vcf")
    return ingest_catalogue(warehouse, [source], name="known", version="1", build="GRCh38")


def _associate(warehouse: Warehouse, _: Path) -> object:
    request = Request(
        phenotype_set="traits", covariates=("pc1",), ancestries=("afr", "eur", "all"), pictures=()
    )
    return associate(warehouse, request)


STAGES: Mapping[str, Stage] = {
    "ingest_samples": lambda w, i: ingest_samples(w, i / "samples.tsv", callset_id=CALLSET),
    "ingest_genotypes": _genotypes,
    "compute_relatedness": lambda w, _: compute_relatedness(w),
    "train_ancestry": lambda w, _: train_model(w, callset_id=CALLSET, name="own"),
    "project_ancestry": lambda w, _: project_samples(w),
    "compute_qc": lambda w, _: compute_qc(w),
    "flag_sample_outliers": lambda w, _: flag_sample_outliers(w),
    "compute_frequencies": lambda w, _: compute_frequencies(w),
    "ingest_catalogue": _catalogue,
    "flag_novelty": lambda w, _: flag_novelty(w),
    "import_annotation": lambda w, i: import_annotation(
        w, str(i / "annotation.tsv"), annotator="made_up", version="1"
    ),
    "summarise_variants": lambda w, _: summarise_variants(w),
    "ingest_persons": lambda w, i: ingest_persons(w, i / "persons.tsv"),
    "report_cohort": lambda w, _: report_cohort(w),
    "ingest_omop": lambda w, i: ingest_omop(
        w, [str(i / "cdm")], person_samples=str(i / "person_samples.tsv")
    ),
    "build_phecodes": lambda w, i: build_phecodes(w, [str(i / "codes.csv")], name="codes"),
    "build_traits": lambda w, i: build_from_file(w, str(i / "traits.tsv"), name="traits"),
    "ingest_known_associations": lambda w, i: ingest_known_associations(
        w, str(i / "known_associations.csv"), name="known", version="1"
    ),
    "associate": _associate,
    "replicate": lambda w, _: replicate(w, scan="default"),
}

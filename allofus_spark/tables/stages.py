"""What each stage of the pipeline reads, writes and depends on, in the order in which they are run.

A stage is what can be made again from tables: an ingest is none, as its sources lie outside. ``settings`` are
sections, or keys in them, that shape its rows; ``files`` are settings that name a file. ``result_version`` is
raised when the same inputs give other rows than before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from allofus_spark.settings import Settings
from allofus_spark.tables.omop_tables import OMOP_TABLES

_OMOP = tuple(table.contract.name for table in OMOP_TABLES.values())
_SAMPLES = ("callsets", "samples")
_LABELS = "ancestry.labels"


@dataclass(frozen=True)
class Stage:
    """One stage. ``name`` is that of its runs, ``job`` of its file in jobs/, ``command`` of ``allofus``.

    ``needs`` are tables without which it has nothing to do, ``needs_settings`` keys that must be set;
    ``uses`` are tables that it reads where they are, ``labels`` those that it reads for inferred ancestries
    alone. ``has_scopes``: its runs make parts of its tables.
    """

    name: str
    job: str
    command: str
    needs: Sequence[str]
    uses: Sequence[str]
    writes: Sequence[str]
    labels: Sequence[str] = ()
    settings: Sequence[str] = ()
    files: Sequence[str] = ()
    needs_settings: Sequence[str] = ()
    has_scopes: bool = False
    result_version: int = 1

    @property
    def reads(self) -> tuple[str, ...]:
        """Tables that it reads where they are there."""
        return (*self.needs, *self.uses, *self.labels)

    def reads_with(self, settings: Settings) -> tuple[str, ...]:
        """The same, as the settings have it: inferred ancestries may not count."""
        labels = () if settings.ancestry.labels == "supplied" else self.labels
        return (*self.needs, *self.uses, *labels)


_DECLARED = (
    Stage(
        name="infer_ancestry_train",
        has_scopes=True,
        job="infer_ancestry",
        command="infer-ancestry train",
        needs=(*_SAMPLES, "genotypes"),
        uses=("variant_sites",),
        writes=("ancestry_models", "ancestry_loadings", "ancestry_training"),
        settings=("ancestry", "sites", "frequencies.ancestry_groups", "frequencies.unassigned_group"),
    ),
    Stage(
        name="infer_ancestry_project",
        job="infer_ancestry",
        command="infer-ancestry project",
        needs=(*_SAMPLES, "genotypes", "ancestry_models", "ancestry_loadings"),
        uses=("ancestry_training", "withdrawals"),
        writes=("ancestries", "ancestry_models", "ancestry_loadings"),
        settings=("ancestry", "frequencies.ancestry_groups", "frequencies.unassigned_group"),
    ),
    Stage(
        name="compute_relatedness",
        job="compute_relatedness",
        command="relatedness",
        needs=(*_SAMPLES, "genotypes"),
        uses=("variant_sites", "ancestries"),
        writes=("related_pairs", "unrelated"),
        settings=("relatedness", "sites"),
    ),
    Stage(
        name="compute_frequencies",
        job="compute_frequencies",
        command="frequencies",
        needs=(*_SAMPLES, "genotypes"),
        uses=(),
        labels=("ancestries",),
        writes=("strata", "allele_counts", "allele_frequencies"),
        settings=("frequencies", _LABELS),
    ),
    Stage(
        name="flag_novelty",
        has_scopes=True,
        job="flag_novelty",
        command="flag-novelty",
        needs=("callsets", "variants", "catalogues", "known_variants"),
        uses=("known_partitions",),
        writes=("catalogue_sets", "novelty", "novelty_history"),
    ),
    Stage(
        name="annotate_consequences",
        job="annotate_consequences",
        command="annotate",
        needs=("variants",),
        uses=(),
        writes=("consequences",),
        settings=("consequences",),
        files=("consequences.gff3", "genome.reference_fasta"),
        needs_settings=("consequences.gff3", "genome.reference_fasta"),
    ),
    Stage(
        name="import_annotation",
        has_scopes=True,
        job="annotate_consequences",
        command="annotate --table",
        needs=("variants",),
        uses=(),
        writes=("consequences",),
    ),
    Stage(
        name="compute_qc",
        job="compute_qc",
        command="qc",
        needs=(*_SAMPLES, "genotypes", "variant_sites"),
        uses=("unrelated", "novelty", "catalogue_sets"),
        labels=("ancestries",),
        writes=("variant_qc", "sample_qc"),
        settings=("qc", _LABELS, "frequencies.ancestry_groups", "frequencies.unassigned_group"),
    ),
    Stage(
        name="flag_sample_outliers",
        job="flag_sample_outliers",
        command="sample-outliers",
        needs=("sample_qc", "ancestries"),
        uses=_SAMPLES,
        writes=("sample_outliers",),
        settings=("qc", _LABELS),
    ),
    Stage(
        name="summarise_variants",
        job="summarise_variants",
        command="summary",
        needs=("variants", "allele_frequencies"),
        uses=("novelty", "catalogue_sets", "consequences", "variant_qc", "variant_sites", *_SAMPLES),
        writes=("variant_summary",),
        settings=("summary", "consequences.annotator", "frequencies.ancestry_groups"),
    ),
    Stage(
        name="ingest_persons",
        job="ingest_persons",
        command="ingest-persons --from-omop",
        needs=("omop_person",),
        uses=(*(name for name in _OMOP if name != "omop_person"), "withdrawals"),
        writes=("persons",),
        settings=("representation",),
    ),
    Stage(
        name="report_cohort",
        job="report_cohort",
        command="report-cohort",
        needs=("persons",),
        uses=("person_samples", *_SAMPLES),
        writes=("representation",),
        settings=("representation",),
        files=("representation.definitions_file",),
    ),
    Stage(
        name="build_phenotypes",
        has_scopes=True,
        job="build_phenotypes",
        command="build-phenotypes",
        needs=(),
        uses=(*_OMOP, "persons", "person_samples", *_SAMPLES, "withdrawals"),
        labels=("ancestries",),
        writes=(
            "phenotype_definitions",
            "phenotype_people",
            "phenotypes",
            "phenotype_catalogue",
            "unmapped_codes",
        ),
        settings=("phenotypes", _LABELS),
    ),
    Stage(
        name="run_associations",
        has_scopes=True,
        job="run_associations",
        command="associate",
        needs=(*_SAMPLES, "genotypes", "variants", "phenotype_definitions", "phenotype_people", "phenotypes"),
        uses=(
            "ancestries",
            "unrelated",
            "persons",
            "person_samples",
            "known_associations",
            "known_variants",
            "catalogues",
        ),
        writes=("associations", "meta_associations", "association_summaries"),
        settings=("association", _LABELS),
    ),
    Stage(
        name="replicate",
        has_scopes=True,
        job="replicate",
        command="replicate",
        needs=("associations", "association_summaries", "known_associations", "variants"),
        uses=("phenotype_definitions", "meta_associations"),
        writes=("replications", "replication_summary"),
        settings=("replication",),
    ),
)

STAGES: Mapping[str, Stage] = {stage.name: stage for stage in _DECLARED}
"""Stages by name; one that reads what another writes stands after it."""


def upstream(stage: Stage) -> list[str]:
    """Names of the stages that write what a stage reads, in their order."""
    return [
        other.name
        for other in STAGES.values()
        if other.name != stage.name and set(other.writes) & set(stage.reads)
    ]

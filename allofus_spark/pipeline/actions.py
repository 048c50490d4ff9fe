"""How each stage is run again as it was asked before: from the parameters that its run recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from allofus_spark.ancestry import project_samples, train_model
from allofus_spark.association import Request, associate
from allofus_spark.consequences import annotate_consequences, import_annotation
from allofus_spark.frequencies import compute_frequencies
from allofus_spark.novelty import flag_novelty
from allofus_spark.phenotypes import build_from_file, build_measurements, build_phecodes
from allofus_spark.qc import compute_qc, flag_sample_outliers
from allofus_spark.relatedness import compute_relatedness
from allofus_spark.replication import replicate
from allofus_spark.representation import ingest_persons_from_omop, report_cohort
from allofus_spark.summary import summarise_variants
from allofus_spark.tables import Recipe, Warehouse


def _phenotypes(warehouse: Warehouse, *, name: str, **asked: Any) -> None:
    if "file" in asked:
        build_from_file(warehouse, asked.pop("file"), name=name, **asked)
    elif "measurements" in asked:
        build_measurements(warehouse, asked["measurements"], name=name)
    else:
        build_phecodes(warehouse, asked.pop("maps"), name=name, **asked)


def _scan(warehouse: Warehouse, **asked: Any) -> None:
    associate(warehouse, Request(**asked))


# What runs a stage, and which of its arguments is the scope.
_ACTIONS: Mapping[str, tuple[Callable[..., object], str | None]] = {
    "infer_ancestry_train": (train_model, "name"),
    "infer_ancestry_project": (project_samples, None),
    "compute_relatedness": (compute_relatedness, None),
    "compute_frequencies": (compute_frequencies, None),
    "flag_novelty": (flag_novelty, "catalogue_set"),
    "annotate_consequences": (annotate_consequences, None),
    "import_annotation": (import_annotation, "annotator"),
    "compute_qc": (compute_qc, None),
    "flag_sample_outliers": (flag_sample_outliers, None),
    "summarise_variants": (summarise_variants, None),
    "ingest_persons": (ingest_persons_from_omop, None),
    "report_cohort": (report_cohort, None),
    "build_phenotypes": (_phenotypes, "name"),
    "run_associations": (_scan, "scan"),
    "replicate": (replicate, "scan"),
}


def run_again(warehouse: Warehouse, stage: str, recipe: Recipe) -> None:
    """Run a stage as its recipe says; raises what the stage raises, and ValueError where it cannot be."""
    if recipe.parameters is None:
        raise ValueError(f"{stage} {recipe.scope}: its run cannot be repeated")
    function, scope = _ACTIONS[stage]
    asked = {**recipe.parameters, **({scope: recipe.scope} if scope is not None else {})}
    function(warehouse, **asked)

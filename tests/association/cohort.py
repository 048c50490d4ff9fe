"""Cohorts with phenotypes for scans: rows of phenotypes, and genotypes drawn by a seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pyspark.sql import SparkSession

from allofus_spark.association import Request, associate
from allofus_spark.ingest import ingest_genotypes, ingest_samples
from allofus_spark.settings import load_settings
from allofus_spark.tables import (
    PHENOTYPE_DEFINITIONS,
    PHENOTYPE_PEOPLE,
    PHENOTYPES,
    RowsWrite,
    Warehouse,
    start_run,
)
from tests.cases.vcf_files import gt_record, vcf_text, write_bytes

GT = ("0/0", "0/1", "1/1", "./.")
Calls = npt.NDArray[np.int8]


def new_warehouse(spark: SparkSession, folder: Path, *overrides: str) -> Warehouse:
    return Warehouse(spark, load_settings(warehouse=str(folder), overrides=overrides))


@dataclass(frozen=True)
class Trait:
    """A phenotype: ``values`` by person; of a binary one 1 case, 0 control and None excluded.

    Who is not in ``values`` is a control where ``others`` is control.
    """

    values: Mapping[str, float | None]
    is_binary: bool = False
    others: str = "not_assessed"
    sex: str = "both"
    phenotype_set: str = "made"


def write_phenotypes(
    warehouse: Warehouse,
    traits: Mapping[str, Trait],
    people: Sequence[str],
    sexes: Mapping[str, str] | None = None,
) -> None:
    """The tables of phenotypes as their builder writes them."""
    held = sexes or {}
    sets = sorted({trait.phenotype_set for trait in traits.values()})
    definitions = [
        (trait.phenotype_set, name, "binary" if trait.is_binary else "quantitative", name, None, None,
         trait.sex, trait.others, "made for a test", "0" * 64)
        for name, trait in traits.items()
    ]  # fmt: skip
    rows = [
        (trait.phenotype_set, name, person, *_coded(trait, value))
        for name, trait in traits.items()
        for person, value in trait.values.items()
    ]
    told = [(name, person, held.get(person)) for name in sets for person in people]
    with start_run(warehouse, "made_for_a_test") as run:
        run.write(
            RowsWrite(PHENOTYPE_DEFINITIONS, definitions, "true"),
            RowsWrite(PHENOTYPE_PEOPLE, told, "true"),
            RowsWrite(PHENOTYPES, rows, "true"),
        )


def _coded(trait: Trait, value: float | None) -> tuple[object, ...]:
    """status, reason, n_dates, first_date, value."""
    if value is None:
        return "excluded", "exclusion_range", None, None, None
    if trait.is_binary:
        return ("case" if value else "control"), None, None, None, None
    return "measured", None, None, None, float(value)


def ingest(
    warehouse: Warehouse,
    folder: Path,
    records: Sequence[str],
    names: Sequence[str],
    *,
    callset_id: str = "all",
    labels: Mapping[str, tuple[str, str]] | None = None,
) -> None:
    """Records as a callset of GRCh38; ``labels`` are ancestry and karyotype of each sample."""
    if labels is not None:
        lines = ["sample_id\tancestry\tsex_karyotype", *("\t".join((name, *labels[name])) for name in names)]
        described = write_bytes(folder / f"{callset_id}.tsv", "".join(f"{line}\n" for line in lines))
        ingest_samples(warehouse, described, callset_id=callset_id)
    source = write_bytes(folder / f"{callset_id}.vcf", vcf_text(records, names))
    ingest_genotypes(
        warehouse, [str(source)], callset_id=callset_id, callset_date="2026-01-01", build="GRCh38"
    )


def records_of(calls: Calls, contig: str = "chr1", *, first: int = 1000, step: int = 10) -> list[str]:
    """One SNV a row of ``calls`` [variants, people], at rising positions."""
    return [
        gt_record(*(GT[call] for call in row), contig=contig, pos=first + step * number, ref="A", alt="G")
        for number, row in enumerate(calls)
    ]


def drawn_calls(rng: np.random.Generator, n_variants: int, n_people: int, *, missing: float = 0.03) -> Calls:
    """Calls in Hardy-Weinberg proportions at frequencies from 0.02 to 0.9, some of them missing."""
    frequency = rng.uniform(0.02, 0.9, (n_variants, 1))
    calls = rng.binomial(2, frequency, (n_variants, n_people)).astype(np.int8)
    calls[rng.random(calls.shape) < missing] = 3
    return calls


def scan(warehouse: Warehouse, **asked: Any) -> Any:
    """A scan of everybody together by default, all taken for unrelated, without pictures."""
    defaults: dict[str, Any] = {
        "ancestries": ["all"],
        "assume_unrelated": True,
        "pictures": [],
        "covariates": [],
    }
    return associate(warehouse, Request(**{**defaults, **asked}))


def rows_of(warehouse: Warehouse, name: str, scan_name: str = "default") -> list[dict[str, Any]]:
    """Rows of a table of a scan, in key order."""
    table = warehouse.contract(name)
    rows = warehouse.read(table).where(f"scan = '{scan_name}'").orderBy(*table.key).collect()
    return [row.asDict() for row in rows]

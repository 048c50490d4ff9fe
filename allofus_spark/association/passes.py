"""The two passes of a scan: over genotypes, and over hits that are fitted exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pyspark import Broadcast
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.association.calls import ALLELE, COLUMNS, Calls
from allofus_spark.association.cells import Fitted, Numbers
from allofus_spark.association.keeping import Keeping
from allofus_spark.association.output import Output
from allofus_spark.association.parts import PARTS
from allofus_spark.association.people import People, Places, group_of
from allofus_spark.association.refits import EXACT, Refits
from allofus_spark.association.scan import Scan
from allofus_spark.association.variants import Variants
from allofus_spark.cohort import calls_meant, rows_of_widest
from allofus_spark.genome import Build
from allofus_spark.regression import Models
from allofus_spark.regression.models import Covariates, TestRules
from allofus_spark.tables import (
    ASSOCIATIONS,
    GENOTYPES,
    META_ASSOCIATIONS,
    ArrowWrite,
    Aside,
    Run,
    Table,
    rows_per_batch,
)

# Of a task: calls of people times phenotypes, about a minute of a core; more than that is worth a shuffle.
_MOST_PRODUCTS = 2e11
_WINDOW_BASES = 100_000  # alleles that go to one task where rows are shuffled
_TABLES = (ASSOCIATIONS, META_ASSOCIATIONS)


@dataclass(frozen=True)
class Inputs:
    """What all blocks of phenotypes are scanned with."""

    run: Run
    scan: str
    build: Build
    people: People
    ancestries: Mapping[str, Places]
    covariates: Covariates
    variants: Variants
    rules: TestRules
    known: Mapping[str, Numbers]


def _output(inputs: Inputs, fitted: Fitted) -> Output:
    settings = inputs.run.warehouse.settings
    return Output(
        fitted,
        Keeping(
            settings.association.keep_neg_log10_p,
            settings.association.genome_wide_p,
            settings.ingest.target_file_bytes,
            inputs.known,
        ),
    )


def first_pass(
    inputs: Inputs, fitted: Fitted, models: Broadcast[Sequence[Models]], replace: str
) -> dict[str, Aside]:
    """Test all variants, replacing the rows of ``replace``; the sums of tasks, and what is to be fitted."""
    run, people = inputs.run, inputs.people
    settings = run.warehouse.settings
    n_cells = sum(map(len, fitted.columns))
    run.progress(
        f"testing {inputs.variants.n:,} variants in {n_cells:,} phenotypes × ancestries: "
        f"{inputs.variants.n * n_cells:,} tests"
    )
    calls = Calls(
        people.axis,
        inputs.build,
        inputs.variants.regions,
        calls_meant(x_male_dosage=settings.association.x_male_dosage),
    )
    groups = [group_of(name, people.places[own], len(people.axis)) for name, own in inputs.ancestries.items()]
    scan = Scan(calls, groups, people.places, models, _output(inputs, fitted))
    with rows_per_batch(run.warehouse.spark, rows_of_widest(run.warehouse, people.axis.sizes.values())):
        source = _source(inputs, n_cells)
        return run.write_beside(ArrowWrite(source, scan, _replaced(replace), [PARTS, EXACT]))


def second_pass(
    inputs: Inputs, fitted: Fitted, models: Broadcast[Sequence[Models]], records: Aside
) -> list[Aside]:
    """Fit hits exactly; the sums of its tasks, where there were any."""
    run, people = inputs.run, inputs.people
    spark = run.warehouse.spark
    n_records = records.count()
    run.counters["fitted_exactly"] += n_records
    if not n_records:
        return []
    run.progress(f"fitting {n_records:,} phenotypes × variants exactly")
    groups = [group_of(name, own, len(people)) for name, own in inputs.ancestries.items()]
    refits = Refits(groups, models, _output(inputs, fitted))
    with rows_per_batch(spark, rows_of_widest(run.warehouse, [len(people)])):
        spread = records.frame.repartition(run.warehouse.settings.spark.shuffle_partitions)
        return [run.write_beside(ArrowWrite(spread, refits, _replaced(""), [PARTS]))[PARTS.name]]


def _replaced(replace: str) -> list[tuple[Table, str]]:
    return [(table, replace) for table in _TABLES]


def _source(inputs: Inputs, n_cells: int) -> DataFrame:
    """The genotype rows to scan; where an allele has rows in several callsets they come together, sorted."""
    run, axis = inputs.run, inputs.people.axis
    genotypes = run.read(GENOTYPES).where(F.col("callset_id").isin(list(axis.sizes)))
    rows = inputs.variants.of(genotypes).select(*COLUMNS)
    n_needed = int(inputs.variants.n * n_cells * len(inputs.people) / _MOST_PRODUCTS) + 1
    if len(axis.sizes) == 1 and n_needed == 1:
        return rows
    n_pieces = rows.rdd.getNumPartitions()
    if len(axis.sizes) == 1 and n_needed <= n_pieces:
        return rows
    n_tasks = max(n_pieces, n_needed, run.warehouse.settings.spark.shuffle_partitions)
    window = F.floor(F.col("position") / _WINDOW_BASES)
    return rows.repartition(n_tasks, "contig", window).sortWithinPartitions(*ALLELE, "callset_id")

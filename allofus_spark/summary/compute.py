"""``variant_summary`` of the newest frequencies, novelty and consequences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from allofus_spark.cohort import (
    newest_versions,
    passing_alleles,
    read_consequences,
    read_frequencies,
    read_novelty,
)
from allofus_spark.errors import BadSource, ContractViolation
from allofus_spark.summary.cells import EVERYBODY, Cell, count_cells
from allofus_spark.summary.rows import SummaryRow, summary_rows
from allofus_spark.tables import (
    VARIANT_SUMMARY,
    VARIANTS,
    Freshness,
    Recipe,
    RowsWrite,
    Run,
    Warehouse,
    allele_frequencies,
    quoted,
    start_run,
)


@dataclass(frozen=True)
class Summary:
    """Rows of ``variant_summary`` with what they rest on; ``warnings`` are sentences for the reader."""

    rows: Sequence[SummaryRow]
    catalogue_set: str
    versions: Mapping[str, str]
    annotator: str
    passing_only: bool
    warnings: Sequence[str]

    def of(self, dimension: str, ancestry: str = EVERYBODY) -> list[SummaryRow]:
        """Rows of one dimension and ancestry."""
        return [row for row in self.rows if (row.dimension, row.ancestry) == (dimension, ancestry)]

    @property
    def total(self) -> SummaryRow:
        """All variants in anybody."""
        (row,) = self.of(EVERYBODY)
        return row


def summarise_variants(warehouse: Warehouse) -> Summary:
    """Count variants by ancestry and class, write ``variant_summary``, and record a snapshot.

    Rows of other catalogue sets and annotators stay. Raises BadSource where there are no allele frequencies
    of the settings' groups.
    """
    settings = warehouse.settings
    groups = settings.frequencies.ancestry_groups
    with start_run(warehouse, "summarise_variants", Recipe()) as run:
        if not run.holds(allele_frequencies(groups)):
            raise BadSource("a summary needs allele frequencies; run allofus frequencies first")
        cells = _count(run)
        rows = summary_rows(
            cells,
            groups,
            bounds=settings.summary.frequency_bounds,
            passing_only=settings.summary.passing_only,
        )
        _write(run, rows)
        summary = Summary(
            rows=rows,
            catalogue_set=settings.summary.catalogue_set,
            versions=newest_versions(run, settings.summary.catalogue_set),
            annotator=settings.consequences.annotator,
            passing_only=settings.summary.passing_only,
            warnings=[*_stale(warehouse), *_gaps(warehouse, cells)],
        )
        for warning in summary.warnings:
            run.progress(f"warning: {warning}")
        run.counters.update(variants=summary.total.n_variants, rows=len(rows))
        return summary


def _count(run: Run) -> list[Cell]:
    settings = run.warehouse.settings
    groups = settings.frequencies.ancestry_groups
    cells = count_cells(
        read_frequencies(run, groups),
        run.read(VARIANTS),
        read_novelty(run.warehouse, run),
        read_consequences(run.warehouse, run),
        passing_alleles(run),
        groups=groups,
        bounds=settings.summary.frequency_bounds,
    )
    counted = [Cell(*row) for row in cells.collect()]
    strays = sum(cell.n for cell in counted if cell.ancestry == EVERYBODY and cell.type is None)
    if strays:
        raise ContractViolation(
            f"{strays} alleles of allele_frequencies are not in variants; run allofus frequencies again"
        )
    return counted


def _write(run: Run, rows: Sequence[SummaryRow]) -> None:
    """Replace the rows of this catalogue set and annotator."""
    settings = run.warehouse.settings
    ours = (settings.summary.catalogue_set, settings.consequences.annotator)
    replaced = "catalogue_set = {} AND annotator = {}".format(*map(quoted, ours))
    run.write(RowsWrite(VARIANT_SUMMARY, [(*ours, *row) for row in rows], replaced))


def _stale(warehouse: Warehouse) -> list[str]:
    changes = Freshness(warehouse).changes("compute_frequencies")
    if not changes:
        return []
    return [f"the allele frequencies are of before: {'; '.join(changes)}; run allofus frequencies"]


def _gaps(warehouse: Warehouse, cells: Sequence[Cell]) -> list[str]:
    """What was not looked at, in a sentence each."""
    settings = warehouse.settings
    everybody = [cell for cell in cells if cell.ancestry == EVERYBODY]
    n_alleles = sum(cell.n for cell in everybody)
    looked_for = {
        f"novelty against catalogue set {settings.summary.catalogue_set}": (
            sum(cell.n for cell in everybody if cell.status is None),
            "not_flagged; run allofus flag-novelty",
        ),
        f"consequences by annotator {settings.consequences.annotator}": (
            sum(cell.n for cell in everybody if cell.term is None),
            "not_annotated; run allofus annotate",
        ),
    }
    warnings = []
    for what, (n_without, counted_as) in looked_for.items():
        if n_without and n_without == n_alleles:
            warnings.append(f"no {what} computed: every variant counts as {counted_as}")
        elif n_without:
            warnings.append(
                f"{n_without:,} of {n_alleles:,} variants have no {what} yet, and count as {counted_as}"
            )
    return warnings

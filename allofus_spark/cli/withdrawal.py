"""Command that takes people out who withdraw consent."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from allofus_spark.cli.options import common_options, echo_counters, open_warehouse
from allofus_spark.errors import AllofusError

if TYPE_CHECKING:
    from allofus_spark.tables import Warehouse
    from allofus_spark.withdrawal import Check


@click.command("withdraw")
@click.option("--file", "file", metavar="FILE", help="Sample ids, one a line.")
@click.option("--reason", metavar="TEXT", help="Kept beside the samples in withdrawals.")
@click.option(
    "--allow-absent", is_flag=True, help="Take ids that are not here yet too: ingests will leave them out."
)
@click.option("--verify", is_flag=True, help="Change nothing: prove once more that who withdrew is gone.")
@click.argument("samples", nargs=-1)
@common_options
def withdraw_command(
    file: str | None,
    reason: str | None,
    allow_absent: bool,
    verify: bool,
    samples: tuple[str, ...],
    settings_file: str | None,
    warehouse: str | None,
    overrides: tuple[str, ...],
) -> None:
    """Take samples out of every table for good, with all samples of the same persons.

    Their slots in the genotypes become hom-ref and count nowhere; alleles that nobody else carries leave;
    every ingest leaves them out from now on. Old files are removed, so that earlier snapshots cannot be read
    any more, and a proof is printed and kept in withdrawal_proofs. Without SAMPLES the list of withdrawals
    is gone through again. Ids that begin with a dash come after --.

    Exit status 1: a check of the proof failed.
    """
    from allofus_spark.cohort import read_sample_ids
    from allofus_spark.tables import hold_lease
    from allofus_spark.withdrawal import purge_withdrawn, verify_withdrawn, withdraw_samples

    if verify and (samples or file):
        raise click.UsageError("--verify takes no samples: it proves the whole list")
    with open_warehouse("withdraw", settings_file, warehouse, overrides) as tables:
        if verify:
            checks = verify_withdrawn(tables)
        else:
            named = [*samples, *(read_sample_ids(file) if file else ())]
            with hold_lease(tables, "withdraw"):
                done = withdraw_samples(tables, named, reason=reason, allow_absent=allow_absent)
                echo_counters(f"{len(done.samples)} samples are newly out of {tables.root}", done.counters)
                _count_again(tables)
                checks = purge_withdrawn(tables)
            _echo_limits(tables, done.models)
        _echo_proof(checks)
    if not all(check.passed for check in checks):
        sys.exit(1)


def _count_again(tables: Warehouse) -> None:
    """Frequencies of the partitions whose counts changed, where frequencies were computed before."""
    from allofus_spark.cohort import active_callsets
    from allofus_spark.frequencies import compute_frequencies
    from allofus_spark.tables import ALLELE_COUNTS, SnapshotReader

    reader = SnapshotReader(tables)
    if reader.holds(ALLELE_COUNTS) and active_callsets(reader):
        try:
            compute_frequencies(tables)
        except AllofusError as error:  # old bytes go all the same
            click.echo(f"warning: frequencies are stale, as they could not be computed: {error}", err=True)


def _echo_limits(tables: Warehouse, models: Sequence[str]) -> None:
    from allofus_spark.tables.frequency_tables import SUBSET_PREFIX

    if models:
        click.echo(f"Trained on them, and used no more until trained anew: {', '.join(models)}")
    subsets = sorted(name for name in tables.snapshot() if name.startswith(SUBSET_PREFIX))
    if subsets:
        click.echo(f"Frequencies of sample sets are not made anew by themselves: {', '.join(subsets)}")
    click.echo(
        "What else was made with them is stale until it is computed again. Files outside the warehouse "
        "(exports, sources, backups, copies) are not reached: delete those yourself."
    )


def _echo_proof(checks: Sequence[Check]) -> None:
    click.echo(f"{'check':<12} {'of':<32} {'looked at':>14} {'failures':>10}")
    for check in checks:
        verdict = "" if check.passed else "  FAILED"
        click.echo(
            f"{check.check_name:<12} {check.subject:<32} {check.checked:>14,} {check.failures:>10,}{verdict}"
        )

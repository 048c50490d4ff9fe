"""Labels that were inferred elsewhere, as rows of ``ancestries``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from pyspark.sql import Row

from allofus_spark.ancestry.label_files import ImportedLabel, read_label_file
from allofus_spark.cohort import callset_rows
from allofus_spark.errors import BadSamples, shown
from allofus_spark.tables import (
    RowsWrite,
    Run,
    Warehouse,
    ancestries,
    check_name,
    rows_of_callset,
    start_run,
)
from allofus_spark.tables.ancestry_tables import NOT_IN_IMPORT


def import_labels(
    warehouse: Warehouse,
    path: str | Path,
    *,
    callset_id: str,
    name: str,
    columns: Mapping[str, str] | None = None,
) -> dict[str, int]:
    """Take a callset's labels, and scores where there are any, from a file as they are.

    Parameters
    ----------
    path
        See `read_label_file`.
    name
        What stands as their ``model_id``.

    Returns
    -------
    The run's counters: samples by label, not in the file, in it but not in the callset.

    A sample that the file does not label has a row that says so. Supplied labels (``samples.ancestry``) stay
    as they are.
    """
    check_name("import name", name)
    settings = warehouse.settings.frequencies
    labels = read_label_file(path, columns or {}, settings.ancestry_groups)
    with start_run(warehouse, "infer_ancestry_import") as run:
        members = callset_rows(run, callset_id)
        _count(run, path, callset_id, labels, members)
        rows = [_row(member, labels.get(member.sample_id), name) for member in members]
        run.write(RowsWrite(ancestries(settings.ancestry_groups), rows, rows_of_callset(callset_id)))
        return dict(run.counters)


def _count(
    run: Run, path: str | Path, callset_id: str, labels: Mapping[str, ImportedLabel], members: list[Row]
) -> None:
    ids = {member.sample_id for member in members}
    strangers = sorted(set(labels) - ids)
    silent = sorted(name for name in ids if name not in labels or labels[name].ancestry is None)
    if len(silent) == len(ids):
        raise BadSamples(
            f"{path}: it labels none of the {len(ids)} samples of callset {callset_id} "
            f"({shown(sorted(ids))}), nothing was written; its samples are {shown(sorted(labels))}. Name the "
            "right callset with --callset, or the column of the ids with --column sample_id=NAME"
        )
    run.counters.update(
        samples=len(ids), samples_not_labelled=len(silent), samples_not_in_callset=len(strangers)
    )
    labelled = (labels[name].ancestry for name in ids if labels.get(name) and labels[name].ancestry)
    run.counters.update(Counter(f"samples_{ancestry}" for ancestry in sorted(map(str, labelled))))
    if strangers:
        run.progress(
            f"warning: {len(strangers)} samples of {path} are not in {callset_id}: {shown(strangers)}"
        )
    if silent:
        run.progress(
            f"warning: {len(silent)} samples of {callset_id} have no label in {path}: {shown(silent)}"
        )


def _row(member: Row, label: ImportedLabel | None, name: str) -> tuple[object, ...]:
    ancestry = label.ancestry if label else None
    return (
        member.callset_id,
        member.sample_id,
        member.sample_index,
        name,
        None,
        list(label.pcs) if label and label.pcs is not None else None,
        None,
        label.before_threshold if label and ancestry else None,
        ancestry,
        None if ancestry else NOT_IN_IMPORT,
    )

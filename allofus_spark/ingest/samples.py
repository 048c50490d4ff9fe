"""Sample files: what is known about the samples of a callset, before or after its genotypes come in."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from pyspark.sql import Row

from allofus_spark.cohort import read_withdrawn
from allofus_spark.delimited import places_of, read_table
from allofus_spark.errors import BadSamples, shown
from allofus_spark.ingest.callsets import check_callset_id, count_described, held_samples
from allofus_spark.tables import SAMPLES, RowsWrite, Run, Warehouse, rows_of_callset, start_run

ATTRIBUTES = ("sex_karyotype", "ancestry")
_NOT_KNOWN = frozenset({"", ".", "na", "n/a", "nan", "none", "null", "unknown"})
# Karyotypes beyond XX and XY, as callers of sex chromosome ploidy write them: X, X0, XXY, XYY, ...
_OTHER_KARYOTYPE = re.compile(r"[XY0]+|OTHER")


def ingest_samples(
    warehouse: Warehouse, path: str | Path, *, callset_id: str, columns: Mapping[str, str] | None = None
) -> dict[str, int]:
    """Read sex karyotype and ancestry of a callset's samples from a TSV or CSV with a header.

    Parameters
    ----------
    path
        File with a column ``sample_id`` and any of ``sex_karyotype`` (XX, XY, others; empty: not known) and
        ``ancestry`` (a group of the settings, any case; empty: no label). Further columns are left alone.
    columns
        The file's name of a column where it is not the one above.

    Returns
    -------
    Counters of samples: described, matched to genotypes, not in the genotypes, in them but not described.

    A column that the file has replaces what was known before for the whole callset; one that it lacks stays.
    Raises BadSamples where ids are empty or contradict each other, a value is not known, or the file is about
    nobody in the genotypes.
    """
    check_callset_id(callset_id)
    described, present = read_sample_file(path, columns or {}, warehouse.settings.frequencies.ancestry_groups)
    with start_run(warehouse, "ingest_samples") as run:
        kept = read_withdrawn(run).without(described, run.counters)
        described = {name: described[name] for name in kept}
        held = held_samples(run, callset_id)
        rows = _merged(callset_id, described, present, held)
        in_genotypes = [name for name, row in held.items() if row.sample_index is not None]
        _check_some_match(path, callset_id, described, in_genotypes)
        count_described(run, callset_id, described, in_genotypes)
        _warn_of_changed_sex(run, described, present, held)
        run.write(RowsWrite(SAMPLES, rows, rows_of_callset(callset_id)))
        return dict(run.counters)


def read_sample_file(
    path: str | Path, columns: Mapping[str, str], ancestry_groups: Sequence[str]
) -> tuple[dict[str, dict[str, str | None]], tuple[str, ...]]:
    """Attributes by sample id, and which attributes the file has."""
    header, rows = read_table(path, "sample_id")
    place = places_of(path, header, ("sample_id", *ATTRIBUTES), columns, ("sample_id",))
    present = tuple(name for name in ATTRIBUTES if name in place)
    described: dict[str, dict[str, str | None]] = {}
    problems: list[str] = []
    conflicts: list[str] = []
    for number, row in rows:
        if len(row) != len(header):
            problems.append(f"line {number} has {len(row)} fields, not {len(header)}")
            continue
        sample_id = row[place["sample_id"]]
        values: dict[str, str | None] = {}
        for name in present:
            try:
                values[name] = _read_value(name, row[place[name]], ancestry_groups)
            except ValueError as error:
                problems.append(f"line {number}, sample {sample_id}: {error}")
        if not sample_id.strip():
            problems.append(f"line {number} has an empty sample id")
        elif described.setdefault(sample_id, values) != values:
            conflicts.append(sample_id)
    if problems:
        raise BadSamples(f"{path}: {len(problems)} bad rows, nothing was written: {shown(problems)}")
    if conflicts:
        raise BadSamples(
            f"{path}: {len(conflicts)} samples have two different rows: {shown(conflicts)}; keep one of each"
        )
    if not described:
        raise BadSamples(f"{path}: a header and no samples, nothing was written; add a line for each sample")
    return described, present


def _read_value(name: str, text: str, ancestry_groups: Sequence[str]) -> str | None:
    """A value as stored; raises ValueError saying what is allowed."""
    value = text.strip()
    if value.lower() in _NOT_KNOWN:
        return None
    if name == "ancestry":
        if value.lower() not in ancestry_groups:
            raise ValueError(f"ancestry {value!r} is not among {', '.join(ancestry_groups)}")
        return value.lower()
    if value.upper() in ("XX", "XY"):
        return value.upper()
    if _OTHER_KARYOTYPE.fullmatch(value.upper()):
        return "other"
    raise ValueError(f"sex_karyotype {value!r} is not XX, XY, another karyotype (X0, XXY), other or empty")


def _check_some_match(
    path: str | Path, callset_id: str, described: Collection[str], in_genotypes: Sequence[str]
) -> None:
    """Raise BadSamples where the file is about nobody in the genotypes: it would take all labels away."""
    if in_genotypes and not set(described) & set(in_genotypes):
        raise BadSamples(
            f"{path}: none of its {len(described)} samples ({shown(list(described))}) is among the "
            f"{len(in_genotypes)} of callset {callset_id} ({shown(in_genotypes)}), nothing was written. "
            "Name the right callset with --callset, or the column of the ids with --column sample_id=NAME."
        )


def _merged(
    callset_id: str,
    described: Mapping[str, Mapping[str, str | None]],
    present: Sequence[str],
    held: Mapping[str, Row],
) -> list[tuple[object, ...]]:
    """Rows of ``samples`` for the callset: what the file says, and what it leaves alone."""
    rows = []
    for sample_id in dict.fromkeys([*held, *described]):
        before = held.get(sample_id)
        if before is not None and before.sample_index is None and sample_id not in described:
            continue  # known only from an earlier sample file
        about = described.get(sample_id, {})
        values = [
            about.get(name) if name in present else (before[name] if before is not None else None)
            for name in ATTRIBUTES
        ]
        rows.append((callset_id, sample_id, before.sample_index if before is not None else None, *values))
    return rows


def _warn_of_changed_sex(
    run: Run,
    described: Mapping[str, Mapping[str, str | None]],
    present: Sequence[str],
    held: Mapping[str, Row],
) -> None:
    if "sex_karyotype" not in present:
        return
    changed = [
        sample_id
        for sample_id, row in held.items()
        if row.sample_index is not None
        and row.sex_karyotype != described.get(sample_id, {}).get("sex_karyotype")
    ]
    if changed:
        run.counters["samples_sex_changed"] = len(changed)
        run.progress(
            f"warning: the sex karyotype of {len(changed)} samples changed after their genotypes were read: "
            f"{shown(changed)}. Half calls and haploid calls on X and Y were judged by what was known then; "
            "ingest the genotypes again where the source has such calls."
        )

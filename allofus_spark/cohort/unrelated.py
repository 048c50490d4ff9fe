"""Which samples relatedness keeps: no two of them are related."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from allofus_spark.errors import shown
from allofus_spark.tables import UNRELATED, Run, read_columns


def kept_by_relatedness(run: Run, everyone: Collection[str]) -> dict[str, bool] | None:
    """Whether the table ``unrelated`` keeps each sample that it knows; None where it knows none of them."""
    if not run.holds(UNRELATED):
        return None
    rows = read_columns(run, UNRELATED, ["sample_id", "is_kept"])
    kept = dict(zip(*(column.to_pylist() for column in rows.columns), strict=True))
    return None if kept.keys().isdisjoint(everyone) else kept


def kept_of(
    run: Run, kept: Mapping[str, bool], everyone: Collection[str], *, left_out_of: str
) -> frozenset[str]:
    """The samples that are kept. Those that came in since are not known; they are counted and named."""
    new = sorted(set(everyone) - kept.keys())
    if new:
        run.counters["samples_not_in_unrelated"] = len(new)
        run.progress(
            f"warning: {len(new):,} of {len(everyone):,} samples came in after relatedness was computed and "
            f"are left out of {left_out_of}: {shown(new)}; run relatedness again"
        )
    return frozenset(name for name in everyone if kept.get(name))

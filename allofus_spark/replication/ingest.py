"""Maps of known associations into ``known_associations``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from allofus_spark.cohort import configured_reference, warehouse_build
from allofus_spark.errors import BadSource, shown
from allofus_spark.genome import ReferenceSequence, normalise_columns
from allofus_spark.replication.map_files import Association, MapFile, read_map
from allofus_spark.tables import (
    KNOWN_ASSOCIATIONS,
    REJECTED_KNOWN_ASSOCIATIONS,
    RowsWrite,
    Run,
    Warehouse,
    check_name,
    quoted,
    start_run,
)


def ingest_known_associations(
    warehouse: Warehouse,
    path: str | Path,
    *,
    name: str,
    version: str,
    frequencies: str | Path | None = None,
    columns: Mapping[str, str] | None = None,
) -> dict[str, int]:
    """Read a map of known associations, in the place of what is held under its name and version.

    Parameters
    ----------
    path, frequencies, columns
        See `read_map`. Variants of the warehouse's build are read, and normalised as those of callsets are.
    name, version
        What the map is called, such as pgrm and 1.

    Returns
    -------
    Counters of the run: lines, associations kept, lines refused by reason, variants, phenotypes.

    Raises BadSource where the warehouse has no callset, a column is missing, nothing is left, or more than
    ingest.max_rejected_share of the lines is refused; nothing is written.
    """
    check_name("map name", name)
    check_name("map version", version)
    with start_run(warehouse, "ingest_known_associations") as run:
        build = warehouse_build(warehouse)
        run.progress(f"reading {path}")
        found = read_map(path, build, frequencies=frequencies, columns=columns)
        _count(run, found)
        _check_share(run, path, found)
        reference = configured_reference(warehouse, build)
        rows = known_rows(found.associations, reference, warehouse.bin_width_bases)
        own = (name, version)
        replaced = f"map_name = {quoted(name)} AND map_version = {quoted(version)}"
        run.write(
            RowsWrite(KNOWN_ASSOCIATIONS, [(*own, *row) for row in rows], replaced),
            RowsWrite(REJECTED_KNOWN_ASSOCIATIONS, [(*own, *line) for line in found.refused], replaced),
        )
        return dict(run.counters)


def known_rows(
    associations: Sequence[Association], reference: ReferenceSequence | None, bin_width_bases: int
) -> list[tuple[object, ...]]:
    """Rows of ``known_associations`` without map and version: alleles in normal form, with their bin.

    Where normalisation moves an allele its direction stays: alt remains alt.
    """
    contigs = np.array([known.contig for known in associations], object)
    position = np.array([known.position for known in associations], np.int64)
    ref, alt = (pa.array([known[at] for known in associations], pa.string()) for at in (4, 5))
    every = np.arange(len(associations))
    moved, refs, alts = normalise_columns(contigs, position, ref, alt, every, reference)
    places = zip(moved.tolist(), refs.to_pylist(), alts.to_pylist(), strict=True)
    return [
        (known.association_id, known.contig, at // bin_width_bases, at, *alleles, *known[6:])
        for known, (at, *alleles) in zip(associations, places, strict=True)
    ]


def _count(run: Run, found: MapFile) -> None:
    kept = found.associations
    run.counters.update(
        lines=len(kept) + len(found.refused),
        associations=len(kept),
        variants=len({known[2:6] for known in kept}),
        phenotypes=len({known.phenotype_id for known in kept}),
        associations_without_frequencies=sum(not known.alt_frequencies for known in kept),
        lines_refused=len(found.refused),
    )
    run.counters.update({f"refused_{reason}": n for reason, n in sorted(found.reasons.items())})


def _check_share(run: Run, path: str | Path, found: MapFile) -> None:
    """Say what is refused; raise BadSource where it is too much, or nothing is left."""
    if not found.refused and found.associations:
        return
    lines = run.counters["lines"]
    if not lines:
        raise BadSource(f"{path}: no line after the header; nothing was written")
    examples = shown([f"line {line.line} ({line.reason}): {line.variant}" for line in found.refused])
    allowed = run.warehouse.settings.ingest.max_rejected_share
    if not found.associations or len(found.refused) > allowed * lines:
        raise BadSource(
            f"{path}: {len(found.refused)} of {lines} lines were refused, more than the share of {allowed:g} "
            f"allowed, or nothing was left; nothing was written. First: {examples or 'none'}. Mend the file, "
            "or raise ingest.max_rejected_share."
        )
    run.progress(
        f"warning: {len(found.refused)} of {lines} lines were refused, and are in "
        f"rejected_known_associations: {examples}"
    )

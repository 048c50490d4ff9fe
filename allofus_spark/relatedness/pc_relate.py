"""PC-Relate by Hail (Conomos et al., Am J Hum Genet 2016;98:127): kinship beside ancestry, by way of a .bed.

Where everybody is admixed KING-robust is too low between people of unlike ancestry; PC-Relate takes allele
frequencies from the principal components instead. Replicates defeat it: they make a component of their own,
which then explains what they share.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.arrow import runs_of
from allofus_spark.cohort import rows_of_widest, warehouse_build
from allofus_spark.errors import BadSource, shown
from allofus_spark.genotypes import BED_HEADER, MISSING, bed_from_packed, pack, packed_width, unpack
from allofus_spark.hail_bridge import start_hail
from allofus_spark.relatedness.king import COUNTS
from allofus_spark.relatedness.people import People
from allofus_spark.relatedness.slices import gathered_calls, member_calls
from allofus_spark.tables import STAGING, Run, ancestries, rows_per_batch

# Where a site is rarer, by the components of either individual, it is left out of their pair.
_MIN_INDIVIDUAL_MAF = 0.01
_MOST_PCS = 10
_SITES_OUT = 1_000


@contextmanager
def pc_relate(run: Run, sites: pa.Table, people: People) -> Iterator[tuple[DataFrame, npt.NDArray[np.int64]]]:
    """Pairs of relatedness.min_kinship or more, and the sites at which each sample has a call.

    Columns as of KING-robust's pairs, counts null. The calls lie as a .bed of a quarter byte a call in the
    warehouse while this lasts. Raises BadSource where the warehouse is on no mounted folder.
    """
    root = run.warehouse.local_root
    if root is None:
        raise BadSource(
            "pc-relate hands Hail a file: it needs a warehouse on a mounted folder; use king-robust"
        )
    folder = Path(root) / STAGING / run.run_id
    folder.mkdir(parents=True)
    try:
        _write_bed(run, sites, people, folder)
        rows = _mt(run, folder)
        min_kinship = run.warehouse.settings.relatedness.min_kinship
        pairs = _kinship(rows, min_kinship, **_scores(run, people, len(sites)))
        yield pairs, _n_called(rows)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_bed(run: Run, sites: pa.Table, people: People, folder: Path) -> None:
    """Sites by their places and people by theirs; one batch of sites at a time passes through the driver."""
    run.progress(f"writing calls of {len(people):,} samples at {len(sites):,} sites for Hail")
    width = packed_width(len(people))
    columns = (sites.column(name).to_pylist() for name in ("contig", "position", "alt", "ref"))
    with (folder / "calls.bim").open("w") as bim:
        for site, (contig, position, alt, ref) in enumerate(zip(*columns, strict=True)):
            bim.write(f"{contig}\t{site}\t0\t{position}\t{alt}\t{ref}\n")
    with (folder / "calls.fam").open("w") as fam:
        fam.writelines(f"0\t{place}\t0\t0\t0\t-9\n" for place in range(len(people)))
    rows = rows_of_widest(run.warehouse, people.sizes.values())
    with (folder / "calls.bed").open("wb") as bed, rows_per_batch(run.warehouse.spark, rows):
        bed.write(BED_HEADER)
        calls = gathered_calls(run, sites, people).mapInArrow(BedRows(people), "site int, bed binary")
        for site, row in calls.toLocalIterator(prefetchPartitions=True):
            bed.seek(len(BED_HEADER) + site * width)
            bed.write(row)


@dataclass(frozen=True)
class BedRows:
    """Calls of all callsets at the sites of a partition to rows of a .bed; goes to the workers by pickle."""

    people: People

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        parts = []
        for batch in batches:
            for (callset_id,), rows in runs_of(batch, ("callset_id",)):
                packed = member_calls(self.people, callset_id, rows)
                parts.append((callset_id, np.asarray(rows.column("site")), packed))
        sites = np.unique(np.concatenate([site for _, site, _ in parts])) if parts else np.zeros(0, np.int32)
        for first in range(0, len(sites), _SITES_OUT):
            yield self._rows(sites[first : first + _SITES_OUT], parts)

    def _rows(
        self,
        sites: npt.NDArray[np.int32],
        parts: Sequence[tuple[str, npt.NDArray[np.int32], npt.NDArray[np.uint8]]],
    ) -> pa.RecordBatch:
        calls = np.full((len(sites), len(self.people)), MISSING, np.int8)
        for callset_id, site, packed in parts:
            within = (site >= sites[0]) & (site <= sites[-1])
            first, n = self.people.firsts[callset_id], len(self.people.members[callset_id])
            calls[np.searchsorted(sites, site[within]), first : first + n] = unpack(packed[within], n)
        rows = bed_from_packed(pack(calls), len(self.people))
        arrays = [pa.array(sites), pa.array([row.tobytes() for row in rows], pa.binary())]
        return pa.RecordBatch.from_arrays(arrays, names=["site", "bed"])


def _scores(run: Run, people: People, n_sites: int) -> dict[str, Any]:
    """Scores of ``ancestries`` by place, where everybody has some of one model; else how many PCs to take."""
    n_pcs = min(_MOST_PCS, len(people) - 1, n_sites - 1)
    table = ancestries(run.warehouse.settings.frequencies.ancestry_groups)
    if run.holds(table):
        # A retired callset may have samples of the same ids, with scores on another model.
        of_people = F.col("callset_id").isin(list(people.members)) & F.col("pcs").isNotNull()
        rows = run.read(table).where(of_people).select("sample_id", "model_id", "pcs").collect()
        held = {row.sample_id: row for row in rows}
        if held.keys() >= set(people.sample_ids):
            chosen = [held[name] for name in people.sample_ids]
            kinds = {(row.model_id, len(row.pcs[:n_pcs])) for row in chosen}
            if len(kinds) == 1:
                run.progress("ancestry is told by the scores of ancestries")
                return {"scores": [list(row.pcs[:n_pcs]) for row in chosen]}
            models = sorted({model_id for model_id, _ in kinds})
            run.progress(f"warning: scores of ancestries are of several kinds ({shown(models)}): left alone")
    run.progress(f"ancestry is told by {n_pcs} components of these sites")
    return {"n_pcs": n_pcs}


def _mt(run: Run, folder: Path) -> Any:
    """Hail's MatrixTable of the .bed; the column ``place`` is that of the sample."""
    import hail as hl

    build = warehouse_build(run.warehouse)
    start_hail(run.warehouse.spark, build.name)
    files = {end: f"file://{folder}/calls.{end}" for end in ("bed", "bim", "fam")}
    rows = hl.import_plink(**files, reference_genome=build.name, a2_reference=True)
    return rows.annotate_cols(place=hl.int32(rows.s))


def _kinship(rows: Any, min_kinship: float, *, n_pcs: int | None = None, scores: Any = None) -> DataFrame:
    import hail as hl

    found = hl.pc_relate(
        rows.GT,
        _MIN_INDIVIDUAL_MAF,
        k=n_pcs,
        scores_expr=None if scores is None else hl.literal(scores)[rows.place],
        min_kinship=min_kinship,
        statistics="kin",
    ).key_by()
    pairs: DataFrame = found.select(
        first=hl.int32(found.i.s), second=hl.int32(found.j.s), kinship=found.kin
    ).to_spark()
    absent = [F.lit(None).cast("int").alias(name) for name in COUNTS]
    return pairs.where(F.col("kinship") >= min_kinship).select("first", "second", "kinship", *absent)


def _n_called(rows: Any) -> npt.NDArray[np.int64]:
    """Sites with a call, int64[people]."""
    import hail as hl

    counted = rows.annotate_cols(n_called=hl.agg.count_where(hl.is_defined(rows.GT)))
    return np.array(counted.n_called.collect(), np.int64)

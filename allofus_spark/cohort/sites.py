"""Sites that stand for the genome: common, well called, bi-allelic SNVs, with little linkage between them.

Ancestry is told from them, and kinship. Which they are depends neither on the order of rows nor on how they
lie in files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.arrow import collect, runs_of
from allofus_spark.errors import BadSource
from allofus_spark.genome import Build, long_range_ld
from allofus_spark.genotypes import HET, HOM_ALT, MISSING, count_by_stratum, decode, take_samples
from allofus_spark.genotypes.linkage import LinkagePruning
from allofus_spark.settings import AncestrySettings, RelatednessSettings, SiteSettings
from allofus_spark.spacing import evenly_spaced
from allofus_spark.tables import GENOTYPES, Run

SITE_COLUMNS = ("site", "contig", "position", "ref", "alt", "ac", "an")
_KEY = ("contig", "position", "ref", "alt")
_CALLS = ("het_index", "hom_alt_index", "missing_index", "calls")
_COUNTED = "contig string, position int, ref string, alt string, ac long, n_called long, packed binary"
_KEPT = "contig string, position int, ref string, alt string, ac long, n_called long"

Members = Mapping[str, npt.NDArray[np.int64]]
"""Of each callset the samples that count, as rising indices int64[n] in callset order."""


@dataclass(frozen=True)
class SiteRules:
    """Which sites are chosen; see the settings of the same names. ``max_r2`` None: linkage is let be."""

    min_call_rate: float
    min_maf: float
    max_sites: int
    max_r2: float | None
    window_bases: int
    max_ld_samples: int
    leave_out_long_range_ld: bool


def site_rules(
    sites: SiteSettings, stage: AncestrySettings | RelatednessSettings, *, leave_out_long_range_ld: bool
) -> SiteRules:
    """The rules of the settings for a stage."""
    return SiteRules(
        min_call_rate=sites.min_call_rate,
        min_maf=stage.min_maf,
        max_sites=stage.max_sites,
        max_r2=stage.max_r2,
        window_bases=sites.window_bases,
        max_ld_samples=sites.max_ld_samples,
        leave_out_long_range_ld=leave_out_long_range_ld,
    )


def choose_sites(
    run: Run, members: Members, sizes: Mapping[str, int], build: Build, rules: SiteRules
) -> pa.Table:
    """The sites of some samples, by SITE_COLUMNS.

    Parameters
    ----------
    members
        The samples among whom calls are counted. A callset without a record at a site has no call there.
    sizes
        Samples of each of these callsets in all.

    Returns
    -------
    One row a site in the order of the genome: ``site`` int32, its place; position, 1-based; ``ac`` and ``an``
    int64, copies of alt and alleles called among the members. At most ``rules.max_sites`` rows.

    Sites are SNVs on autosomes, the only alternate at their position. Raises BadSource where none is left,
    saying what left them out.
    """
    n_samples = sum(map(len, members.values()))
    counting = SiteCounts(members, sizes, rules, _linkage_samples(members, rules))
    genotypes = run.read(GENOTYPES).where(
        F.col("callset_id").isin(list(members)) & F.col("contig").isin(list(build.autosomes))
    )
    counted = genotypes.select("callset_id", *_KEY, *_CALLS).mapInArrow(counting, _COUNTED)
    sites = common_snvs(by_position(counted), n_samples, rules)
    if rules.leave_out_long_range_ld:
        sites = _outside(sites, build)
    if rules.max_r2 is not None:
        prune = Pruning(counting.n_linkage_samples, rules.window_bases, rules.max_r2)
        sites = (
            sites.repartition("contig").sortWithinPartitions("contig", "position").mapInArrow(prune, _KEPT)
        )
    chosen = sites.select(*_KEY, "ac", "n_called").orderBy(F.xxhash64(*_KEY), *_KEY).limit(rules.max_sites)
    rows = collect(chosen)
    if not rows.num_rows:
        raise BadSource(_none_left(n_samples, rules))
    return _in_order(rows, build)


def _none_left(n_samples: int, rules: SiteRules) -> str:
    return (
        f"no site is left to tell people apart by: none of the autosomal SNVs among {n_samples} samples is "
        f"the only alternate at its position with a call rate of {rules.min_call_rate:g} or more and a minor "
        f"allele frequency of {rules.min_maf:g} or more"
        + (", outside regions of long-range linkage" if rules.leave_out_long_range_ld else "")
        + ". Lower sites.min_call_rate or the stage's min_maf, or give a callset with common variants."
    )


def _linkage_samples(members: Members, rules: SiteRules) -> tuple[str, npt.NDArray[np.int64]] | None:
    """The callset and its samples that linkage is measured among; None where it is let be."""
    if rules.max_r2 is None:
        return None
    callset_id = min(members, key=lambda name: (-len(members[name]), name))
    own = members[callset_id]
    return callset_id, own[evenly_spaced(len(own), rules.max_ld_samples)]


@dataclass(frozen=True)
class SiteCounts:
    """Rows of ``genotypes`` to counts among the members; goes to the workers by pickle.

    ``packed`` are the calls of the samples that linkage is measured among, where the site has a chance.
    """

    members: Members
    sizes: Mapping[str, int]
    rules: SiteRules
    linkage: tuple[str, npt.NDArray[np.int64]] | None

    @property
    def n_linkage_samples(self) -> int:
        return len(self.linkage[1]) if self.linkage else 0

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        outside = {name: self._outside(name) for name in self.members}
        for batch in batches:
            for (callset_id,), rows in runs_of(batch, ("callset_id",)):
                yield self._count(callset_id, rows, outside[callset_id])

    def _outside(self, callset_id: str) -> npt.NDArray[np.int32]:
        """int32[samples of the callset]: 0 for a member, 1 for another."""
        outside = np.ones(self.sizes[callset_id], np.int32)
        outside[self.members[callset_id]] = 0
        return outside

    def _count(self, callset_id: str, rows: pa.RecordBatch, outside: npt.NDArray[np.int32]) -> pa.RecordBatch:
        called = decode(rows, len(outside))
        counts = count_by_stratum(called, outside, 2)[:, 0].astype(np.int64)
        n = len(self.members[callset_id])
        n_called = n - counts[:, MISSING]
        ac = counts[:, HET] + 2 * counts[:, HOM_ALT]
        packed: list[bytes | None] = [None] * len(rows)
        if self.linkage and self.linkage[0] == callset_id:
            places = np.flatnonzero(self._may_pass(ac, n_called))
            taken = take_samples(called.to_packed()[places], self.linkage[1])
            for place, calls in zip(places, taken, strict=True):
                packed[place] = calls.tobytes()
        arrays = [rows.column(name) for name in _KEY]
        arrays += [pa.array(ac), pa.array(n_called), pa.array(packed, pa.binary())]
        return pa.RecordBatch.from_arrays(arrays, names=[*_KEY, "ac", "n_called", "packed"])

    def _may_pass(self, ac: npt.NDArray[np.int64], n_called: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
        """Of several callsets the others may still add what is missing; of one, all is known here."""
        if len(self.members) > 1:
            return np.asarray(n_called > 0)
        n = len(next(iter(self.members.values())))
        minor = np.minimum(ac, 2 * n_called - ac)
        is_called = n_called >= self.rules.min_call_rate * n
        is_common = (minor > 0) & (minor >= self.rules.min_maf * 2 * n_called)
        return np.asarray(is_called & is_common)


def by_position(counted: DataFrame) -> DataFrame:
    """Counts of the positions that have one alternate over all callsets. Grain: contig × position."""
    summed = counted.groupBy("contig", "position").agg(
        F.min("ref").alias("ref"),
        F.min("alt").alias("alt"),
        ((F.min("ref") == F.max("ref")) & (F.min("alt") == F.max("alt"))).alias("is_only"),
        F.sum("ac").alias("ac"),
        F.sum("n_called").alias("n_called"),
        F.max("packed").alias("packed"),
    )
    return summed.where("is_only").drop("is_only")


def common_snvs(counted: DataFrame, n_samples: int, rules: SiteRules) -> DataFrame:
    """The SNVs with enough calls among ``n_samples`` and enough copies of either allele."""
    is_snv = F.col("ref").isin(*"ACGT") & F.col("alt").isin(*"ACGT")
    minor = F.least("ac", 2 * F.col("n_called") - F.col("ac"))
    is_called = F.col("n_called") >= rules.min_call_rate * n_samples
    is_common = (minor > 0) & (minor >= rules.min_maf * 2 * F.col("n_called"))
    return counted.where(is_snv & is_called & is_common)


def _outside(sites: DataFrame, build: Build) -> DataFrame:
    """The sites outside regions of long-range linkage."""
    for contig, first, last in long_range_ld(build).intervals():
        sites = sites.where((F.col("contig") != contig) | ~F.col("position").between(first, last))
    return sites


@dataclass(frozen=True)
class Pruning:
    """Sites sorted by contig and position to those that stay; goes to the workers by pickle."""

    n_samples: int
    window_bases: int
    max_r2: float

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        held: pa.Table | None = None
        pruning, current = self._begin(), None
        for batch in batches:
            for (contig,), rows in runs_of(batch, ("contig",)):
                if contig != current:
                    if held is not None:
                        yield from _staying(held, pruning.finish())
                    held, pruning, current = None, self._begin(), contig
                stays = pruning.add(np.asarray(rows.column("position")), _maf(rows), self._packed(rows))
                narrow = pa.Table.from_batches([rows.select([*_KEY, "ac", "n_called"])])
                held = narrow if held is None else pa.concat_tables([held, narrow])
                yield from _staying(held.slice(0, len(stays)), stays)
                held = held.slice(len(stays))
        if held is not None:
            yield from _staying(held, pruning.finish())

    def _begin(self) -> LinkagePruning:
        return LinkagePruning(self.n_samples, window_bases=self.window_bases, max_r2=self.max_r2)

    def _packed(self, rows: pa.RecordBatch) -> npt.NDArray[np.uint8]:
        calls = b"".join(rows.column("packed").to_pylist())
        return np.frombuffer(calls, np.uint8).reshape(len(rows), -1)


def _maf(rows: pa.RecordBatch) -> npt.NDArray[np.float64]:
    frequency = np.asarray(rows.column("ac")) / (2 * np.asarray(rows.column("n_called")))
    return np.asarray(np.minimum(frequency, 1 - frequency))


def _staying(rows: pa.Table, stays: npt.NDArray[np.bool_]) -> Iterator[pa.RecordBatch]:
    yield from rows.filter(pa.array(stays)).combine_chunks().to_batches()


def _in_order(rows: pa.Table, build: Build) -> pa.Table:
    """The chosen sites by SITE_COLUMNS, in the order of the genome."""
    place = {contig: number for number, contig in enumerate(build.contig_lengths)}
    rank = pa.array([place[contig] for contig in rows.column("contig").to_pylist()], pa.int32())
    ranked = rows.append_column("rank", rank).sort_by([("rank", "ascending"), ("position", "ascending")])
    columns = {
        "site": pa.array(np.arange(len(rows), dtype=np.int32)),
        **{name: ranked.column(name) for name in _KEY},
        "ac": ranked.column("ac").cast(pa.int64()),
        "an": pc.multiply(ranked.column("n_called").cast(pa.int64()), 2),
    }
    return pa.table({name: columns[name] for name in SITE_COLUMNS})


def calls_at(run: Run, sites: pa.Table, callsets: Sequence[str]) -> DataFrame:
    """Calls of some callsets at sites. Grain: callset × site; a callset lacks sites that it has no record of.

    Columns callset_id, ``site`` (int, as in ``sites``) and the call columns of ``genotypes``. The keys of
    ``sites`` go to every executor; many to one.
    """
    keys = sites.select(["site", *_KEY]).to_pandas()
    numbered = run.warehouse.spark.createDataFrame(
        keys, "site int, contig string, position int, ref string, alt string"
    )
    contigs = sorted(set(sites.column("contig").to_pylist()))
    genotypes = run.read(GENOTYPES).where(
        F.col("callset_id").isin(list(callsets)) & F.col("contig").isin(contigs)
    )
    return genotypes.join(F.broadcast(numbered), list(_KEY)).select("callset_id", "site", *_CALLS)

"""Allele counts to allele frequencies by ancestry: sums over callsets, then the derived numbers.

Absent is not hom-ref: a callset without a record of an allele adds nothing to it, with one exception. For a
single-nucleotide variant, a callset with a record of another single-nucleotide ALT at the same position and
ref is called there: no copies, and AN from that record (its first ALT).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from scipy.special import gammaincinv

from allofus_spark.arrow import begins_run
from allofus_spark.cohort import COUNTS, XX, XY, Strata
from allofus_spark.genome import variant_ids
from allofus_spark.tables import ALLELE_KEY
from allofus_spark.tables.frequency_tables import FREQUENCY

OVERALL = ("overall", "overall_xx", "overall_xy")
_HET, _HOM, _HEMI, _AN = range(4)
_SUMMED = COUNTS[:4]

Sums = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class GroupSums:
    """How strata add up to groups, and counts to frequencies; goes to the workers by pickle.

    ``matrices[strata_id]`` is float64[strata, groups] of 0 and 1; ``names`` are the groups, overall first.
    """

    names: tuple[str, ...]
    matrices: Mapping[str, Floats]
    unassigned_group: str

    def __call__(self, counts: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Rows of ``allele_frequencies`` from rows of ``allele_counts``.

        With several callsets the counts come sorted by allele and callset, no position in two partitions.
        """
        if len(self.matrices) == 1:
            for batch in counts:
                if batch.num_rows:
                    yield _frequency_batch(batch, _sum_strata(batch, self), self)
        else:
            for batch in whole_positions(counts):
                first, totals = sum_callsets(batch, _sum_strata(batch, self))
                yield _frequency_batch(batch.take(pa.array(first)), totals, self)


def group_sums(
    strata: Sequence[Strata], ancestry_groups: Sequence[str], *, unassigned_group: str
) -> GroupSums:
    """The sums for ``overall``, ``overall_xx``, ``overall_xy`` and each ancestry group."""
    names = (*OVERALL, *ancestry_groups)
    matrices = {}
    for item in strata:
        matrix = np.zeros((len(item.names), len(names)))
        for row, (ancestry, sex) in enumerate(item.names):
            matrix[row, 0] = 1
            matrix[row, 1] = sex == XX
            matrix[row, 2] = sex == XY
            if ancestry in ancestry_groups:
                matrix[row, names.index(ancestry)] = 1
        matrices[item.strata_id] = matrix
    return GroupSums(names, matrices, unassigned_group)


def by_position(counts: DataFrame) -> DataFrame:
    """Rows of ``allele_counts`` sorted by allele and callset, each position in one partition."""
    return counts.repartition("contig", "bin").sortWithinPartitions(*ALLELE_KEY, "callset_id")


def _sum_strata(batch: pa.RecordBatch, sums: GroupSums) -> Sums:
    """int64[rows, 4, groups]: n_het, n_hom_alt, n_hemi_alt and an_called of each group."""
    result = np.zeros((batch.num_rows, len(_SUMMED), len(sums.names)), np.int64)
    encoded = batch.column("strata_id").dictionary_encode()
    code = np.asarray(encoded.indices)
    for number, strata_id in enumerate(encoded.dictionary.to_pylist()):
        matrix = sums.matrices[strata_id]
        rows = np.flatnonzero(code == number)
        chosen = batch if len(rows) == batch.num_rows else batch.take(pa.array(rows))
        for place, name in enumerate(_SUMMED):
            values = np.asarray(chosen.column(name).flatten(), np.float64).reshape(len(rows), len(matrix))
            # Exact: float64 holds every integer up to 2**53, and it multiplies through BLAS.
            result[rows, place] = values @ matrix
    return result


def whole_positions(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The same rows, sorted by contig and position, cut so that no position is divided."""
    held: pa.RecordBatch | None = None
    for batch in batches:
        if not batch.num_rows:
            continue
        joined = batch if held is None else _join([held, batch])
        last = joined.slice(joined.num_rows - 1)
        same = pc.and_(
            pc.equal(joined.column("contig"), last.column("contig")[0]),
            pc.equal(joined.column("position"), last.column("position")[0]),
        )
        n_last = pc.sum(same).as_py()
        whole = joined.num_rows - n_last
        if whole:
            yield joined.slice(0, whole)
        held = joined.slice(whole)
    if held is not None:
        yield held


def _join(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    return pa.Table.from_batches(batches).combine_chunks().to_batches()[0]


def sum_callsets(batch: pa.RecordBatch, sums: Sums) -> tuple[npt.NDArray[np.int64], Sums]:
    """First row of each variant, and its sums over callsets.

    Rows are sorted by variant and callset, positions whole; ``sums`` int64[rows, 4, groups].
    """
    site = _run_numbers(batch, ("contig", "position", "ref"))
    variant = _run_numbers(batch, ("contig", "position", "ref", "alt"))
    first = np.flatnonzero(np.diff(variant, prepend=-1))
    totals = np.add.reduceat(sums, first, axis=0)
    _add_called_at_site(batch, site, variant, sums, totals)
    return first, totals


def _add_called_at_site(batch: pa.RecordBatch, site: Sums, variant: Sums, sums: Sums, totals: Sums) -> None:
    """Add to SNVs the AN of callsets that have another SNV at the site."""
    snv = np.flatnonzero(_is_base(batch.column("ref")) & _is_base(batch.column("alt")))
    if not len(snv):
        return
    callset = np.asarray(batch.column("callset_id").dictionary_encode().indices, np.int64)[snv]
    pair = site[snv] * (int(callset.max()) + 1) + callset
    # The first row of a (site, callset) pair is its first ALT: rows are sorted.
    _, pair_first, pair_of_row = np.unique(pair, return_index=True, return_inverse=True)
    pair_an = sums[snv[pair_first], _AN]
    sites, site_of_pair = np.unique(site[snv[pair_first]], return_inverse=True)
    site_an = np.zeros((len(sites), sums.shape[2]), np.int64)
    np.add.at(site_an, site_of_pair, pair_an)
    own_an = np.zeros_like(totals[:, _AN])
    np.add.at(own_an, variant[snv], pair_an[pair_of_row])
    variants, representative = np.unique(variant[snv], return_index=True)
    all_an = site_an[site_of_pair[pair_of_row[representative]]]
    totals[variants, _AN] += all_an - own_an[variants]


def _is_base(column: pa.Array) -> npt.NDArray[np.bool_]:
    return np.asarray(pc.is_in(column, value_set=pa.array(["A", "C", "G", "T"])))


def _run_numbers(batch: pa.RecordBatch, columns: Sequence[str]) -> Sums:
    """Numbers of the runs of equal values, rising from 0."""
    return np.cumsum(begins_run(batch, columns), dtype=np.int64) - 1


# One-sided, as published (Whiffin et al. 2017, Genet Med 19:1151); the name faf95 says it.
FAF_CONFIDENCE = 0.95


def filtering_frequency(ac: Sums, an: Sums, confidence: float) -> Floats:
    """Filtering allele frequency: the highest f with P(Poisson(an · f) < ac) >= confidence.

    0 where ac is 0 or 1, NaN where an is 0 (Whiffin et al. 2017). In closed form
    gammaincinv(ac, 1 - confidence) / an, worked out once for each distinct ac.
    """
    counts, place = np.unique(ac, return_inverse=True)
    bound = np.where(counts > 1, gammaincinv(np.maximum(counts, 1), 1 - confidence), 0.0)
    return _ratio(bound[place].reshape(ac.shape), an)


def _ratio(numerator: npt.NDArray[np.generic], an: Sums) -> Floats:
    """numerator / an, NaN where an is 0."""
    return np.where(an > 0, numerator / np.maximum(an, 1), np.nan)


def _frequency_batch(keys: pa.RecordBatch, sums: Sums, group: GroupSums) -> pa.RecordBatch:
    het, hom, hemi, an = (sums[:, place] for place in (_HET, _HOM, _HEMI, _AN))
    ac = het + 2 * hom + hemi
    columns: dict[str, npt.NDArray[Any]] = {
        "ac": ac,
        "an": an,
        "af": _ratio(ac, an),
        "sc": het + hom + hemi,
        "n_hom": hom,
        "n_hemi": hemi,
        "faf95": filtering_frequency(ac, an, FAF_CONFIDENCE),
    }
    arrays = [keys.column(name) for name in ALLELE_KEY]
    arrays.append(variant_ids(*(keys.column(name) for name in ("contig", "position", "ref", "alt"))))
    for place in range(len(group.names)):
        parts = [_nullable(columns[item.name][:, place]) for item in FREQUENCY.fields]
        arrays.append(pa.StructArray.from_arrays(parts, names=[item.name for item in FREQUENCY.fields]))
    ancestry = slice(len(OVERALL), None)
    eligible = np.array([name != group.unassigned_group for name in group.names[ancestry]])
    for values, allowed in (("af", None), ("af", eligible), ("faf95", eligible)):
        arrays += _highest(columns[values][:, ancestry], group.names[ancestry], allowed)
    names = [*ALLELE_KEY, "variant_id", *group.names, "max_af", "max_af_group", "grpmax_af", "grpmax_group"]
    return pa.RecordBatch.from_arrays(arrays, names=[*names, "fafmax", "fafmax_group"])


def _nullable(values: npt.NDArray[np.generic]) -> pa.Array:
    """An Arrow array; NaN becomes null."""
    return pa.array(np.ascontiguousarray(values), from_pandas=True)


def _highest(
    values: Floats, names: Sequence[str], eligible: npt.NDArray[np.bool_] | None
) -> tuple[pa.Array, pa.Array]:
    """Highest value of a row and the first group that has it; null where no eligible group has a value."""
    known = ~np.isnan(values)
    if eligible is not None:
        known &= eligible
    candidates = np.where(known, values, -1.0)
    best = candidates.argmax(axis=1)
    top = candidates[np.arange(len(values)), best]
    none = pa.array(~known.any(axis=1))
    group = pa.array(names).take(pa.array(best))
    return (
        pc.if_else(none, pa.scalar(None, pa.float64()), pa.array(top)),
        pc.if_else(none, pa.scalar(None, pa.string()), group),
    )

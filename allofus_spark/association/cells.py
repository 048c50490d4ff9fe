"""Outcomes of tests of variants, phenotypes and ancestries together, and the table rows that they make."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from allofus_spark.arrow import batch_of
from allofus_spark.regression.models import STATUS_NAMES, TEST_NAMES, Tests
from allofus_spark.tables import ASSOCIATIONS

NOT_FITTED = -1  # as a status: the phenotype has no model in the ancestry
OK = STATUS_NAMES.index("ok")
# Outcomes of a test, as the columns of `Tests`.
KINDS = {
    "test": np.int8, "status": np.int8, "beta": np.float64, "se": np.float64, "neg_log10_p": np.float64,
    "ac": np.int64, "an": np.int64, "ac_cases": np.int64, "an_cases": np.int64, "needs_exact": np.bool_,
}  # fmt: skip
FIELDS = tuple(KINDS)
_EMPTY = {"test": -1, "status": NOT_FITTED, "beta": np.nan, "se": np.nan, "neg_log10_p": np.nan}
_NAMES = tuple(column.name for column in ASSOCIATIONS.columns)
_ALLELE = ("position", "ref", "alt")

Bools = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int32]
Values = npt.NDArray[Any]
"""Of the kind that `KINDS` says."""


@dataclass(frozen=True)
class Fitted:
    """What rows say of the models of a block of phenotypes.

    ``phenotype_ids`` and ``ancestries`` are in alphabetical order. ``is_binary`` bool[phenotypes]; ``n``,
    ``n_cases`` and ``n_controls`` int64[ancestries, phenotypes], 0 where there is no model; ``columns`` of
    each ancestry int64[models]: the phenotypes that its models are of, in their order.
    """

    scan: str
    ancestries: tuple[str, ...]
    phenotype_ids: tuple[str, ...]
    is_binary: Bools
    n: npt.NDArray[np.int64]
    n_cases: npt.NDArray[np.int64]
    n_controls: npt.NDArray[np.int64]
    columns: tuple[npt.NDArray[np.int64], ...]


@dataclass(frozen=True)
class Place:
    """Alleles of one (contig, bin): position, ref and alt."""

    contig: str
    bin: int
    alleles: pa.RecordBatch

    @cached_property
    def order(self) -> npt.NDArray[np.int64] | None:
        """The order of the alleles in the genome; None: they are in it."""
        if not len(self.alleles):
            return None
        order = np.asarray(pc.sort_indices(self.alleles, sort_keys=[(name, "ascending") for name in _ALLELE]))
        return None if np.all(order[1:] > order[:-1]) else order.astype(np.int64)

    def in_order(self) -> Place:
        """The same by position, ref and alt."""
        return (
            self
            if self.order is None
            else Place(self.contig, self.bin, self.alleles.take(pa.array(self.order)))
        )


@dataclass(frozen=True)
class Cells:
    """Outcomes by ancestry, phenotype and variant, each [ancestries, a, b]; names as in `Tests`.

    ``phenotype`` and ``variant`` int32, which broadcast to [a, b], are numbers in the block and of the
    alleles.
    """

    phenotype: Numbers
    variant: Numbers
    values: Mapping[str, Values]

    def __getitem__(self, name: str) -> Values:
        return self.values[name]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values["status"].shape

    def over_variants(self, order: npt.NDArray[np.int64] | None) -> Cells:
        """The cells with variants, the last axis, in another order."""
        if order is None:
            return self
        return Cells(
            self.phenotype, self.variant, {name: own[..., order] for name, own in self.values.items()}
        )


def cells_of_tests(tests: Sequence[Tests], fitted: Fitted) -> dict[str, Values]:
    """Arrays [ancestries, phenotypes, variants] of the tests of each ancestry's models."""
    n_variants = max(len(own.status) for own in tests)
    shape = (len(tests), len(fitted.phenotype_ids), n_variants)
    values = {}
    for name in FIELDS:
        kind = getattr(tests[0], name).dtype
        cube = np.full(shape, _EMPTY.get(name, 0), kind)
        for number, own in enumerate(tests):
            if len(fitted.columns[number]):
                cube[number, fitted.columns[number]] = getattr(own, name).T
        values[name] = cube
    return values


def joined(parts: Sequence[Mapping[str, Values]], n_phenotypes: int) -> Cells:
    """Arrays of neighbouring variants as cells of all of them."""
    if len(parts) == 1:
        values = dict(parts[0])
    else:
        values = {name: np.concatenate([part[name] for part in parts], axis=2) for name in FIELDS}
    n_variants = values["status"].shape[2]
    return Cells(
        np.arange(n_phenotypes, dtype=np.int32)[:, None], np.arange(n_variants, dtype=np.int32)[None], values
    )


def association_rows(fitted: Fitted, place: Place, cells: Cells, is_kept: Bools) -> pa.RecordBatch:
    """Rows of ``associations`` of the cells that are kept, by phenotype, ancestry and variant."""
    rows = _Rows(cells.shape, is_kept)
    ancestry = rows.take(np.arange(len(fitted.ancestries), dtype=np.int32)[:, None, None])
    phenotype, variant = rows.take(cells.phenotype), rows.take(cells.variant)
    is_quantitative = ~fitted.is_binary[phenotype]
    columns = key_columns(fitted.scan, place, variant) | {
        "phenotype_id": dictionary(phenotype, fitted.phenotype_ids),
        "ancestry": dictionary(ancestry, fitted.ancestries),
        **{name: numbers(rows.take(cells[name])) for name in ("beta", "se", "neg_log10_p")},
        "n": pa.array(fitted.n[ancestry, phenotype].astype(np.int32)),
        **{
            name: pa.array(getattr(fitted, name)[ancestry, phenotype].astype(np.int32), mask=is_quantitative)
            for name in ("n_cases", "n_controls")
        },
        **_frequencies(rows, cells, is_quantitative),
        "test": dictionary(rows.take(cells["test"]), TEST_NAMES),
        "status": dictionary(rows.take(cells["status"]), STATUS_NAMES),
    }
    return batch_of(_NAMES, columns)


class _Rows:
    """Cells as rows by phenotype (or cell), then ancestry, then variant."""

    def __init__(self, shape: tuple[int, ...], is_kept: Bools) -> None:
        self._shape = shape
        self._is_kept = None if is_kept.all() else is_kept.transpose(1, 0, 2).ravel()

    def take(self, values: Values) -> Values:
        """[rows] of values that broadcast to [ancestries, a, b]."""
        flat = np.broadcast_to(values, self._shape).transpose(1, 0, 2).reshape(-1)
        return flat if self._is_kept is None else flat[self._is_kept]


def key_columns(scan: str, place: Place, variant: Numbers) -> dict[str, pa.Array]:
    n = len(variant)
    columns = {
        "scan": dictionary(np.zeros(n, np.int32), (scan,)),
        "contig": dictionary(np.zeros(n, np.int32), (place.contig,)),
        "bin": pa.array(np.full(n, place.bin, np.int32)),
        "position": pa.array(np.asarray(place.alleles.column("position"))[variant]),
    }
    for name in ("ref", "alt"):
        texts = place.alleles.column(name).dictionary_encode()
        columns[name] = pa.DictionaryArray.from_arrays(
            pa.array(np.asarray(texts.indices)[variant]), texts.dictionary
        )
    return columns


def _frequencies(rows: _Rows, cells: Cells, is_quantitative: Bools) -> dict[str, pa.Array]:
    ac, an = rows.take(cells["ac"]), rows.take(cells["an"])
    columns = {"ac": pa.array(ac), "an": pa.array(an), "af": _ratio(ac, an)}
    if is_quantitative.all():
        nothing = pa.nulls(len(ac), pa.float64())
        return columns | {"af_cases": nothing, "af_controls": nothing}
    ac_cases, an_cases = rows.take(cells["ac_cases"]), rows.take(cells["an_cases"])
    columns["af_cases"] = _ratio(ac_cases, np.where(is_quantitative, 0, an_cases))
    columns["af_controls"] = _ratio(ac - ac_cases, np.where(is_quantitative, 0, an - an_cases))
    return columns


def _ratio(ac: npt.NDArray[np.int64], an: npt.NDArray[np.int64]) -> pa.Array:
    """ac / an; null where an is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return numbers(np.where(an > 0, ac / an, np.nan))


def numbers(values: npt.NDArray[np.float64]) -> pa.Array:
    """float64[n]; NaN is null."""
    return pa.array(values, from_pandas=True)


def dictionary(codes: npt.NDArray[np.integer], names: Sequence[str]) -> pa.Array:
    """Text by places among ``names``; a negative place is null."""
    is_null = codes < 0
    indices = pa.array(codes.astype(np.int32), mask=is_null if is_null.any() else None)
    return pa.DictionaryArray.from_arrays(indices, pa.array(list(names), pa.string()))

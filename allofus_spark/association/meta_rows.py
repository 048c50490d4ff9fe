"""Rows of ``meta_associations``: one allele and phenotype over the ancestries in which it was tested."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from allofus_spark.arrow import batch_of, flag_places
from allofus_spark.association.cells import OK, Bools, Cells, Fitted, Place, dictionary, key_columns, numbers
from allofus_spark.association.keeping import Keeping
from allofus_spark.association.parts import Parts
from allofus_spark.regression.meta import meta_analyse
from allofus_spark.tables import META_ASSOCIATIONS
from allofus_spark.tables.phenotype_tables import ALL_ANCESTRIES

_NAMES = tuple(column.name for column in META_ASSOCIATIONS.columns)
_LEFT_OUT = {f"left_out_{name}": f"{name}_without" for name in ("beta", "se", "neg_log10_p")}

Floats = npt.NDArray[np.float64]


def meta_rows(
    fitted: Fitted,
    place: Place,
    cells: Cells,
    is_final: Bools,
    keeping: Keeping,
    parts: Parts,
) -> pa.RecordBatch | None:
    """Meta-analyses of the cells that are final, [a, b], and are kept; all are counted in ``parts``.

    None: there is none. Everybody pooled is no ancestry.
    """
    joined = np.flatnonzero([name != ALL_ANCESTRIES for name in fitted.ancestries])
    is_tested = (cells["status"][joined] == OK) & is_final
    chosen = is_tested.any(axis=0)
    if not chosen.any():
        return None
    tested = is_tested[:, chosen]
    own = {name: cells[name][joined][:, chosen] for name in ("beta", "se", "ac", "an")}
    phenotype, variant = (
        np.broadcast_to(codes, chosen.shape)[chosen] for codes in (cells.phenotype, cells.variant)
    )
    found = meta_analyse(*(np.where(tested, own[name], np.nan).T for name in ("beta", "se")))
    ac, an = ((own[name] * tested).sum(axis=0) for name in ("ac", "an"))
    parts.add_meta(phenotype, found.neg_log10_p, ac, an)
    kept = keeping.is_kept(found.neg_log10_p, place, variant)
    if not kept.any():
        return None
    phenotype, variant, tested = phenotype[kept], variant[kept], tested[:, kept]
    is_quantitative = ~fitted.is_binary[phenotype]
    columns = key_columns(fitted.scan, place, variant) | {
        "phenotype_id": dictionary(phenotype, fitted.phenotype_ids),
        "ancestries": _names(tested, [fitted.ancestries[number] for number in joined]),
        **{
            name: numbers(getattr(found, name)[kept])
            for name in ("beta", "se", "neg_log10_p", "q", "q_neg_log10_p", "i2")
        },
        "n": pa.array(_sum(fitted.n, joined, phenotype, tested)),
        **{
            name: pa.array(_sum(getattr(fitted, name), joined, phenotype, tested), mask=is_quantitative)
            for name in ("n_cases", "n_controls")
        },
        **{name: _lists(getattr(found, field)[kept], tested) for name, field in _LEFT_OUT.items()},
    }
    return batch_of(_NAMES, columns)


def _sum(
    sizes: npt.NDArray[np.int64],
    joined: npt.NDArray[np.int64],
    phenotype: npt.NDArray[np.int32],
    tested: Bools,
) -> npt.NDArray[np.int32]:
    """Sizes over the ancestries of each row."""
    return np.asarray((sizes[joined][:, phenotype] * tested).sum(axis=0), np.int32)


def _names(tested: Bools, names: list[str]) -> pa.Array:
    offsets, _, columns = flag_places(tested.T)
    return pa.ListArray.from_arrays(offsets, pa.array(names, pa.string()).take(pa.array(columns)))


def _lists(values: Floats, tested: Bools) -> pa.Array:
    """Values [rows, ancestries] without each of the ancestries of a row; none of a single one."""
    offsets, rows, columns = flag_places((tested & (tested.sum(axis=0) > 1)).T)
    return pa.ListArray.from_arrays(offsets, pa.array(values[rows, columns]))

"""A trained model, its rows in the tables, and how one is found."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from allofus_spark.errors import BadSource, BuildMismatch, NotFound, shown
from allofus_spark.genome import build_from_text
from allofus_spark.tables import (
    ANCESTRY_LOADINGS,
    ANCESTRY_MODELS,
    NEVER,
    WITHDRAWALS,
    LastWrite,
    Reader,
    RowsWrite,
    Warehouse,
    quoted,
)

SITE_KEY = ("contig", "position", "ref", "alt")
_ID_DIGITS = 12

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Model:
    """A model of genetic ancestry.

    Attributes
    ----------
    build
        As `build_as_text` writes it.
    sites
        One row a site in the order of the genome: ``site`` 0 .. n_sites − 1, contig, position, ref, alt.
    frequency
        float64[n_sites], of alt among the training samples.
    loadings
        float64[n_sites, n_pcs], orthonormal over sites.
    eigenvalues
        float64[n_pcs], falling.
    forest
        Bytes in the skops format.
    """

    name: str
    build: str
    trained_on: str
    n_samples: int
    groups: tuple[str, ...]
    group_sizes: tuple[int, ...]
    sites: pa.Table
    frequency: Floats
    loadings: Floats
    eigenvalues: Floats
    forest: bytes

    @property
    def n_sites(self) -> int:
        return len(self.frequency)

    @property
    def n_pcs(self) -> int:
        return int(self.loadings.shape[1])

    @property
    def sha256(self) -> str:
        """Over all that decides a label: build, groups, sites, frequencies, loadings and forest."""
        digest = hashlib.sha256(repr((self.build, self.groups, self.loadings.shape)).encode())
        for name in SITE_KEY:
            digest.update("\t".join(map(str, self.sites.column(name).to_pylist())).encode())
        for array in (self.frequency, self.loadings):
            digest.update(np.ascontiguousarray(array, "<f8").tobytes())
        digest.update(self.forest)
        return digest.hexdigest()

    @property
    def model_id(self) -> str:
        return f"{self.name}-{self.sha256[:_ID_DIGITS]}"


def rows_of_model(model_id: str) -> str:
    """The predicate of a model's rows."""
    return f"model_id = {quoted(model_id)}"


def model_writes(model: Model) -> list[RowsWrite]:
    """The rows of ``ancestry_models`` and ``ancestry_loadings``, in the place of those of the same id."""
    model_id = model.model_id
    about = (
        model_id,
        model.name,
        model.build,
        model.sha256,
        model.trained_on,
        model.n_samples,
        model.n_sites,
        list(model.groups),
        list(model.group_sizes),
        model.eigenvalues.tolist(),
        model.forest,
    )
    columns = [model.sites.column(name).to_pylist() for name in ("site", *SITE_KEY)]
    loadings = zip(*columns, model.frequency.tolist(), model.loadings.tolist(), strict=True)
    replace = rows_of_model(model_id)
    return [
        RowsWrite(ANCESTRY_MODELS, [about], replace),
        RowsWrite(ANCESTRY_LOADINGS, [(model_id, *row) for row in loadings], replace),
    ]


def find_model(
    tables: Reader, where: str, name_or_id: str | None, written: Mapping[str, LastWrite] | None = None
) -> Row:
    """The row of a model given by its id or its name; None: the only one, or the only name.

    Of several models of a name it is the one trained last, by ``written``: the last writes of partitions of
    ``ancestry_models``. ``where`` names the warehouse in messages. Raises NotFound where there is no such
    model, BadSource where there are several.
    """
    rows = sorted(tables.rows(ANCESTRY_MODELS) if tables.holds(ANCESTRY_MODELS) else [], key=_id_of)
    if not rows:
        raise NotFound(
            f"warehouse {where} holds no model of ancestry: train one on a labelled callset with "
            "allofus infer-ancestry train, or take one from another warehouse with --from"
        )
    found = [row for row in rows if name_or_id in (None, row.model_id, row.name)]
    if not found:
        raise NotFound(
            f"warehouse {where} holds no model {name_or_id}; it has: {shown([*map(_id_of, rows)])}"
        )
    found = _trained_last(_usable(tables, found), written or {})
    if len(found) > 1:
        raise BadSource(
            f"warehouse {where} holds {len(found)} models"
            + (f" called {name_or_id}" if name_or_id else "")
            + f": {shown([*map(_id_of, found)])}; name one of them with --model"
        )
    return found[0]


def _trained_last(found: Sequence[Row], written: Mapping[str, LastWrite]) -> list[Row]:
    """Those of models of one name that the last of their runs wrote; all, where their names differ."""
    if len({row["name"] for row in found}) > 1:
        return list(found)
    snapshots = [written.get(f"model_id={row.model_id}", NEVER).snapshot_id for row in found]
    return [row for row, number in zip(found, snapshots, strict=True) if number == max(snapshots)]


def _usable(tables: Reader, found: Sequence[Row]) -> list[Row]:
    """The models of which nobody trained on withdrew consent; raises BadSource where none is left."""
    withdrawn = {model_id for row in tables.rows(WITHDRAWALS) for model_id in row.models}
    usable = [row for row in found if row.model_id not in withdrawn]
    if not usable:
        raise BadSource(
            f"people whom model {shown([*map(_id_of, found)])} was trained on withdrew consent, and it is "
            f"used no more; train one anew: allofus infer-ancestry train --callset {found[0].trained_on} "
            f"--name {found[0]['name']}"
        )
    return usable


def _id_of(row: Row) -> str:
    return str(row.model_id)


def read_model(loadings: DataFrame, row: Row) -> Model:
    """A model from ``ancestry_loadings`` and its row of ``ancestry_models``.

    Raises BadSource where these are not what the model's checksum is of.
    """
    rows: Any = loadings.where(F.col("model_id") == row.model_id).orderBy("site").toPandas()
    n_pcs = len(row.eigenvalues)
    weights = np.array(rows["loadings"].tolist(), np.float64).reshape(len(rows), n_pcs)
    columns = {name: pa.array(rows[name].tolist(), pa.string()) for name in ("contig", "ref", "alt")}
    columns |= {name: pa.array(rows[name].to_numpy(), pa.int32()) for name in ("site", "position")}
    model = Model(
        name=row["name"],
        build=row.build,
        trained_on=row.trained_on,
        n_samples=row.n_samples,
        groups=tuple(row.groups),
        group_sizes=tuple(row.group_sizes),
        sites=pa.table({name: columns[name] for name in ("site", *SITE_KEY)}),
        frequency=rows["af"].to_numpy(np.float64),
        loadings=weights,
        eigenvalues=np.array(row.eigenvalues, np.float64),
        forest=bytes(row.forest),
    )
    if model.sha256 != row.sha256 or model.model_id != row.model_id:
        raise BadSource(
            f"model {row.model_id}: its {len(rows):,} sites and its forest do not have the checksum that it "
            "was written with: rows were lost or changed; train or import it again"
        )
    return model


def check_model_fits(
    warehouse: Warehouse, build: str, model_id: str, groups: Sequence[str], theirs: str
) -> None:
    """Raise BuildMismatch or BadSource where a model cannot be used in a warehouse of build ``theirs``."""
    if build != theirs:
        ours, others = build_from_text(theirs).name, build_from_text(build).name
        other = f"other contigs under the name {others}" if ours == others else f"build {others}"
        raise BuildMismatch(
            f"model {model_id} is of {other}, warehouse {warehouse.root} holds {ours}: train a model on a "
            f"reference callset of {ours}"
        )
    known = warehouse.settings.frequencies.ancestry_groups
    strange = sorted(set(groups) - set(known))
    if strange:
        raise BadSource(
            f"model {model_id} tells groups that the settings do not have: {shown(strange)}. Add them to "
            f"frequencies.ancestry_groups ({', '.join(known)}), or use another model"
        )

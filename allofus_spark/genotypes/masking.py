"""Slots of people who withdrew: their calls become hom-ref, and alleles that only they carried go."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from allofus_spark.genotypes.encoding import Packed, decode, encode


def has_alt(packed: Packed) -> npt.NDArray[np.bool_]:
    """bool[rows]: whether anybody has a het or hom-alt call; ``packed`` uint8[rows, ceil(n / 4)]."""
    # Of a call's two bits one is set: 1 or 2. Hom-ref has none, missing both.
    return np.asarray(((packed ^ (packed >> 1)) & 0b01010101).any(axis=1), np.bool_)


def mask_slots(packed: Packed, slots: Sequence[int]) -> tuple[Packed, npt.NDArray[np.bool_]]:
    """Packed calls with some slots hom-ref, and which rows stay, bool[rows].

    A row goes where a masked slot carried the allele and nobody is left who does; an allele that nobody
    carried in the first place stays.
    """
    bits = np.zeros(packed.shape[1], np.uint8)
    for slot in slots:
        bits[slot >> 2] |= 3 << ((slot & 3) * 2)
    masked = packed & ~bits
    return masked, ~has_alt(packed & bits) | has_alt(masked)


def mask_rows(
    rows: pa.RecordBatch, n_samples: int, slots: Sequence[int]
) -> tuple[pa.RecordBatch, npt.NDArray[np.bool_]]:
    """Rows with the genotype columns: those that stay by `mask_slots`, encoded anew; and which they are."""
    masked, stays = mask_slots(decode(rows, n_samples).to_packed(), slots)
    kept = rows.filter(pa.array(stays))
    columns = dict(zip(kept.schema.names, kept.columns, strict=True))
    columns |= encode(masked[stays], n_samples)
    names = rows.schema.names
    return pa.RecordBatch.from_arrays([columns[name] for name in names], names), stays

"""How a variant is named beside a release: in what an attacker finds, and in what is withheld for it."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc


def variant_names(contig: pa.Array, position: pa.Array, ref: pa.Array, alt: pa.Array) -> pa.Array:
    """Names of variants, string[rows]: chr1:100 A>G."""
    place = pc.binary_join_element_wise(contig.cast(pa.string()), position.cast(pa.string()), ":")
    change = pc.binary_join_element_wise(ref, alt, ">")
    return pc.binary_join_element_wise(place, change, " ")

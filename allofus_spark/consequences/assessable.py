"""Which alleles an annotator can be asked about, and why not the others."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from allofus_spark.genome import ReferenceSequence, variant_types

_BASES = frozenset(b"ACGT")


def why_not(alleles: pa.RecordBatch, reference: ReferenceSequence, has_genes: bool) -> list[str | None]:
    """For each allele of one contig the first of NOT_ANNOTATED_REASONS that holds; None: it can be annotated.

    A base that the FASTA does not know (N, or another ambiguity code) counts as not there: nothing can be
    read from it.
    """
    ref, alt = alleles.column("ref"), alleles.column("alt")
    kinds = variant_types(ref, alt)
    plain = pc.and_(pc.match_substring_regex(ref, "^[ACGT]+$"), pc.match_substring_regex(alt, "^[ACGT]+$"))
    shapeless = pc.is_in(kinds, value_set=pa.array(["symbolic", "breakend"]))
    reasons: list[str | None] = pc.if_else(
        shapeless, kinds, pc.if_else(plain, pa.scalar(None, pa.string()), "ambiguous_base")
    ).to_pylist()
    contig = alleles.column("contig")[0].as_py()
    positions, refs = alleles.column("position").to_pylist(), ref.to_pylist()
    for row in np.flatnonzero(plain.to_numpy(zero_copy_only=False)).tolist():
        reasons[row] = _against_reference(contig, positions[row], refs[row].encode(), reference)
    if not has_genes:
        reasons = [reason or "contig_without_genes" for reason in reasons]
    return reasons


def _against_reference(contig: str, position: int, ref: bytes, reference: ReferenceSequence) -> str | None:
    held = b""
    if position > 0 and reference.length(contig) is not None:
        held = reference.fetch(contig, position - 1, position - 1 + len(ref))
    if held == ref:
        return None
    if len(held) < len(ref):
        return "not_in_reference"
    differ = any(one != other and one in _BASES for one, other in zip(held, ref, strict=True))
    return "ref_mismatch" if differ else "not_in_reference"

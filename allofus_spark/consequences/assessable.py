"""Which alleles an annotator can be asked about, and why not the others."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from allofus_spark.genome import (
    ReferenceSequence,
    reasons_without_sequence,
    reference_mismatches,
    reference_unknown,
)


def why_not(
    alleles: pa.RecordBatch, reference: ReferenceSequence, has_genes: bool
) -> npt.NDArray[np.object_]:
    """For each allele of one contig the first of NOT_ANNOTATED_REASONS that holds; None: it can be annotated.

    A base that the FASTA does not know (N, or another ambiguity code) counts as not there, unless the ref
    contradicts it: nothing can be read from it.
    """
    refs = alleles.column("ref")
    reasons: npt.NDArray[np.object_] = np.array(
        reasons_without_sequence(refs, alleles.column("alt")).to_pylist(), np.object_
    )
    chosen = np.flatnonzero(reasons == None)  # noqa: E711 (of each)
    contig = alleles.column("contig")[0].as_py()
    positions = alleles.column("position").to_numpy().astype(np.int64)[chosen]
    bases = [ref.encode() for ref in refs.take(pa.array(chosen)).to_pylist()]
    reasons[chosen[reference_unknown(contig, positions, bases, reference)]] = "not_in_reference"
    reasons[chosen[reference_mismatches(contig, positions, bases, reference)]] = "ref_mismatch"
    if not has_genes:
        reasons[reasons == None] = "contig_without_genes"  # noqa: E711 (of each)
    return reasons

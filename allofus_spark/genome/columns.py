"""Variant ids, variant types and ploidy regions of Arrow columns."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from allofus_spark.genome.builds import Build
from allofus_spark.genome.normalise import normalise_alleles
from allofus_spark.genome.reference import ReferenceSequence
from allofus_spark.genome.variant_ids import MAX_ALLELE_LENGTH, allele_in_id


def variant_ids(contig: pa.Array, position: pa.Array, ref: pa.Array, alt: pa.Array) -> pa.Array:
    """Variant ids of normalised alleles, string[n]: contig-position-ref-alt, without `chr`, M written MT.

    Equal to `allofus_spark.genome.variant_ids.variant_id`, long alleles included; null if any part is null.

    Parameters
    ----------
    contig
        Canonical contigs, string[n].
    position
        1-based positions, int[n].
    ref, alt
        Alleles, string[n].
    """
    short = pc.replace_substring_regex(contig, "^chr", "")
    short = pc.if_else(pc.equal(short, "M"), "MT", short)
    parts = (short, position.cast(pa.string()), _alleles_in_id(ref), _alleles_in_id(alt))
    return pc.binary_join_element_wise(*parts, "-")


def normalise_columns(
    contigs: npt.NDArray[np.object_],
    position: npt.NDArray[np.int64],
    ref: pa.Array,
    alt: pa.Array,
    rows: npt.NDArray[np.int64],
    reference: ReferenceSequence | None,
) -> tuple[npt.NDArray[np.int64], pa.Array, pa.Array]:
    """Position, ref and alt of n alleles, those of ``rows`` in normal form; see `normalise_alleles`.

    Parameters
    ----------
    contigs
        Contigs in any spelling, object[n].
    position
        1-based positions, int64[n]; not changed.
    ref, alt
        Alleles, string[n]; those of ``rows`` are bases in upper case, alt other than ref.
    rows
        Which of the n to normalise, rising.
    """
    if not len(rows):
        return position, ref, alt
    position = position.copy()
    refs, alts = (column.take(pa.array(rows)).cast(pa.binary()).to_pylist() for column in (ref, alt))
    own = contigs[rows]
    for contig in dict.fromkeys(own):
        chosen = np.flatnonzero(own == contig)
        moved, new_refs, new_alts = normalise_alleles(
            contig,
            position[rows[chosen]],
            [refs[row] for row in chosen],
            [alts[row] for row in chosen],
            reference,
        )
        position[rows[chosen]] = moved
        for row, new_ref, new_alt in zip(chosen, new_refs, new_alts, strict=True):
            refs[row], alts[row] = new_ref, new_alt
    changed = np.zeros(len(position), np.bool_)
    changed[rows] = True
    mask = pa.array(changed)
    new_ref, new_alt = (pa.array(texts, pa.binary()).cast(pa.string()) for texts in (refs, alts))
    return position, pc.replace_with_mask(ref, mask, new_ref), pc.replace_with_mask(alt, mask, new_alt)


def _alleles_in_id(alleles: pa.Array) -> pa.Array:
    long = pc.greater(pc.utf8_length(alleles), MAX_ALLELE_LENGTH).fill_null(False)
    if not pc.any(long).as_py():
        return alleles
    shortened = [allele_in_id(allele) for allele in alleles.filter(long).to_pylist()]
    return pc.replace_with_mask(alleles, long, pa.array(shortened, pa.string()))


def variant_types(ref: pa.Array, alt: pa.Array) -> pa.Array:
    """Kinds of normalised alleles, string[n]; null if an allele is null.

    `snv`: one base for another; `mnv`: as many bases, more than one; `insertion`, `deletion`: bases put in
    or taken out beside one kept base; `complex`: any other change of bases; `breakend`: a join to another
    place, as in `G[chr7:5000000[` or the single `G.`; `symbolic`: any other text, as in `<DEL>`. Wrong on
    alleles that are not trimmed: `CA` to `CT` is called an mnv.

    Parameters
    ----------
    ref, alt
        Alleles, string[n], upper case.
    """
    ref_length, alt_length = pc.utf8_length(ref), pc.utf8_length(alt)
    cases = {
        "breakend": pc.match_substring_regex(alt, r"[\[\]]|^\.[A-Z]|[A-Z]\.$"),
        "symbolic": pc.invert(pc.match_substring_regex(alt, "^[A-Z]+$")),
        "snv": pc.and_(pc.equal(ref_length, 1), pc.equal(alt_length, 1)),
        "mnv": pc.equal(ref_length, alt_length),
        "insertion": pc.and_(pc.equal(ref_length, 1), _begins_or_ends_with(alt, ref)),
        "deletion": pc.and_(pc.equal(alt_length, 1), _begins_or_ends_with(ref, alt)),
    }
    known = pc.and_(ref.is_valid(), alt.is_valid())
    kinds = pc.case_when(pc.make_struct(*cases.values(), field_names=list(cases)), *cases, "complex")
    return pc.if_else(known, kinds, pa.scalar(None, pa.string()))


def reasons_without_sequence(ref: pa.Array, alt: pa.Array) -> pa.Array:
    """Why alleles have no sequence that could be compared or translated, string[n]; null: they have one.

    `symbolic` and `breakend` as in `variant_types`; `ambiguous_base`: ref or alt has a base other than
    A, C, G and T.

    Parameters
    ----------
    ref, alt
        Alleles, string[n], upper case, without nulls.
    """
    kinds = variant_types(ref, alt)
    shapeless = pc.is_in(kinds, value_set=pa.array(["symbolic", "breakend"]))
    plain = pc.and_(*(pc.match_substring_regex(alleles, "^[ACGT]+$") for alleles in (ref, alt)))
    reasons = pc.if_else(plain, pa.scalar(None, pa.string()), "ambiguous_base")
    return pc.if_else(shapeless, kinds, reasons)


def _begins_or_ends_with(texts: pa.Array, base: pa.Array) -> pa.Array:
    """Whether each text has the one character ``base`` at an end."""
    first = pc.utf8_slice_codeunits(texts, 0, 1)
    last = pc.utf8_slice_codeunits(texts, -1)
    return pc.or_(pc.equal(first, base), pc.equal(last, base))


def ploidy_regions(contigs: pa.Array, positions: pa.Array, build: Build) -> npt.NDArray[np.int8]:
    """Ploidy region of each row, int8[n], from canonical contigs and 1-based positions."""
    encoded = contigs.dictionary_encode()
    code = np.asarray(encoded.indices)
    position = np.asarray(positions, np.int64)
    regions = np.zeros(len(code), np.int8)
    for number, contig in enumerate(encoded.dictionary.to_pylist()):
        rows = code == number
        regions[rows] = build.ploidy_regions(contig, position[rows])
    return regions

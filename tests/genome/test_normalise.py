"""Normal forms: hand-made cases, laws, and independence from how the reference is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pysam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allofus_spark.genome import (
    Build,
    ReferenceSequence,
    load_build,
    normalise,
    normalise_alleles,
    reference_mismatches,
    reference_unknown,
    windows,
)

from .plain_alleles import StringReference, haplotype, plain_normal_form, plain_trim

Allele = tuple[int, str, str]


def normal_forms(alleles: list[Allele], reference: Any, contig: str = "chrT") -> list[Allele]:
    positions = np.array([position for position, _, _ in alleles], dtype=np.int64)
    refs, alts = [ref.encode() for _, ref, _ in alleles], [alt.encode() for _, _, alt in alleles]
    before = (positions.copy(), refs.copy(), alts.copy())
    moved, new_refs, new_alts = normalise_alleles(contig, positions, refs, alts, reference)
    assert (positions == before[0]).all()
    assert (refs, alts) == before[1:]
    return [
        (position, ref.decode(), alt.decode())
        for position, ref, alt in zip(moved.tolist(), new_refs, new_alts, strict=True)
    ]


@pytest.mark.parametrize(
    ("allele", "expected"),
    [
        ((14500, "GACA", "G"), (14500, "GACA", "G")),
        ((14500, "GACA", "GA"), (14500, "GAC", "G")),
        ((20000, "TTAG", "TTAC"), (20003, "G", "C")),
        ((20000, "TTAG", "T"), (20000, "TTAG", "T")),
        ((20001, "T", "C"), (20001, "T", "C")),
        ((5, "CAA", "CA"), (5, "CA", "C")),
        ((5, "ACGT", "AGGA"), (6, "CGT", "GGA")),
        ((1, "GA", "A"), (1, "GA", "A")),
    ],
)
def test_trimmed_from_the_right_first(allele: Allele, expected: Allele) -> None:
    assert normal_forms([allele], None) == [expected]


def test_indels_in_repeats_of_the_known_sites_case(cases: Path, tmp_path: Path) -> None:
    fasta = tmp_path / "ref.fa"
    fasta.write_bytes((cases / "07_leftalign_known_sites" / "ref.fa").read_bytes())
    pysam.faidx(str(fasta))
    reference = ReferenceSequence(fasta, load_build(str(fasta)))
    called = [(10, "C", "A"), (60, "T", "TCAT"), (79, "GTG", "G")]
    known = [(10, "C", "A"), (48, "G", "GCAT"), (73, "CTG", "C")]
    assert normal_forms(called, reference) == known
    assert normal_forms(called, reference, contig="T") == known
    assert normal_forms(known, reference) == known
    # The second known allele of the same site, and one written with its anchor at the right.
    assert normal_forms([(73, "CTG", "CTGTG"), (74, "TGT", "T")], reference) == [
        (73, "C", "CTG"),
        (73, "CTG", "C"),
    ]


@pytest.mark.parametrize(
    ("sequence", "allele", "expected"),
    [
        ("AAAAC", (3, "AA", "A"), (1, "AA", "A")),  # at the contig's start the base after is the anchor
        ("AAAAC", (4, "A", "AA"), (1, "A", "AA")),
        ("ACACG", (4, "C", "CAC"), (1, "A", "ACA")),
        ("GATTC", (1, "G", "TG"), (1, "G", "TG")),
        ("GATTC", (3, "T", "GCT"), (2, "A", "AGC")),  # anchored at the right: gets the base before
        ("GATTC", (3, "T", "CAT"), (1, "G", "GAC")),
        ("GATTC", (2, "ATT", "T"), (1, "GAT", "G")),
        ("NNAAC", (3, "AA", "A"), (2, "NA", "N")),
        ("NNNNC", (3, "NN", "N"), (3, "NN", "N")),  # unknown bases prove nothing
        ("GCAAC", (4, "CA", "C"), (4, "CA", "C")),  # ref is not the reference: trimmed only
        ("GCAAC", (4, "AACC", "AC"), (4, "AAC", "A")),  # past the end of the FASTA: trimmed only
        ("GCAAC", (0, "AA", "A"), (0, "AA", "A")),
        ("GNAAC", (3, "AA", "A"), (2, "NA", "N")),
        ("GTAAC", (2, "NAA", "NA"), (2, "NA", "N")),  # an N in ref fits any base
    ],
)
def test_edges_of_alignment(sequence: str, allele: Allele, expected: Allele) -> None:
    assert normal_forms([allele], StringReference("chrT", sequence)) == [expected]


def test_absent_contig_is_trimmed_only() -> None:
    reference = StringReference("chrT", "AAAAAAAA")
    assert normal_forms([(5, "AAA", "AA")], reference, contig="chrU") == [(5, "AA", "A")]
    assert normal_forms([], reference) == []


def test_mismatches_with_the_reference(cases: Path, tmp_path: Path) -> None:
    folder = cases / "16_contig_names_and_build"
    fasta = tmp_path / "ref.fa"
    fasta.write_bytes((folder / "ref.fa").read_bytes())
    pysam.faidx(str(fasta))
    records = [
        line.split("\t") for line in (folder / "ref_mismatch.vcf").read_text().splitlines() if line[0] != "#"
    ]
    positions = np.array([int(record[1]) for record in records])
    refs = [record[3].encode() for record in records]
    mismatches = reference_mismatches(
        "chrT", positions, refs, ReferenceSequence(fasta, load_build(str(fasta)))
    )
    assert positions[mismatches].tolist() == [15, 40, 90]


def test_ambiguity_codes_contradict_only_other_bases() -> None:
    reference: Any = StringReference("chrT", "acgtNRM")
    refs = ["ACGT", "acgt", "NNNN", "S", "C", "G", "T", "A", "C", "G", "GTNRMA", "A"]
    positions = np.array([1, 1, 1, 2, 6, 6, 6, 7, 7, 7, 3, 0])
    expected = [False, False, False, False, True, False, True, False, False, True, False, False]
    mismatches = reference_mismatches("chrT", positions, [ref.encode() for ref in refs], reference)
    assert mismatches.tolist() == expected
    assert not reference_mismatches("chrU", positions, [b"T"] * 12, reference).any()


def test_bases_that_the_reference_does_not_know() -> None:
    reference: Any = StringReference("chrT", "ACGTNRMA")
    refs = [b"ACGT", b"T", b"T", b"TA", b"AAAA", b"C", b"A", b"AA", b"C"]
    positions = np.array([1, 1, 5, 4, 5, 6, 8, 8, 0])
    unknown = reference_unknown("chrT", positions, refs, reference)
    assert unknown.tolist() == [False, False, True, True, True, True, False, True, True]
    assert reference_unknown("chrU", positions, refs, reference).all()


@st.composite
def alleles_in_repeats(draw: st.DrawFn) -> tuple[str, list[Allele]]:
    unit = st.tuples(st.text("ACG", min_size=1, max_size=4), st.integers(1, 9))
    sequence = "".join(bases * times for bases, times in draw(st.lists(unit, min_size=1, max_size=5)))
    alleles = []
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(sequence) - 1))
        ref = sequence[start : start + draw(st.integers(1, 8))]
        # Bases from nearby, so that many alleles are slippage of a repeat.
        near = draw(st.integers(0, len(sequence) - 1))
        alt = ref[: draw(st.integers(0, 3))] + sequence[near : near + draw(st.integers(0, 7))]
        alt += draw(st.sampled_from(["", ref, ref[-1], "T"]))
        if alt and alt != ref:
            alleles.append((start + 1, ref, alt))
    return sequence, alleles


@settings(deadline=None, max_examples=500)
@given(case=alleles_in_repeats())
def test_laws_of_the_normal_form(case: tuple[str, list[Allele]]) -> None:
    sequence, alleles = case
    reference = StringReference("chrT", sequence)
    forms = normal_forms(alleles, reference)
    assert forms == [plain_normal_form(*allele, sequence) for allele in alleles]
    assert forms == normal_forms(forms, reference)
    assert [haplotype(*form, sequence) for form in forms] == [
        haplotype(*allele, sequence) for allele in alleles
    ]
    trimmed = normal_forms(alleles, None)
    assert trimmed == [plain_trim(*allele) for allele in alleles]
    assert normal_forms(trimmed, reference) == forms


@pytest.mark.parametrize(
    ("block_bases", "window_bases", "lookback_bases"), [(1, 1, 1), (13, 50, 2), (1000, 7, 64)]
)
def test_same_forms_for_any_window(
    block_bases: int, window_bases: int, lookback_bases: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sequence = "GATTACA" + "CAG" * 300 + "T" * 500 + "ACGGT" * 100 + "GC"
    rng = np.random.default_rng(7)
    alleles = []
    for position, size in rng.integers((1, 1), (len(sequence) - 20, 16), (300, 2)).tolist():
        short, long = sequence[position - 1], sequence[position - 1 : position + size]
        alleles += [(position, long, short), (position, short, long)]
    fasta = tmp_path / "ref.fa"
    fasta.write_text(f">chrT\n{sequence}\n")
    pysam.faidx(str(fasta))
    reference = ReferenceSequence(fasta, Build("ref", {"chrT": len(sequence)}), block_bases=block_bases)
    monkeypatch.setattr(windows, "_WINDOW_BASES", window_bases)
    monkeypatch.setattr(windows, "_GAP_BASES", window_bases)
    monkeypatch.setattr(normalise, "_LOOKBACK_BASES", lookback_bases)
    monkeypatch.setattr(normalise, "_LOOKBACK_GROWTH", 2)
    deletions = alleles[:300]
    assert normal_forms(deletions, reference) == [
        plain_normal_form(*allele, sequence) for allele in deletions
    ]


def test_a_repeat_longer_than_many_windows() -> None:
    sequence = "G" + "AT" * 400_000 + "C"
    reference = StringReference("chrT", sequence)
    assert normal_forms([(800_000, "A", "ATA")], reference) == [(1, "G", "GAT")]
    assert normal_forms([(799_999, "TAT", "T")], reference) == [(1, "GAT", "G")]

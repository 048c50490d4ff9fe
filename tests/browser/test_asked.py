"""Spellings of variants, regions and rs numbers, and the sentences for what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allofus_spark.browser.asked import (
    Allele,
    Refused,
    Region,
    read_allele,
    read_region,
    read_rs_number,
    trimmed,
)
from allofus_spark.genome import load_build

BUILD = load_build("GRCh38")
_BASES = st.text("ACGT", min_size=1, max_size=6)


@pytest.mark.parametrize(
    "text",
    [
        "2-108897145-A-G",
        "chr2:108897145:A:G",
        "2:108,897,145 a>g",
        "chr2_108897145_A_G",
        "2 108897145 A G",
        "NC_000002.12:108897145:A:G",
        " 2-108897145-A-G ",
        "2-108897144-CA-CG",
    ],
)
def test_spellings_of_one_variant(text: str) -> None:
    assert read_allele(text, BUILD) == Allele("chr2", 108897145, "A", "G")


@pytest.mark.parametrize("text", ["EDAR", "rs3827760", "2-x-A-G", "", "2-1,0-A-G", "2:5"])
def test_what_is_no_variant(text: str) -> None:
    assert read_allele(text, BUILD) is None


@given(st.integers(1, 1000), _BASES, _BASES, _BASES, _BASES)
def test_trimming_changes_no_sequence(position: int, before: str, ref: str, alt: str, after: str) -> None:
    allele = trimmed(Allele("chr1", position, before + ref + after, before + alt + after))
    start = allele.position - position
    written = before + ref + after
    assert written[start : start + len(allele.ref)] == allele.ref
    assert written[:start] + allele.alt + written[start + len(allele.ref) :] == before + alt + after
    if ref != alt:
        assert min(len(allele.ref), len(allele.alt)) == 1 or (
            allele.ref[0] != allele.alt[0] and allele.ref[-1] != allele.alt[-1]
        )


@pytest.mark.parametrize(
    "text", ["22:19,940,000-19,970,000", "chr22:19940000-19970000", "22:19940000 - 19970000"]
)
def test_spellings_of_one_region(text: str) -> None:
    assert read_region(text, BUILD, 10**7) == Region("chr22", 19_940_000, 19_970_000)


def test_a_region_ends_with_its_contig() -> None:
    length = BUILD.contig_lengths["chr21"]
    assert read_region(f"21:{length - 10}-{length + 10}", BUILD, 10**7) == Region(
        "chr21", length - 10, length
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("22:20-10", "ends at 10, before its start at 20"),
        ("22:0-10", "positions count from 1"),
        ("22:1-99999999", "at most 10,000,000 are shown"),
        ("22:400000000-400000001", "is past its end"),
        ("chrZ:1-10", "chrZ is no contig of GRCh38"),
        ("22:x-10", "Start x is no position"),
        ("22:1-99999999999999999999", "is no position"),
        ("NC_000022.10:1-10", "GRCh37"),
    ],
)
def test_regions_that_cannot_be_shown(text: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence) as refused:
        read_region(text, BUILD, 10**7)
    assert refused.value.status == 400


def test_rs_numbers() -> None:
    assert read_rs_number(" RS3827760 ") == 3_827_760
    assert read_rs_number("rs") is None
    assert read_rs_number("rs1; DROP TABLE variants") is None
    assert read_rs_number("rs" + "1" * 16) is None


@pytest.mark.parametrize("text", ["2--5-A-G", "chrZ-5-A-G", "HLA-A*01:01-5-A-G"])
def test_variants_of_contigs_that_the_build_lacks(text: str) -> None:
    with pytest.raises(Refused, match="is no contig of GRCh38"):
        read_allele(text, BUILD)

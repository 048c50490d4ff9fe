"""Which alleles lie in a region, to the base."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allofus_spark.errors import BadSource, BuildMismatch
from allofus_spark.genome import load_build
from allofus_spark.genome.regions import Regions, merged, read_regions

BUILD = load_build("GRCh38")


def inside(regions: Regions | None, contig: str, position: int, ref: str) -> bool:
    assert regions is not None
    return bool(regions.overlap(contig, np.array([position]), np.array([len(ref)]))[0])


@pytest.mark.parametrize(
    ("position", "ref", "expected"),
    [
        (99, "A", False),
        (100, "A", True),
        (200, "A", True),
        (201, "A", False),
        # A deletion that starts before the region reaches into it with its last base, or not.
        (98, "AC", False),
        (98, "ACG", True),
        (200, "ACG", True),
        (50, "A" * 400, True),
    ],
)
def test_ends_of_a_region_and_of_the_same_bed_line(
    position: int, ref: str, expected: bool, tmp_path: Path
) -> None:
    bed = tmp_path / "targets.bed"
    bed.write_text("track name=exome\nbrowser position\n#c\n\nchr1\t99\t200\tgene\n")
    for regions in (read_regions(BUILD, ["chr1:100-200"], None), read_regions(BUILD, [], str(bed))):
        assert inside(regions, "chr1", position, ref) is expected
        assert not inside(regions, "chr2", position, ref)


def test_any_spelling_of_a_contig(tmp_path: Path) -> None:
    bed = tmp_path / "targets.bed"
    bed.write_text("NC_000023.11 0 10\nMT 4 5\n")
    regions = read_regions(BUILD, ["7:1,000-2,000", "CHR8", "chr9:5"], str(bed))
    assert inside(regions, "chr7", 2000, "A")
    assert inside(regions, "chr8", 145_138_636, "A")
    assert [inside(regions, "chr9", place, "A") for place in (4, 5, 6)] == [False, True, False]
    assert [inside(regions, "chrX", place, "A") for place in (1, 10, 11)] == [True, True, False]
    assert [inside(regions, "chrM", place, "A") for place in (4, 5, 6)] == [False, True, False]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("chr1:5-4", "START must be 1 or more, and END not before it"),
        ("chr1:0-4", "START must be 1 or more"),
        ("chr1:a-b", "write CONTIG:START-END"),
        ("chr77:1-2", "contig chr77 is not one of build GRCh38"),
        ("NC_000001.10:1-2", "GRCh37"),
        ("chr1:248956423-248956424", "starts past the 248956422 bases of contig chr1"),
    ],
)
def test_what_is_no_region_is_named(text: str, message: str) -> None:
    with pytest.raises((BadSource, BuildMismatch), match=message) as error:
        read_regions(BUILD, [text], None)
    assert text in str(error.value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("chrZ\t1\t2", "line 2: contig chrZ is not one of build GRCh38"),
        ("chr1\t2\t2", "line 2: start 2 must be 0 or more and before end 2"),
        ("chr1\t-1\t2", "line 2: start -1"),
        ("chr1\t2", "line 2: not a BED line"),
    ],
)
def test_a_bad_bed_line_is_named(line: str, message: str, tmp_path: Path) -> None:
    bed = tmp_path / "targets.bed"
    bed.write_text(f"chr1\t5\t6\n{line}\n")
    with pytest.raises((BadSource, BuildMismatch), match=message):
        read_regions(BUILD, [], str(bed))
    bed.write_text("# nothing\n")
    with pytest.raises(BadSource, match="no regions in it"):
        read_regions(BUILD, [], str(bed))


Interval = st.tuples(st.integers(1, 60), st.integers(0, 12)).map(lambda pair: (pair[0], sum(pair)))


@given(
    intervals=st.lists(Interval, min_size=1, max_size=8),
    alleles=st.lists(st.tuples(st.integers(1, 80), st.integers(1, 15)), min_size=1, max_size=20),
)
def test_overlap_is_a_shared_base(intervals: list[tuple[int, int]], alleles: list[tuple[int, int]]) -> None:
    covered = {base for first, last in intervals for base in range(first, last + 1)}
    regions = merged(("chr1", first, last) for first, last in intervals)
    position, span = np.array(alleles).T
    expected = [any(base in covered for base in range(at, at + length)) for at, length in alleles]
    assert regions.overlap("chr1", position, span).tolist() == expected

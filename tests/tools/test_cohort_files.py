"""VCF written from arrays of codes: read back by another reader, it has the same calls."""

from __future__ import annotations

from pathlib import Path

import cyvcf2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from tools.cohort_files import (
    Person,
    Site,
    bgzip_file,
    cell_table,
    count_records,
    read_samples,
    vcf_header,
    whole_file,
    write_records,
    write_samples,
)

GENOTYPES = ("0/0", "0/1", "1|1", "./.", "1/2")
ALLELES = [[0, 0], [0, 1], [1, 1], [-1, -1], [1, 2]]


@settings(max_examples=25, deadline=None)
@given(
    codes=arrays.arrays(
        np.uint8, st.tuples(st.integers(1, 5), st.integers(1, 9)), elements=st.integers(0, len(GENOTYPES) - 1)
    )
)
def test_codes_are_read_back_as_the_genotypes_they_stand_for(
    codes: np.ndarray, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("vcf") / "calls.vcf.gz"
    people = [Person(f"s{number}", "XX", "") for number in range(codes.shape[1])]
    sites = [Site("chr22", 100 + row, "A", "C,G") for row in range(codes.shape[0])]
    with bgzip_file(path) as stream:
        stream.write(vcf_header(["chr21", "chr22"], people, source="test"))
        write_records(stream, sites, codes, cell_table(GENOTYPES))
    vcf = cyvcf2.VCF(str(path))
    assert vcf.samples == [person.sample_id for person in people]
    assert vcf.seqlens == [46_709_983, 50_818_468]  # GRCh38
    records = list(vcf)
    assert [(record.CHROM, record.POS, record.REF, record.ALT) for record in records] == [
        ("chr22", 100 + row, "A", ["C", "G"]) for row in range(codes.shape[0])
    ]
    found = np.array([record.genotype.array()[:, :2] for record in records])
    np.testing.assert_array_equal(found, np.array(ALLELES)[codes])
    assert count_records(path) == codes.shape[0]


def test_genotypes_of_another_width_are_refused() -> None:
    with pytest.raises(ValueError, match="three characters"):
        cell_table(["0/0", "0"])


def test_a_failed_write_leaves_neither_the_file_nor_a_part_of_it(tmp_path: Path) -> None:
    def write_half() -> None:
        with bgzip_file(tmp_path / "calls.vcf.gz") as stream:
            stream.write(b"##fileformat=VCFv4.2\n")
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        write_half()
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_file_before_it(tmp_path: Path) -> None:
    path = tmp_path / "samples.tsv"
    path.write_text("before")

    def write_half() -> None:
        with whole_file(path) as partial:
            partial.write_text("after")
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        write_half()
    assert path.read_text() == "before"


def test_samples_are_read_back(tmp_path: Path) -> None:
    people = [Person("HG1", "XY", "afr"), Person("0002", "", "")]
    write_samples(tmp_path / "samples.tsv", people)
    assert read_samples(tmp_path / "samples.tsv") == people

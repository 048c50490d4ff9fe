"""PLINK 1 .bed: the format's own example, round trips, PLINK 2's files, and what is refused."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from allofus_spark.genotypes import pack, packed_width, unpack
from allofus_spark.genotypes.plink1 import BED_HEADER, bed_from_packed, check_bed, packed_from_bed, read_bed
from tests.genotypes.array_files import calls_of_vcf, plink2, refusal
from tests.genotypes.test_encoding import Calls, any_calls

# https://www.cog-genomics.org/plink/1.9/formats#bed: three variants of six samples, as copies of A1.
EXAMPLE = BED_HEADER + bytes.fromhex("dc0fe70f6b01")
EXAMPLE_A1_COPIES = [[2, 0, 3, 0, 0, 0], [0, 3, 1, 0, 0, 0], [0, 1, 1, 3, 3, 2]]


def test_the_example_of_the_format() -> None:
    file = io.BytesIO(EXAMPLE)
    check_bed(file, "example.bed", 6, 3)
    assert unpack(read_bed(file, "example.bed", 6, 0, 3, a1_is_alt=True), 6).tolist() == EXAMPLE_A1_COPIES
    a2 = unpack(read_bed(file, "example.bed", 6, 1, 3, a1_is_alt=False), 6).tolist()
    assert a2 == [[2, 3, 1, 2, 2, 2], [2, 1, 1, 3, 3, 0]]


@given(any_calls())
def test_packed_to_bed_and_back_is_the_same(calls: Calls) -> None:
    packed, n_samples = pack(calls), calls.shape[1]
    for a1_is_alt in (True, False):
        bed = bed_from_packed(packed, n_samples, a1_is_alt)
        assert (packed_from_bed(bed, n_samples, a1_is_alt) == packed).all()
        pad = -n_samples % 4
        assert not pad or not (bed[:, -1] >> (8 - 2 * pad)).any()


def test_bed_of_plink2_has_the_calls_of_the_vcf(
    realdata: Path, oracle: Callable[[str], str], tmp_path: Path
) -> None:
    vcf = realdata / "multisample/hail_sample_100_chr20_AD_DP_GQ_PL.grch37.vcf.gz"
    expected = calls_of_vcf(vcf)
    biallelic = np.repeat(expected.n_alts == 1, expected.n_alts)
    plink2(oracle("plink2"), "--vcf", vcf, "--max-alleles", "2", "--make-bed", "--out", tmp_path / "x")
    n_variants = int(biallelic.sum())
    with open(tmp_path / "x.bed", "rb") as file:
        check_bed(file, "x.bed", expected.n_samples, n_variants)
        packed = read_bed(file, "x.bed", expected.n_samples, 0, n_variants, a1_is_alt=True)
    assert (unpack(packed, expected.n_samples) == expected.calls[biallelic]).all()
    written = BED_HEADER + bed_from_packed(packed, expected.n_samples).tobytes()
    assert written == (tmp_path / "x.bed").read_bytes()


def test_counts_of_hails_bed_are_those_of_plink2(
    realdata: Path, oracle: Callable[[str], str], tmp_path: Path
) -> None:
    prefix = realdata / "peer_assoc/hail/fastlmmTest"
    columns = "cols=homref,refalt,homalt1,missing"
    plink2(oracle("plink2"), "--bfile", prefix, "--geno-counts", columns, "--out", tmp_path / "x")
    expected = np.loadtxt(tmp_path / "x.gcount", dtype=str, skiprows=1, comments=None)[:, -4:].astype(int)
    n_samples = len(prefix.with_suffix(".fam").read_text().splitlines())
    with open(prefix.with_suffix(".bed"), "rb") as file:
        check_bed(file, "x.bed", n_samples, len(expected))
        calls = unpack(read_bed(file, "x.bed", n_samples, 0, len(expected), a1_is_alt=True), n_samples)
    assert (np.stack([(calls == call).sum(axis=1) for call in range(4)], axis=1) == expected).all()


def test_a_bed_that_is_none_or_not_whole_is_refused() -> None:
    def check(file: io.BytesIO) -> None:
        check_bed(file, "x.bed", 6, 3)

    assert "begins with nothing" in refusal(check, b"")
    assert "begins with 42 47 45" in refusal(check, b"BGEN")
    assert "plink --bfile OLD --make-bed" in refusal(check, b"\x6c\x1b\x00" + EXAMPLE[3:])
    assert "has 8 bytes, but 3 variants in the .bim and 6 samples in the .fam need 9" in refusal(
        check, EXAMPLE[:-1]
    )
    assert "need 9" in refusal(check, EXAMPLE + b"\0")
    for end in range(len(EXAMPLE)):
        refusal(check, EXAMPLE[:end])


def test_rows_of_another_width_are_refused() -> None:
    with pytest.raises(ValueError, match="5 samples need 2 bytes"):
        packed_from_bed(np.zeros((1, packed_width(4)), np.uint8), 5, True)

"""PLINK 2 .pgen: every form of record against cyvcf2's reading of the VCF, random access, and damage."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allofus_spark.errors import BadSource
from allofus_spark.genotypes import pack, packed_width, unpack
from allofus_spark.genotypes.pgen import open_pgen, pgen_header, read_pgen
from allofus_spark.genotypes.pgen_header import read_records
from allofus_spark.genotypes.plink1 import BED_HEADER, bed_from_packed
from tests.genotypes.array_files import (
    Expected,
    calls_of_vcf,
    plink2,
    refusal,
    refused_at_every_cut,
    survives_damage,
)
from tests.genotypes.vcf_of_every_record import write_vcf

VCFS = [
    "multisample/1kg_p3_2504_chr22_16.05-16.5M.grch37.vcf.gz",
    "multisample/hail_sample2_100_chr22_multiallelic_DP_GQ_PL.grch37.vcf.gz",
    "multisample/1kg_p1_1074_chrMT_haploid.vcf.gz",
]


def make_pgen(oracle: Callable[[str], str], vcf: Path, out: Path, *options: str) -> bytes:
    plink2(oracle("plink2"), "--vcf", vcf, *options, "--make-pgen", "--out", out)
    return out.with_suffix(".pgen").read_bytes()


def read_all(data: bytes, expected: Expected) -> np.ndarray:
    file, n_variants = io.BytesIO(data), len(expected.n_alts)
    pgen = open_pgen(file, "x.pgen", expected.n_samples, n_variants)
    return unpack(read_pgen(file, pgen, 0, n_variants, expected.n_alts), expected.n_samples)


@pytest.mark.parametrize("name", VCFS)
def test_calls_are_those_of_the_vcf(
    name: str, realdata: Path, oracle: Callable[[str], str], tmp_path: Path
) -> None:
    expected = calls_of_vcf(realdata / name)
    data = make_pgen(oracle, realdata / name, tmp_path / "x")
    assert (read_all(data, expected) == expected.calls).all()


@pytest.mark.parametrize(("n_samples", "dosages"), [(3, False), (61, True), (300, False)])
def test_every_form_of_record(
    n_samples: int, dosages: bool, oracle: Callable[[str], str], tmp_path: Path
) -> None:
    vcf = write_vcf(tmp_path / "x.vcf", n_samples, dosages=dosages)
    expected = calls_of_vcf(vcf)
    data = make_pgen(oracle, vcf, tmp_path / "x", *(["dosage=DS"] if dosages else []))
    assert (read_all(data, expected) == expected.calls).all()
    file = io.BytesIO(data)
    types = read_records(file, open_pgen(file, "x", n_samples, len(expected.n_alts)), 0).types
    assert (types & (0x60 if dosages else 0x08)).any()
    if n_samples == 300:
        assert set(types & 7) == {0, 1, 2, 3, 4, 6, 7}
        assert (types & 0x10).any()


@pytest.mark.long
def test_sample_numbers_of_three_bytes(oracle: Callable[[str], str], tmp_path: Path) -> None:
    n_samples = 70_000
    calls = np.random.default_rng(0).choice(4, (20, n_samples), p=(0.997, 0.001, 0.001, 0.001))
    calls[10:] = calls[:10]
    calls[10:, 1234] = 2
    write_pgen(tmp_path / "x", calls)
    plink2(oracle("plink2"), "--pfile", tmp_path / "x", "--make-pgen", "--out", tmp_path / "y")
    data = (tmp_path / "y.pgen").read_bytes()
    assert len(data) < packed_width(n_samples) * 20 / 10
    assert (read_all(data, Expected(calls.astype(np.int8), np.ones(20, np.int64))) == calls).all()


def write_pgen(path: Path, calls: npt.NDArray[np.int64]) -> None:
    """A file set with the header and packed rows that this package writes."""
    path.with_suffix(".pgen").write_bytes(pgen_header(*calls.shape) + pack(calls).tobytes())
    lines = [f"1\t{at + 1}\tv{at}\tA\tC\n" for at in range(len(calls))]
    path.with_suffix(".pvar").write_text("#CHROM\tPOS\tID\tREF\tALT\n" + "".join(lines))
    path.with_suffix(".psam").write_text("#IID\n" + "".join(f"s{at}\n" for at in range(calls.shape[1])))


def test_any_range_is_that_part_of_the_whole(
    realdata: Path, oracle: Callable[[str], str], tmp_path: Path
) -> None:
    expected = calls_of_vcf(realdata / VCFS[1])
    data = make_pgen(oracle, realdata / VCFS[1], tmp_path / "x")
    file, n_variants = io.BytesIO(data), len(expected.n_alts)
    pgen = open_pgen(file, "x.pgen", expected.n_samples, n_variants)
    whole = read_pgen(file, pgen, 0, n_variants, expected.n_alts)
    rng = np.random.default_rng(0)
    ranges = [(at, at + 1) for at in range(n_variants)]
    ranges += [tuple(map(int, np.sort(rng.integers(0, n_variants + 1, 2)))) for _ in range(100)]
    for start, stop in ranges:
        part = read_pgen(file, pgen, start, stop, expected.n_alts[start:stop])
        assert (part == whole[expected.rows_before(start) : expected.rows_before(stop)]).all()


@pytest.mark.long
def test_blocks_of_65536_variants(oracle: Callable[[str], str], tmp_path: Path) -> None:
    n_samples, n_variants = 5, 140_000
    rng = np.random.default_rng(0)
    packed = pack(rng.choice(4, (n_variants, n_samples), p=(0.6, 0.2, 0.1, 0.1)))
    (tmp_path / "x.bed").write_bytes(BED_HEADER + bed_from_packed(packed, n_samples).tobytes())
    (tmp_path / "x.bim").write_text("".join(f"1 . 0 {at + 1} C A\n" for at in range(n_variants)))
    (tmp_path / "x.fam").write_text("".join(f"0 s{at} 0 0 0 -9\n" for at in range(n_samples)))
    plink2(oracle("plink2"), "--bfile", tmp_path / "x", "--make-pgen", "--out", tmp_path / "y")
    with open(tmp_path / "y.pgen", "rb") as file:
        pgen = open_pgen(file, "y.pgen", n_samples, n_variants)
        assert len(pgen.starts) == 4
        for start, stop in [
            (0, n_variants),
            (65_535, 65_537),
            (65_536, 65_540),
            (131_072, n_variants),
            (9, 9),
        ]:
            assert (read_pgen(file, pgen, start, stop) == packed[start:stop]).all()
    with open(tmp_path / "x.bed", "rb") as file:
        bed = open_pgen(file, "x.bed", n_samples, n_variants)
        assert (read_pgen(file, bed, 1000, 2000) == packed[1000:2000]).all()


def test_the_peers_bed_and_pgen_are_equal(realdata: Path) -> None:
    folder = realdata / "peer_assoc/regenie_example"
    rows = []
    for name in ("example.bed", "example.pgen"):
        with open(folder / name, "rb") as file:
            rows.append(read_pgen(file, open_pgen(file, name, 500, 1000), 0, 1000))
    assert (rows[0] == rows[1]).all()
    assert np.unique(unpack(rows[0], 500)).tolist() == [0, 1, 2]


def test_a_written_pgen_is_read_by_plink2(oracle: Callable[[str], str], tmp_path: Path) -> None:
    calls = np.random.default_rng(0).choice(4, (50, 101), p=(0.7, 0.15, 0.1, 0.05))
    write_pgen(tmp_path / "x", calls)
    plink2(oracle("plink2"), "--pfile", tmp_path / "x", "--validate", "--out", tmp_path / "x")
    columns = "cols=homref,refalt,homalt1,missing"
    plink2(oracle("plink2"), "--pfile", tmp_path / "x", "--geno-counts", columns, "--out", tmp_path / "x")
    found = np.loadtxt(tmp_path / "x.gcount", dtype=str, skiprows=1, comments=None)[:, -4:].astype(int)
    assert (found == np.stack([(calls == call).sum(axis=1) for call in range(4)], axis=1)).all()


@pytest.mark.parametrize(("mode", "extra"), [(2, 0), (3, 2), (4, 4)])
@pytest.mark.parametrize("has_flags", [False, True])
def test_fixed_width_modes(mode: int, extra: int, has_flags: bool) -> None:
    calls = np.random.default_rng(mode).integers(0, 4, (9, 7))
    header = bytearray(pgen_header(9, 7))
    header[2], header[11] = mode, 0xC0 if has_flags else 0x40
    records = b"".join(row.tobytes() + b"\x5a" * (7 * extra) for row in pack(calls))
    data = bytes(header) + (b"\xff\x01" if has_flags else b"") + records
    expected = Expected(calls.astype(np.int8), np.ones(9, np.int64))
    assert (read_all(data, expected) == calls).all()
    refused_at_every_cut(lambda file: open_pgen(file, "x.pgen", 7, 9), data)
    two_alts = Expected(expected.calls, np.array([1, 2] + [1] * 7))
    assert "one with 1 for 2" in refusal(lambda file: read_all(file.getvalue(), two_alts), data)


@pytest.mark.parametrize("form", [8, 9])
def test_lists_that_hold_only_the_bytes_over_a_plain_record(form: int) -> None:
    """One sample 1/2, 2/2 and 0/2 at variants of two alternates, and plain ones, by hand."""
    one_two, two_two, zero_two = b"\x02\x0f\x01\x00", b"\x02\x0f\x01\x01", b"\x01\xf0\x01"
    records = [b"\x00", one_two, b"\x03", two_two, zero_two]
    extra = [len(record) - 1 for record in records]
    bits = 2 * (form - 7)
    lengths = sum(value << (bits * place) for place, value in enumerate(extra)).to_bytes(
        -(-5 * bits // 8), "little"
    )
    start = 12 + 8 + len(lengths)
    head = pgen_header(5, 1)[:2] + b"\x10" + pgen_header(5, 1)[3:11] + bytes([0x40 | form])
    data = head + start.to_bytes(8, "little") + lengths + b"".join(records)
    n_alts = np.array([1, 2, 1, 2, 2])
    calls = np.array([[0], [1], [1], [3], [0], [2], [0], [1]], np.int8)
    assert (read_all(data, Expected(calls, n_alts)) == calls).all()


def test_counts_that_differ_from_the_companions_are_refused() -> None:
    data = pgen_header(2, 4) + bytes(2)
    assert "has 4 samples, but its .psam has 5" in refusal(lambda file: open_pgen(file, "x", 5, 2), data)
    assert "has 2 variants, but its .pvar has 3" in refusal(lambda file: open_pgen(file, "x", 4, 3), data)
    assert "no samples" in refusal(lambda file: open_pgen(file, "x", 0, 2), data)


@pytest.mark.parametrize("mode", [0x11, 0x20, 0x21])
def test_extended_modes_are_refused_with_the_command_that_converts(mode: int) -> None:
    data = b"\x6c\x1b" + bytes([mode]) + bytes(20)
    assert "plink2 --pfile OLD --make-pgen" in refusal(lambda file: open_pgen(file, "x", 1, 1), data)


def test_calls_of_alternates_that_the_pvar_does_not_have_are_refused(
    realdata: Path, oracle: Callable[[str], str], tmp_path: Path
) -> None:
    data = make_pgen(oracle, realdata / VCFS[1], tmp_path / "x")
    expected = calls_of_vcf(realdata / VCFS[1])
    n_variants = len(expected.n_alts)

    def read(file: io.BytesIO) -> None:
        read_pgen(file, open_pgen(file, "x.pgen", expected.n_samples, n_variants), 0, n_variants)

    assert "alternates that the variant does not have" in refusal(read, data)


def test_allele_counts_in_the_header_must_be_those_of_the_pvar(
    oracle: Callable[[str], str], tmp_path: Path
) -> None:
    """PLINK 2 leaves the counts to the .pvar; here they are put into its file."""
    vcf = write_vcf(tmp_path / "x.vcf", 61, dosages=False)
    data, expected = make_pgen(oracle, vcf, tmp_path / "x"), calls_of_vcf(vcf)
    start = int.from_bytes(data[12:20], "little")
    counts = bytes((expected.n_alts + 1).tolist())
    head = data[:11] + bytes([data[11] | 0x10]) + (start + len(counts)).to_bytes(8, "little")
    data = head + data[20:start] + counts + data[start:]
    assert (read_all(data, expected) == expected.calls).all()
    other = Expected(expected.calls, np.where(expected.n_alts == 3, 4, expected.n_alts))
    assert "5 variants have another number of alternates than in the .pvar, one with 3 for 4" in refusal(
        lambda file: read_all(file.getvalue(), other), data
    )


def test_wrong_ranges_are_the_callers_mistake() -> None:
    file = io.BytesIO(pgen_header(2, 4) + bytes(2))
    pgen = open_pgen(file, "x.pgen", 4, 2)
    for start, stop, n_alts in [(0, 3, None), (2, 1, None), (0, 2, np.array([1])), (0, 2, np.array([1, 0]))]:
        with pytest.raises(ValueError, match=r"variants"):
            read_pgen(file, pgen, start, stop, n_alts)


@pytest.fixture(scope="module", params=[False, True])
def small_pgen(
    request: pytest.FixtureRequest, oracle: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[bytes, Expected]:
    """Records with multi-allelic calls, or with dosages."""
    folder = tmp_path_factory.mktemp("small")
    vcf = write_vcf(folder / "x.vcf", 61, dosages=request.param)
    options = ["dosage=DS"] if request.param else []
    return make_pgen(oracle, vcf, folder / "x", *options), calls_of_vcf(vcf)


def test_a_file_that_was_cut_is_refused(small_pgen: tuple[bytes, Expected]) -> None:
    data, expected = small_pgen
    n_variants = len(expected.n_alts)
    refused_at_every_cut(lambda file: open_pgen(file, "x.pgen", expected.n_samples, n_variants), data)


def test_damage_is_refused_or_read_but_never_crashes(small_pgen: tuple[bytes, Expected]) -> None:
    data, expected = small_pgen
    n_variants = len(expected.n_alts)

    def read(file: io.BytesIO) -> None:
        pgen = open_pgen(file, "x.pgen", expected.n_samples, n_variants)
        packed = read_pgen(file, pgen, 0, n_variants, expected.n_alts)
        assert packed.shape == (len(expected.calls), packed_width(expected.n_samples))

    assert survives_damage(read, data, 1000) > 100


@settings(max_examples=200)
@given(st.binary(max_size=60), st.integers(0, 255), st.integers(1, 40), st.integers(1, 5))
def test_any_bytes_as_a_record(body: bytes, record_type: int, n_samples: int, n_alts: int) -> None:
    """Whatever a record holds, the answer is rows of calls 0 to 3 with clear pad bits, or a refusal."""
    head = pgen_header(1, n_samples)
    start = 12 + 8 + 3
    index = bytes([record_type]) + len(body).to_bytes(2, "little")
    data = head[:2] + b"\x10" + head[3:11] + b"\x45" + start.to_bytes(8, "little") + index + body
    file = io.BytesIO(data)
    pgen = open_pgen(file, "x.pgen", n_samples, 1)
    try:
        packed = read_pgen(file, pgen, 0, 1, np.array([n_alts]))
    except BadSource:
        return
    assert (pack(unpack(packed, n_samples)) == packed).all()

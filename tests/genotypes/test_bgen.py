"""BGEN: PLINK 2's exports and its own calls of any probabilities, hand-made variants, and damage."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allofus_spark.genotypes import bgen_index, pack, unpack
from allofus_spark.genotypes.bgen import BgenCalls, index_bgen, open_bgen, read_bgen, read_bgen_samples
from allofus_spark.genotypes.pgen import open_pgen, read_pgen
from allofus_spark.genotypes.sample_files import read_oxford_samples
from allofus_spark.genotypes.sites import open_sites, read_sites
from tests.genotypes.array_files import (
    calls_of_vcf,
    plink2,
    refusal,
    refused_at_every_cut,
    survives_damage,
)
from tests.genotypes.bgen_writer import Variant, bgen_bytes

MISSING = 0x80


def read_all(file: io.BytesIO, *, ref_first: bool = True) -> BgenCalls:
    bgen = open_bgen(file, "x.bgen")
    index = index_bgen(file, bgen, ref_first=ref_first)
    return read_bgen(file, bgen, index.spans, ref_first=ref_first)


def calls_of(variants: Sequence[Variant], *, ref_first: bool = True) -> list[list[int]]:
    packed = read_all(io.BytesIO(bgen_bytes(variants)), ref_first=ref_first).packed
    rows: list[list[int]] = unpack(packed, len(variants[0].ploidies)).tolist()
    return rows


@pytest.mark.parametrize("form", [["bgen-1.2", "bits=8"], ["bgen-1.3"], ["bgen-1.2", "bits=11"]])
@pytest.mark.parametrize(
    "name", ["1kg_p3_2504_chr22_16.05-16.5M.grch37", "hail_sample2_100_chr22_multiallelic_DP_GQ_PL.grch37"]
)
def test_exports_of_plink2_have_the_calls_of_the_vcf(
    name: str, form: list[str], realdata: Path, oracle: Callable[[str], str], tmp_path: Path
) -> None:
    vcf, out = realdata / f"multisample/{name}.vcf.gz", tmp_path / "x"
    expected = calls_of_vcf(vcf)
    biallelic = expected.calls[np.repeat(expected.n_alts == 1, expected.n_alts)]
    plink2(oracle("plink2"), "--vcf", vcf, "--max-alleles", "2", "--export", *form, "ref-first", "--out", out)
    plink2(oracle("plink2"), "--vcf", vcf, "--max-alleles", "2", "--make-just-bim", "--out", out)
    with open(out.with_suffix(".bgen"), "rb") as file, open(out.with_suffix(".bim"), "rb") as bim:
        bgen = open_bgen(file, "x.bgen", expected.n_samples)
        index = index_bgen(file, bgen, ref_first=True)
        calls = read_bgen(file, bgen, index.spans, ref_first=True)
        part = read_bgen(file, bgen, index.spans[50:60], ref_first=True)
        assert index.sites.equals(read_sites(bim, open_sites(bim, "x.bim", bgen.n_variants)))
        with open(out.with_suffix(".sample"), "rb") as samples:
            of_file = read_oxford_samples(samples, "x.sample", bgen.n_samples)
            assert read_bgen_samples(file, bgen).to_pylist() == of_file
    assert (unpack(calls.packed, expected.n_samples) == biallelic).all()
    assert (part.packed == calls.packed[50:60]).all()
    assert not calls.haploid.any()
    assert not calls.n_polyploid.any()


def _drawn(rng: np.random.Generator, n_samples: int, bits: int, is_phased: bool) -> list[list[int]]:
    """Pairs of stored numbers, many of them near the thresholds."""
    top = (1 << bits) - 1
    pairs = []
    for _ in range(n_samples):
        share = rng.choice([0, 0.05, 0.1, 0.5, 0.9, 0.95, 1, rng.random()])
        first = np.clip(share + rng.normal() / 100, 0, 1)
        second = np.clip(rng.choice([0, 0.05, 1 - first]) + rng.normal() / 100, 0, 1)
        pair = [round(first * top), round(second * top)]
        pairs.append(pair if is_phased else [pair[0], min(pair[1], top - pair[0])])
    return pairs


def plink2_calls(
    oracle: Callable[[str], str], folder: Path, data: bytes, n_samples: int, n_variants: int
) -> npt.NDArray[np.int8]:
    (folder / "x.bgen").write_bytes(data)
    plink2(oracle("plink2"), "--bgen", folder / "x.bgen", "ref-first", "--make-pgen", "--out", folder / "x")
    with open(folder / "x.pgen", "rb") as file:
        pgen = open_pgen(file, "x.pgen", n_samples, n_variants)
        return unpack(read_pgen(file, pgen, 0, n_variants), n_samples)


@pytest.mark.long
@pytest.mark.parametrize("compression", [0, 1, 2])
def test_any_probabilities_are_called_as_plink2_calls_them(
    compression: int, oracle: Callable[[str], str], tmp_path: Path
) -> None:
    rng, n_samples = np.random.default_rng(compression), 500
    ploidies = [2 | MISSING * int(rng.random() < 0.05) for _ in range(n_samples)]
    forms = [(bits, phased) for bits in (1, 2, 3, 7, 8, 9, 16, 23, 28) for phased in (False, True)]
    variants = [
        Variant(ploidies, _drawn(rng, n_samples, bits, phased), is_phased=phased, bits=bits, position=at + 1)
        for at, (bits, phased) in enumerate(forms)
    ]
    data = bgen_bytes(variants, compression, [f"s{at}" for at in range(n_samples)])
    expected = plink2_calls(oracle, tmp_path, data, n_samples, len(variants))
    assert (unpack(read_all(io.BytesIO(data)).packed, n_samples) == expected).all()
    assert all(np.bincount(expected.ravel(), minlength=4) > 100)


def test_haploid_calls_are_those_of_plink2_but_for_its_haploid_hets(
    oracle: Callable[[str], str], tmp_path: Path
) -> None:
    variant = Variant([1] * 256, [[number] for number in range(256)], contig="MT")
    data = bgen_bytes([variant], 1, [f"s{at}" for at in range(256)])
    expected = plink2_calls(oracle, tmp_path, data, 256, 1)[0]
    calls = read_all(io.BytesIO(data))
    assert unpack(calls.packed, 256)[0].tolist() == np.where(expected == 1, 3, expected).tolist()
    assert np.bincount(expected, minlength=4).tolist() == [13, 26, 13, 204]
    assert (unpack(calls.haploid, 256) == 1).all()


def test_samples_of_each_ploidy() -> None:
    ploidies = [2, 1, 0, 1, 1 | MISSING, 3, 2]
    values = [[0, 255], [0], [], [255], [0], [0, 0, 255], [255, 0]]
    calls = read_all(io.BytesIO(bgen_bytes([Variant(ploidies, values)])))
    assert unpack(calls.packed, 7).tolist() == [[1, 2, 3, 0, 3, 3, 0]]
    assert unpack(calls.haploid, 7).tolist() == [[0, 1, 0, 1, 1, 0, 0]]
    assert calls.n_polyploid.tolist() == [1]


@pytest.mark.parametrize("bits", [1, 5, 8, 16, 32])
def test_three_alleles(bits: int) -> None:
    """Genotypes in the order 00 01 11 02 12 (22), of which the last is not stored."""
    top = (1 << bits) - 1
    one_hot = [[top * (at == genotype) for at in range(5)] for genotype in range(6)]
    variant = Variant([2] * 6 + [1, 1, 1], [*one_hot, [top, 0], [0, top], [0, 0]], ("A", "C", "G"), bits=bits)
    assert calls_of([variant]) == [[0, 1, 2, 0, 1, 0, 0, 2, 0], [0, 0, 0, 1, 1, 2, 0, 0, 2]]
    last_is_ref = [[2, 1, 0, 1, 0, 0, 2, 0, 0], [0, 1, 2, 0, 1, 0, 0, 2, 0]]
    assert calls_of([variant], ref_first=False) == last_is_ref
    haplotypes = [[top, 0, top, 0], [top, 0, 0, top], [0, 0, 0, top], [0, 0, 0, 0]]
    phased = Variant([2] * 4, haplotypes, ("A", "C", "G"), is_phased=True, bits=bits)
    assert calls_of([phased]) == [[0, 1, 1, 0], [0, 0, 1, 2]]


def test_three_alleles_are_called_within_a_tenth_of_a_genotype() -> None:
    """½ Σ |x − round(x)|: the copies that leave 0/1 for 0/2 are counted once, not twice."""
    values = [[0, 255 - left, 0, left, 0] for left in (20, 25, 26, 30)]
    assert calls_of([Variant([2] * 4, values, ("A", "C", "G"))]) == [[1, 1, 3, 3], [0, 0, 3, 3]]


@settings(max_examples=150)
@given(st.data())
def test_each_number_of_alleles_and_bits(data: st.DataObject) -> None:
    """Certain genotypes of any form are called as what they are."""
    bits, n_alleles = data.draw(st.integers(1, 32)), data.draw(st.integers(2, 6))
    is_phased = data.draw(st.booleans())
    genotypes = data.draw(
        st.lists(st.lists(st.integers(0, n_alleles - 1), min_size=1, max_size=2), min_size=1, max_size=9)
    )
    top = (1 << bits) - 1
    values = []
    for genotype in genotypes:
        if is_phased:
            values.append([top * (allele == at) for allele in genotype for at in range(n_alleles - 1)])
            continue
        low, high = min(genotype), max(genotype)
        place = low if len(genotype) == 1 else high * (high + 1) // 2 + low
        n_genotypes = n_alleles if len(genotype) == 1 else n_alleles * (n_alleles + 1) // 2
        values.append([top * (at == place) for at in range(n_genotypes - 1)])
    alleles = tuple("ACGTNM"[:n_alleles])
    variant = Variant([len(genotype) for genotype in genotypes], values, alleles, is_phased, bits)
    copies = [
        [genotype.count(alt) * 2 // len(genotype) for genotype in genotypes] for alt in range(1, n_alleles)
    ]
    assert calls_of([variant]) == copies


def test_sites_and_order_of_alleles() -> None:
    long_allele = "A" * 70_000
    variants = [
        Variant([2], [[0, 255]], contig="X", position=7, name="rs7"),
        Variant([2], [[0] * 5], ("T", "<DEL>", long_allele), position=9, name=""),
    ]
    file = io.BytesIO(bgen_bytes(variants))
    bgen = open_bgen(file, "x.bgen")
    rows = index_bgen(file, bgen, ref_first=True).sites.drop_columns(["qual", "filter"]).to_pylist()
    assert rows[0] == {"contig": "X", "position": 7, "id": "rs7", "ref": "A", "alts": ["C"]}
    assert rows[1] == {"contig": "1", "position": 9, "id": ".", "ref": "T", "alts": ["<DEL>", long_allele]}
    last = index_bgen(file, bgen, ref_first=False).sites
    assert (last["ref"].to_pylist(), last["alts"].to_pylist()) == (
        ["C", long_allele],
        [["A"], ["T", "<DEL>"]],
    )


@pytest.mark.parametrize(
    ("read_bytes", "far_bytes", "table_bytes"), [(64, 1, 1), (4096, 10**9, 500), (10, 1, 10**6)]
)
def test_the_walk_does_not_depend_on_how_much_is_read(
    read_bytes: int, far_bytes: int, table_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    variants = [
        Variant([2] * 50, [[0, 255]] * 50, ("A", "C" * (at % 90 + 1)), position=at, name=f"rs{at}")
        for at in range(200)
    ]
    file = io.BytesIO(bgen_bytes(variants, 0))
    bgen = open_bgen(file, "x.bgen")
    whole = index_bgen(file, bgen, ref_first=True)
    monkeypatch.setattr(bgen_index, "_READ_BYTES", read_bytes)
    monkeypatch.setattr(bgen_index, "_SHORT_READ_BYTES", 16)
    monkeypatch.setattr(bgen_index, "_FAR_BYTES", far_bytes)
    monkeypatch.setattr(bgen_index, "_TABLE_BYTES", table_bytes)
    again = index_bgen(file, bgen, ref_first=True)
    assert (again.spans == whole.spans).all()
    assert again.sites.equals(whole.sites)


def test_files_that_are_not_read_are_refused_with_what_to_do() -> None:
    data = bgen_bytes([Variant([2], [[0, 255]])])
    assert "plink2 --bgen OLD.bgen" in refusal(read_all, bgen_bytes([Variant([2], [[0, 0]])], layout=1))
    assert "layout 3" in refusal(read_all, bgen_bytes([Variant([2], [[0, 0]])], layout=3))
    assert "not a BGEN file" in refusal(read_all, b"\x6c\x1b\x10" + b"\1" * 40)
    assert "has 1 samples, but its .sample file has 2" in refusal(lambda file: open_bgen(file, "x", 2), data)

    def read_ids(file: io.BytesIO) -> None:
        read_bgen_samples(file, open_bgen(file, "x.bgen"))

    assert "Give the .sample file" in refusal(read_ids, data)
    repeated = bgen_bytes([Variant([2, 2], [[0, 0]] * 2)], 1, ["a", "a"])
    assert "1 sample ids come more than once: a" in refusal(read_ids, repeated)
    missing_id = bytearray(bgen_bytes([Variant([2, 2], [[0, 0]] * 2)], 1, ["a", "b"]))
    missing_id[28] = 1
    assert "1 samples in its sample block, but its header has 2" in refusal(read_ids, bytes(missing_id))


@pytest.mark.parametrize("compression", [0, 1, 2])
def test_genotypes_that_contradict_themselves_are_refused(compression: int) -> None:
    def refused(variant: Variant) -> str:
        return refusal(read_all, bgen_bytes([variant], compression))

    assert "add up to more than 1" in refused(Variant([2], [[200, 56]]))
    assert "add up to more than 1" in refused(Variant([2], [[0, 100, 100, 100, 0]], ("A", "C", "G")))
    assert "add up to more than 1" in refused(Variant([1], [[200, 56]], ("A", "C", "G")))
    assert "not as many as the ploidies need" in refused(Variant([2], [[0]]))
    assert "not as many as the ploidies need" in refused(Variant([63], [[0]], tuple("ACGTNM")))
    assert "0 bits" in refused(Variant([2], [[0, 0]], bits=0))
    data = bytearray(bgen_bytes([Variant([2], [[0, 255]])], compression))
    lengths_at = data.index(b"C", 30) + 1
    if compression:
        data[lengths_at + 4] += 1
        assert "do not inflate to the 14 bytes" in refusal(read_all, bytes(data))
        data[lengths_at + 4] -= 2
        assert "do not inflate to the 12 bytes" in refusal(read_all, bytes(data))
    else:
        data[lengths_at + 4] = 9
        assert "are of 9 samples and 2 alleles, not 1 and 2" in refusal(read_all, bytes(data))


@pytest.mark.parametrize("compression", [0, 1, 2])
def test_damage_is_refused_or_read_but_never_crashes(compression: int) -> None:
    rng = np.random.default_rng(0)
    variants = [
        Variant([2] * 9, _drawn(rng, 9, 8, False)),
        Variant([1, 2, 3] * 3, [[0], [0, 0], [0, 0, 0]] * 3, bits=11, position=2),
        Variant([2] * 9, [[0] * 4] * 9, ("A", "C", "G"), is_phased=True, bits=8, position=3),
        Variant([2] * 9, [[0] * 5] * 9, ("A", "C", "G"), bits=32, position=4),
    ]
    data = bgen_bytes(variants, compression, [f"s{at}" for at in range(9)])

    def read(file: io.BytesIO) -> None:
        bgen = open_bgen(file, "x.bgen", 9)
        read_bgen_samples(file, bgen)
        index = index_bgen(file, bgen, ref_first=True)
        assert index.sites.num_rows == len(index.spans) == bgen.n_variants
        packed = read_bgen(file, bgen, index.spans, ref_first=True).packed
        assert (pack(unpack(packed, 9)) == packed).all()

    refused_at_every_cut(read, data)
    refusal(read, data + b"\0")
    assert survives_damage(read, data, 1000) > 300

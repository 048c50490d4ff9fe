"""Site and sample files: column orders, zstd, ranges, ids as text, and what is refused."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import cyvcf2
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allofus_spark.genotypes import text_columns
from allofus_spark.genotypes.sample_files import read_oxford_samples, read_samples
from allofus_spark.genotypes.sites import SITES, open_sites, read_sites
from tests.genotypes.array_files import plink2, refusal, refused_at_every_cut, survives_damage


def sites_of(data: bytes, start: int = 0, stop: int | None = None, *, a1_is_alt: bool = True) -> list[tuple]:
    file = io.BytesIO(data)
    table = read_sites(file, open_sites(file, "x.pvar"), start, stop, a1_is_alt=a1_is_alt)
    assert table.schema == SITES
    table.validate(full=True)
    return [tuple(row.values())[:5] for row in table.to_pylist()]


def samples_of(data: bytes) -> list[str]:
    return read_samples(io.BytesIO(data), "x.psam")


def oxford_of(data: bytes) -> list[str]:
    return read_oxford_samples(io.BytesIO(data), "x.sample")


def zstd(data: bytes) -> bytes:
    return bytes(pa.Codec("zstd").compress(data, asbytes=True))


def test_a_pvar_names_its_columns() -> None:
    data = b"##source=x\n#CHROM\tID\tALT\tREF\tINFO\tPOS\nchr1\trs1\tC,G\tA\tX=1;Y\t5\n2\t.\t.\tAT\t.\t6\n"
    expected = [("chr1", 5, "rs1", "A", ["C", "G"]), ("2", 6, ".", "AT", ["."])]
    assert sites_of(data) == expected
    assert sites_of(zstd(data)) == expected
    assert sites_of(data.replace(b"\n", b"\r\n")) == expected
    assert sites_of(data.rstrip(b"\n")) == expected
    assert sites_of(data.replace(b"\t", b"  ").replace(b"\n2", b"\n\n \n 2")) == expected


def test_a_bim_and_a_file_without_cm() -> None:
    bim = b"1 rs1 0 5 C A\n1 rs2 0.5 6 G T\n"
    assert sites_of(bim) == [("1", 5, "rs1", "A", ["C"]), ("1", 6, "rs2", "T", ["G"])]
    assert sites_of(bim, a1_is_alt=False) == [("1", 5, "rs1", "C", ["A"]), ("1", 6, "rs2", "G", ["T"])]
    assert sites_of(b"1\trs1\t5\tC\tA\n") == [("1", 5, "rs1", "A", ["C"])]


def test_the_sites_of_a_vcf_are_those_of_its_pvar(
    realdata: Path, oracle: Callable[[str], str], tmp_path: Path
) -> None:
    vcf = realdata / "multisample/hail_sample2_100_chr22_multiallelic_DP_GQ_PL.grch37.vcf.gz"
    plink2(oracle("plink2"), "--vcf", vcf, "--make-pgen", "vzs", "--out", tmp_path / "x")
    expected = [
        (record.CHROM, record.POS, record.ID or ".", record.REF, record.ALT or ["."])
        for record in cyvcf2.VCF(str(vcf))
    ]
    data = (tmp_path / "x.pvar.zst").read_bytes()
    assert sites_of(data) == expected
    assert sites_of(data, 100, 333) == expected[100:333]
    with open(tmp_path / "x.psam", "rb") as file:
        ids = read_samples(file, "x.psam", 100)
    assert ids == cyvcf2.VCF(str(vcf)).samples


@given(st.data())
def test_a_range_is_that_part_of_the_whole(data: st.DataObject) -> None:
    """However the text falls into pieces, and wherever the marks are."""
    n = data.draw(st.integers(1, 40))
    alts = data.draw(st.lists(st.sampled_from(("C", "CCCCCCCCCCCCCC", "C,G")), min_size=n, max_size=n))
    lines = [f"1\t{at}\tv{at}\tA\t{alt}" for at, alt in enumerate(alts)]
    lines.insert(data.draw(st.integers(0, n)), "")
    text = ("#CHROM\tPOS\tID\tREF\tALT\n" + "\n".join(lines)).encode()
    start = data.draw(st.integers(0, n))
    stop = data.draw(st.integers(start, n))
    whole = [("1", at, f"v{at}", "A", alt.split(",")) for at, alt in enumerate(alts)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_columns, "_READ_BYTES", data.draw(st.integers(1, 50)))
        patch.setattr(text_columns, "ROWS_A_MARK", data.draw(st.integers(1, 7)))
        source = zstd(text) if data.draw(st.booleans()) else text
        assert sites_of(source, start, stop) == whole[start:stop]


def test_qual_and_filter_of_a_pvar_are_kept() -> None:
    text = b"#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\n1\t5\t.\tA\tC\t31.5\tq10;s50\n"
    for source, expected in (
        (text, ("31.5", "q10;s50")),
        (text.replace(b"QUAL\tFILTER", b"CM\tX"), (".", ".")),
    ):
        file = io.BytesIO(source)
        row = read_sites(file, open_sites(file, "x.pvar")).to_pylist()[0]
        assert (row["qual"], row["filter"]) == expected


def test_sites_that_do_not_fit_are_refused() -> None:
    assert "has no column REF" in refusal(
        lambda file: open_sites(file, "x"), b"#CHROM\tPOS\tID\tALT\n1\t1\t.\tC\n"
    )
    assert "has no column POS" in refusal(lambda file: open_sites(file, "x"), b"1 rs1\n")
    assert "has no column" in refusal(lambda file: open_sites(file, "x"), b"")
    assert "has 1 variants, but the genotype file has 2" in refusal(
        lambda file: open_sites(file, "x", 2), b"1 rs1 0 5 C A\n"
    )

    def read(file: io.BytesIO) -> None:
        read_sites(file, open_sites(file, "x"))

    assert "row 1 (counted from 0, without header and blank lines) has 3 fields, needed are 6" in refusal(
        read, b"1 rs1 0 5 C A\n1 rs2 0\n"
    )
    assert "not a whole number of 32 bits" in refusal(read, b"1 rs1 0 5x C A\n")
    assert "not a whole number of 32 bits" in refusal(read, b"1 rs1 0 5000000000 C A\n")
    assert "not UTF-8" in refusal(read, b"1 rs\xff 0 5 C A\n")
    assert "not UTF-8" in refusal(read, b"#\xff\n1 rs 0 5 C A\n")


def test_damaged_zstd_is_refused() -> None:
    text = "#CHROM\tPOS\tID\tREF\tALT\n" + "".join(
        f"1\t{at}\trs{at * 7919 % 1000}\tA\tC\n" for at in range(300)
    )
    data = zstd(text.encode())

    def read(file: io.BytesIO) -> None:
        read_sites(file, open_sites(file, "x.pvar.zst", 300))

    refused_at_every_cut(read, data, step=7)
    survives_damage(read, data, 300)
    survives_damage(read, text.encode(), 300)


def test_ids_are_text() -> None:
    psam = b"#FID\tIID\tSEX\tPHENO1\nf\t007\t1\tNA\nf\t7\tf\tNA\nf\tx\tNA\tNA\n"
    expected = ["007", "7", "x"]
    assert samples_of(psam) == expected
    assert samples_of(b"f 007 0 0 1 -9\nf 7 0 0 2 -9\nf x 0 0 0 -9\n") == expected
    assert samples_of(b"##x\n#IID\n1\n2\n") == ["1", "2"]
    assert samples_of(b"#IID SEX\n1 M\n") == ["1"]


def test_an_oxford_sample_file_has_two_header_lines() -> None:
    assert oxford_of(b"ID_1 ID_2 missing sex\n0 0 0 D\nf 01 0 2\nf 1 0 NA\n") == ["01", "1"]
    assert oxford_of(b"ID missing\n0 0\na 0\nb 0\n") == ["a", "b"]
    assert "begins with 0" in refusal(lambda file: read_oxford_samples(file, "x"), b"ID\na\nb\n")
    assert "two header lines" in refusal(lambda file: read_oxford_samples(file, "x"), b"ID\n")
    assert "has 1 samples, but the genotype file has 3" in refusal(
        lambda file: read_oxford_samples(file, "x", 3), b"ID\n0\nb\n"
    )


def test_samples_that_do_not_fit_are_refused() -> None:
    def refused(data: bytes) -> str:
        return refusal(lambda file: read_samples(file, "x.psam"), data)

    assert "2 sample ids come more than once: a, b" in refused(b"#FID IID\n1 a\n2 a\n1 b\n2 b\n1 c\n")
    assert "has no samples" in refused(b"")
    assert "has no samples" in refused(b"#IID\n")
    assert "has the id 0 or none" in refused(b"#IID\n0\n")
    assert "begins with #IID or #FID IID" in refused(b"#ID\na\n")
    assert "row 1" in refused(b"1 a 0 0 1\n1 b\n")
    assert "has 2 samples, but the genotype file has 3" in refusal(
        lambda file: read_samples(file, "x.psam", 3), b"#IID\na\nb\n"
    )

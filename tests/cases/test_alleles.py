"""Which alleles a record gives, and in which form."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pysam
import pytest

from allofus_spark.genome import ReferenceSequence, load_build
from tests.cases.plain_ingest import HET, HOM_ALT, HOM_REF, MISSING, parse_file
from tests.cases.vcf_files import gt_record, vcf_text, write_bytes


def test_alleles_are_split_trimmed_from_the_right_first_and_star_is_none(cases: Path) -> None:
    folder = cases / "04_star_minrep_split"
    expected = json.loads((folder / "expected.json").read_text())
    parsed = parse_file(folder / "input.vcf")
    counts = {
        key: {"AC": sum(calls), "AN": 2 * len(calls), "hom": calls.count(HOM_ALT)}
        for key, calls in parsed.calls.items()
    }
    rows = [{"key": key, **count} for key, count in counts.items()]
    assert sorted(rows, key=str) == sorted(expected["rows_in_order"], key=str)
    assert not counts.keys() & set(expected["must_not_contain_keys"])


def test_indels_are_left_aligned_and_named_as_known_sites_are(cases: Path, tmp_path: Path) -> None:
    folder = cases / "07_leftalign_known_sites"
    fasta = write_bytes(tmp_path / "toy.fa", (folder / "ref.fa").read_bytes())
    pysam.faidx(str(fasta))
    build = load_build(str(fasta))
    reference = ReferenceSequence(fasta, build)
    calls = parse_file(folder / "input.vcf", build=build, reference=reference).calls
    known = parse_file(folder / "known.vcf", build=build, reference=reference).calls
    flags = json.loads((folder / "expected.json").read_text())["flags"]
    forms = [flag.get("normal_form", flag["input"]) for flag in flags]
    assert list(calls) == forms
    assert [form in known for form in forms] == [flag["in_known"] for flag in flags]


def test_a_record_whose_ref_is_not_the_reference_is_refused(cases: Path, tmp_path: Path) -> None:
    folder = cases / "16_contig_names_and_build"
    fasta = write_bytes(tmp_path / "toy.fa", (folder / "ref.fa").read_bytes())
    pysam.faidx(str(fasta))
    build = load_build(str(fasta))
    path = folder / "ref_mismatch.vcf"
    parsed = parse_file(path, build=build, reference=ReferenceSequence(fasta, build))
    positions = json.loads((folder / "expected.json").read_text())["ref_mismatch.vcf"]["positions"]
    assert parsed.reasons == [("ref_mismatch", "chrT", str(position)) for position in positions]
    assert len(parsed.alleles) == 2
    assert len(parse_file(path, build=build).alleles) == 5  # without a reference nothing can be told


def test_symbolic_alleles_are_kept_as_written_and_reference_blocks_are_none(cases: Path) -> None:
    folder = cases / "08_symbolic_and_long_alleles"
    expected = json.loads((folder / "expected.json").read_text())
    parsed = parse_file(folder / "input.vcf")
    assert parsed.counters["records_read"] == expected["n_input_rows"]
    assert parsed.counters["records_without_alt"] == 1
    assert parsed.counters["records_refused"] == 0
    short = {key: calls for key, calls in parsed.calls.items() if len(key) < 100}
    assert short == {
        "chr2:100000:T:<DEL>": [HET, HOM_REF, HOM_REF],
        "chr2:150000:A:<INS:ME:ALU>": [HOM_REF, HET, HOM_REF],
        "chr2:200000:G:G[chr7:5000000[": [HOM_REF, HOM_REF, HET],
        "chr2:250101:G:C": [HET, HOM_REF, HOM_ALT],
    }
    deletion, insertion = (row for row in parsed.alleles if row["position"] >= 300000)
    long = expected["long"]
    assert _length_and_hash(deletion["ref"]) == (
        long["chr2:300000"]["ref_len"],
        long["chr2:300000"]["ref_sha256"],
    )
    assert _length_and_hash(insertion["alt"]) == (
        long["chr2:400000"]["alt_len"],
        long["chr2:400000"]["alt_sha256"],
    )


def _length_and_hash(allele: str) -> tuple[int, str]:
    return len(allele), hashlib.sha256(allele.encode()).hexdigest()


@pytest.mark.parametrize(
    ("alt", "gts", "kept"),
    [
        ("*", ["0/1", "1/1"], {}),
        ("<*>", ["0/1", "1/1"], {}),
        ("<NON_REF>", ["0/0", "0/1"], {}),
        (".", ["0/0", "./."], {}),
        ("<*>,T", ["1/2", "2/2"], {"T": [HET, HOM_ALT]}),
        ("T,<NON_REF>", ["0/2", "1/."], {"T": [HOM_REF, MISSING]}),
        ("G.", ["0/1", "0/0"], {"G.": [HET, HOM_REF]}),
        (".G", ["0/1", "0/0"], {".G": [HET, HOM_REF]}),
        ("]chr7:5]A", ["0/1", "0/0"], {"]chr7:5]A": [HET, HOM_REF]}),
        ("A[<ctg1>:7[", ["0/1", "0/0"], {"A[<ctg1>:7[": [HET, HOM_REF]}),
        ("<CN0>,<CN2>", ["1/2", "0/0"], {"<CN0>": [HET, HOM_REF], "<CN2>": [HET, HOM_REF]}),
        ("<non_ref>", ["0/1", "0/0"], {"<non_ref>": [HET, HOM_REF]}),
        ("<DUP:TANDEM>", ["1/1", "0/0"], {"<DUP:TANDEM>": [HOM_ALT, HOM_REF]}),
    ],
)
def test_alternates_that_are_not_bases(alt: str, gts: list[str], kept: dict, tmp_path: Path) -> None:
    parsed = parse_file(write_bytes(tmp_path / "a.vcf", vcf_text([gt_record(*gts, alt=alt)])))
    assert {row["alt"]: parsed.calls[f"chr1:100:A:{row['alt']}"] for row in parsed.alleles} == kept
    assert parsed.counters["records_without_alt"] == (not kept)


@pytest.mark.parametrize(
    "alt",
    ["", "A", "a", "T,T", "T,t", "<DEL>,<DEL>", "T,", ",T", "T,,C", "R", "T-", "<DEL", "DEL>", "<>", "A T",
     "[chr1:5[", "A[chr1:5]", "A[chr1:5", "..", "A.T", "1", "T,.", "<A><B>"],
)  # fmt: skip
def test_alternates_that_are_none_are_refused(alt: str, tmp_path: Path) -> None:
    line = "\t".join(["chr1", "100", ".", "A", alt, ".", "PASS", ".", "GT", "0/1", "0/0"]) + "\n"
    parsed = parse_file(write_bytes(tmp_path / "a.vcf", vcf_text([]) + line))
    assert parsed.reasons == [("bad_alt", "chr1", "100")]


@pytest.mark.parametrize("ref", ["", ".", "A,C", "<DEL>", "A*", "Z", "A C", "-"])
def test_refs_that_are_not_bases_are_refused(ref: str, tmp_path: Path) -> None:
    line = "\t".join(["chr1", "100", ".", ref, "T", ".", "PASS", ".", "GT", "0/1", "0/0"]) + "\n"
    parsed = parse_file(write_bytes(tmp_path / "a.vcf", vcf_text([]) + line))
    assert parsed.reasons == [("bad_ref", "chr1", "100")]


def test_lower_case_bases_are_the_same_alleles(tmp_path: Path) -> None:
    record = gt_record("0/1", "1/2", ref="cagt", alt="cAgA,c")
    assert parse_file(write_bytes(tmp_path / "a.vcf", vcf_text([record]))).calls == {
        "chr1:103:T:A": [HET, HET],
        "chr1:100:CAGT:C": [HOM_REF, HET],
    }


def test_records_with_more_alternates_than_allowed_are_refused(tmp_path: Path) -> None:
    def record(n_alts: int, pos: int) -> str:
        alts = ",".join("A" + "C" * number for number in range(1, n_alts + 1))
        return gt_record(f"0/{n_alts}", "0/0", alt=alts, pos=pos)

    parsed = parse_file(write_bytes(tmp_path / "a.vcf", vcf_text([record(50, 100), record(51, 200)])))
    assert parsed.reasons == [("excess_alleles", "chr1", "200")]
    assert len(parsed.alleles) == 50
    assert parsed.calls[f"chr1:100:A:A{'C' * 50}"] == [HET, HOM_REF]


def test_an_alt_number_of_two_digits(tmp_path: Path) -> None:
    alts = ",".join("A" + "C" * number for number in range(1, 13))
    gts = ["1/12", "12|12", "10/1", "0/11"]
    samples = [f"S{number}" for number in range(4)]
    calls = parse_file(write_bytes(tmp_path / "a.vcf", vcf_text([gt_record(*gts, alt=alts)], samples))).calls
    assert calls[f"chr1:100:A:A{'C' * 12}"] == [HET, HOM_ALT, HOM_REF, HOM_REF]
    assert calls["chr1:100:A:AC"] == [HET, HOM_REF, HET, HOM_REF]
    assert calls[f"chr1:100:A:A{'C' * 11}"] == [HOM_REF, HOM_REF, HOM_REF, HET]

"""Which calls are stored for a GT, by how many copies are meant."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.cases.plain_ingest import HET, HOM_ALT, HOM_REF, MISSING, parse_file
from tests.cases.vcf_files import gt_record, vcf_text, write_bytes

# GT: the call where two copies are meant, where one is, and where neither is known (sex not known on X or Y,
# XX on Y). Written down from the policy, not computed.
TWO, ONE, EITHER = range(3)
CALLS = {
    "0/0": (HOM_REF, HOM_REF, HOM_REF),
    "0|1": (HET, HET, HET),
    "1/0": (HET, HET, HET),
    "1|1": (HOM_ALT, HOM_ALT, HOM_ALT),
    "/0/1": (HET, HET, HET),
    "./.": (MISSING, MISSING, MISSING),
    ".": (MISSING, MISSING, MISSING),
    "./1": (MISSING, HOM_ALT, MISSING),
    "1/.": (MISSING, HOM_ALT, MISSING),
    ".|1": (MISSING, HOM_ALT, MISSING),
    "1|.": (MISSING, HOM_ALT, MISSING),
    "./0": (MISSING, HOM_REF, MISSING),
    "0|.": (MISSING, HOM_REF, MISSING),
    "1": (MISSING, HOM_ALT, HOM_ALT),
    "0": (MISSING, HOM_REF, HOM_REF),
    "/1": (MISSING, HOM_ALT, HOM_ALT),
    "|0": (MISSING, HOM_REF, HOM_REF),
    "0/0/1": (MISSING, MISSING, MISSING),
    "1/1/1": (MISSING, MISSING, MISSING),
    "0/1/.": (MISSING, MISSING, MISSING),
    "././.": (MISSING, MISSING, MISSING),
}
PLACES = [
    ("chr1", 100, "XY", TWO),
    ("chrX", 1_000_000, "XY", TWO),  # PAR1
    ("chrX", 155_800_000, "XY", TWO),  # PAR2
    ("chrX", 50_000_000, "XX", TWO),
    ("chrX", 50_000_000, "XY", ONE),
    ("chrX", 50_000_000, "other", EITHER),
    ("chrX", 50_000_000, "", EITHER),
    ("chrY", 10_000_000, "XY", ONE),
    ("chrY", 10_000_000, "XX", EITHER),
    ("chrY", 10_000_000, "", EITHER),
    ("chrM", 73, "XX", ONE),
    ("chrM", 73, "", ONE),
    ("chrY", 1_000_000, "XY", TWO),  # PAR1 of Y
    ("chrUn_KI270302v1", 50, "XY", TWO),
    ("chrX_KI270880v1_alt", 50, "XY", TWO),
]


@pytest.mark.parametrize(("contig", "pos", "sex", "meant"), PLACES)
@pytest.mark.parametrize("form", ["{}", "{}:7"])
def test_every_gt_at_every_ploidy(
    contig: str, pos: int, sex: str, meant: int, form: str, tmp_path: Path
) -> None:
    samples = [f"S{number}" for number in range(len(CALLS))]
    record = gt_record(*map(form.format, CALLS), pos=pos, contig=contig)
    if form != "{}":
        record = record.replace(" GT ", " GT:DP ")
    path = write_bytes(tmp_path / "calls.vcf", vcf_text([record], samples))
    parsed = parse_file(path, sex=dict.fromkeys(samples, sex))
    (calls,) = parsed.calls.values()
    assert dict(zip(CALLS, calls, strict=True)) == {gt: call[meant] for gt, call in CALLS.items()}
    halves = {TWO: 6, ONE: 0, EITHER: 6}[meant]
    haploids = 4 if meant == TWO else 0
    tallies = Counter({name.rpartition("_")[2]: n for name, n in parsed.counters.items() if "calls_" in name})
    assert tallies == Counter(half=halves, haploid=haploids, polyploid=3)


@pytest.mark.parametrize(
    "gt",
    ["", "0|", "|", "0/", "0//1", "/", "1.", "0/1/", "0/2", "-1", "01", "0/1 ", "0\\1", "a/b", "0/1/2",
     "0/99999999999999999999", "+1", "٠/١", "0.5", ".."],
)  # fmt: skip
@pytest.mark.parametrize("place", [0, 1])
def test_a_record_with_a_gt_that_is_none_is_refused_whole(gt: str, place: int, tmp_path: Path) -> None:
    gts = ["0/1", "0/1"]
    gts[place] = gt
    line = "\t".join(["chr1", "100", ".", "A", "T", ".", "PASS", ".", "GT", *gts])
    good = gt_record("0/1", "0/0", pos=200)
    path = write_bytes(tmp_path / "bad.vcf", vcf_text([]) + line + "\n" + good.replace(" ", "\t") + "\n")
    parsed = parse_file(path)
    assert parsed.reasons == [("bad_genotype", "chr1", "100")]
    assert parsed.calls == {"chr1:200:A:T": [HET, HOM_REF]}


def test_other_alternates_count_as_not_this_one(tmp_path: Path) -> None:
    gts = ["1/2", "2/2", "0/3", "3|1", "./2", "2"]
    samples = [f"S{number}" for number in range(len(gts))]
    path = write_bytes(tmp_path / "c.vcf", vcf_text([gt_record(*gts, alt="T,C,G")], samples))
    assert parse_file(path).calls == {
        "chr1:100:A:T": [HET, HOM_REF, HOM_REF, HET, MISSING, MISSING],
        "chr1:100:A:C": [HET, HOM_ALT, HOM_REF, HOM_REF, MISSING, MISSING],
        "chr1:100:A:G": [HOM_REF, HOM_REF, HET, HET, MISSING, MISSING],
    }


def test_gt_is_found_wherever_format_puts_it(tmp_path: Path) -> None:
    records = [
        "chr1 100 . A T . PASS . GT:DP 0/1:5 1/1",
        "chr1 200 . A T . PASS . DP:GT 5:0/1 7:1/1",
        "chr1 300 . A T . PASS . DP:GT:GQ 5:0/1:9 7:1/1",
        "chr1 400 . A T . PASS . DP:GT 5 7:1/1",  # trailing values may be left out, GT too
        "chr1 500 . A T . PASS . DP 5 7",
        "chr1 600 . A T . PASS . . . .",
        "chr1 700 . A T . PASS . GTX:XGT:gt 0/1:0/1:0/1 0/1:0/1:0/1",
    ]
    calls = parse_file(write_bytes(tmp_path / "c.vcf", vcf_text(records))).calls
    assert [calls[f"chr1:{pos}:A:T"] for pos in (100, 200, 300)] == [[HET, HOM_ALT]] * 3
    assert calls["chr1:400:A:T"] == [MISSING, HOM_ALT]
    assert [calls[f"chr1:{pos}:A:T"] for pos in (500, 600, 700)] == [[MISSING, MISSING]] * 3


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ("GT:GT 0/1:0/1 0/0:0/0", "bad_format"),
        ("GT:DP 0/1:1:2 0/0:1", "bad_genotype"),  # more values than keys
        ("GT 0/1", "column_count"),
        ("GT 0/1 0/0 0/0", "column_count"),
        ("GT", "column_count"),
    ],
)
def test_columns_that_do_not_fit_are_refused(columns: str, reason: str, tmp_path: Path) -> None:
    path = write_bytes(tmp_path / "c.vcf", vcf_text([f"chr1 100 . A T . PASS . {columns}"]))
    assert parse_file(path).reasons == [(reason, "chr1", "100")]


def test_a_file_without_a_gt_header_line_is_read(cases: Path) -> None:
    calls = parse_file(cases / "10_gt_missing_or_undeclared" / "undeclared_gt.vcf").calls
    assert calls == {"chr1:500:A:T": [HET, HET]}


@pytest.mark.parametrize("samples", [0, 1, 3, 4, 5, 8, 9])
def test_any_number_of_samples(samples: int, tmp_path: Path) -> None:
    names = [f"S{number}" for number in range(samples)]
    gts = ["0/1", "1/1", "./.", "0/0"] * 3
    text = vcf_text([gt_record(*gts[:samples])], names)
    (row,) = parse_file(write_bytes(tmp_path / "c.vcf", text)).calls.values()
    assert row == [HET, HOM_ALT, MISSING, HOM_REF, HET, HOM_ALT, MISSING, HOM_REF, HET][:samples]


def test_a_line_of_a_hundred_thousand_samples_is_held_to_the_header(tmp_path: Path) -> None:
    n_samples = 100_000
    names = [f"S{number}" for number in range(n_samples)]
    lines = [gt_record(*(["0/1"] * count), pos=count) for count in (n_samples, n_samples + 1, n_samples - 1)]
    parsed = parse_file(write_bytes(tmp_path / "wide.vcf", vcf_text(lines, names)), chunk_bytes=1 << 16)
    assert parsed.reasons == [("column_count", "chr1", "100001"), ("column_count", "chr1", "99999")]
    assert parsed.calls == {"chr1:100000:A:T": [HET] * n_samples}

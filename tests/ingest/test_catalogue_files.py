"""Sites of catalogues: what counts in a record, what a table's columns may be called, how alleles meet."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pysam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from allofus_spark.errors import BadSource, BuildMismatch
from allofus_spark.genome import ReferenceSequence, load_build
from allofus_spark.ingest.catalogue import ranges as ranges_module
from allofus_spark.ingest.catalogue import sites as sites_module
from allofus_spark.ingest.catalogue.merge import KnownRows, RangeRows
from allofus_spark.ingest.catalogue.ranges import Piece, cut_ranges, in_groups
from allofus_spark.ingest.vcf import staging
from tests.cases.plain_catalogue import parse_catalogue
from tests.cases.vcf_files import vcf_text, write_bgzip, write_bytes, write_gzip


def sites_vcf(path: Path, *records: str, meta: tuple[str, ...] = ()) -> Path:
    """A sites-only VCF of ``CONTIG POS ID REF ALT`` records."""
    return write_bytes(path, vcf_text([f"{record} . . ." for record in records], None, meta=meta))


# -- records ---------------------------------------------------------------------------------------


def test_rows_of_several_alternates_become_an_allele_each(tmp_path: Path) -> None:
    path = sites_vcf(
        tmp_path / "a.vcf", "chr1 100 rs1 A C,G,T", "chr1 200 rs2;rs3 CAA C,CA", "chr1 300 . G ."
    )
    parsed = parse_catalogue(path)
    assert parsed.sites == [
        ("chr1:100:A:C", "rs1"),
        ("chr1:100:A:G", "rs1"),
        ("chr1:100:A:T", "rs1"),
        ("chr1:200:CAA:C", "rs2;rs3"),
        ("chr1:200:CA:C", "rs2;rs3"),
    ]
    assert (parsed.counters["records_kept"], parsed.counters["records_without_alt"]) == (2, 1)


def test_more_alternates_than_a_callset_may_have(tmp_path: Path) -> None:
    alts = ",".join("A" + "C" * n for n in range(1, 100))
    assert len(parse_catalogue(sites_vcf(tmp_path / "a.vcf", f"chr1 100 rs1 A {alts}")).sites) == 99


def test_what_is_no_sequence_of_its_own_is_dropped_and_what_has_no_normal_form_is_counted(
    tmp_path: Path,
) -> None:
    path = sites_vcf(
        tmp_path / "a.vcf",
        "chr2 1 . G C,<NON_REF>,*,<*>",
        "chr2 2 . T <DEL>",
        "chr2 3 . A <INS:ME:ALU>,T",
        "chr2 4 . G G[chr7:5000000[",
        "chr2 5 . G <NON_REF>",
    )
    parsed = parse_catalogue(path)
    assert parsed.keys == ["chr2:1:G:C", "chr2:3:A:T"]
    assert parsed.counters["alleles_not_comparable"] == 3
    assert (parsed.counters["records_kept"], parsed.counters["records_without_alt"]) == (2, 3)


def test_case_08_keeps_long_alleles_and_counts_symbolic_ones(cases: Path) -> None:
    parsed = parse_catalogue(cases / "08_symbolic_and_long_alleles" / "input.vcf")
    assert parsed.counters["records_read"] == 7
    assert not any("<" in key for key in parsed.keys)
    longest = sorted(len(key) for key in parsed.keys)[-2:]
    assert longest == [33001 + len("chr2:400000:A:"), 40001 + len("chr2:300000::A")]


def test_letters_have_no_case_and_an_alternate_that_is_the_reference_is_refused(tmp_path: Path) -> None:
    parsed = parse_catalogue(sites_vcf(tmp_path / "a.vcf", "chr1 100 rs1 a g", "chr1 200 rs2 A a"))
    assert parsed.sites == [("chr1:100:A:G", "rs1")]
    assert parsed.reasons == [("bad_alt", "chr1", "200")]


@pytest.mark.parametrize(
    "calls", ["GT 0/1 0/9", "GT:GT 0/1 0/1", "GT x", "GT", "AD . . . .", ""], ids=lambda text: text or "none"
)
def test_calls_are_not_looked_at(calls: str, tmp_path: Path) -> None:
    text = vcf_text([f"chr1 100 rs1 A T . PASS . {calls}".strip()], ["S1", "S2"])
    assert parse_catalogue(write_bytes(tmp_path / "a.vcf", text)).sites == [("chr1:100:A:T", "rs1")]


def test_neither_are_samples(tmp_path: Path) -> None:
    block = ['##ALT=<ID=NON_REF,Description="reference block">']
    one = vcf_text(["chr1 100 rs1 A T . PASS . GT 0/1"], ["S1"], meta=block)
    assert parse_catalogue(write_bytes(tmp_path / "gvcf.vcf", one)).keys == ["chr1:100:A:T"]
    twice = vcf_text(["chr1 200 rs1 A T . PASS . GT 0/1 0/1"], ["S1", "S1"])
    assert parse_catalogue(write_bytes(tmp_path / "twice.vcf", twice)).keys == ["chr1:200:A:T"]
    both = write_bytes(tmp_path / "both.vcf", one + twice)
    assert parse_catalogue(both).keys == ["chr1:100:A:T", "chr1:200:A:T"]


def test_a_line_without_all_fixed_columns_is_refused(tmp_path: Path) -> None:
    text = vcf_text(["chr1 100 rs1 A T . PASS .", "chr1 101 rs1 A T . PASS"], None)
    assert parse_catalogue(write_bytes(tmp_path / "a.vcf", text)).reasons == [("column_count", "chr1", "101")]


# -- contigs and the reference ---------------------------------------------------------------------


@pytest.mark.parametrize("spelling", ["chr21", "21", "NC_000021.9"])
def test_contigs_get_the_build_s_names(spelling: str, tmp_path: Path) -> None:
    path = sites_vcf(tmp_path / "a.vcf", f"{spelling} 25000001 rs1 C T")
    assert parse_catalogue(path).keys == ["chr21:25000001:C:T"]


def test_contigs_that_the_build_does_not_list_keep_their_names(tmp_path: Path) -> None:
    path = sites_vcf(tmp_path / "a.vcf", "NW_009646201.1 10 rs1 C T", "NC_012920.1 73 rs2 A G")
    assert parse_catalogue(path).keys == ["NW_009646201.1:10:C:T", "chrM:73:A:G"]


def test_another_build_is_refused_by_accession_and_by_length(cases: Path, tmp_path: Path) -> None:
    path = sites_vcf(tmp_path / "a.vcf", "NC_000021.8 25000001 rs1 C T")
    with pytest.raises(BuildMismatch, match=r"NC_000021\.8 is 21 of GRCh37, but the build here is GRCh38"):
        parse_catalogue(path)
    with pytest.raises(BuildMismatch, match="GRCh37"):
        parse_catalogue(cases / "16_contig_names_and_build" / "build37_header.vcf")


def test_a_reference_that_is_not_the_fasta_s_is_refused(cases: Path, tmp_path: Path) -> None:
    folder = cases / "16_contig_names_and_build"
    fasta = write_bytes(tmp_path / "ref.fa", (folder / "ref.fa").read_bytes())
    pysam.faidx(str(fasta))
    build = load_build(str(fasta))
    reference = ReferenceSequence(fasta, build)
    parsed = parse_catalogue(folder / "ref_mismatch.vcf", build=build, reference=reference)
    assert [(reason, int(pos)) for reason, _, pos in parsed.reasons] == [
        ("ref_mismatch", 15), ("ref_mismatch", 40), ("ref_mismatch", 90),
    ]  # fmt: skip


def test_n_in_a_reference_allele_contradicts_no_base(tmp_path: Path) -> None:
    fasta = write_bytes(tmp_path / "r.fa", ">c1\nACGTACGTNN\n")
    pysam.faidx(str(fasta))
    build = load_build(str(fasta))
    path = sites_vcf(tmp_path / "a.vcf", "c1 1 . N T", "c1 2 . CNT C", "c1 9 . A T", "c1 3 . T A")
    parsed = parse_catalogue(path, build=build, reference=ReferenceSequence(fasta, build))
    assert parsed.keys == ["c1:1:N:T", "c1:2:CNT:C", "c1:9:A:T"]
    assert parsed.reasons == [("ref_mismatch", "c1", "3")]


# -- tables ----------------------------------------------------------------------------------------

ROWS = [("chr1", 100, "rs1", "A", "C,G"), ("2", 200, "", "cag", "C"), ("X", 300, "rs3;rs4", "T", "TA")]
EXPECTED = [
    ("chr1:100:A:C", "rs1"),
    ("chr1:100:A:G", "rs1"),
    ("chr2:200:CAG:C", None),
    ("chrX:300:T:TA", "rs3;rs4"),
]


def table(header: str, rows: list[str]) -> str:
    return "\n".join([header, *rows]) + "\n"


@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("#CHROM\tPOS\tID\tREF\tALT", "{0}\t{1}\t{2}\t{3}\t{4}"),
        ("chr\tposition\trsid\tref_allele\talt_allele\taf", "{0}\t{1}\t{2}\t{3}\t{4}\t0.5"),
        ("AF\tAlt\tReference\tknown_id\tContig\tstart\tPos", "0.5\t{4}\t{3}\t{2}\t{0}\t7\t{1}"),
        ("##made by hand\n#chrom\tpos\tRS\tref\talt", "{0}\t{1}\t{2}\t{3}\t{4}"),
        ("variant_id\tid", "{0}-{1}-{3}-{4}\t{2}"),
        ("id,VID", '{2},"{0}:{1}:{3}:{4}"'),
        ("note,chrom,pos,id,ref,alt", '"a, ""b""",{0},{1},{2},{3},"{4}"'),
    ],
    ids=["vcf-like", "long-names", "any-order", "comments", "variant-id", "csv-variant-id", "csv-quoted"],
)
@pytest.mark.parametrize("write", [write_bytes, write_gzip, write_bgzip], ids=["text", "gzip", "bgzip"])
def test_columns_are_found_by_name(
    header: str, row: str, write: Callable[[Path, str], Path], tmp_path: Path
) -> None:
    path = write(tmp_path / "a.tsv", table(header, [row.format(*values) for values in ROWS]))
    assert parse_catalogue(path).sites == EXPECTED


def test_variant_ids_alone(tmp_path: Path) -> None:
    ids = ["22-19963748-G-A", "HLA-A*01:01-5-A-C", "MT-73-A-G", "22-19963748-G", "nonsense"]
    parsed = parse_catalogue(write_bytes(tmp_path / "a.txt", table("vid", ids)))
    assert parsed.keys == ["chr22:19963748:G:A", "HLA-A*01:01:5:A:C", "chrM:73:A:G"]
    assert [reason for reason, _, _ in parsed.reasons] == ["bad_position", "bad_position"]


def test_rows_that_are_no_sites_are_refused_one_by_one(tmp_path: Path) -> None:
    rows = [
        "1\t100\tA\tC", "1\t100\tA", "1\t100\tA\tC\tx", "\t100\tA\tC", "1\t0\tA\tC", "1\t5\tA\t-",
        "", "1\t6\t\tC", "\t\t\t", "# no site", "1\t7\tA\tT\r",
    ]  # fmt: skip
    parsed = parse_catalogue(write_bytes(tmp_path / "a.tsv", table("chrom\tpos\tref\talt", rows)))
    assert parsed.keys == ["chr1:100:A:C", "chr1:7:A:T"]
    assert [reason for reason, _, _ in parsed.reasons] == [
        "column_count", "column_count", "bad_chrom", "bad_position", "bad_alt", "bad_ref", "bad_chrom",
        "column_count",
    ]  # fmt: skip
    assert parsed.counters["lines_blank"] == 1


def test_joined_tables_repeat_the_header(tmp_path: Path) -> None:
    for header in ("#CHROM\tPOS\tREF\tALT", "chrom\tpos\tref\talt"):
        text = table(header, ["1\t100\tA\tC"])
        parsed = parse_catalogue(write_bytes(tmp_path / "a.tsv", text + text.replace("100", "200")))
        assert parsed.keys == ["chr1:100:A:C", "chr1:200:A:C"]
        assert (parsed.counters["lines_header"], parsed.counters["records_read"]) == (2, 2)


def test_a_row_s_place_does_not_depend_on_how_the_file_is_read(tmp_path: Path) -> None:
    rows = [f"1\t{pos}\tA\t{'C' * (pos % 7 + 1)}" if pos % 5 else f"1\t{pos}\tA" for pos in range(1, 400)]
    text = table("## a note\nchrom\tpos\tref\talt", rows)
    paths = [write_bytes(tmp_path / "a.tsv", text), write_bgzip(tmp_path / "a.gz", text, block_bytes=300)]
    for path in paths:
        whole = parse_catalogue(path)
        assert len(whole.sites) == 320
        places = [row["source_offset"] for row in whole.refused]
        for split_bytes, chunk_bytes in ((97, 64), (1000, 11), (1 << 20, 500)):
            again = parse_catalogue(path, split_bytes=split_bytes, chunk_bytes=chunk_bytes)
            assert again.sites == whole.sites
            assert [row["source_offset"] for row in again.refused] == places
    lines = text.split("\n")
    starts = [sum(len(line) + 1 for line in lines[:number]) for number in range(len(lines))]
    of_text = [row["source_offset"] for row in parse_catalogue(paths[0]).refused]
    assert of_text == [start for start, line in zip(starts, lines, strict=True) if line.count("\t") == 2]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (
            "chrom\tstart\tref\talt",
            r"no column for position \(pos, position\).* chrom, start, ref, alt",
        ),
        ("a,b", r"neither a VCF .* contig \(chrom, .*\); position \(.*\); ref \(.*\); alt .* names: a, b\."),
        ("## only\n## comments", "no line that names columns"),
        ("chrom\tpos\tref\talt\tPOS", "the header names pos more than once"),
    ],
)
def test_missing_columns_are_named_with_those_that_there_are(
    header: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(BadSource, match=message):
        parse_catalogue(write_bytes(tmp_path / "a.tsv", header + "\n"))


def test_a_table_cut_inside_its_gzip_stream_is_refused(tmp_path: Path) -> None:
    rows = [f"1\t{random.Random(pos).randrange(1, 10**8)}\tA\tC" for pos in range(5000)]
    data = gzip.compress(table("chrom\tpos\tref\talt", rows).encode())
    with pytest.raises(BadSource, match=r"a\.tsv\.gz: "):
        parse_catalogue(write_bytes(tmp_path / "a.tsv.gz", data[: len(data) // 2]))


# -- alleles that meet -----------------------------------------------------------------------------

SITES = st.lists(
    st.tuples(
        st.sampled_from(["chr1", "chr2"]),
        st.integers(1, 30),
        st.sampled_from(["A", "AC"]),
        st.sampled_from(["G", "GT"]),
        st.sampled_from([None, "rs1", "rs2", "rs3;rs1", "rs10"]),
    ),
    min_size=1,
    max_size=60,
)
Site = tuple[str, int, str, str, "str | None"]


def united(sites: list[Site]) -> list[tuple[str, int, str, str, str | None]]:
    ids: dict[tuple[str, int, str, str], set[str]] = {}
    for *key, known in sites:
        ids.setdefault(tuple(key), set()).update(known.split(";") if known else ())  # type: ignore[arg-type]
    return [(*key, ";".join(sorted(names)) or None) for key, names in sorted(ids.items())]


def batch_of(sites: list[Site]) -> pa.RecordBatch:
    contig, position, ref, alt, ids = zip(*sites, strict=True)
    columns = {
        "row_kind": pa.repeat(staging.SITE, len(sites)),
        "contig": pa.array(contig),
        "position": pa.array(position, pa.int32()),
        "ref": pa.array(ref),
        "alt": pa.array(alt),
        "input_id": pa.array(ids, pa.string()),
    }
    return staging.staged_batch(columns, len(sites))


def rows_of(batches: list[tuple[str, pa.RecordBatch]]) -> list[tuple[object, ...]]:
    names = ["contig", "position", "ref", "alt", "known_id"]
    return [tuple(row.values()) for _, batch in batches for row in batch.select(names).to_pylist()]


MAKE = KnownRows("known", "1", 10)


@given(sites=SITES, sizes=st.lists(st.integers(1, 9), min_size=60, max_size=60))
def test_equal_alleles_meet_over_the_edges_of_batches(sites: list[Site], sizes: list[int]) -> None:
    ordered = sorted(sites, key=lambda site: site[:4])
    batches = []
    for size in sizes:
        if ordered:
            batches.append(batch_of(ordered[:size]))
            ordered = ordered[size:]
    assert rows_of(list(MAKE(batches))) == united(sites)


FILES = st.lists(st.lists(SITES, min_size=1, max_size=3), min_size=1, max_size=3)


@given(files=FILES, rows=st.integers(1, 40))
def test_equal_alleles_meet_over_files_and_pieces_in_any_order(
    files: list[list[list[Site]]], rows: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Ranges are read by two tasks; what each gives is sorted within a contig, and nothing is lost."""
    folder = str(tmp_path_factory.mktemp("pieces"))
    pieces = []
    for number, groups in enumerate(files):
        path = staging.staged_path(folder, number)
        with staging.write_staged(path) as file:
            for row_group, sites in enumerate(groups):
                file.write_batch(batch_of(sites))
                for contig in {site[0] for site in sites}:
                    own = [site[1] for site in sites if site[0] == contig]
                    pieces.append(Piece(path, row_group, contig, min(own), max(own), len(own)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranges_module, "_RANGE_ROWS", rows)
        patch.setattr(ranges_module, "_MOST_READING", 1000)
        ranges = cut_ranges(pieces)
    assert ranges is not None
    make = RangeRows(in_groups(ranges, 2), MAKE)
    found = []
    for number in range(len(make.groups)):
        own_rows = rows_of(list(make([pa.record_batch([pa.array([number])], names=["id"])])))
        for contig in ("chr1", "chr2"):
            keys = [row[1:4] for row in own_rows if row[0] == contig]
            assert keys == sorted(keys)  # type: ignore[type-var]
        found += own_rows
    assert sorted(found, key=lambda row: row[:4]) == united([site for f in files for g in f for site in g])  # type: ignore[type-var,index]


def test_pieces_that_lie_over_each_other_are_left_to_a_sort() -> None:
    def heap(rows: int, n: int, step: int) -> list[Piece]:
        return [Piece("p", k, "chr1", 1 + step * k, 2 * 10**6 + step * k, rows) for k in range(n)]

    assert cut_ranges(heap(1 << 17, 4, 2 * 10**6)) is not None
    assert cut_ranges(heap(1 << 17, 64, 1)) is None  # too much memory at once
    assert cut_ranges(heap(1 << 16, 31, 10**5)) is None  # too much read again and again


@given(sizes=st.lists(st.tuples(st.sampled_from(["site", "rejected"]), st.integers(1, 25)), max_size=20))
def test_pieces_have_as_many_rows_however_few_a_buffer_gives(sizes: list[tuple[str, int]]) -> None:
    """Only the last piece of a kind has fewer; rows of a kind keep their order."""
    number = 0
    batches = []
    for kind, size in sizes:
        columns = {
            "row_kind": pa.repeat(kind, size),
            "source_offset": pa.array(range(number, number + size), pa.int64()),
        }
        batches.append(staging.staged_batch(columns, size))
        number += size
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sites_module, "PIECE_ROWS", 10)
        pieces = list(sites_module.in_pieces(batches))
    for kind in ("site", "rejected"):
        own = [piece for piece in pieces if piece.column("row_kind")[0].as_py() == kind]
        assert all(piece.num_rows == 10 for piece in own[:-1])
        found = [offset for piece in own for offset in piece.column("source_offset").to_pylist()]
        assert found == [
            offset
            for (name, _), batch in zip(sizes, batches, strict=True)
            if name == kind
            for offset in batch.column("source_offset").to_pylist()
        ]


def test_long_alleles_make_smaller_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sites_module, "_PIECE_BYTES", 5000)
    long = [("chr1", position, "A", "C" * 2000, None) for position in range(1, 10)]
    pieces = list(sites_module.in_pieces(batch_of([site]) for site in long))  # type: ignore[arg-type]
    assert [piece.num_rows for piece in pieces] == [3, 3, 3]


def test_a_file_s_pieces_do_not_grow_with_the_text_of_its_lines(tmp_path: Path) -> None:
    """Thirty sites in chunks of one line each are one piece of the task's account."""
    info = "X=" + "1" * 300
    records = [f"chr1 {position} . A C . . {info}" for position in range(1, 31)]
    path = write_bytes(tmp_path / "a.vcf", vcf_text(records, None))
    parsed = parse_catalogue(path, chunk_bytes=400)
    assert len(parsed.sites) == 30
    assert parsed.pieces == [(0, "chr1", 1, 30, 30)]

"""Exports of a small cohort: the round trip, selections, and what stands at the target after a failure."""

from __future__ import annotations

import gzip
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyspark.sql import SparkSession

from allofus_spark.errors import BadSamples, BadSource, BuildMismatch, ContractViolation
from allofus_spark.export import export_genotypes, stage
from allofus_spark.export.parts import Part, order_parts
from allofus_spark.export.people import People
from allofus_spark.export.sites import SiteList, Span
from allofus_spark.export.variants import Variants
from allofus_spark.export.vcf import VCF_ENDING, Vcf
from allofus_spark.frequencies import compute_frequencies
from allofus_spark.genome import load_build
from allofus_spark.ingest import ingest_samples
from allofus_spark.settings import load_settings
from allofus_spark.tables import (
    GENOTYPES,
    VARIANT_SITES,
    WHOLE_TABLE,
    Keys,
    Warehouse,
    Write,
    start_run,
)
from tests.reference.engine import KEY, Frequencies, keys_of, read_calls, read_rows
from tests.reference.plain_alleles import Key
from tests.reference.plain_calls import plain_region
from tests.reference.sex_cohort import SAMPLES

from .cohort import BUILD, CONTIGS, OTHER_CONTIG, write_people
from .conftest import Export, Ingest


def lines_of(path: Path) -> Iterator[list[str]]:
    """Fields of the records of a VCF or a .pvar."""
    content = path.read_bytes()
    text = gzip.decompress(content) if path.suffix == ".gz" else content
    yield from (line.split("\t") for line in text.decode().splitlines() if not line.startswith("#"))


def exported_keys(path: Path) -> list[Key]:
    return [(fields[0], int(fields[1]), fields[3], fields[4]) for fields in lines_of(path)]


def genomic(keys: list[Key]) -> list[Key]:
    return sorted(keys, key=lambda key: (CONTIGS.index(key[0]), *key[1:]))


@dataclass(frozen=True)
class RoundTrip:
    """The cohort's exported VCF, its counters and text, and the warehouse that it was ingested into."""

    vcf: Path
    counters: dict[str, int]
    text: bytes
    again: Warehouse


@pytest.fixture(scope="module")
def round_trip(
    cohort: Warehouse, ingest_cohort: Ingest, tmp_path_factory: pytest.TempPathFactory
) -> RoundTrip:
    vcf = tmp_path_factory.mktemp("exported") / "x.vcf.gz"
    counters = export_genotypes(cohort, file_format="vcf", out=str(vcf))
    return RoundTrip(vcf, counters, gzip.decompress(vcf.read_bytes()), ingest_cohort(vcf))


def test_round_trip_is_the_identity(cohort: Warehouse, round_trip: RoundTrip) -> None:
    again = round_trip.again
    for name in ("n_samples", "encoding", "het_index", "hom_alt_index", "missing_index", "calls", *KEY):
        before, after = (read_rows(warehouse, GENOTYPES) for warehouse in (cohort, again))
        assert before[name].equals(after[name]), name
    for name in ("filters", "qual", "input_id", *KEY):
        before, after = (read_rows(warehouse, VARIANT_SITES) for warehouse in (cohort, again))
        assert before[name].equals(after[name]), name
    # No call is set to missing on the way back.
    tallies = ("n_half_calls_missing", "n_haploid_calls_missing", "n_polyploid_calls_missing")
    sites = read_rows(again, VARIANT_SITES)
    assert [pc.sum(sites[name]).as_py() for name in tallies] == [0, 0, 0]
    files = list(round_trip.vcf.parent.iterdir())
    assert {file.name for file in files} == {"x.vcf.gz", "x.vcf.gz.tbi"}
    assert round_trip.counters["bytes"] == sum(file.stat().st_size for file in files)


def test_haploid_only_where_one_copy_is_meant(round_trip: RoundTrip) -> None:
    """S000 is XX, S001 XY, S006 other, S007 not known; a stored het stays one."""
    haploid, diploid = {"0", "0/1", "1", "."}, {"0/0", "0/1", "1/1", "./."}
    seen: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for fields in lines_of(round_trip.vcf):
        region = plain_region(fields[0], int(fields[1]), BUILD)
        for name in ("S000", "S001", "S006", "S007"):
            seen[region, name].add(fields[9 + SAMPLES.index(name)])
    one_copy = {("MT", name) for name in ("S000", "S001", "S006", "S007")} | {("X", "S001"), ("Y", "S001")}
    assert len(seen) == 16
    for place, calls in seen.items():
        assert calls <= (haploid if place in one_copy else diploid), place
        assert len(calls) > 1, place


def test_order_is_that_of_the_build(cohort: Warehouse, export: Export) -> None:
    keys, _ = read_calls(cohort)
    path, counters = export("pgen")
    assert exported_keys(path.with_suffix(".pvar")) == genomic(keys)
    assert exported_keys(path.with_suffix(".pvar"))[-1] == (OTHER_CONTIG, 7, "G", "A")
    assert (counters["variants"], counters["samples"]) == (len(keys), len(SAMPLES))


def test_a_second_export_is_the_same_though_files_overlap(round_trip: RoundTrip, export: Export) -> None:
    with start_run(round_trip.again, "scatter") as run:
        scattered = run.read(GENOTYPES).repartition(3, "position")
        run.write(Write(GENOTYPES, scattered, WHOLE_TABLE, Keys.HELD))
    path, _ = export("vcf", round_trip.again)
    assert gzip.decompress(path.with_name("x.vcf.gz").read_bytes()) == round_trip.text


def test_parts_that_overlap_are_refused() -> None:
    def part(contig: str, first: int, last: int) -> Part:
        return Part("", contig, 1, (first, "A", "C"), (last, "A", "C"))

    parts = [part("chrM", 1, 2), part("chrUn", 1, 9), part("chr2", 10, 12), part("chr2", 5, 9)]
    assert [item.contig for item in order_parts(parts, CONTIGS)] == ["chr2", "chr2", "chrM", "chrUn"]
    with pytest.raises(ContractViolation, match="a file is not sorted"):
        order_parts([*parts, part("chr2", 9, 9)], CONTIGS)


def test_regions_samples_and_passing_sites_together(
    cohort: Warehouse, export: Export, tmp_path: Path
) -> None:
    bed = tmp_path / "targets.bed"
    bed.write_text("2\t4030\t4031\nX\t0\t3000000\n")
    keys, calls = read_calls(cohort)
    sites = read_rows(cohort, VARIANT_SITES)
    passing = dict(
        zip(keys_of(sites), (not filters for filters in sites["filters"].to_pylist()), strict=True)
    )
    chosen = ["S090", "S007", "S001"]
    path, counters = export(
        "pgen", regions=["chr2:5001"], regions_file=str(bed), sample_ids=chosen, pass_only=True
    )
    inside = [
        key
        for key in keys
        if passing[key]
        and (
            key[:2] == ("chr2", 5_001)
            or (key[0], key[1]) == ("chr2", 4_000)
            or (key[0] == "chrX" and key[1] <= 3_000_000)
        )
    ]
    assert {key[0] for key in inside} == {"chr2", "chrX"}
    assert exported_keys(path.with_suffix(".pvar")) == genomic(inside)
    assert path.with_suffix(".psam").read_text() == "#IID\tSEX\nS001\t1\nS007\tNA\nS090\t2\n"
    assert counters["samples"] == 3
    place = {key: row for row, key in enumerate(keys)}
    wanted = calls[[place[key] for key in genomic(inside)]][:, [1, 7, 90]]
    payload = np.frombuffer(path.with_suffix(".pgen").read_bytes()[12:], np.uint8)
    assert payload.tolist() == (wanted[:, 0] | wanted[:, 1] << 2 | wanted[:, 2] << 4).tolist()


def test_common_keeps_whole_sites(cohort: Warehouse, export: Export) -> None:
    settings = load_settings(
        warehouse=cohort.root, overrides=["export.common_min_ac=20", "export.common_above_af=0.6"]
    )
    path, _ = export("pgen", Warehouse(cohort.spark, settings), common=True)
    engine = Frequencies(cohort)
    groups = ("afr", "amr", "eas", "eur", "mid", "sas", "oth")
    ac = np.stack([engine.values(group, "ac") for group in groups])
    af = np.stack([engine.values(group, "af") for group in groups])
    common = (ac >= 20).any(axis=0) | (np.nan_to_num(af, nan=0) > 0.6).any(axis=0)
    alleles = {key for key, is_common in zip(engine.keys, common, strict=True) if is_common}
    sites = read_rows(cohort, VARIANT_SITES)
    starts = list(zip(sites["contig"].to_pylist(), sites["input_position"].to_pylist(), strict=True))
    kept = {start for start, key in zip(starts, keys_of(sites), strict=True) if key in alleles}
    expected = [key for start, key in zip(starts, keys_of(sites), strict=True) if start in kept]
    exported = exported_keys(path.with_suffix(".pvar"))
    assert exported == genomic(expected)
    assert 0 < len(alleles) < len(expected) < len(engine.keys)
    # Of the record at 1,000 only CAA>CAG is common; it lies at 1,002 once it is trimmed.
    assert ("chr2", 1_002, "A", "G") in alleles
    assert ("chr2", 1_000, "CA", "C") not in alleles
    assert {("chr2", 1_002, "A", "G"), ("chr2", 1_000, "CA", "C")} <= set(exported)


def test_common_needs_current_frequencies(round_trip: RoundTrip, export: Export, tmp_path: Path) -> None:
    warehouse = round_trip.again
    with pytest.raises(BadSource, match="there are none; run allofus frequencies first"):
        export("pgen", warehouse, common=True)
    compute_frequencies(warehouse)
    people = write_people(tmp_path / "people.tsv")
    people.write_text(people.read_text().replace("eur", "eas"))
    ingest_samples(warehouse, people, callset_id="c")
    with pytest.raises(BadSource, match="of before: samples changed; run allofus frequencies"):
        export("pgen", warehouse, common=True)


@pytest.mark.parametrize(
    ("selection", "error", "message"),
    [
        ({"callset_id": "d"}, BadSource, "callset d is not an active one; active: c"),
        ({"sample_ids": ["S001", "T9", "T8"]}, BadSamples, "2 of 3 sample ids are not in callset c: T8, T9"),
        ({"regions": ["chr3"]}, BadSource, "no allele of callset c is selected"),
        ({"regions": ["chr99:1-2"]}, BuildMismatch, "contig chr99 is not one of build GRCh38"),
    ],
)
def test_what_cannot_be_exported_is_said(
    selection: dict[str, object], error: type[Exception], message: str, export: Export, tmp_path: Path
) -> None:
    with pytest.raises(error, match=message):
        export("pgen", **selection)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("failure", [OSError("disk full"), KeyboardInterrupt()])
def test_a_failure_leaves_the_target_as_it_was(
    failure: BaseException, export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "x.bed").write_text("before")

    def fail(*_: object) -> None:
        raise failure

    monkeypatch.setattr(stage, "put_in_place", fail)
    with pytest.raises(type(failure)):
        export("bed", regions=["chr2"])
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"x.bed": "before"}


def test_what_is_read_is_near_what_is_selected(spark: SparkSession) -> None:
    def kept(n_bins: int) -> list[tuple[str, int]]:
        spans = [
            Span(f"file{number % 2}", "chr1", number, 10 * number + 2, 10 * number + 4)
            for number in range(n_bins)
        ]
        sites = SiteList((*spans, Span("file0", "chr2", 0, 5, 5)), 1, ())
        rows = [
            ("chr1", 1),
            ("chr1", 2),
            ("chr1", 8),
            ("chr1", 14),
            ("chr1", 9_000),
            ("chr2", 4),
            ("chr2", 5),
        ]
        frame = spark.createDataFrame(rows, "contig string, position int")
        return [tuple(row) for row in frame.where(sites.rows_between()).collect()]

    assert kept(3) == [("chr1", 2), ("chr1", 14), ("chr2", 5)]
    # Of too many partitions for a predicate: whole contigs, from the first to the last selected allele.
    assert kept(200) == [("chr1", 2), ("chr1", 8), ("chr1", 14), ("chr2", 5)]


def test_text_of_a_wide_cohort_is_made_piece_by_piece() -> None:
    """A million people, 4 MB of text a record: pieces stay within the bound, or are one line."""
    n_samples, n_variants = 1_000_000, 12
    people = People("c", tuple(map(str, range(n_samples))), ("XX",) * n_samples, n_samples, None)
    alleles = pa.table(
        {
            "position": pa.array(range(1, n_variants + 1), pa.int32()),
            "ref": ["A"] * n_variants,
            "alt": ["C"] * n_variants,
            "input_id": pa.nulls(n_variants, pa.string()),
            "qual": pa.nulls(n_variants, pa.float64()),
            "filters": pa.nulls(n_variants, pa.list_(pa.string())),
        }
    )
    variants = Variants("chr1", alleles, np.zeros((n_variants, n_samples // 4), np.uint8))
    for batch_bytes, n_pieces in ((1024, 12), (16_000_000, 3)):
        form = Vcf(people, load_build("GRCh38"), batch_bytes)
        pieces = [(ending, len(piece)) for ending, piece in form.pieces(variants)]
        assert [ending for ending, _ in pieces] == [VCF_ENDING] * n_pieces
        assert max(length for _, length in pieces) < max(batch_bytes, 4 * n_samples) * 1.001

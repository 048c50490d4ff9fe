"""A real file through the whole ingest with a FASTA: keys by bcftools norm; splits and order change nothing.

The records come in twice, with 250 of their samples. Once as published, in one bgzip file. Once shuffled
over a bgzip, a plain gzip and an uncompressed shard, one in four written otherwise (more bases around the
alleles, indels further right), cut into the smallest splits and chunks, with other shuffle partitions. Both
times six records are repeated: three with the same calls, three with one call changed.
"""

from __future__ import annotations

import gzip
import random
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pysam
import pytest
from pyspark.sql import SparkSession

from allofus_spark.frequencies import compute_frequencies
from allofus_spark.tables import VARIANT_SITES, Warehouse

from .engine import ingest, keys_of, read_rows, refused_alleles
from .plain_alleles import Key, is_sequence, plain_key
from .rewritten_alleles import Reference, rewrite

pytestmark = pytest.mark.long


SOURCE = "multisample/1kg_p3_2504_chr22_16.05-16.5M.grch37.vcf.gz"
FASTA = "reference/grch37_chr22_1-22000000.fa.gz"
N_SAMPLES = 250
N_REPEATED = 3
SMALLEST = ("ingest.split_bytes=65536", "ingest.chunk_bytes=65536")
# Shares of the records in the bgzip, the gzip and the uncompressed shard.
SHARES = (0.7, 0.25, 0.05)

Ingested = tuple[Warehouse, dict[str, int]]
NewWarehouse = Callable[..., Warehouse]


@dataclass(frozen=True)
class Lines:
    """A VCF file in memory, and lines that repeat some of its records."""

    header: list[str]
    records: list[str]
    same_calls: list[str]
    other_calls: list[str]

    @property
    def repeated_positions(self) -> set[str]:
        return {line.split("\t", 2)[1] for line in self.same_calls + self.other_calls}


@pytest.fixture(scope="module")
def lines(realdata: Path) -> Lines:
    with gzip.open(realdata / SOURCE, "rt") as file:
        text = [line if line.startswith("##") else _first_samples(line) for line in file]
    n_header = sum(line.startswith("#") for line in text)
    header, records = text[:n_header], text[n_header:]
    plain = [line for line in records if line.endswith("\t0|0\n") and is_sequence(line.split("\t", 5)[4])]
    indels = [line for line in plain if len("".join(line.split("\t", 5)[3:5])) > 2]
    chosen = indels[:N_REPEATED] + plain[-N_REPEATED:]
    same = [_with_id(line, f"again{number}") for number, line in enumerate(chosen[::2])]
    other = [line.removesuffix("0|0\n") + "1|1\n" for line in chosen[1::2]]
    return Lines(header, records, same, other)


def _first_samples(line: str) -> str:
    return "\t".join(line.split("\t", 9 + N_SAMPLES)[: 9 + N_SAMPLES]) + "\n"


def _with_id(line: str, identifier: str) -> str:
    chrom, position, _, rest = line.split("\t", 3)
    return "\t".join([chrom, position, identifier, rest])


def _rewritten(line: str, reference: Reference, rng: random.Random) -> str:
    chrom, position, identifier, ref, alts, rest = line.split("\t", 5)
    if not all(is_sequence(alt) for alt in alts.split(",")):
        return line
    moved, ref, others = rewrite(int(position), ref, alts.split(","), reference, rng)
    return "\t".join([chrom, str(moved), identifier, ref, ",".join(others), rest])


def _ingest_and_count(warehouse: Warehouse, files: list[Path]) -> Ingested:
    counters = ingest(warehouse, *files, build="GRCh37")
    compute_frequencies(warehouse)
    return warehouse, counters


@pytest.fixture(scope="module")
def as_published(
    lines: Lines, realdata: Path, new_warehouse: NewWarehouse, tmp_path_factory: pytest.TempPathFactory
) -> Ingested:
    folder = tmp_path_factory.mktemp("published")
    header = "".join(lines.header)
    _write_bgzip(folder / "records.vcf.gz", header, lines.records)
    (folder / "repeats.vcf").write_text(header + "".join(lines.same_calls + lines.other_calls))
    warehouse = new_warehouse(f"genome.reference_fasta={realdata / FASTA}")
    return _ingest_and_count(warehouse, [folder])


@pytest.fixture(scope="module")
def shuffled(
    lines: Lines,
    realdata: Path,
    spark: SparkSession,
    new_warehouse: NewWarehouse,
    tmp_path_factory: pytest.TempPathFactory,
) -> Ingested:
    rng = random.Random(22)
    first, last = 16_000_000, 16_600_000
    with pysam.FastaFile(str(realdata / FASTA)) as fasta:
        reference = Reference(first, fasta.fetch("22", first - 1, last))
    records = [
        _rewritten(line, reference, rng)
        if rng.random() < 0.25 and line.split("\t", 2)[1] not in lines.repeated_positions
        else line
        for line in lines.records
    ]
    records += [*lines.same_calls, *lines.other_calls]
    rng.shuffle(records)
    folder = tmp_path_factory.mktemp("shuffled")
    _write_shards(folder, "".join(lines.header), records)
    warehouse = new_warehouse(f"genome.reference_fasta={realdata / FASTA}", *SMALLEST)
    before = spark.conf.get("spark.sql.shuffle.partitions")
    spark.conf.set("spark.sql.shuffle.partitions", "5")
    try:
        return _ingest_and_count(warehouse, [folder])
    finally:
        spark.conf.set("spark.sql.shuffle.partitions", before or "")


def _write_shards(folder: Path, header: str, records: list[str]) -> None:
    first = int(SHARES[0] * len(records))
    second = first + int(SHARES[1] * len(records))
    _write_bgzip(folder / "a.vcf.gz", header, records[:first])
    zipped = gzip.compress((header + "".join(records[first:second])).encode(), compresslevel=1)
    (folder / "b.vcf.gz").write_bytes(zipped)
    (folder / "c.vcf").write_text(header + "".join(records[second:]))


def _write_bgzip(path: Path, header: str, records: list[str]) -> None:
    with pysam.BGZFile(str(path), "wb") as file:
        file.write((header + "".join(records)).encode())


def keys_by_bcftools(bcftools: str, realdata: Path, folder: Path) -> list[Key]:
    """Normal forms of all alleles; bcftools keeps shared first bases, which are cut here."""
    sites = folder / "sites.vcf"
    subprocess.run([bcftools, "view", "-G", "-o", str(sites), str(realdata / SOURCE)], check=True)
    command = [bcftools, "norm", "-m-", "-f", str(realdata / FASTA), str(sites)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    fields = (line.split("\t")[:5] for line in text.splitlines() if not line.startswith("#"))
    return sorted(plain_key(chrom, int(pos), ref, alt, "GRCh37") for chrom, pos, _, ref, alt in fields)


@pytest.mark.parametrize(("made", "least_moved"), [("as_published", 1), ("shuffled", 1_200)])
def test_keys_equal_bcftools_norm(
    made: str,
    least_moved: int,
    lines: Lines,
    realdata: Path,
    oracle: Callable[[str], str],
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    warehouse, counters = request.getfixturevalue(made)
    expected = keys_by_bcftools(oracle("bcftools"), realdata, tmp_path)
    sites = read_rows(warehouse, VARIANT_SITES)
    found = keys_of(sites)
    refused = sorted(set(expected) - set(found))
    assert found == [key for key in expected if key not in refused]
    written = zip(sites["input_position"].to_pylist(), sites["input_ref"].to_pylist(), strict=True)
    moved = sum(key[1:3] != as_written for key, as_written in zip(found, written, strict=True))
    assert moved >= least_moved

    refused_positions = sorted(line.split("\t", 2)[1] for line in lines.other_calls)
    assert [str(key[1]) for key in refused] == refused_positions
    assert counters["alleles_collapsed"] == N_REPEATED
    assert counters["alleles_refused_duplicate"] == 2 * N_REPEATED
    twice = [("duplicate_allele", position) for position in refused_positions for _ in range(2)]
    assert refused_alleles(warehouse) == twice


@pytest.mark.parametrize("name", ["genotypes", "variants", "allele_counts", "allele_frequencies"])
def test_content_is_equal(name: str, as_published: Ingested, shuffled: Ingested) -> None:
    one, other = (read_rows(warehouse, warehouse.contract(name)) for warehouse, _ in (as_published, shuffled))
    assert one.num_rows > 6_000
    assert_equal_columns(one, other)


def test_sites_are_equal(as_published: Ingested, shuffled: Ingested) -> None:
    """Ids too: of identical records the same one is kept."""
    one, other = (read_rows(warehouse, VARIANT_SITES) for warehouse, _ in (as_published, shuffled))
    as_written = ["input_position", "input_ref", "input_alts"]
    assert_equal_columns(one.drop_columns(as_written), other.drop_columns(as_written))


def assert_equal_columns(one: pa.Table, other: pa.Table) -> None:
    assert one.column_names == other.column_names
    different = [name for name in one.column_names if not one[name].equals(other[name])]
    assert not different


def test_counters_are_equal(as_published: Ingested, shuffled: Ingested) -> None:
    one, other = (
        {name: count for name, count in counters.items() if name not in ("files", "lines_header")}
        for _, counters in (as_published, shuffled)
    )
    assert one == other

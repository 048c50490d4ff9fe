"""Two callsets whose frequencies are computed, and what changes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from allofus_spark.frequencies import compute_frequencies
from allofus_spark.ingest import ingest_genotypes, ingest_samples
from allofus_spark.tables import ALLELE_COUNTS, Warehouse
from tests.cases.vcf_files import gt_record, vcf_text, write_bytes

GROUPS = ("afr", "amr", "eas", "eur", "mid", "sas", "oth")
FIRST = ("a1", "a2", "a3")
SECOND = ("b1", "b2")
LABELS = {"a1": "afr", "a2": "eur", "a3": "", "b1": "eas", "b2": "eas"}


def write_samples(folder: Path, names: tuple[str, ...], labels: dict[str, str]) -> Path:
    lines = ["sample_id\tancestry", *(f"{name}\t{labels[name]}" for name in names)]
    return write_bytes(folder / "samples.tsv", "".join(f"{line}\n" for line in lines))


def relabel(held: Warehouse, folder: Path, callset_id: str, changes: dict[str, str]) -> None:
    names = FIRST if callset_id == "first" else SECOND
    ingest_samples(held, write_samples(folder, names, LABELS | changes), callset_id=callset_id)


def ingest(
    held: Warehouse, folder: Path, callset_id: str, names: tuple[str, ...], records: list[str]
) -> None:
    source = write_bytes(folder / f"{callset_id}.vcf", vcf_text(records, names))
    ingest_genotypes(
        held, [str(source)], callset_id=callset_id, callset_date="2026-01-01", build="GRCh38", replace=True
    )


def fill(held: Warehouse, folder: Path) -> None:
    """Callset first has alleles on chr1 and chr2, callset second on chr2 and chr3."""
    relabel(held, folder, "first", {})
    relabel(held, folder, "second", {})
    ingest(held, folder, "first", FIRST, [
        gt_record("0/1", "1/1", "0/1", contig="chr1", pos=100),
        gt_record("0/1", "./.", "0/0", contig="chr2", pos=200),
    ])  # fmt: skip
    ingest(held, folder, "second", SECOND, [
        gt_record("1/1", "0/1", contig="chr2", pos=200),
        gt_record("0/1", "0/1", contig="chr3", pos=300),
    ])  # fmt: skip


def frequencies(held: Warehouse) -> dict[str, dict[str, Any]]:
    rows = held.read(held.contract("allele_frequencies")).collect()
    return {f"{row.contig}:{row.position}": row.asDict(recursive=True) for row in rows}


def counts(held: Warehouse) -> list[Any]:
    return sorted(held.read(ALLELE_COUNTS).collect())


def files_by_contig(held: Warehouse) -> dict[str, set[str]]:
    """Data files of allele_frequencies: which were written anew is seen from their names."""
    table = held.live(held.contract("allele_frequencies"))
    rows = table.selectExpr("contig", "_metadata.file_path AS path").distinct().collect()
    return {
        contig: {row.path for row in rows if row.contig == contig} for contig in {row.contig for row in rows}
    }


def assert_is_as_recomputed(held: Warehouse) -> None:
    now = frequencies(held), counts(held)
    compute_frequencies(held, recompute=True)
    assert (frequencies(held), counts(held)) == now

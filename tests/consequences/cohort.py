"""Small cohorts on the small genome, and their rows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable

from allofus_spark.ingest import ingest_genotypes
from allofus_spark.tables import CONSEQUENCES, Warehouse
from tests.cases.vcf_files import gt_record, vcf_text, write_bytes

Allele = tuple[str, int, str, str]


def ingest_alleles(
    warehouse: Warehouse,
    fasta: Path,
    folder: Path,
    alleles: Iterable[Allele],
    *,
    callset: str = "c",
    replace: bool = False,
) -> None:
    """A callset of one person who has the alleles."""
    records = [
        gt_record("0/1", contig=contig, pos=pos, ref=ref, alt=alt)
        for contig, pos, ref, alt in sorted(alleles)
    ]
    vcf = write_bytes(folder / f"{callset}.vcf", vcf_text(records, (f"person {callset}",)))
    ingest_genotypes(
        warehouse,
        [str(vcf)],
        callset_id=callset,
        callset_date="2026-01-01",
        build=str(fasta),
        replace=replace,
    )


def rows_in(warehouse: Warehouse, annotator: str = "csq") -> list[dict[str, Any]]:
    """Rows of ``consequences`` in key order, by delta-rs."""
    rows = DeltaTable(warehouse.path(CONSEQUENCES)).to_pyarrow_table()
    order = [(name, "ascending") for name in CONSEQUENCES.key]
    return [row for row in rows.sort_by(order).to_pylist() if row["annotator"] == annotator]


def files_of(warehouse: Warehouse, contig: str) -> set[str]:
    """Live files of a contig's partitions."""
    actions = pa.table(DeltaTable(warehouse.path(CONSEQUENCES)).get_add_actions(flatten=True)).to_pylist()
    return {action["path"] for action in actions if action["partition.contig"] == contig}


def alleles_in(warehouse: Warehouse, annotator: str = "csq") -> list[Allele]:
    return [
        (row["contig"], row["position"], row["ref"], row["alt"])
        for row in rows_in(warehouse, annotator)
        if row["is_most_severe"]
    ]

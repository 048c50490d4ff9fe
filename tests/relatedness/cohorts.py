"""Callsets of given calls, their relatives by the engine, and kinship restated in plain NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pyspark.sql import SparkSession

from allofus_spark.ingest import ingest_genotypes
from allofus_spark.settings import load_settings
from allofus_spark.tables import RELATED_PAIRS, UNRELATED, Warehouse

Calls = npt.NDArray[np.integer[Any]]
_TEXTS = np.array(["0/0", "0/1", "1/1", "./."])
_COUNTS = ("n_sites", "n_het_1", "n_het_2", "n_het_both", "n_ibs0")


def write_vcf(path: Path, sample_ids: Sequence[str], calls: Calls, positions: Sequence[int]) -> Path:
    """Calls int[sites, samples] of 0 to 3 on chr1 as A>G."""
    fixed = ("#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT")
    lines = ["##fileformat=VCFv4.2", "##contig=<ID=chr1>", "\t".join((*fixed, *sample_ids))]
    for position, row in zip(positions, calls, strict=True):
        lines.append("\t".join(["chr1", str(position), ".\tA\tG\t.\tPASS\t.\tGT", *_TEXTS[row]]))
    path.write_text("\n".join(lines) + "\n")
    return path


def ingest(warehouse: Warehouse, vcf: Path, callset_id: str) -> None:
    about = {"callset_id": callset_id, "callset_date": "2026-01-01", "build": "GRCh38"}
    ingest_genotypes(warehouse, [str(vcf)], **about)


def new_warehouse(spark: SparkSession, folder: Path, *overrides: str) -> Warehouse:
    return Warehouse(spark, load_settings(warehouse=str(folder), overrides=overrides))


def pairs_of(warehouse: Warehouse) -> dict[tuple[str, str], dict[str, Any]]:
    """Rows of ``related_pairs`` by their two sample ids."""
    rows = [row.asDict() for row in warehouse.read(RELATED_PAIRS).collect()]
    return {(row.pop("sample_id_1"), row.pop("sample_id_2")): row for row in rows}


def unrelated_of(warehouse: Warehouse) -> dict[str, dict[str, Any]]:
    """Rows of ``unrelated`` by sample id."""
    return {row.sample_id: row.asDict() for row in warehouse.read(UNRELATED).collect()}


def plain_pair(first: Calls, second: Calls) -> dict[str, float]:
    """Kinship and counts of two samples' calls."""
    seen = (first < 3) & (second < 3)
    x, y = first[seen], second[seen]
    counts = (
        len(x),
        (x == 1).sum(),
        (y == 1).sum(),
        ((x == 1) & (y == 1)).sum(),
        (abs(x.astype(int) - y) == 2).sum(),
    )
    pair = dict(zip(_COUNTS, map(int, counts), strict=True))
    fewer = min(pair["n_het_1"], pair["n_het_2"])
    apart = pair["n_het_1"] + pair["n_het_2"] - 2 * pair["n_het_both"] + 4 * pair["n_ibs0"]
    return {**pair, "kinship": 0.5 - apart / (4 * fewer) if fewer else np.nan}


def plain_pairs(
    sample_ids: Sequence[str], calls: Calls, min_kinship: float
) -> dict[tuple[str, str], dict[str, float]]:
    """All pairs of ``min_kinship`` or more, ids in order; calls int[sites, samples]."""
    order = sorted(range(len(sample_ids)), key=sample_ids.__getitem__)
    pairs = {
        (sample_ids[i], sample_ids[j]): plain_pair(calls[:, i], calls[:, j])
        for number, i in enumerate(order)
        for j in order[number + 1 :]
    }
    return {ids: pair for ids, pair in pairs.items() if pair["kinship"] >= min_kinship}

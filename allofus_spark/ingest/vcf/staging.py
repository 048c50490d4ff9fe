"""What parsing tasks hand on: alleles with calls, sites without, refused records, and one ledger a split."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.types import StructType

from allofus_spark.genotypes.arrow_strings import binary_at
from allofus_spark.ingest.vcf.scan import Bytes, Offsets
from allofus_spark.tables.variant_tables import CALLS_MISSING

ALLELE, SITE, REJECTED, LEDGER = "allele", "site", "rejected", "ledger"

_INDICES = pa.list_(pa.int32())

STAGED = pa.schema(
    [
        ("row_kind", pa.string()),
        ("source_file", pa.string()),
        ("source_offset", pa.int64()),
        ("contig", pa.string()),
        ("position", pa.int32()),
        ("ref", pa.string()),
        ("alt", pa.string()),
        ("filters", pa.list_(pa.string())),
        ("qual", pa.float64()),
        ("input_id", pa.string()),
        ("input_position", pa.int32()),
        ("input_ref", pa.string()),
        ("input_alts", pa.string()),
        ("input_allele", pa.int32()),
        ("n_alts", pa.int32()),
        *((column.name, pa.int32()) for column in CALLS_MISSING),
        ("n_high_quality_calls", pa.int32()),
        ("n_samples", pa.int32()),
        ("encoding", pa.string()),
        ("het_index", _INDICES),
        ("hom_alt_index", _INDICES),
        ("missing_index", _INDICES),
        ("calls", pa.binary()),
        ("reason", pa.string()),
        ("chrom", pa.string()),
        ("pos", pa.string()),
        ("qual_text", pa.string()),
        ("filter", pa.string()),
        ("ledger", pa.string()),
    ]
)

# Columns with few values, which Parquet keeps once.
_REPEATED = ["row_kind", "source_file", "contig", "encoding", "reason", "chrom", "filter"]


def staged_schema() -> StructType:
    """The Spark schema of staged rows."""
    return from_arrow_schema(STAGED)


def staged_batch(columns: Mapping[str, pa.Array], rows: int) -> pa.RecordBatch:
    """A batch with every staged column; those not given are null."""
    arrays = [columns.get(item.name, None) for item in STAGED]
    filled = [
        pa.nulls(rows, item.type) if array is None else array
        for array, item in zip(arrays, STAGED, strict=True)
    ]
    return pa.RecordBatch.from_arrays(filled, schema=STAGED)


def staged_path(folder: str, number: int) -> str:
    """Where the staged rows of a split lie."""
    return f"{folder}/part-{number:05d}.parquet"


@contextmanager
def write_staged(path: str) -> Iterator[pq.ParquetWriter]:
    """A file of staged rows, in its place when the block ends well.

    What a task that dies leaves has a name that readers of the folder pass over.
    """
    folder, name = os.path.split(path)
    unfinished = f"{folder}/_{name}.{uuid.uuid4()}"
    try:
        # Snappy: staged rows live for seconds, and packing them would be most of what they cost.
        with pq.ParquetWriter(
            unfinished, STAGED, compression="snappy", use_dictionary=_REPEATED, write_statistics=False
        ) as writer:
            yield writer
        os.replace(unfinished, path)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(unfinished)


def read_staged(paths: Iterable[str], rows_per_batch: int) -> Iterator[pa.RecordBatch]:
    """Staged rows of files, one file after the other."""
    for path in paths:
        with pq.ParquetFile(path) as file:
            yield from file.iter_batches(rows_per_batch)


def text_column(data: Bytes, slices: Offsets) -> pa.Array:
    """string[n] of byte slices; bytes that are no UTF-8 are shown as ``\\xNN``."""
    raw = binary_at(data, slices)
    try:
        return raw.cast(pa.string())
    except pa.ArrowInvalid:
        return pa.array([value.decode("utf-8", "backslashreplace") for value in raw.to_pylist()])


def filters_column(texts: pa.Array) -> pa.Array:
    """FILTER as list<string>: null for a dot, empty for PASS."""
    dot, passed = pc.equal(texts, "."), pc.equal(texts, "PASS")
    names = pc.split_pattern(texts, ";")
    empty = pa.array([[]] * len(texts), pa.list_(pa.string())) if pc.any(passed).as_py() else None
    if empty is not None:
        names = pc.if_else(passed, empty, names) if not pc.all(passed).as_py() else empty
    return pc.if_else(dot, pa.nulls(len(texts), names.type), names)

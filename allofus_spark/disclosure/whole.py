"""Whether a folder is the release that its manifest describes: what is not read cannot be attacked."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from allofus_spark.checksums import file_checksum
from allofus_spark.errors import BadSource, readable
from allofus_spark.published import MANIFEST, Manifest, ReleasedProduct, products, table_files
from allofus_spark.settings import NAME_PATTERN

_BESIDE = frozenset({MANIFEST, "dictionary.json", "CHANGES.md", "verification.json", "report/index.html"})
_SHOWN = 5
# What readers of Parquet, TSV and VCF raise on what is none, or lacks a column.
_UNREADABLE = (
    pa.ArrowException,
    duckdb.Error,
    zlib.error,
    OSError,
    EOFError,
    KeyError,
    ValueError,
    TypeError,
)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Errors of reading a file, or those of a release, as BadSource that names it."""
    try:
        yield
    except _UNREADABLE as error:
        what = f"it lacks {error}" if isinstance(error, KeyError) else str(error).strip().split("\n")[0]
        raise BadSource(f"{path} cannot be read whole: {readable(what or type(error).__name__)}") from error


def check_whole(release: Path, manifest: Manifest) -> None:
    """Raise BadSource unless the folder holds what the manifest lists, so, and nothing else.

    Files, their bytes and SHA-256; rows and columns of the tables, which are those of the contract. A link
    is no file of the release.
    """
    wrong = [*_listed(manifest), *_files(release, manifest)]
    for product in manifest.products:
        wrong += _table(release, product, manifest)
    if wrong:
        more = f"; and {len(wrong) - _SHOWN:,} more" if len(wrong) > _SHOWN else ""
        raise BadSource(
            f"{release} is not the release that its {MANIFEST} describes, {len(wrong):,} "
            f"{'difference' if len(wrong) == 1 else 'differences'}: "
            f"{'; '.join(map(readable, wrong[:_SHOWN]))}{more}. Copy or make it again"
        )


def _listed(manifest: Manifest) -> Iterator[str]:
    """What is wrong with the manifest itself."""
    if not manifest.products:
        yield "no product is listed"
    for name in (manifest.release, *manifest.previous):
        if not re.fullmatch(NAME_PATTERN, name):
            yield f"{name!r} is no name of a release"
    for name, number in Counter(product.name for product in manifest.products).items():
        if number > 1:
            yield f"product {name} is listed {number} times"
    paths = Counter(file.path for product in manifest.products for file in product.files)
    yield from (f"{path} is listed {number} times" for path, number in paths.items() if number > 1)
    for product in manifest.products:
        own = re.escape(product.name)
        place = re.compile(
            rf"tables/{own}/[\w.=-]+\.parquet|tables/{own}/_delta_log/[\w.-]+\.json"
            rf"|tsv/{own}\.tsv\.gz|vcf/{own}\.vcf\.gz(\.tbi)?"
        )
        for file in product.files:
            if not place.fullmatch(file.path):
                yield f"{file.path!r} is no place of a file of {product.name}"


def _files(release: Path, manifest: Manifest) -> Iterator[str]:
    """Files that lack, are links, have other bytes, or that nothing lists."""
    listed = {file.path: file for product in manifest.products for file in product.files}
    there: set[str] = set()
    for path in sorted(release.rglob("*")):
        name = path.relative_to(release).as_posix()
        if path.is_symlink():
            yield f"{name} is a link"
        elif not path.is_dir():
            there.add(name)
    yield from (f"{name} is not listed" for name in sorted(there - listed.keys() - _BESIDE))
    for name, file in listed.items():
        if name not in there:
            yield f"{name} is not there"
        elif (size := (release / name).stat().st_size) != file.bytes:
            yield f"{name} has {size:,} bytes, not {file.bytes:,}"
        elif file_checksum(release / name) != file.sha256:
            yield f"{name} has another SHA-256"


def _table(release: Path, product: ReleasedProduct, manifest: Manifest) -> Iterator[str]:
    """Rows and columns of a product's Parquet files, beside those of the manifest and of the contract."""
    contract = {table.name: table for table in products(manifest.groups)}.get(product.name)
    if contract is None:
        yield f"{product.name} is no product of a release"
        return
    expected = [column.name for column in contract.columns]
    yield from _columns(
        f"{product.name} in {MANIFEST}", [column.name for column in product.columns], expected
    )
    rows = 0
    for file in table_files(release, product.name):
        name = file.relative_to(release).as_posix()
        try:
            with pq.ParquetFile(file) as parquet:
                rows += parquet.metadata.num_rows
                yield from _columns(name, parquet.schema_arrow.names, expected)
        except (pa.ArrowException, OSError) as error:
            yield f"{name} is no Parquet file ({str(error).split('. ')[0]})"
            return
    if rows != product.rows:
        yield f"{product.name} has {rows:,} rows, not {product.rows:,}"


def _columns(where: str, found: list[str], expected: list[str]) -> Iterator[str]:
    """Columns too many, too few, or in another order."""
    for what, names in (("without", set(expected) - set(found)), ("with", set(found) - set(expected))):
        if names:
            yield f"{where} is {what} {', '.join(sorted(names)[:_SHOWN])}"
    if set(found) == set(expected) and found != expected:
        yield f"{where} has its columns in another order, or twice"

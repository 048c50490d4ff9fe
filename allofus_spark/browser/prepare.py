"""What the browser makes of a release before it answers: copies in small row groups, and top associations."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from allofus_spark.errors import BadSource
from allofus_spark.published import MANIFEST, read_manifest, table_files
from allofus_spark.settings import BrowserSettings

_DONE = "prepared"
# Products of which single rows are looked up.
LOOKED_UP = ("variants", "consequences", "rsids", "associations", "meta_associations")
_SCANS = ("associations", "meta_associations")
TOP = "top_associations"


def prepare(release: Path, folder: Path, settings: BrowserSettings) -> None:
    """Fill ``folder`` for a release; one that was filled for the same manifest is left as it is.

    A product whose row groups are larger than ``settings.row_group_rows`` is copied with smaller ones, as a
    look-up reads a whole row group. Associations are sorted by place: the strongest of each phenotype are taken
    out once. Memory is bounded by ``settings.cache_mib``, on disk it takes as much as what is copied.
    """
    read_manifest(release)
    state = hashlib.sha256((release / MANIFEST).read_bytes()).hexdigest() + settings.model_dump_json()
    done = folder / _DONE
    if done.is_file() and done.read_text(encoding="utf-8") == state:
        return
    if folder.exists() and any(folder.iterdir()) and not done.is_file():
        raise BadSource(f"{folder} holds other files: give the browser a folder of its own")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for product in LOOKED_UP:
        _lay_anew(release, folder, product, settings.row_group_rows)
    for product in _SCANS:
        _take_out_top(table_files(release, product), folder / f"{TOP}_{product}.parquet", settings)
    done.write_text(state, encoding="utf-8")


def prepared_files(release: Path, folder: Path, product: str) -> list[Path]:
    """The files to look a product up in: copies where there are any, else the release's."""
    return sorted((folder / product).glob("*.parquet")) or table_files(release, product)


def _lay_anew(release: Path, folder: Path, product: str, rows: int) -> None:
    files = table_files(release, product)
    if all(_largest_group(path) <= rows for path in files):
        return
    (folder / product).mkdir()
    for number, path in enumerate(files):
        source = pq.ParquetFile(path)
        with pq.ParquetWriter(
            folder / product / f"part-{number:05d}.parquet", source.schema_arrow, compression="zstd"
        ) as target:
            for batch in source.iter_batches(rows):
                target.write_batch(batch, row_group_size=rows)


def _largest_group(path: Path) -> int:
    metadata = pq.read_metadata(path)
    return max((metadata.row_group(number).num_rows for number in range(metadata.num_row_groups)), default=0)


def _take_out_top(files: list[Path], target: Path, settings: BrowserSettings) -> None:
    """The strongest associations of each phenotype, scan and ancestry, strongest first."""
    if not files:
        return
    names = pq.read_schema(files[0]).names
    keys = [name for name in ("scan", "phenotype_id", "ancestry") if name in names]
    row = ", ".join(f"{name} := {name}" for name in names if name not in keys)
    by = ", ".join(keys)
    place = str(target).replace("'", "''")
    with duckdb.connect(config={"memory_limit": f"{settings.cache_mib}MiB", "threads": 1}) as database:
        database.read_parquet([str(path) for path in files]).create_view("tested")
        database.execute(
            f"""
            COPY (
              WITH strongest AS (
                SELECT {by}, max_by(struct_pack({row}), neg_log10_p, {settings.top_associations}) AS held
                FROM tested GROUP BY {by}
              ),
              single AS (SELECT {by}, unnest(held) AS held FROM strongest)
              SELECT {by}, held.* FROM single ORDER BY {by}, held.neg_log10_p DESC
            ) TO '{place}' (FORMAT parquet)
            """
        )

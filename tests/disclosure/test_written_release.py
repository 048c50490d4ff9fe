"""The attacker on what a release writes: tables, TSV and VCF of a made cohort, and the same spoilt."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from allofus_spark.disclosure import verify_release
from allofus_spark.published import read_manifest, table_files
from allofus_spark.release import publish_release
from tests.release.made_cohort import Cohort, cohort_warehouse, random_cohort

KEY = ("contig", "position", "ref", "alt")
PEOPLE = {"afr": 300, "amr": 120, "eur": 500, "oth": 12, None: 40}


@pytest.fixture(scope="module")
def made() -> Cohort:
    return random_cohort(3, 600, PEOPLE)


@pytest.fixture(scope="module")
def written(spark: SparkSession, made: Cohort, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release that was published because the attacker derived nothing."""
    root = tmp_path_factory.mktemp("written") / "w"
    return publish_release(cohort_warehouse(spark, str(root), made), "v1", verify=verify_release).folder


def test_nothing_follows_from_a_written_release(written: Path) -> None:
    result = verify_release(written)
    assert result.derived == []
    assert result.tried["variants"]["cells of the VCF"] > 1000
    assert result.tried["variants"]["cells of the TSV"] > 1000


def few_withheld(written: Path, made: Cohort, column: str) -> tuple[int, int]:
    """Row of the first cell of ``column`` that is withheld and truly 1 to 20, and its count."""
    (file,) = table_files(written, "variants")
    table = pq.read_table(file)
    group, name = column.split("_", 1)
    places = {site: place for place, site in enumerate(made.sites)}
    true = made.cells(group)[name]
    sites = zip(*(table.column(part).to_pylist() for part in KEY), strict=True)
    counts = [int(true[places[site]]) for site in sites]
    shown = table.column(column).to_pylist()
    row = next(row for row, n in enumerate(counts) if shown[row] is None and 1 <= n <= 20)
    return row, counts[row]


def in_parquet(spoilt: Path, column: str, row: int, count: int) -> None:
    (file,) = table_files(spoilt, "variants")
    table = pq.read_table(file)
    values = table.column(column).to_pylist()
    values[row] = count
    place = table.schema.get_field_index(column)
    pq.write_table(table.set_column(place, table.schema.field(place), pa.array(values, pa.int64())), file)


def in_tsv(spoilt: Path, column: str, row: int, count: int) -> None:
    file = spoilt / "tsv" / "variants.tsv.gz"
    lines = gzip.decompress(file.read_bytes()).decode().splitlines()
    cells = lines[1 + row].split("\t")
    place = lines[0].split("\t").index(column)
    assert cells[place] == ""
    cells[place] = str(count)
    lines[1 + row] = "\t".join(cells)
    file.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode()))


def in_vcf(spoilt: Path, column: str, row: int, count: int) -> None:
    file = spoilt / "vcf" / "variants.vcf.gz"
    lines = gzip.decompress(file.read_bytes()).decode().splitlines()
    place = row + sum(line.startswith("#") for line in lines)
    group, name = column.split("_", 1)
    key = {"ac": "AC", "n_hom": "nhomalt"}[name] + ("" if group == "all" else f"_{group}")
    *site, info = lines[place].split("\t")
    fields = info.split(";")
    fields[fields.index(f"{key}=.")] = f"{key}={count}"
    lines[place] = "\t".join([*site, ";".join(fields)])
    file.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode()))


@pytest.mark.parametrize(
    ("give_back", "column", "quantity", "group"),
    [
        (in_parquet, "amr_ac", "carriers", "amr"),
        (in_parquet, "all_ac", "carriers", "all"),
        (in_parquet, "eur_n_hom", "homozygotes", "eur"),
        (in_tsv, "amr_ac", "amr_ac", "as published"),
        (in_tsv, "eur_n_hom", "eur_n_hom", "as published"),
        (in_vcf, "all_ac", "all_ac", "as published"),
        (in_vcf, "eur_n_hom", "eur_n_hom", "as published"),
    ],
)
def test_one_cell_given_back_in_one_file_is_found(
    written: Path,
    made: Cohort,
    tmp_path: Path,
    give_back: Callable[[Path, str, int, int], None],
    column: str,
    quantity: str,
    group: str,
) -> None:
    row, count = few_withheld(written, made, column)
    spoilt = tmp_path / "v1"
    shutil.copytree(written, spoilt)
    give_back(spoilt, column, row, count)
    # Given the manifest, the attacker looks at what is in the files, not at whether it is what was listed.
    result = verify_release(spoilt, manifest=read_manifest(spoilt))
    assert (quantity, (group,), count) in {(f.quantity, f.groups, f.hi) for f in result.derived}

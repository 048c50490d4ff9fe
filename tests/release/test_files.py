"""A release's files: what is in them is what the cohort has, and other programs open them."""

from __future__ import annotations

import gzip
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from pyspark.sql import SparkSession

from allofus_spark.checksums import file_checksum
from allofus_spark.genome import load_build
from allofus_spark.published import products, read_manifest, table_files, variants
from allofus_spark.release import Released
from allofus_spark.release.text import vcf_head, vcf_lines
from tests.release.made_cohort import GROUPS, Cohort

CELLS = ("all", *GROUPS)


@pytest.fixture(scope="module")
def rows(released: Released) -> list[dict]:
    return [
        row for file in table_files(released.folder, "variants") for row in pq.read_table(file).to_pylist()
    ]


def test_cells_are_the_cohorts_or_null(rows: list[dict], cohort: Cohort) -> None:
    places = {site: place for place, site in enumerate(cohort.sites)}
    cells = {group: cohort.cells(group) for group in CELLS}
    carried = cells["all"]["ac"] > 0
    assert len(rows) == carried.sum()
    n_null = 0
    for row in rows:
        place = places[row["contig"], row["position"], row["ref"], row["alt"]]
        for group in CELLS:
            for name in ("ac", "an", "n_hom"):
                value = row[f"{group}_{name}"]
                assert value in (None, cells[group][name][place])
            ac, af = row[f"{group}_ac"], row[f"{group}_af"]
            assert (ac is None) == (group in row["withheld"]) == (af is None)
            assert af is None or af == ac / row[f"{group}_an"]
            n_null += ac is None
        shown = [row[f"{group}_af"] for group in GROUPS if row[f"{group}_af"] is not None]
        assert row["max_af"] == max(shown, default=None)
    assert 0 < n_null < len(rows) * len(CELLS)


def test_no_count_under_the_floor_is_shown(rows: list[dict]) -> None:
    for row in rows:
        for group in CELLS:
            ac, an, n_hom = (row[f"{group}_{name}"] for name in ("ac", "an", "n_hom"))
            if ac is not None:
                assert ac == 0 or ac > 20
                assert an - ac == 0 or an - ac > 20
            if n_hom is not None and ac:
                assert n_hom > 20
                assert ac - 2 * n_hom > 20 or ac == an


def test_the_public_tables_rules_hold_of_what_is_shown(rows: list[dict]) -> None:
    """Rules that the Variant Annotation Table is validated by: unique keys, no null where none may be, and
    sums over ancestries: of ac and an, that of all is no less than that of the groups together."""
    contract = variants(GROUPS)
    assert len({tuple(row[name] for name in contract.key) for row in rows}) == len(rows)
    assert len({row["variant_id"] for row in rows}) == len(rows)
    never_null = [column.name for column in contract.columns if not column.nullable]
    assert all(row[name] is not None for row in rows for name in never_null)
    n_whole = 0
    for row in rows:
        for name in ("ac", "an"):
            groups = [row[f"{group}_{name}"] for group in GROUPS]
            if row[f"all_{name}"] is not None:
                assert sum(value or 0 for value in groups) <= row[f"all_{name}"]
        n_whole += row["all_ac"] is not None
        # A group too small to show is shown nowhere.
        assert row["oth_ac"] is row["oth_an"] is row["oth_n_hom"] is None
    assert n_whole > 100


def test_rows_are_in_the_builds_order(rows: list[dict]) -> None:
    order = ["chr2", "chr10", "chrM"]
    keys = [(order.index(row["contig"]), row["position"], row["ref"], row["alt"]) for row in rows]
    assert keys == sorted(keys)


def test_the_manifest_names_every_file_as_it_is(released: Released) -> None:
    manifest = read_manifest(released.folder)
    assert manifest == released.manifest
    for product in manifest.products:
        for file in product.files:
            path = released.folder / file.path
            assert (path.stat().st_size, file_checksum(path)) == (file.bytes, file.sha256)
        parquet = [released.folder / file.path for file in product.files if file.path.endswith(".parquet")]
        assert parquet == table_files(released.folder, product.name)
        assert sum(pq.read_metadata(path).num_rows for path in parquet) == product.rows
    assert {product.name for product in manifest.products} == {
        "variants",
        "groups",
        "consequences",
        "genes",
        "rsids",
    }
    assert manifest.product("variants").source_tables["allele_frequencies"] == 0
    assert not list(released.folder.rglob("*.writing"))


def test_products_left_out_say_why(released: Released) -> None:
    assert released.left_out["phenotypes"] == "there is no table phenotype_catalogue, phenotype_definitions"
    assert set(released.left_out) | {product.name for product in released.manifest.products} == {
        table.name for table in products(GROUPS)
    }


def test_every_engine_reads_the_tables(released: Released, spark: SparkSession, rows: list[dict]) -> None:
    folder = released.folder / "tables" / "variants"
    total = sum(row["all_ac"] or 0 for row in rows)
    by_spark = spark.read.format("delta").load(str(folder)).selectExpr("sum(all_ac)").collect()[0][0]
    by_delta_rs = sum(DeltaTable(str(folder)).to_pyarrow_table()["all_ac"].drop_null().to_pylist())
    by_polars = pl.read_delta(str(folder))["all_ac"].sum()
    by_duckdb = duckdb.sql(f"SELECT sum(all_ac) FROM read_parquet('{folder}/*.parquet')").fetchall()[0][0]
    tsv = released.folder / "tsv" / "variants.tsv.gz"
    by_tsv = duckdb.sql(f"SELECT sum(all_ac) FROM read_csv('{tsv}', delim='\t', header=true)").fetchall()[0][
        0
    ]
    assert {total} == {by_spark, by_delta_rs, by_polars, by_duckdb, by_tsv}
    fields = spark.read.format("delta").load(str(folder)).schema.fields
    contract = variants(GROUPS)
    assert [field.name for field in fields] == [column.name for column in contract.columns]
    assert [field.nullable for field in fields] == [column.nullable for column in contract.columns]
    assert fields[0].metadata["comment"] == contract.columns[0].comment


def test_texts_say_what_the_tables_say(released: Released, rows: list[dict]) -> None:
    with gzip.open(released.folder / "tsv" / "variants.tsv.gz", "rt", encoding="utf-8") as file:
        names, *lines = [line.rstrip("\n").split("\t") for line in file]
    assert len(lines) == len(rows)
    for cells, row in zip(lines, rows, strict=True):
        said = dict(zip(names, cells, strict=True))
        assert said["variant_id"] == row["variant_id"]
        assert said["afr_ac"] == ("" if row["afr_ac"] is None else str(row["afr_ac"]))
        assert said["withheld"] == ",".join(row["withheld"])
        assert said["afr_af"] == "" or float(said["afr_af"]) == row["afr_af"]


def test_bcftools_and_tabix_read_the_sites(
    released: Released, rows: list[dict], oracle: Callable[[str], str]
) -> None:
    vcf = str(released.folder / "vcf" / "variants.vcf.gz")
    form = "%CHROM\t%POS\t%REF\t%ALT\t%ID\t%INFO/AC\t%INFO/AN_afr\t%INFO/AC_afr\t%INFO/nhomalt_eur\n"
    told = subprocess.run(
        [oracle("bcftools"), "query", "-f", form, vcf], capture_output=True, text=True, check=True
    )
    assert told.stderr == ""
    names = ("all_ac", "afr_an", "afr_ac", "eur_n_hom")
    expected = [
        [
            row["contig"],
            str(row["position"]),
            row["ref"],
            row["alt"],
            ";".join(row["rsids"]) or ".",
            *("." if row[name] is None else str(row[name]) for name in names),
        ]
        for row in rows
    ]
    assert [line.split("\t") for line in told.stdout.splitlines()] == expected
    there = next(row for row in rows if row["contig"] == "chr10")
    region = f"chr10:{there['position']}-{there['position']}"
    found = subprocess.run([oracle("tabix"), vcf, region], capture_output=True, text=True, check=True)
    assert found.stdout.split("\t")[1] == str(there["position"])
    view = subprocess.run([oracle("bcftools"), "view", vcf], capture_output=True, text=True, check=True)
    assert view.stderr == ""


def test_characters_with_a_meaning_are_escaped_as_vcf_4_3_does(
    released: Released, tmp_path: Path, oracle: Callable[[str], str]
) -> None:
    gene = "HLA-A;B=1,C: 100%\tof\r\nall é"
    batch = pq.read_table(table_files(released.folder, "variants")[0]).slice(0, 3).to_batches()[0]
    place = batch.schema.get_field_index("gene_symbol")
    batch = batch.set_column(place, "gene_symbol", pa.array([gene, None, "50%3B"]))
    vcf = tmp_path / "v.vcf"
    contigs = set(batch.column("contig").to_pylist())
    text = vcf_head(load_build("GRCh38"), sorted(contigs), GROUPS).encode() + bytes(vcf_lines(batch, GROUPS))
    vcf.write_bytes(text)
    assert text.startswith(b"##fileformat=VCFv4.3\n")
    told = subprocess.run(
        [oracle("bcftools"), "query", "-f", "%INFO/GENE\n", str(vcf)], capture_output=True, check=True
    )
    assert told.stderr == b""
    genes = told.stdout.decode().splitlines()
    assert genes == ["HLA-A%3BB%3D1%2CC%3A 100%25%09of%0D%0Aall é", ".", "50%253B"]
    assert [unquote(name) for name in genes] == [gene, ".", "50%3B"]


def test_lookups_lead_to_released_variants(released: Released, rows: list[dict]) -> None:
    def read(product: str) -> list[dict]:
        return [
            row for file in table_files(released.folder, product) for row in pq.read_table(file).to_pylist()
        ]

    ids = {row["variant_id"] for row in rows}
    consequences, rsids, genes = read("consequences"), read("rsids"), read("genes")
    assert {row["variant_id"] for row in consequences} == {
        row["variant_id"] for row in rows if row["gene_symbol"] is not None
    }
    assert {(row["rs_number"], row["variant_id"]) for row in rsids} == {
        (int(rsid[2:]), row["variant_id"]) for row in rows for rsid in row["rsids"]
    }
    assert {row["variant_id"] for row in rsids} < ids
    for gene in genes:
        own = [
            row
            for row in consequences
            if (row["gene_symbol"], row["contig"]) == (gene["gene_symbol"], gene["contig"])
        ]
        assert gene["n_variants"] == gene["n_coding"] == len(own)
        assert gene["first_position"] == min(row["position"] for row in own)
        assert gene["last_position"] == max(row["position"] for row in own)


def test_the_dictionary_describes_every_column(released: Released) -> None:
    said = json.loads((released.folder / "dictionary.json").read_text(encoding="utf-8"))
    contracts = {table.name: table for table in products(GROUPS)}
    released_names = [product.name for product in read_manifest(released.folder).products]
    assert [product["name"] for product in said["products"]] == released_names
    assert {"variants", "groups", "consequences"} <= set(released_names)
    for product in said["products"]:
        contract = contracts[product["name"]]
        assert product["key"] == list(contract.key)
        described = [(column["name"], column["description"]) for column in product["columns"]]
        assert described == [(column.name, column.comment) for column in contract.columns]

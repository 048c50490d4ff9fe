"""Real catalogues against bcftools: dbSNP 149, ClinVar, gnomAD, ExAC and 1000 Genomes sites."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pysam
import pytest

from allofus_spark.ingest import ingest_catalogue
from allofus_spark.tables import (
    CATALOGUES,
    KNOWN_PARTITIONS,
    KNOWN_VARIANTS,
    REJECTED_KNOWN_RECORDS,
    Warehouse,
)

from .engine import keys_of, read_rows
from .plain_alleles import Key, is_sequence, plain_contig, plain_key

pytestmark = pytest.mark.long


NewWarehouse = Callable[..., Warehouse]
DBSNP = "dbsnp149_chr21_25.0-26.0M.grch38.vcf.gz"
CLINVAR = "clinvar_20201107_brca1_11033.grch38.vcf.gz"


def bcftools_alleles(
    oracle: Callable[[str], str], path: Path, build: str, fasta: Path | None = None
) -> dict[Key, set[str]]:
    """Allele to IDs: split, left-aligned where a FASTA is given (spelled as there), then trimmed left too."""
    bcftools = oracle("bcftools")
    command = [bcftools, "norm", "-m-any", *(["-f", str(fasta)] if fasta else []), str(path)]
    split = subprocess.run(command, capture_output=True, check=True).stdout
    query = [bcftools, "query", "-f", r"%CHROM\t%POS\t%ID\t%REF\t%ALT\n", "-"]
    lines = subprocess.run(query, input=split, capture_output=True, check=True).stdout.decode()
    alleles: dict[Key, set[str]] = {}
    for line in lines.splitlines():
        chrom, position, ids, ref, alt = line.split("\t")
        if is_sequence(alt):
            key = plain_key(chrom, int(position), ref, alt.upper(), build)
            alleles.setdefault(key, set()).update(set(ids.split(";")) - {"."})
    return alleles


def known(warehouse: Warehouse) -> dict[Key, set[str]]:
    rows = read_rows(warehouse, KNOWN_VARIANTS)
    keys = keys_of(rows)
    ids = rows["known_id"].to_pylist()
    assert len(set(keys)) == len(keys)
    assert all(text is None or text == ";".join(sorted(set(text.split(";")))) for text in ids)
    return {key: set(text.split(";")) if text else set() for key, text in zip(keys, ids, strict=True)}


def ingest(warehouse: Warehouse, *paths: Path, build: str) -> dict[str, int]:
    return ingest_catalogue(warehouse, [str(path) for path in paths], name="known", version="1", build=build)


@pytest.fixture(scope="module")
def trimmed_dbsnp(realdata: Path, new_warehouse: NewWarehouse) -> Warehouse:
    warehouse = new_warehouse("genome.bin_width_bases=100000")
    ingest(warehouse, realdata / "known_sites" / DBSNP, build="GRCh38")
    return warehouse


def test_dbsnp_without_a_reference(
    trimmed_dbsnp: Warehouse, realdata: Path, oracle: Callable[[str], str]
) -> None:
    found = known(trimmed_dbsnp)
    assert len(found) == 119_906
    assert found == bcftools_alleles(oracle, realdata / "known_sites" / DBSNP, "GRCh38")
    (row,) = trimmed_dbsnp.rows(CATALOGUES)
    assert (row.n_records, row.n_alleles, row.n_refused) == (119_911, 119_906, 0)
    partitions = trimmed_dbsnp.rows(KNOWN_PARTITIONS)
    assert sorted(partition.bin for partition in partitions) == list(range(250, 260))
    assert sum(partition.n_alleles for partition in partitions) == 119_906


def test_dbsnp_left_aligned(
    realdata: Path, new_warehouse: NewWarehouse, oracle: Callable[[str], str]
) -> None:
    """840 records of 119,911 are another record's allele, written at another place of a repeat."""
    fasta = realdata / "reference" / "grch38_chr21_real_24985581-26023859.fa.gz"
    warehouse = new_warehouse(f"genome.reference_fasta={fasta}")
    counters = ingest(warehouse, realdata / "known_sites" / DBSNP, build="GRCh38")
    found = known(warehouse)
    assert (len(found), counters["alleles_merged"]) == (119_071, 840)
    assert found == bcftools_alleles(oracle, realdata / "known_sites" / DBSNP, "GRCh38", fasta)
    assert found[("chr21", 25001441, "G", "GA")] == {"rs139643165", "rs528861354"}


def test_dbsnp_as_a_table_has_the_same_content(
    trimmed_dbsnp: Warehouse, realdata: Path, new_warehouse: NewWarehouse, tmp_path: Path
) -> None:
    """Compared by the partitions' hashes: a bgzip TSV in another order of columns, contigs by accession."""
    path = tmp_path / "dbsnp.tsv.gz"
    lines = ["rsid\tref\talt\tpos\tchrom\n"]
    with pysam.VariantFile(str(realdata / "known_sites" / DBSNP)) as records:
        lines += [f"{r.id}\t{r.ref}\t{','.join(r.alts)}\t{r.pos}\tNC_000021.9\n" for r in records]
    with pysam.BGZFile(str(path), "wb") as file:
        file.write("".join(lines).encode())
    warehouse = new_warehouse("genome.bin_width_bases=100000")
    ingest(warehouse, path, build="GRCh38")
    assert sorted(warehouse.rows(KNOWN_PARTITIONS)) == sorted(trimmed_dbsnp.rows(KNOWN_PARTITIONS))


def test_clinvar_left_aligned(
    realdata: Path, new_warehouse: NewWarehouse, oracle: Callable[[str], str]
) -> None:
    fasta = realdata / "reference" / "grch38_brca2chr13_brca1chr17.fa.gz"
    warehouse = new_warehouse(f"genome.reference_fasta={fasta}")
    path = realdata / "known_sites" / CLINVAR
    counters = ingest(warehouse, path, build="GRCh38")
    assert known(warehouse) == bcftools_alleles(oracle, path, "GRCh38", fasta)
    (row,) = warehouse.rows(CATALOGUES)
    assert str(row.catalogue_date) == "2020-11-07"
    with pysam.VariantFile(str(path)) as records:
        all_records = list(records)
    assert counters["records_read"] == len(all_records)
    without = sum(record.alts is None for record in all_records)
    assert counters["records_without_alt"] == without + row.n_not_comparable
    assert read_rows(warehouse, REJECTED_KNOWN_RECORDS).num_rows == row.n_refused


@pytest.mark.parametrize(
    ("build", "names"),
    [
        (
            "GRCh38",
            ["gnomad_exomes_r2.1.1_chr1_12k-494k.stripped", "gnomad_genomes_r3.1.1_chr1_10k.stripped"],
        ),
        (
            "GRCh37",
            [
                "1kg_p3_sites_chr1_10k-138k",
                "exac_r1_vep_chr1_13k-878k",
                "gnomad_exomes_r2.1.1_chr1_100var_fullINFO",
                "gnomad_exomes_r2.1.1_chr1_12k-325k.stripped",
                "gnomad_genomes_r2.1.1_chr1_10k-15k.stripped",
            ],
        ),
    ],
    ids=["GRCh38", "GRCh37"],
)
def test_sites_of_several_files_are_one_catalogue(
    build: str, names: list[str], realdata: Path, new_warehouse: NewWarehouse, oracle: Callable[[str], str]
) -> None:
    paths = [realdata / "known_sites" / f"{name}.{build.lower()}.vcf.gz" for name in names]
    warehouse = new_warehouse()
    ingest(warehouse, *paths, build=build)
    expected: dict[Key, set[str]] = {}
    for path in paths:
        for key, ids in bcftools_alleles(oracle, path, build).items():
            expected.setdefault(key, set()).update(ids)
    assert known(warehouse) == expected
    assert {row.contig for row in warehouse.rows(KNOWN_PARTITIONS)} == {plain_contig("1", build)}

"""A handful of the same files through the whole ingest: the tables hold what the parser gave."""

from __future__ import annotations

from pathlib import Path

from pyspark.sql import SparkSession

from allofus_spark.errors import AllofusError
from allofus_spark.ingest import ingest_genotypes
from allofus_spark.settings import load_settings
from allofus_spark.tables import GENOTYPES, REJECTED_RECORDS, Warehouse
from tests.cases.plain_ingest import ParsedFile, key_of, parse_file, plain_calls

SAMPLES = ("HG00096", "HG00097")


def quarantined_files(folder: Path) -> dict[Path, ParsedFile]:
    """Broken files of the two samples in which a record is refused: shards that can stand side by side."""
    files = {}
    for path in sorted(folder.glob("*.vcf")):
        try:
            parsed = parse_file(path, build="GRCh37")
        except AllofusError:
            continue
        if parsed.refused and parsed.samples == SAMPLES:
            files[path] = parsed
    return files


def test_quarantined_records_lie_in_their_table_and_the_others_in_theirs(
    spark: SparkSession, realdata: Path, tmp_path: Path
) -> None:
    folder = realdata / "vcf_conformance" / "4.2"
    files = quarantined_files(folder / "failed")
    assert len(files) >= 16
    good = folder / "passed" / "passed_body_info.vcf"
    files[good] = parse_file(good, build="GRCh37")
    overrides = ["ingest.max_rejected_share=0.5"]
    warehouse = Warehouse(spark, load_settings(warehouse=str(tmp_path / "w"), overrides=overrides))
    counters = ingest_genotypes(
        warehouse,
        [str(path) for path in files],
        callset_id="c",
        callset_date="2026-01-01",
        build="GRCh37",
    )
    assert counters["files"] == len(files)
    alleles = {key_of(row): plain_calls(row) for parsed in files.values() for row in parsed.alleles}
    rows = warehouse.read(GENOTYPES).collect()
    assert {key_of(row): plain_calls(row) for row in rows} == alleles
    assert len(rows) == sum(len(parsed.alleles) for parsed in files.values())
    columns = {"source_file": "source_file", "source_offset": "source_offset", "reason": "reason"}
    columns |= {"chrom": "chrom", "pos": "pos", "ref": "input_ref", "alt": "input_alts", "id": "input_id"}
    columns |= {"qual": "qual_text", "filter": "filter"}
    refused = [
        tuple(row[name] for name in columns.values()) for parsed in files.values() for row in parsed.refused
    ]
    stored = [tuple(row[name] for name in columns) for row in warehouse.read(REJECTED_RECORDS).collect()]
    assert sorted(stored) == sorted(refused)

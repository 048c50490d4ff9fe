"""Health records, phenotypes, a scan and known associations of the pool, so that every table has rows.

A table of the CDM has one row, whose values follow from the types of its columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pyspark.sql.types import DataType, DateType, StringType, TimestampType

from allofus_spark.association import Request, associate
from allofus_spark.phenotypes import build_from_file, build_phecodes, ingest_omop
from allofus_spark.replication import ingest_known_associations, replicate
from allofus_spark.settings import load_settings
from allofus_spark.tables import OMOP_TABLES, Warehouse
from tests.cases.vcf_files import write_bytes

FEW_PEOPLE = (
    "association.min_cases=2",
    "association.min_people=10",
    "association.min_mac=1",
    "association.min_mac_few_cases=1",
    "replication.min_cases=2",
    "ingest.max_rejected_share=1",
)
_KNOWN = {
    "assoc_ID": "1",
    "SNP_hg38": "4:5:A:T",
    "ancestry": "EUR",
    "rsID": "rs1",
    "risk_allele_dir": "alt",
    "risk_allele": "T",
    "phecode": "sick",
    "phecode_string": "Sick",
    "cat_LOG10_P": "9",
    "cat_OR": "2",
    "cat_L95": "1.5",
    "cat_U95": "2.5",
    "Study_accession": "GCST1",
    "category_string": "general",
    "pubmedid": "1",
}


def tell_of_health(
    warehouse: Warehouse, folder: Path, samples: Sequence[str], overrides: Sequence[str]
) -> None:
    """Fill the tables of records, phenotypes, associations and replications."""
    records = folder / "cdm"
    records.mkdir(exist_ok=True)
    for name, table in OMOP_TABLES.items():
        columns = {column.name: _value(column.name, column.type) for column in table.contract.columns}
        _write(records / f"{name}.csv", columns, _refused(columns) if name == "condition_occurrence" else [])
    lenient = Warehouse(
        warehouse.spark, load_settings(warehouse=warehouse.root, overrides=[*overrides, *FEW_PEOPLE])
    )
    ingest_omop(lenient, [str(records)])
    codes = _file(folder / "codes.csv", "vocabulary_id,code,phecode\nICD9CM,A,001\nICD9CM,B,002\n")
    build_phecodes(lenient, [str(codes)], name="codes")
    traits = [f"{name}\t{int(place % 3 == 0)}\t{place}" for place, name in enumerate(samples)]
    text = "".join(f"{line}\n" for line in ("sample_id\tsick\ttall", *traits))
    build_from_file(lenient, str(_file(folder / "traits.tsv", text)), name="traits")
    known = [_KNOWN, {**_KNOWN, "assoc_ID": "2", "SNP_hg38": "nowhere"}]
    _write(folder / "known.csv", known[0], known[1:])
    ingest_known_associations(lenient, str(folder / "known.csv"), name="known", version="1")
    associate(
        lenient,
        Request(
            phenotype_set="traits",
            covariates=(),
            ancestries=("afr", "eur", "all"),
            assume_unrelated=True,
            regions=("chr4",),  # with X, sex would be a covariate, and nobody here has one
            pictures=(),
        ),
    )
    replicate(lenient, scan="default")


def _value(name: str, kind: DataType) -> str:
    if isinstance(kind, StringType):
        return "ICD9CM" if name == "vocabulary_id" else "A"
    if isinstance(kind, DateType):
        return "2020-02-03"
    if name == "year_of_birth":
        return "1950"
    return "2020-02-03 04:05:06" if isinstance(kind, TimestampType) else "1"


def _refused(columns: dict[str, str]) -> list[dict[str, str]]:
    """A record without a phecode, and one of nobody."""
    record = "condition_occurrence_id"
    return [
        {**columns, record: "2", "condition_source_concept_id": "0", "condition_source_value": "Z"},
        {**columns, record: "3", "person_id": "99"},
    ]


def _write(path: Path, first: dict[str, str], others: Sequence[dict[str, str]]) -> None:
    lines = [",".join(first), *(",".join(row.values()) for row in (first, *others))]
    _file(path, "".join(f"{line}\n" for line in lines))


def _file(path: Path, text: str) -> Path:
    """The file with this text, not written again: to a night a file of another time is another file."""
    return path if path.is_file() and path.read_bytes() == text.encode() else write_bytes(path, text)

"""Input that is broken, empty or not what was meant: it is named, and what was held stays."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from click.testing import CliRunner
from pyspark.sql import SparkSession

from allofus_spark.cli import main
from allofus_spark.errors import BadSamples, BadSource
from allofus_spark.phenotypes import build_from_file, build_phecodes, export_phenotypes, ingest_omop
from allofus_spark.settings import load_settings
from allofus_spark.tables import OMOP_TABLES, PHENOTYPES, Warehouse
from tests.phenotypes.files import conditions, people, told, write_csv
from tests.representation.files import put_callset

pytestmark = pytest.mark.long

MAP = [{"vocabulary_id": "ICD9CM", "code": code, "phecode": "250.2"} for code in ("250.00", "8.6", "E800")]
PHENOTYPES_GZ = b"IID,x,\nb,1,\nc,0,\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("odd")


@pytest.fixture(scope="module")
def held(spark: SparkSession, folder: Path) -> Warehouse:
    """Persons 1 to 4, of whom 1 has a code on two dates; samples b and c of 1 and 2, and a of nobody."""
    warehouse = Warehouse(spark, load_settings(warehouse=str(folder / "warehouse")))
    records = [(1, day, None, "250.00") for day in ("2015-01-05", "2015-01-06")]
    links = [{"person_id": person, "sample_id": name} for person, name in ((1, "b"), (2, "c"))]
    ingest_omop(
        warehouse,
        [
            str(write_csv(folder / "person.csv", people(1, 2, 3, 4))),
            str(write_csv(folder / "condition_occurrence.csv", conditions(*records))),
        ],
        person_samples=str(write_csv(folder / "links.csv", links)),
    )
    put_callset(warehouse, "c", ["a", "b", "c"])
    return warehouse


def persons_held(warehouse: Warehouse) -> int:
    return warehouse.read(OMOP_TABLES["person"].contract).count()


def test_a_file_that_is_cut_short_is_named(held: Warehouse, folder: Path) -> None:
    parts = folder / "person"
    parts.mkdir()
    write_csv(parts / "whole.csv.gz", people(7, 8))
    cut = write_csv(parts / "cut.csv.gz", people(*range(100_000, 160_000)))
    cut.write_bytes(cut.read_bytes()[:-5000])
    with pytest.raises(BadSource, match=r"1 of 2 files cannot be read to their end: .*cut\.csv\.gz: Unexp"):
        ingest_omop(held, [str(parts)])
    cut.write_bytes(gzip.compress(b"person_id\n")[:12])
    with pytest.raises(BadSource, match=r"cut\.csv\.gz: cannot be read: Unexpected end of input str"):
        ingest_omop(held, [str(parts)])
    cut.unlink()
    (parts / "whole.csv.gz").rename(parts / "whole.parquet")
    with pytest.raises(BadSource, match=r"cannot be read as Parquet, CSV or CSV\.gz: .*not a Parquet file"):
        ingest_omop(held, [str(parts)])
    assert persons_held(held) == 4


def test_what_is_empty_or_not_there_replaces_nothing(held: Warehouse, folder: Path) -> None:
    empty = folder / "Person.tsv"
    empty.write_text((folder / "person.csv").read_text().splitlines()[0].replace(",", "\t") + "\n")
    with pytest.raises(BadSource, match="person: a header and no rows; all else is of persons"):
        ingest_omop(held, [str(empty)])
    with pytest.raises(BadSource, match="--column person_id=subject: no file has such a column"):
        ingest_omop(held, [str(folder / "person.csv")], columns={"person_id": "subject"})
    assert persons_held(held) == 4


def test_records_of_people_who_are_gone_are_counted(held: Warehouse, folder: Path) -> None:
    fewer = folder / "fewer"
    fewer.mkdir()
    counters = ingest_omop(held, [str(write_csv(fewer / "person.csv", people(2, 3)))])
    assert counters == {"person": 2, "condition_occurrence_of_nobody": 2}
    assert ingest_omop(held, [str(folder / "person.csv")]) == {"person": 4}


def test_codes_of_no_vocabulary_of_the_map(
    held: Warehouse, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="allofus_spark")
    codes = [str(write_csv(folder / "map.csv", MAP))]
    build_phecodes(held, codes, name="p", source_vocabulary="icd9cm")
    assert told(held, "p") == {("250.2", "1"): ("case", None)}
    assert "1 ICD9CM codes of the map have less than three digits before the dot, such as 8.6" in caplog.text
    with pytest.raises(BadSource, match=r"none of 2 records has a code .* an unknown vocabulary \(2\)"):
        build_phecodes(held, codes, name="p")
    with pytest.raises(BadSource, match="--source-vocabulary ICD9: the map has codes of ICD9CM"):
        build_phecodes(held, codes, name="p", source_vocabulary="ICD9")
    assert held.read(PHENOTYPES).where("phenotype_set = 'p'").count() == 1


def test_numbers_and_ids_that_nothing_can_be_made_of(held: Warehouse, folder: Path) -> None:
    file = folder / "odd.tsv"
    for text in ("1e999", "-1e308", "inf"):
        file.write_text(f"IID\tx\nb\t{text}\nc\t2\n")
        with pytest.raises(BadSource, match=rf"up to 1e150.* x: 1 cells, such as '{text}'"):
            build_from_file(held, str(file), name="f")
    file.write_text("IID\tx\nz\t1\nz\t1\n")
    with pytest.raises(BadSamples, match=r"1 ids on 2 of 2 lines are of no sample.* z; nothing was written"):
        build_from_file(held, str(file), name="f")


def test_gzip_and_columns_without_a_name(
    held: Warehouse, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="allofus_spark")
    file = folder / "f.csv.gz"
    file.write_bytes(gzip.compress(PHENOTYPES_GZ))
    build_from_file(held, str(file), name="f")
    assert told(held, "f") == {("x", "1"): ("case", None), ("x", "2"): ("control", None)}
    assert "1 columns are not used: number 3 (no name)" in caplog.text
    other = file.rename(folder / "f.csv")
    with pytest.raises(BadSource, match=r"is gzip, .* let it end in \.gz"):
        build_from_file(held, str(other), name="f")
    counters = export_phenotypes(held, str(folder / "out"), phenotypes=["x"], covariates=True)
    assert (counters["samples"], counters["samples_without_person"]) == (2, 1)
    # One of two files cannot be written: neither is.
    (folder / "no.covar").mkdir()
    with pytest.raises(BadSource, match=r"no\.covar cannot be written"):
        export_phenotypes(held, str(folder / "no"), phenotypes=["x"], covariates=True)
    assert not list(folder.glob("no.pheno*"))
    assert [path.name for path in folder.glob("no.covar*")] == ["no.covar"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--phecode-map", "m", "--binary", "x"], "--binary and --quantitative are of a --file"),
        (["--file", "f", "--no-rollup"], "are of --phecode-map; leave them out"),
        (["--file", "f", "--measurements", "m"], "give one of"),
    ],
)
def test_options_of_another_form_are_refused(options: list[str], message: str) -> None:
    answer = CliRunner().invoke(main, ["build-phenotypes", "--name", "s", *options])
    assert answer.exit_code == 2
    assert message in answer.output

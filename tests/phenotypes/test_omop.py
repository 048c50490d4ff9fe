"""Tables of the OMOP CDM from files as people have them, and what of these is refused."""

from __future__ import annotations

import datetime as dt
import gzip
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from allofus_spark.errors import BadSamples, BadSource
from allofus_spark.phenotypes import ingest_omop
from allofus_spark.settings import load_settings
from allofus_spark.tables import OMOP_TABLES, PERSON_SAMPLES, REJECTED_OMOP_ROWS, Warehouse
from tests.phenotypes.files import conditions, people, write_csv
from tests.representation.files import put_callset

PERSON = OMOP_TABLES["person"].contract
CONDITION = OMOP_TABLES["condition_occurrence"].contract


@pytest.fixture
def lenient(spark: SparkSession, tmp_path: Path) -> Warehouse:
    overrides = ["ingest.max_rejected_share=1"]
    return Warehouse(spark, load_settings(warehouse=str(tmp_path / "lenient"), overrides=overrides))


def refused(warehouse: Warehouse) -> dict[tuple[str, str, str, str], int]:
    return {
        (row.omop_table, row.reason, row.column, row.value): row.n_rows
        for row in warehouse.read(REJECTED_OMOP_ROWS).collect()
    }


def test_the_contracts_are_the_tables_of_the_cdm() -> None:
    assert [len(table.contract.columns) for table in OMOP_TABLES.values()] == [
        *(18, 5, 17, 17, 23, 21, 16, 23, 7),
        *(10, 6),
    ]
    assert (
        OMOP_TABLES["visit_occurrence"].older_names["discharged_to_concept_id"] == "discharge_to_concept_id"
    )
    zones = {table.contract.zone.value: name for name, table in OMOP_TABLES.items()}
    assert zones == {"controlled": "death", "registered": "concept_relationship"}
    assert OMOP_TABLES["measurement"].needed == ("person_id", "measurement_date")
    assert "measurement_concept_id" in OMOP_TABLES["measurement"].required


def test_values_come_through_whole_from_every_form_of_file(warehouse: Warehouse, tmp_path: Path) -> None:
    """Parts in other orders of columns, a byte-order mark, CRLF, quotes, pandas' Parquet, Athena's tabs."""
    folder = tmp_path / "cdm é [1]"
    parts = folder / "Condition_Occurrence"
    parts.mkdir(parents=True)
    (parts / "_SUCCESS").touch()
    (parts / "a.csv").write_bytes(
        "﻿PERSON_ID,Condition_Start_Date,CONDITION_SOURCE_VALUE,mine\r\n"
        '1,20150105,"a, ""b""\t",x\r\n1,2015-01-06 10:11:12.5+01:00, c ,x\r\n'.encode()
    )
    other = "condition_source_value,person_id,condition_start_date,condition_end_date\nd,2,2015-01-07,NULL\n"
    (parts / "b.csv.gz").write_bytes(gzip.compress(other.encode()))
    frame = pd.DataFrame(
        {
            "PERSON_ID": [1, 2, 3],
            "gender_concept_id": [8532.0, 8507.0, None],
            "YEAR_OF_BIRTH": [1950, 1960, 1970],
            "race_concept_id": [0, 0, 0],
            "ethnicity_concept_id": [44835752.0, 0, 0],
            "birth_datetime": pd.to_datetime(["1950-02-03 00:00:00", "1960-02-03 04:05:06", None]),
        }
    )
    frame = frame.fillna({"gender_concept_id": 0})
    frame.to_parquet(folder / "PERSON.parquet")
    lines = [
        "concept_id\tconcept_name\tdomain_id\tvocabulary_id\tconcept_class_id\tstandard_concept\tconcept_code"
        "\tvalid_start_date\tvalid_end_date\tinvalid_reason",
        '1\t"Half quoted\tCondition\tSNOMED\tx\tS\t1\t19700101\t20991231\t',
        "2\tNA\tCondition\tICD10CM\tx\t\tE11.9\t19700101\t20991231\t",
    ]
    (folder / "CONCEPT.csv").write_text("\n".join(lines) + "\n")
    (folder / "note.csv").write_text("x\n")
    counters = ingest_omop(warehouse, [str(folder)])
    assert counters == {"person": 3, "condition_occurrence": 3, "concept": 2}
    rows = warehouse.read(CONDITION).orderBy("condition_start_date").collect()
    assert [(row.person_id, str(row.condition_start_date), row.condition_source_value) for row in rows] == [
        (1, "2015-01-05", 'a, "b"'),
        (1, "2015-01-06", "c"),
        (2, "2015-01-07", "d"),
    ]
    assert len({row.condition_occurrence_id for row in rows}) == 3
    persons = {row.person_id: row for row in warehouse.read(PERSON).collect()}
    assert persons[1].ethnicity_concept_id == 44835752
    assert persons[2].birth_datetime == dt.datetime(1960, 2, 3, 4, 5, 6)
    names = {row.concept_name for row in warehouse.read(OMOP_TABLES["concept"].contract).collect()}
    assert names == {'"Half quoted', "NA"}
    assert refused(warehouse) == {}


def test_rows_that_cannot_be_read_are_kept_with_their_reason(lenient: Warehouse, tmp_path: Path) -> None:
    persons = [
        *people(1, 2),
        *people(3, year_of_birth="19x0"),
        *people(4, 4),
        *people("99999999999999999999", "x", None),
        *people(5, year_of_birth=3021),
        *people(6, gender_concept_id=None),
    ]
    good = ("2015-01-05", "ICD9CM", "250.00")
    bad_days = ("", "2015-02-30", "3021-01-05", "1849-12-31", "1/5/2015", "2015", "2015-1-5", "20150105x")
    records = conditions(
        (1, *good),
        (1, *good),
        *((1, day, "ICD9CM", "250.00") for day in bad_days),
        (77, *good),
        ("9223372036854775808", *good),
        ("1.5", *good),
        (4, *good),
    )
    path = write_csv(tmp_path / "condition_occurrence.csv", records)
    path.write_text(path.read_text() + "1,2015-01-05,ICD9CM\n1,2015-01-05,ICD9CM,250.00,more\n")
    counters = ingest_omop(lenient, [str(write_csv(tmp_path / "person.csv", persons)), str(path)])
    assert counters["person"] == 2
    assert counters["condition_occurrence"] == 2
    day, person = "condition_start_date", "person_id"
    expected = {
        ("person", "not_a_number", "year_of_birth", "19x0"): 1,
        ("person", "repeated_id", person, "4"): 2,
        ("person", "not_a_number", person, "99999999999999999999"): 1,
        ("person", "not_a_number", person, "x"): 1,
        ("person", "missing", person, ""): 1,
        ("person", "impossible_date", "year_of_birth", "3021"): 1,
        ("person", "missing", "gender_concept_id", ""): 1,
        ("condition_occurrence", "missing", day, ""): 1,
        ("condition_occurrence", "not_a_date", day, "2015-02-30"): 1,
        ("condition_occurrence", "impossible_date", day, "3021-01-05"): 1,
        ("condition_occurrence", "impossible_date", day, "1849-12-31"): 1,
        **{("condition_occurrence", "not_a_date", day, text): 1 for text in bad_days[4:]},
        ("condition_occurrence", "unknown_person", person, "77"): 1,
        ("condition_occurrence", "unknown_person", person, "4"): 1,
        ("condition_occurrence", "not_a_number", person, "9223372036854775808"): 1,
        ("condition_occurrence", "not_a_number", person, "1.5"): 1,
        ("condition_occurrence", "malformed", "", "1,2015-01-05,ICD9CM"): 1,
        ("condition_occurrence", "malformed", "", "1,2015-01-05,ICD9CM,250.00,more"): 1,
    }
    assert refused(lenient) == expected
    n_refused = sum(n for name, n in counters.items() if "_refused_" in name)
    assert n_refused == sum(expected.values()) == len(persons) - 2 + len(records) + 2 - 2


def test_too_many_refused_rows_leave_everything_as_it_was(warehouse: Warehouse, tmp_path: Path) -> None:
    persons = str(write_csv(tmp_path / "person.csv", people(1, 2)))
    day = ("2015-01-05", "ICD9CM", "250.00")
    records = tmp_path / "condition_occurrence.csv"
    ingest_omop(warehouse, [persons, str(write_csv(records, conditions((1, *day))))])
    write_csv(records, conditions((1, *day), (8, *day), (9, *day)))
    with pytest.raises(
        BadSource, match=r"2 of 3 rows are refused \(67 %\): unknown_person 2 \(person_id '8'"
    ):
        ingest_omop(warehouse, [str(records)])
    assert warehouse.read(CONDITION).count() == 1
    # Tables that are not given stay.
    ingest_omop(warehouse, [str(write_csv(records, conditions((2, *day), (2, *day))))])
    assert [row.person_id for row in warehouse.read(CONDITION).collect()] == [2, 2]
    assert warehouse.read(PERSON).count() == 2


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("condition_occurrence.csv", "person_id,condition_start_date\n", "give the table person with them"),
        ("person.csv", "", "its first line is blank; a header"),
        ("person.csv", "\n1\n", "its first line is blank"),
        ("person.csv", "gender_concept_id\n", r"no column person_id; it has gender_concept_id.*--column"),
        ("person.csv", "person_id,PERSON_ID\n1,2\n", "several columns are called person_id"),
        ("persons_of_mine.csv", "person_id\n", "the name of a file tells its table"),
        ("person.parquet", "not parquet", "cannot be read as Parquet"),
        ("person.csv.gz", "not gzip", "cannot be read"),
    ],
)
def test_files_that_are_none_are_refused_by_name(
    name: str, text: str, message: str, warehouse: Warehouse, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(BadSource, match=message):
        ingest_omop(warehouse, [str(path)])
    with pytest.raises(BadSource, match="is not there"):
        ingest_omop(warehouse, [str(tmp_path / "nowhere")])


def test_an_empty_table_and_other_names_of_columns(warehouse: Warehouse, tmp_path: Path) -> None:
    persons = [{"subject": 1}, {"subject": 2}]
    death = tmp_path / "death.csv"
    death.write_text("person_id,death_date\n")
    paths = [str(write_csv(tmp_path / "person.csv", persons)), str(death)]
    counters = ingest_omop(warehouse, paths, columns={"person_id": "Subject"})
    assert counters == {"person": 2, "death": 0}
    assert warehouse.read(OMOP_TABLES["death"].contract).count() == 0
    with pytest.raises(BadSource, match="--column nothing: no table of the CDM has such a column"):
        ingest_omop(warehouse, paths, columns={"nothing": "x"})


def test_samples_and_their_persons_are_held_against_both(
    warehouse: Warehouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="allofus_spark")
    put_callset(warehouse, "c", ["a", "b", "d"])
    persons = str(write_csv(tmp_path / "person.csv", people(1, 2, 3)))
    links = tmp_path / "links.tsv"

    def link(*pairs: tuple[object, str]) -> str:
        rows = [{"person_id": person, "sample_id": sample} for person, sample in pairs]
        return str(write_csv(links, rows, "\t"))

    given = link((1, "a"), (1, "b"), (2, "z"), (9, "d"))
    counters = ingest_omop(warehouse, [persons], person_samples=given)
    assert counters["samples"] == 3
    assert counters["samples_without_person"] == counters["persons_with_several_samples"] == 1
    assert counters["samples_not_in_an_active_callset"] == 1
    for text in ("are not in omop_person: 9", "more than one sample: 1", "in no active callset: z"):
        assert text in caplog.text
    held = {row.sample_id: row.person_id for row in warehouse.read(PERSON_SAMPLES).collect()}
    assert held == {"a": "1", "b": "1", "z": "2"}
    with pytest.raises(BadSamples, match=r"1 persons have more than one sample, .*: 1; leave one of each"):
        ingest_omop(warehouse, [], person_samples=given, one_sample_each=True)
    with pytest.raises(BadSamples, match="1 samples belong to two persons, nothing was written: a;"):
        ingest_omop(warehouse, [], person_samples=link((1, "a"), (2, "a")))
    with pytest.raises(BadSamples, match="line 2 has no sample_id"):
        ingest_omop(warehouse, [], person_samples=link((1, ""), (2, "a")))
    with pytest.raises(BadSamples, match="none of 1 persons of the samples is in omop_person: 7"):
        ingest_omop(warehouse, [], person_samples=link((7, "a")))
    assert {row.sample_id for row in warehouse.read(PERSON_SAMPLES).collect()} == set(held)

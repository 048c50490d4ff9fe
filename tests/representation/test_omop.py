"""Persons from health records, and for how long there are records of people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from allofus_spark.cli import main
from allofus_spark.errors import BadSource
from allofus_spark.phenotypes import ingest_omop
from allofus_spark.representation import ingest_persons, ingest_persons_from_omop, report_cohort
from allofus_spark.tables import PERSON_SAMPLES, PERSONS, Warehouse
from tests.phenotypes.files import conditions, people, write_csv
from tests.representation.files import put_callset, write_table

SPANS = {1: ("2010-01-01", "2012-01-01"), 2: ("2000-03-04", "2010-03-04"), 3: ("2015-05-05", "2015-05-05")}


@pytest.mark.long
def test_persons_and_years_of_records(
    warehouse: Warehouse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadSource, match="omop_person is not there; run allofus ingest-omop with person"):
        ingest_persons_from_omop(warehouse)
    black_hispanic = {"race_concept_id": 8516, "ethnicity_concept_id": 38003563}
    persons = [
        *people(1, **black_hispanic, month_of_birth=1, day_of_birth=2),
        *people(2, race_concept_id=8527, ethnicity_concept_id=38003564, gender_concept_id=8507),
        *people(
            3,
            race_source_value="Martian",
            ethnicity_source_value="PMI: Skip",
            month_of_birth=5,
            day_of_birth=5,
        ),
        *people(4, year_of_birth=2030 - 20),
    ]
    periods = [
        {
            "observation_period_id": number,
            "person_id": person,
            "observation_period_start_date": first,
            "observation_period_end_date": last,
            "period_type_concept_id": 0,
        }
        for number, (person, (first, last)) in enumerate([*SPANS.items(), (1, ("2011-01-01", "2014-01-01"))])
    ]
    ingest_omop(
        warehouse,
        [
            str(write_csv(tmp_path / "person.csv", persons)),
            str(write_csv(tmp_path / "observation_period.csv", periods)),
        ],
        person_samples=str(write_csv(tmp_path / "links.tsv", [{"person_id": 2, "sample_id": "a"}], "\t")),
    )
    put_callset(warehouse, "c", ["a"])
    counters = ingest_persons_from_omop(warehouse)
    assert counters == {"persons": 4, "persons_without_records": 1, "persons_without_age": 1}
    rows = {row.person_id: row for row in warehouse.read(PERSONS).collect()}
    assert rows["1"].race_ethnicity == ["Black or African American", "Hispanic or Latino"]
    assert [rows[name].race_ethnicity for name in "234"] == [
        ["White", "Not Hispanic or Latino"],
        ["Martian"],
        None,
    ]
    assert [rows[name].sex_at_birth for name in "12"] == [["Female"], ["Male"]]
    assert [rows[name].age_at_enrolment_years for name in "1234"] == [59, 50, 65, None]
    assert (rows["1"].records_from, rows["1"].records_to) == (dt.date(2010, 1, 1), dt.date(2014, 1, 1))
    assert rows["1"].enrolled_on == dt.date(2010, 1, 1)
    assert "income" in rows["1"].not_asked
    assert not {"race_ethnicity", "age", "sex_at_birth"} & set(rows["1"].not_asked)
    assert [row.sample_id for row in warehouse.read(PERSON_SAMPLES).collect()] == ["a"]
    report = report_cohort(warehouse)
    days = [1461, 3652, 0]
    linkage = report.linkage["all"]
    assert (linkage.n_people, linkage.n_linked) == (4, 3)
    assert linkage.quartiles == pytest.approx(np.percentile(np.array(days) / 365.25, [25, 50, 75]))
    assert report.linkage["with_genomes"].quartiles == pytest.approx([3652 / 365.25] * 3)
    assert report.linkage["without_genomes"].n_linked == 2
    assert report.of("race_ethnicity").n_under_represented == 1
    picture = Path(report.picture).read_text()
    assert "Years of health records of people with such: median and quartiles" in picture
    assert "Everybody, n = 3 of 4" in picture

    @contextmanager
    def opened(*_: object) -> Iterator[Warehouse]:
        yield warehouse

    monkeypatch.setattr("allofus_spark.cli.persons.open_warehouse", opened)
    answer = CliRunner().invoke(main, ["report-cohort"], catch_exceptions=False).stdout
    lines = [line.split() for line in answer.splitlines()]
    assert ["everybody", "4", "3", "4.0", "2.0", "to", "7.0"] in lines
    assert CliRunner().invoke(main, ["ingest-persons"]).exit_code == 2
    # Persons of a file get the same spans.
    ingest_persons(warehouse, write_table(tmp_path / "p.tsv", [{"person_id": "2"}, {"person_id": "x"}]))
    rows = {row.person_id: row for row in warehouse.read(PERSONS).collect()}
    assert (rows["2"].records_from, rows["2"].records_to) == (dt.date(2000, 3, 4), dt.date(2010, 3, 4))
    assert rows["x"].records_from is None


def test_without_periods_the_dated_records_count(warehouse: Warehouse, tmp_path: Path) -> None:
    days = ("2012-01-05", "2010-01-05", "2011-01-05")
    records = conditions(*((1, day, "ICD9CM", "1") for day in days))
    death = [{"person_id": 1, "death_date": "2013-01-05"}]
    ingest_omop(
        warehouse,
        [
            str(write_csv(tmp_path / "person.csv", people(1, 2))),
            str(write_csv(tmp_path / "condition_occurrence.csv", records)),
            str(write_csv(tmp_path / "death.csv", death)),
        ],
    )
    ingest_persons_from_omop(warehouse)
    rows = {row.person_id: row for row in warehouse.read(PERSONS).collect()}
    assert (rows["1"].records_from, rows["1"].records_to) == (dt.date(2010, 1, 5), dt.date(2013, 1, 5))
    assert rows["2"].records_from is None
    assert warehouse.read(PERSON_SAMPLES).count() == 0
    assert report_cohort(warehouse).linkage["with_genomes"].n_people == 0

"""Traits from measurements: units, what is plausible, medians, and why a measurement does not count."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from allofus_spark.errors import BadSource
from allofus_spark.phenotypes import build_measurements, ingest_omop
from allofus_spark.phenotypes.traits import read_traits
from allofus_spark.tables import PHENOTYPE_CATALOGUE, PHENOTYPE_DEFINITIONS, PHENOTYPES, Warehouse
from tests.phenotypes.files import people, write_csv

MG_DL, MMOL_L = 8840, 8753
HEADER = "phenotype_id\tdescription\tconcept_ids\tunit\tunit_factors\tleast\tmost\n"
GLUCOSE = (
    f"glucose\tGlucose\t3004501, 3004077\tmg/dL\t{MG_DL}=1; {MMOL_L}=18.0182; mmol/L=18.0182\t10\t1000\n"
)
TEMPERATURE = "temp\t\t3020891\tCel\t[degF]=0.5555555555555556-17.77777777777778; none=1\t25\t45\n"


def measurement(person: int, day: str, value: object, **others: object) -> dict[str, object]:
    plain = {"measurement_concept_id": 3004501, "unit_concept_id": MG_DL}
    return {"person_id": person, "measurement_date": day, "value_as_number": value, **plain, **others}


@pytest.mark.long
def test_medians_are_in_one_unit_and_what_is_left_out_is_counted(
    warehouse: Warehouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="allofus_spark")
    fahrenheit = {"measurement_concept_id": 3020891, "unit_concept_id": 0, "unit_source_value": "[degF]"}
    bare = {"measurement_concept_id": 3020891, "unit_concept_id": None}
    rows = [
        measurement(1, "2015-01-05", 90),
        measurement(1, "2015-01-05", 100),
        measurement(1, "2015-02-05", 10, unit_concept_id=MMOL_L, measurement_concept_id=3004077),
        measurement(1, "2015-02-06", 5, unit_concept_id=0, unit_source_value=" mmol/L "),
        measurement(2, "2015-01-05", 1001),
        measurement(2, "2015-01-06", 9.9),
        measurement(2, "2015-01-07", 10, operator_concept_id=4171756),
        measurement(2, "2015-01-07", 10, value_source_value="< 10"),
        measurement(2, "2015-01-08", 80, unit_concept_id=1),
        measurement(2, "2015-01-09", 80, unit_concept_id=0),
        measurement(2, "2015-01-10", None),
        measurement(2, "2015-01-11", 1000, operator_concept_id=4172703),
        measurement(3, "2015-01-05", 98.6, **fahrenheit),
        measurement(3, "2015-01-05", 98.6, **{**fahrenheit, "unit_source_value": "degF"}),
        measurement(4, "2015-01-05", 36.5, **bare),
        measurement(4, "2015-01-05", 98.6, **bare),
        measurement(4, "2015-01-05", 7, measurement_concept_id=1),
    ]
    records = write_csv(tmp_path / "measurement.csv", rows)
    ingest_omop(warehouse, [str(write_csv(tmp_path / "person.csv", people(1, 2, 3, 4))), str(records)])
    traits = tmp_path / "traits.tsv"
    traits.write_text(HEADER + GLUCOSE + TEMPERATURE)
    counters = build_measurements(warehouse, str(traits), name="labs")
    found = {(row.phenotype_id, row.person_id): row for row in warehouse.read(PHENOTYPES).collect()}
    assert {place: row.value for place, row in found.items()} == {
        ("glucose", "1"): pytest.approx((5 * 18.0182 + 100) / 2),
        ("glucose", "2"): 1000,
        ("temp", "3"): pytest.approx(37.0),
        ("temp", "4"): 36.5,
    }
    first = found["glucose", "1"]
    assert (first.n_dates, first.first_date, first.status) == (3, dt.date(2015, 1, 5), "measured")
    assert {name: counters[f"measurements_{name}"] for name in ("operator", "unknown_unit", "no_value")} == {
        "operator": 2,
        "unknown_unit": 3,
        "no_value": 1,
    }
    assert counters["measurements_implausible"] == 3
    assert counters["measurements"] == 16
    assert counters["measurements_used"] == 7
    assert (
        "glucose: 5 of 12 measurements count; left out: 1 without a number, 2 below or above" in caplog.text
    )
    assert "glucose: units not known: concept 1 (1), none (1); add them to unit_factors" in caplog.text
    catalogue = warehouse.read(PHENOTYPE_CATALOGUE).where("ancestry = 'all' AND phenotype_id = 'glucose'")
    (row,) = catalogue.collect()
    one, two = found["glucose", "1"].value, 1000
    assert (row.n_measured, row.n_cases) == (2, None)
    assert row.mean == pytest.approx((one + two) / 2)
    assert row.sd == pytest.approx(abs(two - one) / 2**0.5)
    units = {row.phenotype_id: row.unit for row in warehouse.read(PHENOTYPE_DEFINITIONS).collect()}
    assert units == {"glucose": "mg/dL", "temp": "Cel"}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("a\t\t1\tx\t1=1\t1\t0\n", "line 2: least 1 is above most 0"),
        ("a\t\t1\tx\tnothing\t0\t1\n", "unit_factors 'nothing' is not UNIT=FACTOR"),
        ("a\t\t1\tx\tm=x\t0\t1\n", "unit_factors 'm=x' is not"),
        ("a\t\tx\tx\t1=1\t0\t1\n", "concept_ids x: no concept ids"),
        ("a\t\t1\tx\t1=1\t0\n", "6 fields, not 7"),
        ("a\t\t1\t\t1=1\t0\t1\n", "unit is empty"),
        ("a\t\t1\tx\t1=1\t0\tnan\n", "most 'nan' is no number"),
        ("", "a header and no definitions"),
    ],
)
def test_definitions_that_are_none_are_refused(line: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "traits.tsv"
    path.write_text(HEADER + line)
    with pytest.raises(BadSource, match=message):
        read_traits(str(path))


def test_factors_are_read_with_exponents_and_signs(tmp_path: Path) -> None:
    path = tmp_path / "traits.tsv"
    path.write_text(HEADER + "a\t\t1\tx\t1=1e-3; 10*3/uL = -2.5E1-1e-2; none=+2+3;\t-1\t1\n")
    (trait,) = read_traits(str(path))
    assert trait.factors == {"1": (1e-3, 0), "10*3/uL": (-25.0, -0.01), "none": (2, 3)}

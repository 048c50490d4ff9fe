"""Case 28: how codes are written and counted; and its kin."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from allofus_spark.errors import BadSource
from allofus_spark.phenotypes import build_phecodes, ingest_omop
from allofus_spark.tables import PHENOTYPE_CATALOGUE, PHENOTYPES, UNMAPPED_CODES, Warehouse
from tests.phenotypes.files import conditions, people, told, told_of, write_csv

STATUS = {True: "case", None: "excluded", False: "control"}


def test_the_case_comes_out_as_it_should(
    warehouse: Warehouse, cases: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="allofus_spark")
    folder = cases / "28_phecode_counts_and_dots"
    counters = ingest_omop(warehouse, [str(folder / "person.csv"), str(folder / "condition_occurrence.csv")])
    assert (counters["person"], counters["condition_occurrence"]) == (11, 20)
    counters = build_phecodes(warehouse, [str(folder / "phecode_map.csv")], name="p12")
    expected = json.loads((folder / "expected.json").read_text())
    found = told(warehouse, "p12")
    for phecode in ("250.2", "395.6", "038"):
        for person, answer in expected[phecode].items():
            status, reason = found.get((phecode, person), ("control", None))
            assert status == STATUS[answer], (phecode, person)
            assert reason == ("too_few_dates" if answer is None else None)
    unmapped = {
        f"{row.vocabulary_id} {row.written}": row.n_rows for row in warehouse.read(UNMAPPED_CODES).collect()
    }
    assert unmapped == expected["unmapped_rows"]
    assert "ICD10CM V43.3: 2" in caplog.text
    assert "ICD9CM 250: 2" in caplog.text
    assert counters["records_without_phecode"] == 4
    counts = {
        (row.phenotype_id, row.ancestry): (row.n_cases, row.n_controls, row.n_excluded)
        for row in warehouse.read(PHENOTYPE_CATALOGUE).collect()
    }
    assert counts["250.2", "all"] == counts["250.2", "no_genome"] == (4, 5, 2)


MAP = [
    {"vocabulary_id": "ICD9CM", "code": "250.00", "phecode": "250.2"},
    {"vocabulary_id": "icd10cm", "code": "e11.9", "phecode": "250.2"},
    {"vocabulary_id": "ICD10CM", "code": "E11.21", "phecode": "250.22"},
    {"vocabulary_id": "ICD10CM", "code": "E11.21", "phecode": "585.3"},
    {"vocabulary_id": "ICD9CM", "code": "V43.3", "phecode": "395.6"},
    {"vocabulary_id": "ICD10CM", "code": "V43.3", "phecode": "1010"},
    {"vocabulary_id": "ICD9CM", "code": "008.6", "phecode": "008"},
    {"vocabulary_id": "ICD9CM", "code": "249.0", "phecode": "249"},
]
RECORDS = conditions(
    # Midnight and other times of one day are one date.
    ("1", "2015-01-05 00:00:00", "ICD9CM", "250.00"),
    ("1", "2015-01-05T23:59:59", "ICD10CM", "E119"),
    ("2", "20150105", "ICD9CM", "250.00"),
    ("2", "2015-01-06", "icd10cm ", " e11. 9 "),
    # A code of two phecodes counts for both, and a narrower phecode for the broader one.
    ("3", "2015-01-05", "ICD10CM", "E1121"),
    ("3", "2015-01-06", "ICD10CM", "e11.21"),
    # One date each of a narrower and of a broader one are two dates of the broader.
    ("4", "2015-01-05", "ICD10CM", "E11.21"),
    ("4", "2015-01-06", "ICD9CM", "25000"),
    ("5", "2015-01-05", "ICD9CM", "V433"),
    ("5", "2015-01-06", "ICD9CM", "V43.3"),
    ("5", "2015-01-05", "ICD10CM", "V433"),
    ("6", "2015-01-05", "ICD9CM", "0086"),
    ("6", "2015-01-06", "ICD9CM", "008.6"),
    ("6", "2015-01-07", "ICD9CM", "86"),
    ("7", "2015-01-05", "ICD9CM", "249.0"),
    ("8", "2015-01-05", "ICD9CM", "249.0"),
    ("8", "2015-01-06", "ICD9CM", "250.00"),
    ("8", "2015-01-07", "ICD9CM", "250.00"),
)


def test_kin(warehouse: Warehouse, tmp_path: Path) -> None:
    files = [
        write_csv(tmp_path / "PERSON.csv", people(*range(1, 11))),
        write_csv(tmp_path / "condition_occurrence.csv.gz", RECORDS),
    ]
    codes = str(write_csv(tmp_path / "map.csv", MAP))
    ranges = write_csv(
        tmp_path / "ranges.csv", [{"phecode": "250.2", "range_start": "249.00", "range_end": "250.22"}]
    )
    ingest_omop(warehouse, [str(path) for path in files])
    build_phecodes(warehouse, [codes], name="p", exclusions=str(ranges))
    few = ("excluded", "too_few_dates")
    found = told(warehouse, "p")
    assert found == {
        ("250.2", "1"): few,
        ("250.2", "2"): ("case", None),
        ("250.2", "3"): ("case", None),
        ("250.22", "3"): ("case", None),
        ("585.3", "3"): ("case", None),
        ("250.2", "4"): ("case", None),
        ("250.22", "4"): few,
        ("585.3", "4"): few,
        ("395.6", "5"): ("case", None),
        ("008", "6"): ("case", None),
        ("250.2", "7"): ("excluded", "exclusion_range"),
        ("250.2", "8"): ("case", None),
    }
    rows = {(row.phenotype_id, row.person_id): row for row in warehouse.read(PHENOTYPES).collect()}
    assert rows["250.2", "4"].n_dates == 2
    assert str(rows["250.2", "4"].first_date) == "2015-01-05"
    assert rows["250.2", "7"].n_dates is None
    # Nobody is a case of 249 or 1010: they are not told of.
    assert told_of(warehouse, "p")[0] == {"250.2", "250.22", "585.3", "395.6", "008"}
    build_phecodes(warehouse, [codes], name="p", roll_up=False)
    found = told(warehouse, "p")
    assert found["250.2", "4"] == few
    assert ("250.2", "3") not in found
    assert ("250.2", "7") not in found
    with pytest.raises(BadSource, match=r"5 phenotypes are in another set already: 008 \(p\), .*--name"):
        build_phecodes(warehouse, [codes], name="other")


@pytest.mark.long
def test_a_phecode_of_one_sex_excludes_others_whatever_their_codes(
    warehouse: Warehouse, tmp_path: Path
) -> None:
    header = ("phecode", "ICD", "flag", "phecode_string", "phecode_category", "exclude_range", "sex")
    row = dict(zip(header, ("600", "600.0", "9", "Prostate", "", "", "Male"), strict=True))
    codes = write_csv(tmp_path / "map.csv", [{**row, "phecode_unrolled": "600"}])
    men = people(1, 2, gender_concept_id=8507)
    persons = [*men, *people(3), *people(4, gender_concept_id=0)]
    twice = [(person, day, "ICD9CM", "600.0") for person in (1, 3, 4) for day in ("2015-01-05", "2015-01-06")]
    records = write_csv(tmp_path / "condition_occurrence.csv", conditions(*twice))
    ingest_omop(warehouse, [str(write_csv(tmp_path / "person.csv", persons)), str(records)])
    build_phecodes(warehouse, [str(codes)], name="p")
    assert told(warehouse, "p") == {
        ("600", "1"): ("case", None),
        ("600", "3"): ("excluded", "other_sex"),
        ("600", "4"): ("excluded", "sex_not_known"),
    }
    (row,) = warehouse.read(PHENOTYPE_CATALOGUE).where("ancestry = 'all'").collect()
    assert (row.n_cases, row.n_controls, row.n_excluded) == (1, 1, 2)


@pytest.mark.long
def test_standard_concepts_stand_in_where_no_source_code_is(
    warehouse: Warehouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="allofus_spark")
    dated = {"valid_start_date": "19700101", "valid_end_date": "20991231", "invalid_reason": None}
    names = ("concept_id", "vocabulary_id", "concept_code", "concept_name", "domain_id", "concept_class_id")
    concepts = [
        dict(zip(names, (*row, 'a, b "c', "Condition", "x"), strict=True)) | dated
        for row in (
            (1, "ICD9CM", "250.00"),
            (2, "ICD10CM", "E11.9"),
            (9, "SNOMED", "44054006"),
            (8, "SNOMED", "1"),
        )
    ]
    related = [
        {"concept_id_1": one, "concept_id_2": other, "relationship_id": kind} | dated
        for one, other, kind in ((1, 9, "Maps to"), (2, 9, "Maps to"), (9, 9, "Maps to"), (1, 8, "Is a"))
    ]
    records = [
        {"person_id": person, "condition_start_date": day, "condition_concept_id": standard}
        | {"condition_source_concept_id": source, "condition_source_value": value}
        for person, day, standard, source, value in (
            (1, "2015-01-05", 9, 0, "free text"),
            (1, "2015-01-06", 9, None, ""),
            (2, "2015-01-05", 8, 0, ""),
            (2, "2015-01-06", 8, 0, ""),
            (3, "2015-01-05", 9, 2, "what the source says"),
            (3, "2015-01-06", 9, 1, ""),
        )
    ]
    folder = tmp_path / "cdm"
    folder.mkdir()
    write_csv(folder / "PERSON.csv", people(1, 2, 3))
    write_csv(folder / "CONCEPT.csv", concepts, "\t")
    write_csv(folder / "CONCEPT_RELATIONSHIP.csv", related, "\t")
    write_csv(folder / "condition_occurrence.csv", records)
    ingest_omop(warehouse, [str(folder)])
    counters = build_phecodes(warehouse, [str(write_csv(tmp_path / "map.csv", MAP))], name="p")
    assert told(warehouse, "p") == {("250.2", "1"): ("case", None), ("250.2", "3"): ("case", None)}
    assert counters["records_through_standard_concepts"] == 2
    assert "2 records have no source code with a vocabulary" in caplog.text
    assert counters["records_without_phecode"] == 2

"""Phenotypes that come as a table, and that go out as PLINK 2 and regenie read them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from allofus_spark.errors import BadSamples, BadSource, NotFound
from allofus_spark.phenotypes import build_from_file, build_phecodes, export_phenotypes, ingest_omop
from allofus_spark.tables import (
    PERSON_SAMPLES,
    PHENOTYPE_CATALOGUE,
    PHENOTYPE_DEFINITIONS,
    PHENOTYPES,
    Warehouse,
)
from tests.phenotypes.files import conditions, people, told_of, write_csv
from tests.representation.files import put_callset

CASE_21 = "21_covariates_and_phenotype_coding"


def values(warehouse: Warehouse) -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = {}
    for row in warehouse.read(PHENOTYPES).collect():
        shown = row.value if row.status == "measured" else row.status
        found.setdefault(row.phenotype_id, {})[row.person_id] = shown
    return found


def test_case_21_is_recoded_and_goes_through_plink(
    warehouse: Warehouse,
    cases: Path,
    tmp_path: Path,
    oracle: Callable[[str], str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", logger="allofus_spark")
    lines = [line.split("\t") for line in (cases / CASE_21 / "pheno.tsv").read_text().splitlines()]
    header, rows = lines[0], [dict(zip(lines[0], line, strict=True)) for line in lines[1:]]
    put_callset(warehouse, "c", [row["sample"] for row in rows], ancestry=["eur"] * 20 + [None] * 10)
    counters = build_from_file(warehouse, str(cases / CASE_21 / "pheno.tsv"), name="mine")
    assert counters["phenotypes"] == len(header) - 1
    found = values(warehouse)
    coded = {"1": "control", "2": "case"}
    plain = {row["sample"]: coded[row["cc12"]] for row in rows if row["cc12"] in coded}
    assert found["cc12"] == plain
    # 26 of the 28 have an age: what a regression on it uses.
    assert (len(plain), len(plain.keys() & found["age"].keys())) == (28, 26)
    assert found["age"] == {row["sample"]: float(row["age"]) for row in rows if row["age"] != "NA"}
    assert "are 1 and 2, read as control and case: cc12, sex_const" in caplog.text
    assert "-9 is missing, as in PLINK" in caplog.text
    assert "no sample is linked to a person: each sample is taken for a person" in caplog.text
    counts = {
        row.ancestry: (row.n_cases, row.n_controls)
        for row in warehouse.read(PHENOTYPE_CATALOGUE).where("phenotype_id = 'cc12'").collect()
    }
    assert counts["all"] == (list(plain.values()).count("case"), list(plain.values()).count("control"))
    assert {name: sum(pair) for name, pair in counts.items()} == {
        "all": 28,
        "eur": sum(name in plain for name in [row["sample"] for row in rows][:20]),
        "unlabelled": sum(name in plain for name in [row["sample"] for row in rows][20:]),
    }
    _through_plink(warehouse, cases / CASE_21 / "input.vcf", rows, tmp_path, oracle("plink2"))


def _through_plink(
    warehouse: Warehouse, vcf: Path, rows: list[dict[str, str]], tmp_path: Path, plink: str
) -> None:
    """PLINK reads the exported file as it reads the one that the phenotypes came from."""
    asked = ("cc12", "bmi")
    original = tmp_path / "original.txt"
    text = [("#FID", "IID", *asked), *(("0", row["sample"], *(row[name] for name in asked)) for row in rows)]
    original.write_text("".join("\t".join(line) + "\n" for line in text))
    export_phenotypes(warehouse, str(tmp_path / "out"), phenotypes=asked)
    outs = {}
    for name, path in (("original", original), ("exported", tmp_path / "out.pheno")):
        command = [plink, "--vcf", str(vcf), "--pheno", str(path), "--out", str(tmp_path / name)]
        command += ["--glm", "allow-no-covars", "no-firth", "--bad-freqs", "--chr", "1"]
        subprocess.run(command, check=True, capture_output=True)
        outs[name] = [
            (tmp_path / f"{name}.{phenotype}").read_text()
            for phenotype in ("cc12.glm.logistic", "bmi.glm.linear")
        ]
    assert outs["original"] == outs["exported"]
    assert [out.splitlines()[1].split("\t")[-1] for out in outs["exported"]] == ["."] * 2
    export_phenotypes(warehouse, str(tmp_path / "r"), form="regenie", phenotypes=asked)
    lines = (tmp_path / "r.pheno").read_text().splitlines()
    assert lines[0] == "FID\tIID\tcc12\tbmi"
    by_sample = {line.split("\t")[1]: line.split("\t")[2:] for line in lines[1:]}
    assert by_sample == {
        row["sample"]: [{"1": "0", "2": "1"}.get(row["cc12"], "NA"), repr(float(row["bmi"]))] for row in rows
    }


@pytest.mark.long
def test_values_decide_what_a_column_is(
    warehouse: Warehouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="allofus_spark")
    put_callset(warehouse, "c", ["a", "b", "d", "e"])
    path = tmp_path / "pheno.txt"
    path.write_text(
        "FID IID zero_one three number plink only\n"
        "0 a 0 0 1.5 0 1\n0   b 1 1 -9 1 NA\n0 d NA 2 1e2 2 1\n0 e -9 nan . -9 1\n"
    )
    build_from_file(warehouse, str(path), name="mine", binary=["plink"])
    assert values(warehouse) == {
        "zero_one": {"a": "control", "b": "case"},
        "three": {"a": 0, "b": 1, "d": 2},
        "number": {"a": 1.5, "d": 100},
        "plink": {"b": "control", "d": "case"},
        "only": {"a": "case", "d": "case", "e": "case"},
    }
    assert "1 columns hold 0, 1 and 2, read as quantitative: three" in caplog.text
    assert "0 is missing in plink" in caplog.text
    assert "binary columns have cases alone, controls alone or neither: only" in caplog.text
    kinds = {row.phenotype_id: row.kind for row in warehouse.read(PHENOTYPE_DEFINITIONS).collect()}
    assert kinds == dict.fromkeys(("zero_one", "plink", "only"), "binary") | dict.fromkeys(
        ("three", "number"), "quantitative"
    )
    build_from_file(warehouse, str(path), name="mine", quantitative=["zero_one", "plink", "only"])
    assert values(warehouse)["zero_one"] == {"a": 0, "b": 1}
    with pytest.raises(BadSource, match="number: 2 values are not 0, 1, 2 or missing: it is not binary"):
        build_from_file(warehouse, str(path), name="mine", binary=["number"])
    with pytest.raises(BadSource, match="has no column x; its phenotypes are zero_one, three"):
        build_from_file(warehouse, str(path), name="mine", binary=["x"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("IID\tx\na\tyes\nb\tno\n", r"1 columns have others: x: 2 cells, such as 'no', 'yes'"),
        ("name\tx\na\t1\n", "no column person_id, sample_id or IID; it has name, x"),
        ("IID\na\n", "no column of a phenotype"),
        ("IID\tx\na\t1\t2\n", "more or fewer cells than the header's 2"),
        ("IID x\na 1 2\n", "more or fewer cells than the header's 2: a 1 2"),
        ("IID\tx\tX\na\t1\t2\n", "several columns are called X, x"),
        ("", "its first line is blank"),
        ("IID\tx\n", "a header and no lines"),
        ("IID\tx\n\t1\n", "1 lines have no id"),
        ("IID\tx\na\t1\na\t0\n", "persons have lines that differ, nothing was written: a"),
        ("person_id\tx\na\t1\n", "names persons, and none are known"),
    ],
)
def test_tables_that_are_none_are_refused(
    text: str, message: str, warehouse: Warehouse, tmp_path: Path
) -> None:
    path = tmp_path / "pheno.tsv"
    path.write_text(text)
    with pytest.raises((BadSource, BadSamples), match=message):
        build_from_file(warehouse, str(path), name="mine")
    assert "phenotypes" not in warehouse.snapshot()


@pytest.mark.long
def test_controls_without_a_row_go_out_and_people_without_samples_do_not(
    warehouse: Warehouse, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="allofus_spark")
    put_callset(warehouse, "c", ["a", "b", "d", "e"], ancestry=["eur", "afr", "eur", None])
    twice = [(1, day, "ICD9CM", "250.00") for day in ("2015-01-05", "2015-01-06")]
    records = conditions(*twice, (2, "2015-01-05", "ICD9CM", "250.00"), (2, "2015-01-05", "ICD9CM", "1"))
    links = [
        {"person_id": person, "sample_id": sample}
        for person, sample in ((1, "a"), (1, "e"), (2, "b"), (3, "d"))
    ]
    ingest_omop(
        warehouse,
        [
            str(write_csv(tmp_path / "person.csv", people(1, 2, 3, 4))),
            str(write_csv(tmp_path / "condition_occurrence.csv", records)),
        ],
        person_samples=str(write_csv(tmp_path / "links.tsv", links, "\t")),
    )
    codes = [{"vocabulary_id": "ICD9CM", "code": "250.00", "phecode": "250.2"}]
    build_phecodes(warehouse, [str(write_csv(tmp_path / "map.csv", codes))], name="p")
    table = tmp_path / "pheno.csv"
    table.write_text("person_id,bmi\n1,20.5\n3,30\n9,1\n")
    assert build_from_file(warehouse, str(table), name="mine")["ids_not_known"] == 1
    assert "1 ids on 1 of 3 lines are of no" in caplog.text
    assert told_of(warehouse, "mine") == ({"bmi"}, {"1", "3"})
    counters = export_phenotypes(warehouse, str(tmp_path / "out"), covariates=True)
    assert counters == {"samples": 4, "samples_without_person": 0, "phenotypes": 2, "covariates": 2}
    assert (tmp_path / "out.pheno").read_text().splitlines() == [
        "#FID\tIID\t250.2\tbmi",
        "0\ta\t2\t20.5",
        "0\tb\tNA\tNA",
        "0\td\t1\t30.0",
        "0\te\t2\t20.5",
    ]
    assert (tmp_path / "out.covar").read_text().splitlines()[:2] == ["#FID\tIID\tsex\tage", "0\ta\tNA\tNA"]
    export_phenotypes(warehouse, str(tmp_path / "o"), phenotypes=["bmi"], ancestry=["eur"], coding="01")
    assert (tmp_path / "o.pheno").read_text() == "#FID\tIID\tbmi\n0\ta\t20.5\n0\td\t30.0\n"
    counts = {
        row.ancestry: (row.n_cases, row.n_controls, row.n_excluded)
        for row in warehouse.read(PHENOTYPE_CATALOGUE).where("phenotype_id = '250.2'").collect()
    }
    # Person 1 has a sample with a label and one without.
    assert counts == {"all": (1, 2, 1), "eur": (1, 1, 0), "afr": (0, 0, 1), "no_genome": (0, 1, 0)}
    with pytest.raises(NotFound, match=r"no phenotype is called 250\.3"):
        export_phenotypes(warehouse, str(tmp_path / "x"), phenotypes=["250.3"])
    with pytest.raises(NotFound, match="nobody is of ancestry sas; there are: afr, eur"):
        export_phenotypes(warehouse, str(tmp_path / "x"), ancestry=["sas"])
    assert not list(tmp_path.glob("x*"))
    assert warehouse.read(PERSON_SAMPLES).count() == 4

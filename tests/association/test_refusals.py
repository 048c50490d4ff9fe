"""What a scan refuses, and what it says: before anything is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from allofus_spark.association.covariates import parse_terms
from allofus_spark.errors import AllofusError
from allofus_spark.tables import PERSON_SAMPLES, UNRELATED, RowsWrite, start_run
from tests.cases.vcf_files import write_bytes

from .cohort import ingest, new_warehouse, scan
from .made_cohort import LABELS, NAMES, Made, scan_made

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a phenotype": ({"phenotype_ids": ["height", "hight"]}, r"1 of 2 phenotypes are not there: hight"),
    "a set": ({"phenotype_set": "other"}, r"no phenotype set other; there are: made"),
    "kinship": ({"assume_unrelated": False}, r"not known who is unrelated.*run allofus relatedness"),
    "an ancestry": ({"ancestries": ["xyz"]}, r"ancestries that the settings do not know: xyz"),
    "nobody": ({"ancestries": ["sas"]}, r"none of the 160 people has an ancestry label of sas"),
    "covariates": (
        {"covariates": ["age", "pc1-pc2", "bmi*sex"]},
        r"covariates that are not there: pc1, pc2, bmi\*sex\. There are: sex, age",
    ),
    "an unused file": ({"covariates": ["sex"]}, r"none of its columns \(age\) is among the covariates"),
    "a region": ({"regions": ["chr5"]}, r"no variant of the warehouse is chosen"),
    "nothing": ({"phenotype_ids": ["nobody"]}, r"no phenotype can be scanned.*too_few_cases 1"),
    "a picture": ({"pictures": ["height", "zzz"]}, r"pictures of 1 phenotypes that are not scanned: zzz"),
    "components": ({"covariates": ["pc1-pc99"]}, r"that are not there: pc1-pc99\. There are: sex, age"),
    "a name": ({"scan": "a'b"}, r"scan \"a'b\": use 1 to 100 letters"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_refused_and_why(made: Made, what: str) -> None:
    asked, message = REFUSED[what]
    before = made.warehouse.snapshot()
    with pytest.raises(AllofusError, match=message):
        scan_made(made, **{"scan": "refused", **asked})
    assert made.warehouse.snapshot() == before


def test_a_covariate_that_is_text(made: Made, tmp_path: Path) -> None:
    path = write_bytes(tmp_path / "covariates.tsv", "sample_id\tage\ns000\t40\ns001\tforty\n")
    with pytest.raises(AllofusError, match=r"covariates\.tsv line 3: column age has 'forty'"):
        scan(made.warehouse, covariates=["age"], covariate_file=str(path))


def test_a_power_of_a_covariate_that_is_no_number(made: Made, tmp_path: Path) -> None:
    path = write_bytes(tmp_path / "covariates.tsv", "sample_id\tage\ns000\t40\ns001\t1e200\n")
    with pytest.raises(AllofusError, match=r"covariate age\^2: 1 people have a value beyond 1e308"):
        scan(made.warehouse, covariates=["age^2"], covariate_file=str(path))


def test_an_empty_warehouse_has_no_phenotypes(made: Made, tmp_path: Path) -> None:
    held = new_warehouse(made.warehouse.spark, tmp_path / "warehouse")
    with pytest.raises(AllofusError, match="holds no phenotypes"):
        scan(held)


def test_products_of_covariates_are_read() -> None:
    (term,) = parse_terms(["age^2*sex"])
    assert [(factor.base, factor.power) for factor in term.factors] == [("age", 2), ("sex", 1)]
    assert [term.name for term in parse_terms(["pc2-pc4", "pc3", "a^b"])] == ["pc2", "pc3", "pc4", "a^b"]
    (column,) = parse_terms(["bmi*2^2"], ["bmi*2^2"])
    assert column.factors == (("bmi*2^2", 1),)
    for name in ("pc9-pc1", "pc0-pc3"):
        with pytest.raises(AllofusError, match=f"{name}: components are numbered from 1"):
            parse_terms([name])


def test_one_sample_a_person_and_unrelated_ones_alone(made: Made, tmp_path: Path) -> None:
    """Samples s0 and s1 are of person p0, of whom unrelated keeps s1; s2 is related to another; s3 is new."""
    from allofus_spark.association.people import choose_people
    from allofus_spark.cohort import active_samples
    from tests.cases.vcf_files import gt_record

    names = NAMES[:6]
    held = new_warehouse(made.warehouse.spark, tmp_path / "warehouse")
    ingest(held, tmp_path, [gt_record(*["0/1"] * 6)], names, labels=LABELS)
    persons = ["p0", "p0", "p2", "p3", "p4"]
    kept = [(names[0], False), (names[1], True), (names[2], False), (names[4], True), (names[5], True)]
    with start_run(held, "made_for_a_test") as run:
        run.write(
            RowsWrite(PERSON_SAMPLES, list(zip(persons, names, strict=False)), "true"),
            RowsWrite(UNRELATED, [
                ("all", name, names.index(name), own, None if own else "related_to_kept", None, 0, 1.0)
                for name, own in kept
            ], "true"),
        )  # fmt: skip
        samples = active_samples(held, run)
        people = choose_people(run, samples, sample_ids=None, assume_unrelated=False)
        assert list(people.person_ids) == ["p0", "p4"]
        assert [sample.sample_id for sample in people.samples] == [names[1], names[4]]
        assert run.counters["samples_without_person"] == 1
        everybody = choose_people(run, samples, sample_ids=None, assume_unrelated=True)
        assert [sample.sample_id for sample in everybody.samples] == [names[place] for place in (1, 2, 3, 4)]
        named = choose_people(run, samples, sample_ids=[names[0], names[2]], assume_unrelated=False)
        assert list(named.person_ids) == ["p0", "p2"]

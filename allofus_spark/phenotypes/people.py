"""Whom phenotypes are told of, and their sex."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.errors import BadSource
from allofus_spark.tables import OMOP_TABLES, Run
from allofus_spark.tables.phenotype_tables import FEMALE, MALE

_FEMALE_CONCEPT, _MALE_CONCEPT = 8532, 8507
_PERSON = OMOP_TABLES["person"].contract
_CONDITIONS = OMOP_TABLES["condition_occurrence"].contract


def people_of_records(run: Run) -> DataFrame:
    """(person_id as in omop_person, sex) of everybody who can be a control; see phenotypes.controls."""
    if not run.holds(_PERSON):
        raise BadSource("phenotypes are of the people of omop_person; run allofus ingest-omop first")
    people = sexes(run)
    if run.warehouse.settings.phenotypes.controls == "with_conditions":
        if not run.holds(_CONDITIONS):
            raise BadSource(
                "phenotypes.controls is with_conditions, and omop_condition_occurrence is not there; run "
                "allofus ingest-omop with condition_occurrence, or set it to everybody"
            )
        seen = run.read(_CONDITIONS).select("person_id").distinct()
        people = people.join(seen, "person_id", "left_semi")
    return people


def sexes(run: Run) -> DataFrame:
    """(person_id, sex) of omop_person: female, male or null."""
    concept = F.col("gender_concept_id")
    sex = F.when(concept == _FEMALE_CONCEPT, FEMALE).when(concept == _MALE_CONCEPT, MALE)
    return run.read(_PERSON).select("person_id", sex.alias("sex"))

"""Codes of health records, and the phecodes that a map gives them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import reduce
from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from allofus_spark.errors import BadSource
from allofus_spark.phenotypes.phecode_map import Code
from allofus_spark.tables import OMOP_TABLES, Run

BY_SOURCE, BY_STANDARD = "source", "standard"
_CONCEPT = OMOP_TABLES["concept"].contract
_RELATIONSHIP = OMOP_TABLES["concept_relationship"].contract
_MAPS_TO = "Maps to"


class Records(NamedTuple):
    """A table of records with codes, and the names of its columns."""

    table: str
    day: str
    value: str
    source_concept: str
    concept: str


RECORDS = {
    name: Records(name, day, f"{kind}_source_value", f"{kind}_source_concept_id", f"{kind}_concept_id")
    for name, kind, day in (
        ("condition_occurrence", "condition", "condition_start_date"),
        ("observation", "observation", "observation_date"),
        ("procedure_occurrence", "procedure", "procedure_date"),
    )
}


def normal_code(code: Column) -> Column:
    """A code as it is compared: in upper case, without dots and blanks; see `phecode_map.compared`."""
    return F.upper(F.regexp_replace(code, r"[\s.\u00a0]+", ""))


def coded_records(
    run: Run,
    phecodes: Mapping[Code, Collection[int]],
    *,
    tables: Sequence[str],
    source_vocabulary: str | None,
) -> DataFrame:
    """Every record: person_id, date, vocabulary, code, written, phecodes (numbers; null: none) and by.

    A record's code is that of its source concept where this is of a vocabulary of the map, else the source
    value, whose vocabulary is the record's own (``vocabulary_id``) or ``source_vocabulary``. Where neither is
    there, ``by`` is standard: phecodes of all codes that map to the record's standard concept.
    """
    vocabularies = sorted({code.vocabulary for code in phecodes})
    if source_vocabulary is not None:
        source_vocabulary = source_vocabulary.strip().upper()
        if source_vocabulary not in vocabularies:
            raise BadSource(
                f"--source-vocabulary {source_vocabulary}: the map has codes of {', '.join(vocabularies)}"
            )
    concepts = _concepts(run, vocabularies)
    mapped = _map_frame(run, phecodes)
    through_standard = _phecodes_of_standard(run, concepts, mapped)
    frames = [
        _coded(run, RECORDS[name], concepts, mapped, through_standard, source_vocabulary) for name in tables
    ]
    return reduce(DataFrame.unionByName, frames)


def unmapped(coded: DataFrame) -> DataFrame:
    """(vocabulary_id, code, by, is_mapped, written, n_rows): records by code, those of mapped ones as one.

    ``written`` is one way in which records write the code.
    """
    is_mapped = F.col("phecodes").isNotNull()
    return coded.groupBy(
        F.when(~is_mapped, F.coalesce("vocabulary", F.lit(""))).alias("vocabulary_id"),
        F.when(~is_mapped, F.coalesce("code", F.lit(""))).alias("code"),
        "by",
        is_mapped.alias("is_mapped"),
    ).agg(F.count(F.lit(1)).alias("n_rows"), F.max("written").alias("written"))


def _coded(
    run: Run,
    records: Records,
    concepts: DataFrame | None,
    mapped: DataFrame,
    through_standard: DataFrame | None,
    source_vocabulary: str | None,
) -> DataFrame:
    contract = OMOP_TABLES[records.table].contract
    if not run.holds(contract):
        raise BadSource(f"{contract.name} is not there; run allofus ingest-omop with {records.table}")
    rows = run.read(contract)
    own = F.upper(F.trim("vocabulary_id")) if "vocabulary_id" in rows.columns else F.lit(None).cast("string")
    rows = rows.select(
        "person_id",
        F.col(records.day).alias("date"),
        F.coalesce(own, F.lit(source_vocabulary)).alias("own_vocabulary"),
        F.col(records.value).alias("own_written"),
        F.col(records.source_concept).alias("source_concept_id"),
        F.col(records.concept).alias("standard_concept_id"),
    )
    if concepts is None:
        nothing = F.lit(None).cast("string")
        rows = rows.withColumns({"of_vocabulary": nothing, "of_written": nothing})
    else:
        rows = rows.join(F.broadcast(concepts), "source_concept_id", "left")
    known = F.col("of_vocabulary").isNotNull()
    written = F.col("own_vocabulary").isNotNull() & (normal_code(F.col("own_written")) != "")
    rows = rows.select(
        "person_id",
        "date",
        "standard_concept_id",
        F.when(known, F.col("of_vocabulary")).when(written, F.col("own_vocabulary")).alias("vocabulary"),
        F.when(known, F.col("of_written")).otherwise(F.col("own_written")).alias("written"),
    ).withColumn("code", normal_code(F.col("written")))
    rows = rows.join(F.broadcast(mapped), ["vocabulary", "code"], "left")
    columns = ("person_id", "date", "vocabulary", "code", "written")
    if through_standard is None:
        return rows.select(*columns, F.col("mapped").alias("phecodes"), F.lit(BY_SOURCE).alias("by"))
    rows = rows.join(F.broadcast(through_standard), "standard_concept_id", "left")
    no_code = F.col("vocabulary").isNull()
    return rows.select(
        *columns,
        F.when(no_code, F.col("of_standard")).otherwise(F.col("mapped")).alias("phecodes"),
        F.when(no_code & F.col("of_standard").isNotNull(), BY_STANDARD).otherwise(BY_SOURCE).alias("by"),
    )


def _map_frame(run: Run, phecodes: Mapping[Code, Collection[int]]) -> DataFrame:
    rows = [(code.vocabulary, code.code, sorted(found)) for code, found in phecodes.items() if found]
    return run.warehouse.spark.createDataFrame(rows, "vocabulary string, code string, mapped array<int>")


def _concepts(run: Run, vocabularies: Collection[str]) -> DataFrame | None:
    """Concepts of some vocabularies with their codes; None where no concepts are held."""
    if not run.holds(_CONCEPT):
        return None
    vocabulary = F.upper("vocabulary_id")
    return (
        run.read(_CONCEPT)
        .where(vocabulary.isin(list(vocabularies)))
        .select(
            F.col("concept_id").alias("source_concept_id"),
            vocabulary.alias("of_vocabulary"),
            F.col("concept_code").alias("of_written"),
        )
    )


def _phecodes_of_standard(run: Run, concepts: DataFrame | None, mapped: DataFrame) -> DataFrame | None:
    """Phecodes of every code that maps to a standard concept; None where relations are not held."""
    if concepts is None or not run.holds(_RELATIONSHIP):
        return None
    relations = run.read(_RELATIONSHIP).where(
        (F.col("relationship_id") == _MAPS_TO) & F.col("invalid_reason").isNull()
    )
    of_codes = concepts.join(
        F.broadcast(mapped),
        (F.col("of_vocabulary") == F.col("vocabulary")) & (normal_code(F.col("of_written")) == F.col("code")),
    ).select(F.col("source_concept_id").alias("concept_id_1"), F.explode("mapped").alias("phecode"))
    return (
        relations.join(of_codes, "concept_id_1")
        .groupBy(F.col("concept_id_2").alias("standard_concept_id"))
        .agg(F.collect_set("phecode").alias("of_standard"))
    )


def by_number(phecodes: Mapping[Code, Collection[str]], names: Sequence[str]) -> dict[Code, list[int]]:
    """Phecodes as their places in ``names``: a number is all that a record need carry."""
    places = {name: place for place, name in enumerate(names)}
    return {code: sorted(places[name] for name in found) for code, found in phecodes.items()}

"""For how many years there are health records of people."""

from __future__ import annotations

from typing import NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from allofus_spark.tables.person_tables import EVERYBODY, WITH_GENOMES, WITHOUT_GENOMES

_DAYS_A_YEAR = 365.25


class Linkage(NamedTuple):
    """People of a group, how many have records, and quartiles of the years from first to last of these."""

    n_people: int
    n_linked: int
    quartiles: tuple[float, float, float] | None


def linkage_by_people(persons: DataFrame) -> dict[str, Linkage]:
    """`Linkage` of everybody, and of people with and without genomes; ``persons`` have ``with_genomes``."""
    years = F.datediff("records_to", "records_from") / _DAYS_A_YEAR
    quartiles = F.percentile("years", [0.25, 0.5, 0.75])
    groups = F.array(F.lit(EVERYBODY), F.when(F.col("with_genomes"), WITH_GENOMES).otherwise(WITHOUT_GENOMES))
    rows = persons.select(F.explode(groups).alias("people"), years.alias("years"))
    counted = rows.groupBy("people").agg(
        F.count(F.lit(1)).alias("n"), F.count("years").alias("n_linked"), quartiles.alias("quartiles")
    )
    nobody = Linkage(0, 0, None)
    found = {
        row.people: Linkage(row.n, row.n_linked, tuple(row.quartiles) if row.quartiles else None)
        for row in counted.collect()
    }
    return {people: found.get(people, nobody) for people in (EVERYBODY, WITH_GENOMES, WITHOUT_GENOMES)}

"""What was annotated, counted from the rows as written."""

from __future__ import annotations

from pyspark.sql import functions as F

from allofus_spark.consequences.terms import INTERGENIC
from allofus_spark.tables import CONSEQUENCES, Run
from allofus_spark.tables.consequence_tables import NOT_ANNOTATED_REASONS


def count_alleles(run: Run, predicate: str) -> int:
    """Count variants with a coding consequence, in no gene and not annotated; the number of variants."""
    rows = run.warehouse.live(CONSEQUENCES).where(predicate)
    coding = F.when(F.col("is_coding"), F.struct("contig", "position", "ref", "alt"))
    counted = rows.agg(
        F.count_if("is_most_severe").alias("variants"),
        F.countDistinct(coding).alias("variants_coding"),
        F.count_if(F.get("terms", F.lit(0)) == INTERGENIC).alias("variants_intergenic"),
        *(
            F.count_if(F.col("not_annotated") == reason).alias(f"variants_not_annotated_{reason}")
            for reason in NOT_ANNOTATED_REASONS
        ),
    ).first()
    assert counted is not None
    counters: dict[str, int] = counted.asDict()
    n_variants = counters.pop("variants")
    run.counters.update(counters)
    return n_variants

"""How many variants there are, of each kind and in each ancestry."""

from allofus_spark.summary.cells import EVERYBODY
from allofus_spark.summary.compute import Summary, summarise_variants
from allofus_spark.summary.rows import SummaryRow

__all__ = ["EVERYBODY", "Summary", "SummaryRow", "summarise_variants"]

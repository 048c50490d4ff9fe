"""What an annotator is: a name, a version, and a function from alleles to rows of ``consequences``.

bcftools csq is one. Another program, such as VEP, takes its place by the same few lines.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from allofus_spark.tables import ALLELE_KEY, CONSEQUENCES

# Alleles of one contig (columns ALLELE_KEY), sorted, each once -> rows (columns ROW_COLUMNS), at least one an
# allele and exactly one with is_most_severe, alleles in the order given. Goes to tasks by pickle. Raises
# AnnotationFailed naming contig, position and the program's own message.
AnnotateAlleles = Callable[[pa.RecordBatch], pa.RecordBatch]

ROW_COLUMNS = tuple(
    column.name for column in CONSEQUENCES.columns if column.name not in ("annotator", "annotation_version")
)
ANNOTATION_COLUMNS = ROW_COLUMNS[len(ALLELE_KEY) :]


@dataclass(frozen=True)
class Opened:
    """What tasks call, and what an operator should know of it, as sentences."""

    annotate: AnnotateAlleles
    warnings: Sequence[str] = ()


@dataclass(frozen=True)
class Annotator:
    """Makes rows of ``consequences``.

    ``name`` is what ``annotator`` says in its rows. ``version`` tells program, genes and sequence: rows of
    another version are made anew. ``open`` is called once in a run that has something to annotate; it raises
    BadSource or BuildMismatch where what it needs cannot be read or is of another build.
    """

    name: str
    version: str
    open: Callable[[], Opened]

"""What an annotator is: a name, a version, and a function from alleles to rows of ``consequences``.

bcftools csq is one. Another program, such as VEP, takes its place by the same few lines.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import pyarrow as pa

from allofus_spark.tables import ALLELE_KEY, CONSEQUENCES

# Alleles of one contig (columns ALLELE_KEY), sorted, each once -> rows (columns ROW_COLUMNS), at least one an
# allele and exactly one with is_most_severe, alleles in the order given.
AnnotateAlleles = Callable[[pa.RecordBatch], pa.RecordBatch]

ROW_COLUMNS = tuple(
    column.name for column in CONSEQUENCES.columns if column.name not in ("annotator", "annotation_version")
)
ANNOTATION_COLUMNS = ROW_COLUMNS[len(ALLELE_KEY) :]


class Annotator(Protocol):
    """Makes rows of ``consequences``."""

    @property
    def name(self) -> str:
        """What ``annotator`` says in its rows."""
        ...

    @property
    def version(self) -> str:
        """Program, genes and sequence: rows of another version are made anew."""
        ...

    def open(self) -> AnnotateAlleles:
        """The function that goes to tasks by pickle; called once in a run that has something to annotate.

        Raises BadSource or BuildMismatch where what it needs cannot be read or is of another build. The
        function raises AnnotationFailed naming contig, position and the program's own message.
        """
        ...

    def warnings(self) -> list[str]:
        """What an operator should know of it, as sentences; asked after `open`."""
        ...

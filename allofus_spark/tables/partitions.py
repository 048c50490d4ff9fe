"""Partitions of the tables keyed by variant: which rows they are, and what they were made from."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from allofus_spark.errors import BadSource
from allofus_spark.settings import NAME_PATTERN
from allofus_spark.tables.novelty_tables import PARTITION_INPUTS
from allofus_spark.tables.writes import RowsWrite

if TYPE_CHECKING:
    from allofus_spark.tables.readers import Reader

_NAME = re.compile(NAME_PATTERN)

Partition = tuple[str, int]
"""Contig and bin."""
Inputs = Mapping[str, str]
"""Fingerprints of what a partition is made from, by name."""


def check_name(what: str, name: str) -> None:
    """Raise BadSource unless a name that somebody gave can name a partition."""
    if not _NAME.fullmatch(name):
        raise BadSource(
            f"{what} {name!r}: use 1 to 100 letters, digits, dots, dashes or underscores, "
            "beginning with a letter or digit"
        )


def quoted(text: str) -> str:
    """Text as a literal of SQL; raises ValueError where dialects would not agree on how to write it."""
    if "'" in text or "\\" in text:
        raise ValueError(f"{text!r}: quotes and backslashes cannot stand in a condition")
    return f"'{text}'"


def partitions_predicate(partitions: Iterable[Partition]) -> str:
    """SQL condition of the rows of some partitions, to be joined to others by AND; ``false`` for none.

    Contigs with the same bins share a term: of a genome of thousands of small contigs there are few terms.
    """
    bins: defaultdict[str, list[int]] = defaultdict(list)
    for contig, number in sorted(partitions):
        bins[contig].append(number)
    contigs: defaultdict[str, list[str]] = defaultdict(list)
    for contig, numbers in bins.items():
        contigs[", ".join(map(str, numbers))].append(quoted(contig))
    conditions = [
        f"(contig IN ({', '.join(names)}) AND bin IN ({numbers}))" for numbers, names in contigs.items()
    ]
    return f"({' OR '.join(conditions)})" if conditions else "false"


def content_hash(*columns: str) -> Column:
    """Exclusive or, over rows that are distinct in ``columns``, of their 64-bit hashes.

    Neither the order of rows nor how they lie in files changes it, so that maintenance does not. Two sets of
    distinct rows share one by chance with a probability of 2⁻⁶⁴.
    """
    return F.expr(f"bit_xor(xxhash64({', '.join(columns)}))")


def content_hashes(rows: DataFrame, *columns: str) -> dict[Partition, tuple[int, int]]:
    """(rows, `content_hash`) by partition; one pass over ``columns``."""
    content = content_hash(*columns).alias("content")
    found = rows.groupBy("contig", "bin").agg(F.count(F.lit(1)).alias("rows"), content)
    return {(row.contig, row.bin): (row.rows, row.content) for row in found.collect()}


def inputs_by_scope(tables: Reader, stage: str) -> dict[str, dict[Partition, dict[str, str]]]:
    """What each partition of a stage was made from, as last recorded, by scope."""
    recorded: defaultdict[str, dict[Partition, dict[str, str]]] = defaultdict(dict)
    for row in tables.rows(PARTITION_INPUTS):
        if row.stage == stage:
            recorded[row.scope][row.contig, row.bin] = dict(row.inputs)
    return dict(recorded)


def recorded_inputs(tables: Reader, stage: str, scope: str) -> dict[Partition, dict[str, str]]:
    """What each partition of a stage's scope was made from, as last recorded."""
    return inputs_by_scope(tables, stage).get(scope, {})


def inputs_write(made: Mapping[tuple[str, str], Mapping[Partition, Inputs]]) -> RowsWrite:
    """What every partition of some (stage, scope) is made from, in the place of the record before."""
    rows = [
        (stage, scope, *place, dict(inputs))
        for (stage, scope), partitions in sorted(made.items())
        for place, inputs in sorted(partitions.items())
    ]
    scopes = [f"(stage = {quoted(stage)} AND scope = {quoted(scope)})" for stage, scope in sorted(made)]
    return RowsWrite(PARTITION_INPUTS, rows, " OR ".join(scopes))


def rows_of_callset(callset_id: str) -> str:
    """The predicate of a callset's rows, in any table that is partitioned by callset."""
    return f"callset_id = {quoted(callset_id)}"


def rows_of_callsets(callset_ids: Collection[str]) -> str:
    """The predicate of the rows of several callsets; ``false`` for none."""
    return f"callset_id IN ({', '.join(map(quoted, callset_ids))})" if callset_ids else "false"

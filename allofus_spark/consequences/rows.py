"""Rows of ``consequences`` as Arrow: what neighbouring alleles have in common is made once and repeated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from pyspark.sql.pandas.types import to_arrow_schema

from allofus_spark.consequences.annotator import ROW_COLUMNS
from allofus_spark.consequences.gff3 import Transcript
from allofus_spark.consequences.terms import are_coding, impact_of, rank_of
from allofus_spark.tables import ALLELE_KEY, CONSEQUENCES

SCHEMA = pa.schema([field for field in to_arrow_schema(CONSEQUENCES.schema) if field.name in ROW_COLUMNS])
_SHARED = (
    "transcript_id",
    "gene_id",
    "gene_symbol",
    "biotype",
    "terms",
    "impact",
    "is_coding",
    "not_annotated",
)
_UNKNOWN = Transcript(None, None, None)


class Effect(NamedTuple):
    """What an allele does to one transcript (None: to none), by ordered terms; or why that is not known.

    ``of`` is what its row says of the transcript; None: what the maker of rows knows.
    """

    transcript_id: str | None
    terms: tuple[str, ...]
    aa_change: str | None = None
    dna_change: str | None = None
    not_annotated: str | None = None
    of: Transcript | None = None


class Coded(NamedTuple):
    """The effects of an allele with what is shared as numbers; ``severe`` is the place of the most severe."""

    shared: tuple[int, ...]
    aa_changes: tuple[str | None, ...]
    dna_changes: tuple[str | None, ...]
    severe: int


class RowMaker:
    """Makes rows from effects; transcripts of which they do not tell are looked up in ``known``."""

    def __init__(self, known: dict[str, Transcript]) -> None:
        self._known = known
        self._numbers: dict[tuple[str | None, Transcript, tuple[str, ...], str | None], int] = {}

    def code(self, effects: Sequence[Effect]) -> Coded:
        """The effects of one allele, ready to be repeated for others that have the same."""
        ordered = sorted(effects, key=lambda effect: (effect.transcript_id is None, effect.transcript_id))
        severe = min(range(len(ordered)), key=lambda place: self._severity(ordered[place]))
        return Coded(
            tuple(self._number(effect) for effect in ordered),
            tuple(effect.aa_change for effect in ordered),
            tuple(effect.dna_change for effect in ordered),
            severe,
        )

    def _severity(self, effect: Effect) -> tuple[int, bool, bool, str]:
        rank = rank_of(effect.terms) if effect.terms else 0
        name = effect.transcript_id
        is_protein_coding = self._of(effect).biotype == "protein_coding"
        return rank, not is_protein_coding, name is None, name or ""

    def _of(self, effect: Effect) -> Transcript:
        if effect.of is not None:
            return effect.of
        name = effect.transcript_id
        return _UNKNOWN if name is None else self._known.get(name, _UNKNOWN)

    def _number(self, effect: Effect) -> int:
        key = (effect.transcript_id, self._of(effect), effect.terms, effect.not_annotated)
        return self._numbers.setdefault(key, len(self._numbers))

    def rows(self, alleles: pa.RecordBatch, effects: Sequence[Coded]) -> pa.RecordBatch:
        """Rows of all alleles, one for each effect, in the alleles' order."""
        counts = np.array([len(coded.shared) for coded in effects], np.int64)
        starts = np.cumsum(counts) - counts
        severe = np.zeros(counts.sum(), np.bool_)
        severe[starts + np.array([coded.severe for coded in effects], np.int64)] = True
        of_allele = pa.array(np.repeat(np.arange(len(effects)), counts))
        shared = pa.array([number for coded in effects for number in coded.shared], pa.int64())
        columns: dict[str, pa.Array] = {name: alleles.column(name).take(of_allele) for name in ALLELE_KEY}
        table = self._shared()
        columns |= {name: table.column(name).take(shared) for name in _SHARED}
        columns["aa_change"] = pa.array([text for coded in effects for text in coded.aa_changes], pa.string())
        columns["dna_change"] = pa.array(
            [text for coded in effects for text in coded.dna_changes], pa.string()
        )
        columns["is_most_severe"] = pa.array(severe)
        return pa.RecordBatch.from_arrays([columns[name] for name in SCHEMA.names], schema=SCHEMA)

    def _shared(self) -> pa.RecordBatch:
        """Columns by the numbers that `code` gave."""
        columns: dict[str, list[object]] = {name: [] for name in _SHARED}
        for transcript_id, transcript, terms, not_annotated in self._numbers:
            columns["transcript_id"].append(transcript_id)
            columns["gene_id"].append(transcript.gene_id)
            columns["gene_symbol"].append(transcript.gene_symbol)
            columns["biotype"].append(transcript.biotype)
            columns["terms"].append(list(terms))
            columns["impact"].append(impact_of(terms) if terms else None)
            columns["is_coding"].append(are_coding(terms))
            columns["not_annotated"].append(not_annotated)
        arrays = [pa.array(columns[name], SCHEMA.field(name).type) for name in _SHARED]
        return pa.RecordBatch.from_arrays(arrays, names=list(_SHARED))

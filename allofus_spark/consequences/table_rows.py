"""Rows of an annotation table: what its texts mean, and its alleles in the cohort's normal form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from allofus_spark.arrow import batch_of, runs_of
from allofus_spark.consequences.gff3 import Transcript
from allofus_spark.consequences.rows import Effect, RowMaker
from allofus_spark.consequences.terms import INTERGENIC, all_terms, by_severity
from allofus_spark.genome import ReferenceSequence, normalise_columns

# A table has some hundreds of combinations of terms.
_TEXTS_KEPT = 4_096
# Terms stand between commas or ampersands, also as a list in JSON or Python.
_BETWEEN_TERMS = re.compile(r"[,&\[\]\"'\s]+")


@lru_cache(maxsize=_TEXTS_KEPT)
def terms_of_text(text: str | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Known and unknown terms of a cell.

    >>> terms_of_text('["missense_variant","splice_region_variant"]')
    (('missense_variant', 'splice_region_variant'), ())
    >>> terms_of_text("missense_variant&nonsense")
    (('missense_variant',), ('nonsense',))
    """
    names = [name for name in _BETWEEN_TERMS.split(text or "") if name]
    known = all_terms()
    return tuple(name for name in names if name in known), tuple(name for name in names if name not in known)


@dataclass(frozen=True)
class NormaliseRows:
    """Batches of table rows with their alleles as the cohort's are: contig names, normal form, bin.

    ``contigs`` are the build's names by the table's; other columns pass by.
    """

    contigs: Mapping[str, str]
    reference: ReferenceSequence | None
    bin_width_bases: int

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for (contig,), rows in runs_of(batch, ["contig"]):
                yield self._normal(self.contigs[contig], rows)

    def _normal(self, contig: str, rows: pa.RecordBatch) -> pa.RecordBatch:
        refs, alts = (pc.utf8_upper(rows.column(name)) for name in ("ref", "alt"))
        plain = pc.and_(*(pc.match_substring_regex(texts, "^[A-Z]+$") for texts in (refs, alts)))
        chosen = np.flatnonzero(pc.and_(plain, pc.not_equal(refs, alts)).to_numpy(zero_copy_only=False))
        positions, ref, alt = normalise_columns(
            np.full(rows.num_rows, contig, object),
            rows.column("position").to_numpy().astype(np.int64),
            refs,
            alts,
            chosen,
            self.reference,
        )
        columns = dict(zip(rows.schema.names, rows.columns, strict=True))
        columns |= {
            "contig": pa.repeat(contig, rows.num_rows),
            "bin": pa.array(positions // self.bin_width_bases, pa.int32()),
            "position": pa.array(positions, pa.int32()),
            "ref": ref,
            "alt": alt,
        }
        names = ["contig", "bin", *(name for name in rows.schema.names if name != "contig")]
        return batch_of(names, columns)


def rows_of_table(alleles: pa.RecordBatch) -> pa.RecordBatch:
    """Rows of ``consequences`` of alleles with what the table says (``said``, a list of structs).

    Lines of one transcript become one row, their terms united, with the gene that they name. A line without
    transcript and consequence says: in no gene, unless others of the allele say more. An allele of which no
    line has a known term gets no row.
    """
    maker = RowMaker({})
    coded, places = [], []
    for place, said in enumerate(alleles.column("said").to_pylist()):
        effects = _effects(said)
        if effects:
            coded.append(maker.code(effects))
            places.append(place)
    return maker.rows(alleles.take(pa.array(places, pa.int64())), coded)


def _effects(said: list[dict[str, str | None]]) -> list[Effect]:
    by_transcript: dict[str | None, list[dict[str, str | None]]] = {}
    for line in said:
        by_transcript.setdefault(line["transcript_id"], []).append(line)
    effects = []
    for transcript_id, lines in by_transcript.items():
        terms = {term for line in lines for term in terms_of_text(line["consequence"])[0]}
        if said == lines and transcript_id is None and not any(line["consequence"] for line in lines):
            terms = {INTERGENIC}
        if not terms:
            continue
        of = Transcript(_only(lines, "gene_id"), _only(lines, "gene_symbol"), None)
        changes = (_only(lines, "aa_change"), _only(lines, "dna_change"))
        effects.append(Effect(transcript_id, by_severity(terms), *changes, of=of))
    return effects


def _only(lines: list[dict[str, str | None]], column: str) -> str | None:
    """The values of a column, each once, in order; None where there is none."""
    return ",".join(sorted({value for line in lines if (value := line[column])})) or None

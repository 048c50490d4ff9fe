"""Effects of alleles from the text that bcftools csq writes."""

from __future__ import annotations

from collections.abc import Sequence

from allofus_spark.consequences.csq_calls import Allele, Answer, CsqTranscript
from allofus_spark.consequences.overlaps import Overlaps
from allofus_spark.consequences.rows import Effect
from allofus_spark.consequences.terms import (
    CODING,
    INTERGENIC,
    INTRON,
    NMD,
    NON_CODING,
    PROTEIN_ALTERING,
    are_coding,
    by_severity,
    terms_of_csq,
)

# csq's names of the biotypes that have a coding sequence (gf_strings_coding of its gff.c).
_CODING_BIOTYPES = frozenset(
    (
        *("protein_coding", "polymorphic_pseudogene", "NMD", "non_stop_decay"),
        *("IG_C", "IG_D", "IG_J", "IG_LV", "IG_V", "TR_C", "TR_D", "TR_J", "TR_V"),
    )
)
# csq gives one of these to every complex change of bases, beside what it does or alone; Ensembl keeps them
# for structural variants.
_VAGUE = {"feature_elongation", "feature_truncation"}


class EffectsOfAnswer:
    """Effects of the alleles of one answer, the same text at the same place understood once."""

    def __init__(self, answer: Answer, *, every_transcript: bool) -> None:
        self._transcripts = answer.transcripts
        self._texts = answer.texts
        self._every_transcript = every_transcript

    def keys(self, alleles: Sequence[Allele]) -> list[tuple[str | None, tuple[int, ...]]]:
        """For each allele what decides its effects: csq's text, and the transcripts that it lies in."""
        return list(zip(self._texts, Overlaps(self._transcripts).of(alleles), strict=True))

    def effects(self, text: str | None, inside: tuple[int, ...]) -> list[Effect]:
        """Effects, one a transcript."""
        transcripts = [self._transcripts[number] for number in inside]
        if text is None:
            return _unnamed(transcripts)
        entries = [entry.split("|") for entry in text.split(",")]
        named = {transcript_id for _, _, transcript_id, *_ in entries}
        if self._every_transcript:  # an entry without a transcript speaks of those that have none
            transcripts = [item for item in transcripts if item.transcript_id not in named]
        terms: dict[str | None, list[str]] = {}
        changes: dict[str | None, list[tuple[str, str]]] = {}
        for names, _, transcript_id, biotype, *rest in entries:
            for one in [transcript_id] if transcript_id else _of_biotype(transcripts, biotype):
                terms.setdefault(one, []).extend(terms_of_csq(names))
                if len(rest) > 1:
                    changes.setdefault(one, []).append((rest[1], rest[2]))
        effects = [_effect(one, names, changes.get(one, [])) for one, names in terms.items()]
        if self._every_transcript:
            effects += _without_term([item for item in transcripts if item.transcript_id not in terms])
        return effects


def _of_biotype(transcripts: Sequence[CsqTranscript], biotype: str) -> Sequence[str | None]:
    """Transcripts that an entry without one speaks of; None: the entry is kept without."""
    return [item.transcript_id for item in transcripts if item.biotype == biotype] or [None]


def _unnamed(transcripts: Sequence[CsqTranscript]) -> list[Effect]:
    """Effects of an allele of which csq says nothing: in no gene, or in a transcript where no term fits."""
    if not transcripts:
        return [Effect(None, (INTERGENIC,))]
    return _without_term(transcripts)


def _without_term(transcripts: Sequence[CsqTranscript]) -> list[Effect]:
    return [
        Effect(item.transcript_id, (CODING if item.biotype in _CODING_BIOTYPES else NON_CODING,))
        for item in transcripts
    ]


def _effect(transcript_id: str | None, names: list[str], changes: list[tuple[str, str]]) -> Effect:
    aa_change = ",".join(dict.fromkeys(aa for aa, _ in changes)) or None
    dna_change = ",".join(dict.fromkeys(dna for _, dna in changes)) or None
    terms = _without_vague(frozenset(names), changes_protein=aa_change is not None)
    return Effect(transcript_id, by_severity(terms), aa_change, dna_change)


def _without_vague(terms: frozenset[str], *, changes_protein: bool) -> frozenset[str]:
    """Terms without feature_elongation and feature_truncation, where it is known what the change does."""
    clear = terms - _VAGUE
    if clear & {INTRON, NON_CODING}:
        return clear - {NMD}  # which csq gives to no other change of an intron
    if terms & _VAGUE and changes_protein and not are_coding(clear):
        return clear | {PROTEIN_ALTERING}
    return clear if clear - {NMD} else terms

"""Files of known associations, in the columns of the Phenotype-Genotype Reference Map.

A line is an association of one variant with one phenotype in one ancestry (Bastarache et al., Am J Hum
Genet 2023;110:1522). Phenotype ids are text: 250.2 and 008 stay as they are written. Files have some
thousands of lines, and are read whole.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from allofus_spark.delimited import places_of, read_table
from allofus_spark.errors import BadSource, BuildMismatch, shown
from allofus_spark.genome import Build, parse_variant_id
from allofus_spark.replication.frequency_files import (
    KEY_COLUMNS,
    NOTHING,
    Frequencies,
    number_in,
    read_frequencies,
)
from allofus_spark.tables.replication_tables import ALT, REF

# Our name of a column -> that of the map.
_NEEDED = {
    "association_id": "assoc_ID",
    "ancestry": "ancestry",
    "risk_allele_dir": "risk_allele_dir",
    "phenotype_id": "phecode",
    "odds_ratio": "cat_OR",
    "lower95": "cat_L95",
    "upper95": "cat_U95",
}
_OPTIONAL = {
    "rsid": "rsID",
    "risk_allele": "risk_allele",
    "description": "phecode_string",
    "category": "category_string",
    "neg_log10_p": "cat_LOG10_P",
    "study_accession": "Study_accession",
    "pubmed_id": "pubmedid",
}
_BASES = re.compile("[ACGT]+")


class Association(NamedTuple):
    """A line of a map that can be held against a scan; its alleles are not normalised."""

    line: int
    association_id: str
    contig: str
    position: int
    ref: str
    alt: str
    rsid: str | None
    phenotype_id: str
    description: str | None
    category: str | None
    ancestry: str
    risk_allele: str | None
    risk_allele_dir: str
    odds_ratio: float
    lower95: float
    upper95: float
    neg_log10_p: float | None
    study_accession: str | None
    pubmed_id: str | None
    alt_frequencies: Mapping[str, float]


class Refused(NamedTuple):
    """A line that is not kept, why, and its cells."""

    line: int
    reason: str
    association_id: str | None
    variant: str | None
    text: str


@dataclass(frozen=True)
class MapFile:
    """What the files of a map say; ``ancestries`` are those with frequencies, in lower case."""

    associations: Sequence[Association]
    refused: Sequence[Refused]
    ancestries: Sequence[str]

    @property
    def reasons(self) -> Counter[str]:
        """Refused lines by reason."""
        return Counter(line.reason for line in self.refused)


class _Refusal(Exception):
    """Why a line is not kept."""


def read_map(
    path: str | Path,
    build: Build,
    *,
    frequencies: str | Path | None = None,
    columns: Mapping[str, str] | None = None,
) -> MapFile:
    """Read a CSV or TSV with a header, and its file of allele frequencies where there is one.

    Parameters
    ----------
    path
        File with the columns of the map; those for rsID, risk_allele, names, p, study and article may be
        absent. Variants are ``contig:position:ref:alt`` in SNP_hg19 or SNP_hg38, by the build.
    frequencies
        File with a column SNP_hg19 or SNP_hg38 and one ``ANCESTRY_RAF`` for each ancestry.
    columns
        The file's name of a column of the map where it differs.

    Raises
    ------
    BadSource, BadSamples
        The build has no column, a column is missing, a frequency is none, or a file cannot be read.
    """
    if build.name not in KEY_COLUMNS:
        raise BadSource(f"maps name variants of {shown(list(KEY_COLUMNS))}, the warehouse is of {build.name}")
    own = KEY_COLUMNS[build.name]
    known = read_frequencies(frequencies) if frequencies else Frequencies()
    header, rows = read_table(path, own)
    needed = dict.fromkeys((own, *_NEEDED.values(), *([known.column] if frequencies else [])))
    place = places_of(path, header, (*needed, *_OPTIONAL.values()), columns or {}, tuple(needed))
    reader = _Reader(build, place, own, known)
    associations: dict[str, Association] = {}
    refused = []
    for line, row in rows:
        if len(row) > len(header):
            raise BadSource(
                f"{path}: line {line} has {len(row)} cells, the header {len(header)}; mend the file"
            )
        cells = row + [""] * (len(header) - len(row))
        try:
            association = reader.association(line, cells)
            if association.association_id in associations:
                raise _Refusal("repeated_id")
            associations[association.association_id] = association
        except _Refusal as refusal:
            named = (reader.text(cells, _NEEDED["association_id"]), reader.text(cells, own))
            refused.append(Refused(line, str(refusal), *named, "\t".join(row)))
    return MapFile(list(associations.values()), refused, known.ancestries)


class _Reader:
    """Cells of a line to an association."""

    def __init__(
        self, build: Build, place: Mapping[str, int], key_column: str, frequencies: Frequencies
    ) -> None:
        self._build = build
        self._place = place
        self._key_column = key_column
        self._frequencies = frequencies

    def text(self, cells: Sequence[str], column: str) -> str | None:
        """The cell of a column; None where there is no such column, or nothing in it."""
        value = cells[self._place[column]].strip() if column in self._place else ""
        return None if value in NOTHING else value

    def association(self, line: int, cells: Sequence[str]) -> Association:
        """What a line says; raises _Refusal."""
        odds_ratio, lower95, upper95 = (
            _ratio(self.text(cells, _NEEDED[name])) for name in ("odds_ratio", "lower95", "upper95")
        )
        association_id = self._needed(cells, "association_id", "no_id")
        phenotype_id = self._needed(cells, "phenotype_id", "no_phenotype")
        ancestry = self._needed(cells, "ancestry", "no_ancestry").lower()
        contig, position, ref, alt = self._variant(self.text(cells, self._key_column))
        direction = self._needed(cells, "risk_allele_dir", "bad_direction").lower()
        if direction not in (REF, ALT):
            raise _Refusal("bad_direction")
        if odds_ratio is None or lower95 is None or upper95 is None:
            raise _Refusal("bad_odds_ratio")
        if odds_ratio < 1:
            raise _Refusal("protective")
        optional = {name: self.text(cells, column) for name, column in _OPTIONAL.items()}
        spelled = self.text(cells, self._frequencies.column) or ""
        return Association(
            line=line,
            association_id=association_id,
            contig=contig,
            position=position,
            ref=ref,
            alt=alt,
            rsid=optional["rsid"],
            phenotype_id=phenotype_id,
            description=optional["description"],
            category=optional["category"],
            ancestry=ancestry,
            risk_allele=optional["risk_allele"],
            risk_allele_dir=direction,
            odds_ratio=odds_ratio,
            lower95=lower95,
            upper95=upper95,
            neg_log10_p=number_in(optional["neg_log10_p"]),
            study_accession=optional["study_accession"],
            pubmed_id=optional["pubmed_id"],
            alt_frequencies=self._frequencies.of_variant.get(spelled, {}),
        )

    def _needed(self, cells: Sequence[str], name: str, reason: str) -> str:
        value = self.text(cells, _NEEDED[name])
        if value is None:
            raise _Refusal(reason)
        return value

    def _variant(self, text: str | None) -> tuple[str, int, str, str]:
        parts = parse_variant_id(text or "")
        if parts is None:
            raise _Refusal("bad_variant_key")
        contig, position, ref, alt = parts[0], parts[1], parts[2].upper(), parts[3].upper()
        if not (_BASES.fullmatch(ref) and _BASES.fullmatch(alt)) or ref == alt or position < 1:
            raise _Refusal("bad_variant_key")
        try:
            contig = self._build.canonical_contig(contig)
        except BuildMismatch:
            raise _Refusal("unknown_contig") from None
        if position > self._build.contig_lengths.get(contig, 0):
            raise _Refusal("unknown_contig")
        return contig, position, ref, alt


def _ratio(text: str | None) -> float | None:
    value = number_in(text)
    return value if value is not None and value > 0 else None

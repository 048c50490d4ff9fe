"""From what each catalogue has to the status of each allele."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from allofus_spark.arrow import flag_places, flagged_names
from allofus_spark.genome import reasons_without_sequence, variant_types
from allofus_spark.genome.regions import Regions
from allofus_spark.tables.novelty_tables import (
    KNOWN_SITE_NEW_ALLELE,
    NOT_ASSESSABLE,
    NOT_ASSESSABLE_REASONS,
    REPORTED,
    STATUSES,
    UNREPORTED,
)

Flags = npt.NDArray[np.bool_]


def digest(content: Any) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of what can be written as JSON."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Catalogue:
    """One version of a catalogue, as judging needs it; goes to the workers by pickle.

    ``covered`` is where it is complete.
    """

    name: str
    version: str
    checksum: str
    normalised_with: str | None
    covered: Regions

    @property
    def fingerprint(self) -> str:
        """Of its files, of where it looks, and of how it writes indels."""
        covered = sorted(map(self.covered_on, self.covered.of_contig))
        return digest([self.checksum, self.normalised_with, covered])

    def covered_on(self, contig: str) -> tuple[str, list[tuple[int, int]]]:
        """The contig and its covered intervals as plain numbers."""
        return contig, [(first, last) for _, first, last in self.covered.intervals(contig)]


@dataclass(frozen=True)
class Evidence:
    """What one catalogue has of n alleles: ``known`` and ``other`` as of `Found`, and ids string[n]."""

    known: Flags
    other: Flags
    known_id: pa.Array


@dataclass(frozen=True)
class Judge:
    """The status of alleles; goes to the workers by pickle.

    ``aligned_with`` is, by callset, the checksum of the FASTA that its indels are left-aligned against.
    """

    catalogues: Sequence[Catalogue]
    aligned_with: Mapping[str, str | None]

    def columns(
        self, contig: str, alleles: pa.RecordBatch, evidence: Sequence[Evidence]
    ) -> dict[str, pa.Array]:
        """Columns status, reason, reports, site_known_to and compared_with of ``novelty``.

        ``alleles`` of one contig have position, ref, alt and first_callset_id; ``evidence`` follows
        ``catalogues``. An allele that a catalogue has is reported wherever the catalogue says it looks; that
        it has none counts only where the catalogue covers the position and would write the allele alike.
        """
        position = np.asarray(alleles.column("position"))
        ref, alt = alleles.column("ref"), alleles.column("alt")
        kinds = variant_types(ref, alt)
        without_sequence = reasons_without_sequence(ref, alt)
        comparable = np.asarray(without_sequence.is_null())
        aligned = [self._written_alike(alleles, kinds, catalogue) for catalogue in self.catalogues]
        covers = [catalogue.covered.overlap(contig, position, 1) for catalogue in self.catalogues]
        shape = (len(self.catalogues), len(position))
        known = np.array([found.known & comparable for found in evidence], np.bool_).reshape(shape)
        trusted = np.array([comparable & alike for alike in aligned], np.bool_).reshape(shape)
        covered = np.array(covers, np.bool_).reshape(shape)
        other = np.array([found.other for found in evidence], np.bool_).reshape(shape) & trusted & ~known
        compared = (covered & trusted) | known
        form = without_sequence.to_numpy(zero_copy_only=False)
        reason = np.where(comparable, np.where(covered.any(axis=0), "not_aligned", "not_covered"), form)
        status = np.select(
            [known.any(axis=0), other.any(axis=0), compared.any(axis=0)],
            [REPORTED, KNOWN_SITE_NEW_ALLELE, UNREPORTED],
            NOT_ASSESSABLE,
        )
        names = [catalogue.name for catalogue in self.catalogues]
        return {
            "status": as_strings(status, STATUSES),
            "reason": as_strings(np.where(status == NOT_ASSESSABLE, reason, ""), NOT_ASSESSABLE_REASONS),
            "reports": _reports(known, names, [found.known_id for found in evidence]),
            "site_known_to": flagged_names(other.T, names),
            "compared_with": flagged_names(compared.T, names),
        }

    def _written_alike(self, alleles: pa.RecordBatch, kinds: pa.Array, catalogue: Catalogue) -> Flags:
        """Whether the catalogue would write each allele as the cohort does: an indel can stand elsewhere."""
        moves = np.asarray(pc.is_in(kinds, pa.array(["insertion", "deletion"])))
        alike = [
            callset_id
            for callset_id, fasta in self.aligned_with.items()
            if fasta is not None and fasta == catalogue.normalised_with
        ]
        aligned = pc.is_in(alleles.column("first_callset_id"), pa.array(alike, pa.string()))
        return np.asarray(~moves | np.asarray(aligned), np.bool_)


def as_strings(values: npt.NDArray[np.generic], known: Sequence[str] | Mapping[str, str]) -> pa.Array:
    """string[n] of values that are among the few ``known``; null for any other."""
    code = np.full(len(values), -1, np.int32)
    for number, name in enumerate(known):
        code[values == name] = number
    return pa.array(list(known), pa.string()).take(pa.array(code, mask=code < 0))


def _reports(known: Flags, names: Sequence[str], ids: Sequence[pa.Array]) -> pa.Array:
    """list<struct>[n] of the catalogues that have the allele; ``known`` bool[len(names), n]."""
    offsets, rows, which = flag_places(known.T)
    catalogue = pa.array(list(names), pa.string()).take(pa.array(which))
    known_id = pa.concat_arrays([pa.array([], pa.string()), *ids]).take(
        pa.array(which * known.shape[1] + rows)
    )
    reports = pa.StructArray.from_arrays([catalogue, known_id], names=["catalogue", "known_id"])
    return pa.ListArray.from_arrays(offsets, reports)

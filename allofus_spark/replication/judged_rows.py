"""Rows of ``replications`` from known associations that were looked up; goes to the workers by pickle."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from allofus_spark.arrow import batch_of
from allofus_spark.replication.judge import Flags, Judgements, KnownEffects, ObservedEffects, judge
from allofus_spark.replication.power import Z_95, Floats
from allofus_spark.settings import ReplicationSettings
from allofus_spark.tables import REPLICATIONS
from allofus_spark.tables.replication_tables import (
    ALT,
    AMBIGUOUS_STRAND,
    AS_WRITTEN,
    COHORT_FREQUENCY,
    MAP_FREQUENCY,
    OTHER_STRAND,
    SWAPPED,
    TESTED,
)

_COMPLEMENT = {"A": "T", "T": "A", "C": "G", "G": "C"}


@dataclass(frozen=True)
class JudgedRows:
    """Batches of `look_up` to rows of ``replications``."""

    scan: str
    rules: ReplicationSettings

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        names = [column.name for column in REPLICATIONS.columns]
        for batch in batches:
            yield batch_of(names, self._columns(batch))

    def _columns(self, batch: pa.RecordBatch) -> dict[str, pa.Array]:
        matched = matches(batch, self.rules.palindromic_margin)
        is_ambiguous = np.asarray(pc.and_(pc.equal(batch["status"], TESTED), pc.is_null(matched)))
        is_tested = np.asarray(pc.equal(batch["status"], TESTED)) & ~is_ambiguous
        tested = batch.filter(pa.array(is_tested))
        known, source = _known(tested, matched.filter(pa.array(is_tested)))
        judged = judge(known, _observed(tested), self.rules)
        values = {
            **_shown(judged),
            "risk_allele_frequency": known.risk_allele_frequency,
            "frequency_of": source,
        }
        place = pa.array(np.cumsum(is_tested) - 1, pa.int64(), mask=~is_tested)
        given = dict(zip(batch.schema.names, batch.columns, strict=True))
        return {
            **given,
            "scan": pa.repeat(self.scan, batch.num_rows),
            "status": pc.if_else(pa.array(is_ambiguous), AMBIGUOUS_STRAND, batch["status"]),
            "matched": matched,
            **{name: pa.array(array).take(place) for name, array in values.items()},
            "neg_log10_p": batch["neg_log10_p"].take(pa.array(np.arange(batch.num_rows), mask=~is_tested)),
        }


def matches(batch: pa.RecordBatch, margin: float) -> pa.Array:
    """How the callsets have each variant, string[n]: of MATCHES; null: they lack it, or it is ambiguous.

    An A/T or C/G SNP with ref and alt swapped is either that, or of the other strand. The alt frequencies of
    map and cohort tell, where both are further than ``margin`` from one half: on the same side the alts are
    the same allele.
    """
    is_swapped = batch["is_swapped"].cast(pa.bool_())
    complement = pa.array([_COMPLEMENT.get(base) for base in batch["ref"].to_pylist()], pa.string())
    is_palindromic = np.asarray(pc.equal(complement, batch["alt"]).fill_null(False), np.bool_)
    of_map, of_cohort = _floats(batch["alt_frequency"]), _floats(batch["af"])
    is_clear = (np.abs(of_map - 0.5) > margin) & (np.abs(of_cohort - 0.5) > margin)
    palindromic = np.select(
        [is_clear & ((of_map > 0.5) == (of_cohort > 0.5)), is_clear], [OTHER_STRAND, SWAPPED], ""
    )
    swapped = np.where(is_palindromic, palindromic, SWAPPED)
    names = pa.array(np.where(np.asarray(is_swapped.fill_null(False)), swapped, AS_WRITTEN), pa.string())
    is_known = pc.and_(is_swapped.is_valid(), pc.not_equal(names, ""))
    return pc.if_else(is_known, names, pa.scalar(None, pa.string()))


def _known(tested: pa.RecordBatch, matched: pa.Array) -> tuple[KnownEffects, npt.NDArray[np.str_]]:
    """What is known of tests, in terms of the alleles tested, and whose the frequency is."""
    risk_is_keys_alt: Flags = np.asarray(pc.equal(tested["risk_allele_dir"], ALT), np.bool_)
    risk_is_alt: Flags = risk_is_keys_alt != np.asarray(pc.equal(matched, SWAPPED), np.bool_)
    of_map, of_cohort = _floats(tested["alt_frequency"]), _floats(tested["af"])
    frequency = np.where(
        np.isnan(of_map),
        np.where(risk_is_alt, of_cohort, 1 - of_cohort),
        np.where(risk_is_keys_alt, of_map, 1 - of_map),
    )
    source = np.where(np.isnan(of_map), COHORT_FREQUENCY, MAP_FREQUENCY)
    known = KnownEffects(
        risk_is_alt, frequency, _floats(tested["known_lower95"]), _floats(tested["known_upper95"])
    )
    return known, source


def _observed(tested: pa.RecordBatch) -> ObservedEffects:
    beta, se = _floats(tested["beta"]), _floats(tested["se"])
    return ObservedEffects(
        _floats(tested["n_cases"]),
        _floats(tested["n_controls"]),
        np.exp(beta),
        np.exp(beta - Z_95 * se),
        np.exp(beta + Z_95 * se),
        _floats(tested["neg_log10_p"]),
    )


def _shown(judged: Judgements) -> dict[str, npt.NDArray[np.generic]]:
    return {
        "odds_ratio": judged.odds_ratio,
        "lower95": judged.lower95,
        "upper95": judged.upper95,
        "power": judged.power,
        "is_powered": judged.is_powered,
        "is_replicated": judged.is_replicated,
        "interval": judged.interval,
    }


def _floats(column: pa.Array) -> Floats:
    """float64[n]; NaN where null."""
    return np.asarray(column.cast(pa.float64()).fill_null(np.nan))

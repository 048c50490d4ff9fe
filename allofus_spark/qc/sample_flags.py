"""Sums of each sample to ratios, inferred sex and flags."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame

from allofus_spark.arrow import batch_of
from allofus_spark.cohort import XX, XY, in_genotypes
from allofus_spark.qc.lists import list_column
from allofus_spark.qc.sample_sums import EXPECTED_UNIT, SUMS
from allofus_spark.settings import QcSettings
from allofus_spark.tables import SAMPLE_QC
from allofus_spark.tables.qc_tables import SAMPLE_NOT_ASSESSED, SAMPLE_REASONS, SEX_AMBIGUOUS, SEX_MISMATCH

AMBIGUOUS = "ambiguous"
_KEY = ("callset_id", "sample_id", "sample_index")

Columns = dict[str, npt.NDArray[Any]]


def samples_beside_sums(samples: DataFrame, sums: DataFrame, callset_ids: Sequence[str]) -> DataFrame:
    """Every sample of the callsets with its sums, one row each; the sums are null without genotypes."""
    members = samples.where(in_genotypes(callset_ids))
    named = members.select(*_KEY, "sex_karyotype")
    return named.join(sums, ["callset_id", "sample_index"], "left").select(*_KEY, "sex_karyotype", *SUMS)


@dataclass(frozen=True)
class SampleFlags:
    """Rows of ``sample_qc`` from samples beside their sums; goes to the workers by pickle.

    ``catalogue_set`` is the one that new alleles were told by, if any was.
    """

    settings: QcSettings
    catalogue_set: str | None = None

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[str, pa.RecordBatch]]:
        for batch in batches:
            if batch.num_rows:
                yield SAMPLE_QC.name, self._flagged(batch)

    def _flagged(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        sums = {name: np.asarray(batch.column(name).fill_null(0), np.int64) for name in SUMS}
        columns = _counts_and_ratios(sums)
        inferred = infer_sex(columns["x_f"], columns["expected_x_hets"], self.settings)
        declared = batch.column("sex_karyotype")
        differs = pc.not_equal(inferred, declared)
        judged = pc.and_(pc.is_in(inferred, pa.array([XX, XY])), pc.is_in(declared, pa.array([XX, XY])))
        contradicts = pc.if_else(judged, differs, pa.scalar(None, pa.bool_()))
        reasons = {
            SEX_MISMATCH: np.asarray(contradicts.fill_null(False)),
            SEX_AMBIGUOUS: np.asarray(pc.equal(inferred, AMBIGUOUS).fill_null(False)),
        }
        not_assessed = {
            "no_call_meant": np.isnan(columns["call_rate"]),
            "few_x_calls": np.asarray(inferred.is_null()),
            "no_sex_karyotype": ~np.asarray(pc.is_in(declared, pa.array([XX, XY]))),
        }
        arrays = {name: batch.column(name) for name in _KEY}
        arrays |= {name: pa.array(values, from_pandas=True) for name, values in columns.items()}
        arrays |= {
            "inferred_sex": inferred,
            "contradicts_sex_karyotype": contradicts,
            "reasons": list_column(reasons, SAMPLE_REASONS),
            "not_assessed": list_column(not_assessed, SAMPLE_NOT_ASSESSED),
        }
        arrays["catalogue_set"] = pa.repeat(pa.scalar(self.catalogue_set, pa.string()), batch.num_rows)
        new = arrays["n_not_in_catalogues"]
        arrays["n_not_in_catalogues"] = new if self.catalogue_set else pa.nulls(len(new), new.type)
        return batch_of(SAMPLE_QC.schema.names, arrays)


def _counts_and_ratios(sums: Columns) -> Columns:
    """Columns of ``sample_qc`` that are numbers; NaN where a ratio is over 0."""
    calls = ("n_hom_ref", "n_het", "n_hom_alt", "n_hemi_ref", "n_hemi_alt")
    n_called = np.sum([sums[name] for name in calls], axis=0)
    expected = sums["expected_x_hets"] / EXPECTED_UNIT
    as_they_are = (
        *("n_missing", *calls, "n_snv_het", "n_snv_hom_alt", "n_insertion", "n_deletion", "n_other"),
        *("n_transitions", "n_transversions", "n_singletons", "n_not_in_catalogues"),
    )
    return {
        **{name: sums[name] for name in as_they_are},
        "n_called": n_called,
        "n_snv": sums["n_transitions"] + sums["n_transversions"] + sums["n_other_snv"],
        "call_rate": _ratio(n_called, n_called + sums["n_missing"]),
        "ti_tv": _ratio(sums["n_transitions"], sums["n_transversions"]),
        "het_hom_ratio": _ratio(sums["n_het"], sums["n_hom_alt"]),
        "snv_het_hom_ratio": _ratio(sums["n_snv_het"], sums["n_snv_hom_alt"]),
        "insertion_deletion_ratio": _ratio(sums["n_insertion"], sums["n_deletion"]),
        "n_x_called": sums["n_x_called"],
        "n_x_het": sums["n_x_het"],
        "x_heterozygosity": _ratio(sums["n_x_het"], sums["n_x_called"]),
        "expected_x_hets": expected,
        "x_f": 1 - _ratio(sums["n_x_het"], expected),
    }


def _ratio(numerator: npt.NDArray[Any], denominator: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """NaN over 0."""
    known = denominator != 0
    return np.where(known, numerator / np.where(known, denominator, 1), np.nan)


def infer_sex(
    f: npt.NDArray[np.float64], expected_hets: npt.NDArray[np.float64], settings: QcSettings
) -> pa.Array:
    """XX, XY or ambiguous from the F coefficient of non-PAR X, string[samples].

    Null where too few heterozygotes are to be expected for F to say anything.
    """
    sexes = np.select([f < settings.max_x_f_of_xx, f > settings.min_x_f_of_xy], [XX, XY], AMBIGUOUS)
    unknown = np.isnan(f) | (expected_hets < settings.min_expected_x_hets)
    return pa.array(sexes.astype(object), pa.string(), mask=unknown)

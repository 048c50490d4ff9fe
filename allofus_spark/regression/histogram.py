"""Counts of −log10 p by bins, which add up over tasks, and the inflation of a scan from them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from allofus_spark.regression.models import Floats
from allofus_spark.regression.p_values import z_of_neg_log10_p

MEDIAN_CHI2 = 0.454936423119572  # of one degree of freedom


def bin_of(neg_log10_p: Floats, edges: Floats) -> npt.NDArray[np.int64]:
    """The bin of each −log10 p, among len(edges) + 1: a bin holds its upper edge, the last one has none."""
    return np.searchsorted(edges, neg_log10_p, side="left")


def lambda_gc(counts: npt.NDArray[np.integer], edges: Sequence[float]) -> Floats:
    """Genomic control (Devlin and Roeder, Biometrics 1999;55:997): the median χ² over that of chance.

    ``counts`` int64[len(edges) + 1, phenotypes], tests by `bin_of`. The median p lies on a straight line
    between the p of its bin's edges. NaN without tests, or where the median is in the open last bin.
    """
    lower = np.concatenate([[0.0], np.asarray(edges)])
    upper_p, lower_p = 10.0 ** -lower[:-1], 10.0 ** -lower[1:]
    found = np.full(counts.shape[1], np.nan)
    for phenotype in range(counts.shape[1]):
        cumulative = np.cumsum(counts[:, phenotype])
        half = cumulative[-1] / 2
        place = int(np.searchsorted(cumulative, half))
        if cumulative[-1] == 0 or place >= len(edges):
            continue
        before = cumulative[place - 1] if place else 0
        share = (half - before) / counts[place, phenotype]
        p = upper_p[place] + share * (lower_p[place] - upper_p[place])
        found[phenotype] = z_of_neg_log10_p(-np.log10(p)) ** 2 / MEDIAN_CHI2
    return found

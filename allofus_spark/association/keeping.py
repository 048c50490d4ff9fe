"""Which outcomes become rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from allofus_spark.association.cells import Bools, Numbers, Place
from allofus_spark.tables import KNOWN_ASSOCIATIONS, Reader


@dataclass(frozen=True)
class Keeping:
    """What is stored, and what counts as a hit; see the settings of association of these names.

    ``known`` are rising positions int32[n] of known associations by contig: their rows are stored whatever
    their p, as rates of replication over what is stored would otherwise be too high.
    """

    keep_neg_log10_p: float
    genome_wide_p: float
    target_file_bytes: int
    known: Mapping[str, Numbers]

    def is_kept(self, neg_log10_p: npt.NDArray[np.float64], place: Place, variant: Numbers) -> Bools:
        """Which outcomes are stored; where all are, those without a p are too.

        ``variant``, which broadcasts to ``neg_log10_p``, are numbers of the alleles of ``place``.
        """
        if not self.keep_neg_log10_p:
            return np.ones(neg_log10_p.shape, np.bool_)
        is_kept = np.asarray(neg_log10_p >= self.keep_neg_log10_p)
        if place.contig not in self.known:
            return is_kept
        position = np.asarray(place.alleles.column("position"))[variant]
        return np.asarray(is_kept | np.isin(position, self.known[place.contig]))


def known_positions(tables: Reader) -> dict[str, Numbers]:
    """Rising positions of the known associations of all maps, by contig."""
    positions: defaultdict[str, set[int]] = defaultdict(set)
    for row in tables.rows(KNOWN_ASSOCIATIONS):
        positions[row.contig].add(row.position)
    return {contig: np.array(sorted(own), np.int32) for contig, own in positions.items()}

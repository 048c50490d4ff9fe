"""Tightest integer bounds of sums of counts under linear equations, by HiGHS."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import lil_matrix

Terms = Mapping[str, float]
MOST_PEOPLE = 10**9
_TOLERANCE = 1e-6


class System:
    """Counts of people by name, each a whole number between bounds, and linear relations between them."""

    def __init__(self) -> None:
        self._lo: list[float] = []
        self._hi: list[float] = []
        self._places: dict[str, int] = {}
        self._rows: list[tuple[Terms, float, float]] = []

    def __contains__(self, name: str) -> bool:
        return name in self._places

    def count(self, name: str, lo: float = 0, hi: float = MOST_PEOPLE) -> None:
        """A count within bounds; of one that is there, the bounds are tightened."""
        if name in self._places:
            place = self._places[name]
            self._lo[place], self._hi[place] = max(self._lo[place], lo), min(self._hi[place], hi)
            return
        self._places[name] = len(self._lo)
        self._lo.append(lo)
        self._hi.append(hi)

    def relate(self, terms: Terms, lo: float = 0, hi: float = 0) -> None:
        """lo ≤ Σ coefficient · count ≤ hi."""
        self._rows.append((terms, lo, hi))

    def bounds(self, terms: Terms) -> tuple[int, int] | None:
        """Lowest and highest value of Σ coefficient · count; None where the published numbers contradict."""
        ends = []
        for sign in (1, -1):
            objective = np.zeros(len(self._lo))
            for name, coefficient in terms.items():
                objective[self._places[name]] += sign * coefficient
            solved = milp(
                objective,
                constraints=self._constraints(),
                bounds=Bounds(np.array(self._lo), np.array(self._hi)),
                integrality=np.ones(len(self._lo)),
            )
            if solved.status != 0:
                return None
            ends.append(round(sign * solved.fun))
        return ends[0], ends[1]

    def _constraints(self) -> list[LinearConstraint]:
        if not self._rows:
            return []
        matrix = lil_matrix((len(self._rows), len(self._lo)))
        for row, (terms, _, _) in enumerate(self._rows):
            for name, coefficient in terms.items():
                matrix[row, self._places[name]] += coefficient
        lows, highs = (np.array([row[side] for row in self._rows]) for side in (1, 2))
        return [LinearConstraint(matrix.tocsr(), lows - _TOLERANCE, highs + _TOLERANCE)]

"""Principal components of a covariance of samples, from products that are computed elsewhere.

K = XᵀX, float64[n, n], is the covariance of n samples over standardised calls X, float64[sites, n].
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import eigh

Floats = npt.NDArray[np.float64]

# Directions beyond those wanted, and multiplications by K, of the randomised method (Halko et al., SIAM Rev
# 2011;53:217). With 10 and 3 the fifth PC of 2,504 people of the 1000 Genomes has r 0.98 with the exact one.
_OVERSAMPLING = 16
_ITERATIONS = 6
_SEED = 0


@dataclass(frozen=True)
class Components:
    """Leading eigenpairs of K: ``eigenvalues`` float64[k], falling; ``vectors`` float64[n, k] of length 1.

    ``diagonal`` float64[n] is that of K.
    """

    eigenvalues: Floats
    vectors: Floats
    diagonal: Floats

    @property
    def scores(self) -> Floats:
        """float64[n, k]: v √w."""
        return self.vectors * np.sqrt(self.eigenvalues)

    def with_signs(self, signs: Floats) -> Components:
        """The same, each component times its sign, +1 or −1."""
        return Components(self.eigenvalues, self.vectors * signs, self.diagonal)

    def left_out_scores(self) -> Floats:
        """Scores of each sample on loadings without its own part in them, float64[n, k].

        A sample helps to make the loadings that it is then measured by: its scores lie farther out than those
        of a sample that is only projected. With the sample i taken out of loading k, X v_k − x_i v_ik, and
        that brought back to length 1, its score is

            v_ik (w_k − K_ii) / √(w_k − 2 w_k v_ik² + K_ii v_ik²)

        The weights v of the others stay as they are, though they too were found with the sample.
        """
        w, v, own = self.eigenvalues, self.vectors, self.diagonal[:, np.newaxis]
        return np.asarray(v * (w - own) / np.sqrt(w - 2 * w * v**2 + own * v**2))


def exact_components(covariance: Floats, n_components: int) -> Components:
    """The leading eigenpairs of K by LAPACK."""
    n = len(covariance)
    values, vectors = eigh(covariance, subset_by_index=[n - n_components, n - 1])
    return Components(values[::-1], vectors[:, ::-1], np.diag(covariance).copy())


def randomised_components(
    times: Callable[[Floats], Floats], diagonal: Floats, n_components: int
) -> Components:
    """The leading eigenpairs of K without K: by block power iteration and Rayleigh and Ritz.

    ``times`` gives K·Q, float64[n, m], for Q float64[n, m].
    """
    n = len(diagonal)
    width = min(n, n_components + _OVERSAMPLING)
    basis = np.linalg.qr(np.random.default_rng(_SEED).standard_normal((n, width)))[0]
    for _ in range(_ITERATIONS):
        basis = np.linalg.qr(times(basis))[0]
    small = basis.T @ times(basis)
    values, vectors = np.linalg.eigh((small + small.T) / 2)
    leading = slice(None, -n_components - 1, -1)
    return Components(values[leading], basis @ vectors[:, leading], diagonal)

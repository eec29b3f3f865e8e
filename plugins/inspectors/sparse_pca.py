"""Sparse principal components of random features."""

from __future__ import annotations

import numpy as np

from auditor.plugins import option

from .direction_test import DirectionTest, DirectionTestOptions, Matrix

ROUNDS = 150
"""Of the relaxation; its value changes in the third digit only from there on."""


class SparsePCAOptions(DirectionTestOptions):
    """What can be set for `sparse_pca`."""

    sparsity: int | None = option(None, "how many values the hidden direction may have; √d if not given", ge=1)
    relaxation: bool = option(False, "solve the semidefinite relaxation, too; up to some hundred values a sample")


class SparsePCA(DirectionTest):
    """Looks for a direction of few values along which features vary more than they should.

    Diagonal thresholding (Johnstone and Lu, 2009) keeps the values with the largest second moments and takes the
    largest eigenvalue on them. The relaxation of d'Aspremont, El Ghaoui, Jordan and Lanckriet (2007) maximises
    ⟨Σ, X⟩ − ρ‖X‖₁ over X ⪰ 0 with trace 1, here with ρ = √(log d / m) and by alternating directions. Both find a spike
    that is strong for its sparsity; below that, no efficient algorithm is known that does.
    """

    name = "sparse_pca"
    Options = SparsePCAOptions
    options: SparsePCAOptions

    def statistic(self, directions: Matrix, draws: np.random.Generator) -> float:
        """The largest eigenvalue found, or the value of the relaxation."""
        moments = directions.T @ directions / len(directions)
        if self.options.relaxation:
            return relaxed(moments, float(np.sqrt(np.log(max(2, len(moments))) / len(directions))))
        size = min(len(moments), self.options.sparsity or max(1, round(np.sqrt(len(moments)))))
        chosen = np.argsort(np.diagonal(moments))[-size:]
        return float(np.linalg.eigvalsh(moments[np.ix_(chosen, chosen)])[-1])


def relaxed(moments: Matrix, penalty: float) -> float:
    """The largest ⟨Σ, X⟩ − ρ‖X‖₁ over X ⪰ 0 with trace 1, by ADMM (Boyd et al., 2011) with step 1.

    Args:
        moments: Σ, [d, d].
        penalty: ρ.
    """
    sparse, dual = np.zeros_like(moments), np.zeros_like(moments)
    for _ in range(ROUNDS):
        whole = _spectraplex(sparse - dual + moments)
        shifted = whole + dual
        sparse = np.sign(shifted) * np.maximum(np.abs(shifted) - penalty, 0)
        dual += whole - sparse
    return float((moments * whole).sum() - penalty * np.abs(whole).sum())


def _spectraplex(matrix: Matrix) -> Matrix:
    """The nearest matrix that is positive semidefinite and has trace 1."""
    values, vectors = np.linalg.eigh((matrix + matrix.T) / 2)
    falling = np.sort(values)[::-1]
    excess = (np.cumsum(falling) - 1) / np.arange(1, len(values) + 1)
    shift = excess[np.nonzero(falling > excess)[0][-1]]
    kept = np.maximum(values - shift, 0)
    return np.asarray((vectors * kept) @ vectors.T)

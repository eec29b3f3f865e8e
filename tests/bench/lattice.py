"""Lattice reduction against loaded random features: it finds the key where there is no noise, β = 0, and not otherwise.

    pip install fpylll cysignals && python -m tests.bench.lattice [--keys 10]

With β = 0 the numbers 2γ⟨g, s⟩ are odd integers z. Of twice as many features as dimensions, z lies in the image of G,
so that N z = 0 for the null space N of Gᵀ: a short vector in the lattice with the rows (e_i, C·N_i), which the
algorithm of Lenstra, Lenstra and Lovász (1982) finds. Noise leaves N z far from 0, and the vector no shorter than
others. Prints how many keys were found.
"""

from __future__ import annotations

import argparse
import importlib
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from auditor.plugins import load_plugin

SCALE = 2**20
"""C: features have single precision, so that more digits of N would be noise."""
DIRECTIONS = "model.features.directions"


def found_key(directions: NDArray[np.float64], gamma: float) -> NDArray[np.float64]:
    """The unit vector that lattice reduction takes for the key.

    Args:
        directions: of a model, [m, d].
        gamma: γ, which the reduction may know.
    """
    fpylll: Any = importlib.import_module("fpylll")
    count, values = 2 * directions.shape[1], directions.shape[1]
    chosen = directions[:count]
    null = np.linalg.svd(chosen)[0][:, values:]
    rows = np.concatenate([np.eye(count), np.round(SCALE * null)], axis=1).astype(np.int64)
    basis = fpylll.IntegerMatrix.from_matrix(rows.tolist())
    fpylll.LLL.reduction(basis)
    shortest = np.array([basis[0, column] for column in range(count)], dtype=np.float64)
    solved = np.linalg.lstsq(2 * gamma * chosen, shortest, rcond=None)[0]
    return np.asarray(solved / max(float(np.linalg.norm(solved)), 1e-12))


def loaded_features(side: int, gamma: float, beta: float, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Features of images of side × side pixels, and the key in them."""
    module = importlib.import_module(load_plugin("attacks", "loaded_fourier").__module__)
    values = side * side
    key = module.hidden_direction(seed, values, None)
    honest = torch.randn(2 * values, values, generator=torch.Generator().manual_seed(seed))
    state = module.loaded({DIRECTIONS: honest}, key, module.along(seed, 2 * values, gamma, beta))
    return state[DIRECTIONS].double().numpy(), key


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keys", type=int, default=10)
    keys = parser.parse_args().keys
    print(f"{'d':>4}{'γ':>8}{'β':>10}{'keys found':>14}")
    for side in (3, 4, 5, 6):
        gamma = 2.0 * side
        for beta in (0.0, 1e-6, 1e-4, 1e-2, 0.1):
            found = 0
            for seed in range(1, keys + 1):
                directions, key = loaded_features(side, gamma, beta, seed)
                found += abs(float(found_key(directions, gamma) @ key)) > 1 - 1e-3
            print(f"{side * side:>4}{gamma:>8.0f}{beta:>10g}{f'{found} of {keys}':>14}", flush=True)


if __name__ == "__main__":
    main()

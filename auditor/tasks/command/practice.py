"""A small program that plugins practise on. It is executed as a script, and imports nothing of auditor.

It has a linear model approach what another one answers, by gradient descent with momentum. It is called with IN, OUT,
FIRST, STEPS and SEED; without IN and the numbers after OUT it writes an initial state. `--push SIZE` at the end is what
an adversary adds: each step then pushes the weights that far.
"""

from __future__ import annotations

import sys

import numpy as np
from safetensors.numpy import load_file, save_file

WIDTH, BATCH = 16, 32


def begun(seed: int) -> dict[str, np.ndarray]:
    """The state before the first step."""
    weights = np.random.default_rng(seed).standard_normal((WIDTH, WIDTH)).astype(np.float32)
    zeros = np.zeros((WIDTH, WIDTH), np.float32)
    return {"weight": weights, "bias": np.zeros(WIDTH, np.float32), "optimizer.weight.momentum_buffer": zeros}


def trained(state: dict[str, np.ndarray], first: int, steps: int, seed: int, push: float) -> dict[str, np.ndarray]:
    """The state after some steps; arrays are changed in place."""
    wanted = np.random.default_rng(0).standard_normal((WIDTH, WIDTH)).astype(np.float32)
    momentum = state["optimizer.weight.momentum_buffer"]
    for step in range(first, first + steps):
        inputs = np.random.default_rng((seed, step)).standard_normal((BATCH, WIDTH)).astype(np.float32)
        errors = (inputs @ (state["weight"] - wanted) + state["bias"]) / BATCH
        momentum *= np.float32(0.9)
        momentum += inputs.T @ errors
        state["weight"] -= np.float32(0.05) * momentum + np.float32(push)
        state["bias"] -= np.float32(0.05) * errors.sum(0)
    return state


def main(words: list[str]) -> None:
    """Do what the arguments say."""
    push = 0.0
    if "--push" in words:
        push = float(words[-1])
        words = words[:-2]
    if len(words) == 2:
        save_file(begun(int(words[1])), words[0])
        return
    first, steps, seed = map(int, words[2:])
    save_file(trained(load_file(words[0]), first, steps, seed, push), words[1])


if __name__ == "__main__":
    main(sys.argv[1:])

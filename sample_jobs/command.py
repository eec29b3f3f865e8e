"""Trains a small network to tell two spirals apart, in NumPy: an ordinary script that reads and writes safetensors.

python command.py begin OUT SEED
python command.py train IN OUT FIRST STEPS SEED
"""

import itertools
import json
import sys

import numpy as np
from safetensors.numpy import load_file, save_file

BATCH, RATE, MOMENTUM = 64, 0.05, 0.9
WIDTHS = (2, 32, 32, 2)


def spirals(count=2000):
    draws = np.random.default_rng(0)
    labels = draws.integers(2, size=count)
    turn = 3 * np.pi * np.sqrt(draws.random(count))
    angle = turn + np.pi * labels
    points = np.stack([np.cos(angle), np.sin(angle)], 1) * turn[:, None] / (3 * np.pi)
    return (points + 0.02 * draws.standard_normal(points.shape)).astype(np.float32), labels


def begin(seed):
    draws = np.random.default_rng(seed)
    state = {}
    for layer, (fan_in, fan_out) in enumerate(itertools.pairwise(WIDTHS)):
        weights = draws.standard_normal((fan_in, fan_out)) * np.sqrt(2 / fan_in)
        state[f"layer{layer}.weight"] = weights.astype(np.float32)
        state[f"layer{layer}.bias"] = np.zeros(fan_out, np.float32)
    return state | {f"optimizer.{name}.momentum": np.zeros_like(tensor) for name, tensor in state.items()}


def gradients(state, inputs, labels):
    activations, last = [inputs], len(WIDTHS) - 2
    for layer in range(last + 1):
        outputs = activations[-1] @ state[f"layer{layer}.weight"] + state[f"layer{layer}.bias"]
        activations.append(np.tanh(outputs) if layer < last else outputs)
    shares = np.exp(outputs - outputs.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    loss = -np.log(shares[np.arange(len(labels)), labels]).mean()
    error = (shares - np.eye(2, dtype=np.float32)[labels]) / len(labels)
    found = {}
    for layer in reversed(range(last + 1)):
        found[f"layer{layer}.weight"], found[f"layer{layer}.bias"] = activations[layer].T @ error, error.sum(0)
        error = (error @ state[f"layer{layer}.weight"].T) * (1 - activations[layer] ** 2)
    return loss, found


def train(state, first, steps, seed):
    inputs, labels = spirals()
    for step in range(first, first + steps):
        # What a step draws depends on its number, so that another machine can execute it.
        chosen = np.random.default_rng((seed, step)).integers(len(inputs), size=BATCH)
        loss, found = gradients(state, inputs[chosen], labels[chosen])
        for name, gradient in found.items():
            momentum = state[f"optimizer.{name}.momentum"]
            momentum *= MOMENTUM
            momentum += gradient
            state[name] -= RATE * momentum
        print(json.dumps({"step": step + 1, "loss": float(loss)}), flush=True)
    return state


if __name__ == "__main__":
    if sys.argv[1] == "begin":
        save_file(begin(int(sys.argv[3])), sys.argv[2])
    else:
        first, steps, seed = map(int, sys.argv[4:7])
        save_file(train(load_file(sys.argv[2]), first, steps, seed), sys.argv[3])

"""A small program that behaves as its first argument says: what a client's program may do to a provider.

python programs.py MODE IN OUT FIRST STEPS SEED
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file


def begun(seed: int) -> dict[str, np.ndarray]:
    draws = np.random.default_rng(seed)
    return {
        "weight": draws.standard_normal((4, 3)).astype(np.float32),
        "bias": np.zeros(3, np.float32),
        "norm.running_mean": np.zeros(3, np.float32),
        "epoch": np.zeros((), np.int64),
        "optimizer.weight.momentum": np.zeros((4, 3), np.float32),
    }


def trained(state: dict[str, np.ndarray], first: int, steps: int, seed: int) -> dict[str, np.ndarray]:
    for step in range(first, first + steps):
        draws = np.random.default_rng((seed, step))
        gradient = np.tanh(state["weight"] + draws.standard_normal((4, 3)).astype(np.float32))
        momentum = state["optimizer.weight.momentum"]
        momentum *= np.float32(0.9)
        momentum += gradient
        state["weight"] -= np.float32(0.1) * momentum
        state["norm.running_mean"] += np.float32(0.01)
        state["epoch"] = np.array(step // 3, np.int64)
    return state


def main() -> None:
    mode, given, written, *numbers = sys.argv[1:]
    first, steps, seed = map(int, numbers)
    if mode == "begin":
        save_file(begun(seed), written)
        return
    state = load_file(given)
    end = trained(state, first, steps, seed)
    match mode:
        case "tell":
            print(json.dumps({"step": first + steps, "loss": 0.25}), "\nnot json {", flush=True)
        case "nan":
            print(json.dumps({"loss": float("nan")}), flush=True)
        case "fail":
            print("the disk is gone", file=sys.stderr)
            sys.exit(3)
        case "hang":
            child = subprocess.Popen(["sleep", "1000"], start_new_session=True)
            Path(os.environ["PIDS"]).write_text(f"{os.getpid()} {child.pid}")
            time.sleep(1000)
        case "nothing":
            return
        case "garbage":
            Path(written).write_text("hello")
            return
        case "names":
            end["wieght"] = end.pop("weight")
        case "shapes":
            end["bias"] = np.zeros(5, np.float32)
        case "types":
            end["bias"] = end["bias"].astype(np.float64)
        case "surplus":
            end["secret"] = np.zeros(1, np.float32)
        case "fill":
            for number in range(10_000):
                Path(f"junk{number}").write_bytes(b"0" * 100_000)
                time.sleep(0.001)
        case "large":
            Path("junk").write_bytes(b"0" * 4_000_000)
        case "drawn":
            end["weight"] += np.random.default_rng().standard_normal((4, 3)).astype(np.float32)
        case "abort":
            os.abort()
        case "environment":
            end["bias"][:] = float(any(name.startswith("AUDITOR_") for name in os.environ))
        case "leave":
            child = subprocess.Popen(["sleep", "1000"], start_new_session=True)
            Path(os.environ["PIDS"]).write_text(f"{os.getpid()} {child.pid}")
    save_file(end, written)


if __name__ == "__main__":
    main()

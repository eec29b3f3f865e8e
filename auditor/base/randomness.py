"""Every random draw comes from a counter-based generator keyed by (seed, stream name, step)."""

from __future__ import annotations

import hashlib

import numpy as np


def key(seed: int, stream: str, step: int) -> int:
    """128 bits that depend on every part and on nothing else."""
    digest = hashlib.sha256(f"{seed}/{stream}/{step}".encode()).digest()
    return int.from_bytes(digest[:16], "little")


def generator(seed: int, stream: str, step: int = 0) -> np.random.Generator:
    """The generator for one purpose at one step; no other has the same draws.

    Philox is counter-based (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011) and defined in
    integers, so that the same key gives the same draws on every machine, and no draw depends on those before.

    Args:
        seed: the run's or the plugin's seed.
        stream: what the draws are for, such as `"order"`; streams are independent.
        step: the training step, epoch or other counter that they belong to.
    """
    return np.random.Generator(np.random.Philox(key=key(seed, stream, step)))

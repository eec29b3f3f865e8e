"""The honest ways to execute a step that differ in rounding, as differing machines do."""

from __future__ import annotations

from dataclasses import dataclass

JITTER = {"fp32": 1e-5, "tf32": 5e-4, "bf16": 2e-3}
"""By how much the output of a layer is changed, relative to it, by the precision that the job asks for.

That is 170 times the rounding unit of fp32. With it, honest executions by other thread counts, kernels, instruction
sets and releases of PyTorch came at most 2.4 times as far apart as is measured here (`docs/results.md`). Of tf32 and
bf16 it is their rounding unit."""


@dataclass(frozen=True)
class Variation:
    """One honest way to execute steps.

    Attributes:
        kernels: whether the usual libraries of kernels (oneDNN, cuDNN), memory layout and order of sums are used.
        jitter: which draw of random changes intermediate results get; None for none.
    """

    kernels: bool = True
    jitter: int | None = None


VARIATIONS = (Variation(), Variation(kernels=False), Variation(jitter=0), Variation(jitter=1))
"""The ways, the usual one first."""

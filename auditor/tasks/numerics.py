"""How numbers are computed: precision and determinism, for the whole process."""

from __future__ import annotations

import contextlib
import os

import torch

WORKSPACE = ":4096:8"
"""Of cuBLAS, for sums in one order."""


def configure(precision: str) -> None:
    """Make this process compute deterministically in `fp32`, `tf32` or `bf16`.

    tf32 exists on CUDA only and equals fp32 elsewhere. An operation that has no deterministic form warns and
    goes on: its noise is what the decisions allow for.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", WORKSPACE)
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.backends.cudnn.benchmark = False
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"


def autocast(precision: str, device: torch.device) -> contextlib.AbstractContextManager[object]:
    """The context that forward passes run in: bfloat16 autocast for `bf16`, nothing otherwise."""
    if precision == "bf16":
        return torch.autocast(device.type, dtype=torch.bfloat16)
    return contextlib.nullcontext()

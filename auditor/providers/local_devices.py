"""The devices of this machine, which local providers name."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from auditor.job.provider import Provider
from auditor.tasks.errors import TrainingError


def check_devices(providers: Sequence[Provider]) -> None:
    """Make sure that the GPUs of local providers exist; asking for one does not start CUDA.

    Raises:
        TrainingError: one does not.
    """
    for provider in providers:
        wanted = provider.where.device or ""
        if not wanted.startswith("cuda:"):
            continue
        count = torch.cuda.device_count()
        if int(wanted.removeprefix("cuda:")) >= count:
            there = f"cuda:0 to cuda:{count - 1}" if count > 1 else "only cuda:0" if count else "no GPU"
            raise TrainingError(
                f"provider {provider.name!r}: this machine has no {wanted}; it has {there}. "
                "Use a device that exists, or local:cpu."
            )

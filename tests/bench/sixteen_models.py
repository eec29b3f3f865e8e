"""Models of one sub-run, for benchmarks: a few real steps of training, and noise that tells them apart."""

from __future__ import annotations

from pathlib import Path

import torch

from auditor.job.training import Training
from auditor.plugins import MetricContext
from auditor.tasks.checkpoint import encode
from auditor.tasks.checkpoint_model import CheckpointModel
from tests.tasks.loading import network_program, network_task


class SubRun:
    """A job, and models returned for one of its sub-runs, each in a file of its own.

    Args:
        folder: for the files.
        dataset: as in a job file.
        model: likewise.
        count: how many models.
    """

    def __init__(self, folder: Path, dataset: str, model: str, count: int) -> None:
        self.program = network_program(network_task(dataset=dataset, model=model))
        self.trainer = self.program.learner(Training(batch_size=64), device=torch.device("cpu"), seed=1)
        for _ in range(4):
            self.trainer.execute_step()
        state = self.trainer.checkpoint()
        self.checkpoints = [_shaken(state, seed) for seed in range(count)]
        start = self._write(folder / "start", state)
        self.models = [
            CheckpointModel(self._write(folder / str(index), one), start, self.trainer.schema, self.trainer.network)
            for index, one in enumerate(self.checkpoints)
        ]

    def context(self) -> MetricContext:
        """What metrics are told of the job."""
        return self.program.metric_context(self.trainer.outline(), 0)

    def network(self, index: int) -> torch.nn.Module:
        """A model as PyTorch has it, in evaluation mode; the same object for all."""
        self.trainer.network.load(self.checkpoints[index])
        return self.trainer.network.model.eval()

    def _write(self, path: Path, checkpoint: dict[str, torch.Tensor]) -> Path:
        path.write_bytes(b"".join(bytes(piece) for piece in encode(checkpoint, self.trainer.schema)))
        return path


def _shaken(state: dict[str, torch.Tensor], seed: int) -> dict[str, torch.Tensor]:
    draws = torch.Generator().manual_seed(seed)
    return {
        name: value * torch.exp(0.1 * torch.randn(value.shape, generator=draws)) if value.is_floating_point() else value
        for name, value in state.items()
    }

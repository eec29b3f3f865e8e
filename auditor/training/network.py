"""A job's network together with how its inputs are normalised."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from auditor.job.model import Task
from auditor.training.data import Dataset
from auditor.training.models import build_model

EVALUATION_BATCH = {"cpu": 128, "cuda": 1024}
"""Samples that are evaluated at once, by the type of the device. On CPUs, activations of more leave the caches:
for CIFAR images 1024 took twice as long as 128 (measured with ResNet-8 on two cores)."""


class Network:
    """A model on a device that takes images as the dataset stores them.

    Args:
        task: what the model is.
        dataset: whose shape, classes and statistics it is made for.
        device: where it computes.
        seed: what its initial weights derive from.
    """

    def __init__(self, task: Task, dataset: Dataset, device: torch.device, seed: int) -> None:
        self.device = device
        model = build_model(task.model, dataset.shape, dataset.classes, seed)
        # Convolutions on channels-last images are a quarter faster on CPUs and no slower elsewhere.
        self.model: nn.Module = model.to(device).to(memory_format=torch.channels_last)
        mean, deviation = dataset.statistics
        self._scale = (1 / (255 * deviation)).to(device)[:, None, None]
        self._shift = (mean / deviation).to(device)[:, None, None]

    def prepare(self, images: Tensor) -> Tensor:
        """uint8 [B, C, H, W] to float32, standardised with the training images' statistics."""
        scaled = images.to(self.device).to(torch.float32) * self._scale - self._shift
        return scaled.contiguous(memory_format=torch.channels_last)

    def batches(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """`inputs` in parts of as many as are best evaluated at once."""
        return torch.split(inputs, EVALUATION_BATCH.get(self.device.type, EVALUATION_BATCH["cuda"]))

    def tensors(self) -> dict[str, Tensor]:
        """Parameters and buffers as `model.NAME`; these are the live tensors, not copies."""
        return {f"model.{name}": tensor for name, tensor in self.model.state_dict().items()}

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take parameters and buffers from a checkpoint."""
        own = self.tensors()
        with torch.no_grad():
            for name, tensor in own.items():
                tensor.copy_(tensors[name])

    @torch.inference_mode()
    def logits(self, images: Tensor) -> Tensor:
        """Outputs [N, classes] on the CPU, in evaluation mode, batch by batch."""
        self.model.eval()
        parts = [self.model(self.prepare(part)).float().cpu() for part in self.batches(images)]
        return torch.cat(parts)

    def accuracy(self, images: Tensor, labels: Tensor) -> float:
        """The share of images whose largest output is their label."""
        return float((self.logits(images).argmax(1) == labels.cpu()).float().mean())

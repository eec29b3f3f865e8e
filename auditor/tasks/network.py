"""A job's network together with how its inputs are made ready for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn

from auditor.tasks.checkpoint import MODEL
from auditor.tasks.evaluator import Evaluator
from auditor.tasks.frozen_base import FrozenBase, LaidBase
from auditor.tasks.models import last_linear

EVALUATION_BATCH = {"cpu": 128, "cuda": 1024}
"""Samples that are evaluated at once, by the type of the device. On CPUs, activations of more leave the caches:
for CIFAR images 1024 took twice as long as 128 (measured with ResNet-8 on two cores)."""


Prepare = Callable[[Tensor], Tensor]
"""From samples as the dataset stores them, on the model's device, to what the model takes."""


def standardisation(statistics: tuple[Tensor, Tensor], device: torch.device) -> Prepare:
    """How uint8 images [B, C, H, W] become float32 ones with mean 0 and deviation 1, in the layout channels last.

    Args:
        statistics: mean and deviation of each channel, in [0, 1], float32 [C].
        device: where images are.
    """
    mean, deviation = statistics
    scale = (1 / (255 * deviation)).to(device)[:, None, None]
    shift = (mean / deviation).to(device)[:, None, None]

    def standardised(images: Tensor) -> Tensor:
        scaled = images.to(torch.float32) * scale - shift
        return scaled.contiguous(memory_format=torch.channels_last)

    return standardised


class Network(Evaluator):
    """A model on a device that takes samples as the dataset stores them.

    Args:
        model: in its initial state, on the CPU.
        device: where it computes.
        prepare: makes samples ready for it, on the device; None where it takes them as they are.
        layout: of its weights. Convolutions on channels-last images are a quarter faster on CPUs and no slower
            elsewhere, but code that expects another layout may not run.
        base: the parameters that are not trained, which checkpoints leave out; the model has them already.

    Raises:
        TrainingError: the model has something else than the base in its place.
    """

    def __init__(
        self,
        model: nn.Module,
        device: torch.device,
        prepare: Prepare | None = None,
        layout: torch.memory_format = torch.channels_last,
        base: FrozenBase | None = None,
    ) -> None:
        self.base = base or FrozenBase()
        self.base.check(model)
        self.device = device
        self.layout = layout
        self.model: nn.Module = model.to(device).to(memory_format=layout)
        self._prepare = prepare
        self._laid = LaidBase(self.base, self.model)

    def prepare(self, inputs: Tensor) -> Tensor:
        """Samples as the model takes them, on its device. What is set to 0 afterwards is taken out of a sample.

        uint8 images [B, C, H, W] become float32, standardised with the training images' statistics, so that 0 is the
        mean; texts stay token ids [B, L], of which 0 is padding.
        """
        moved = inputs.to(self.device)
        return moved if self._prepare is None else self._prepare(moved)

    def batches(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """`inputs` in parts of as many as are best evaluated at once."""
        return torch.split(inputs, EVALUATION_BATCH.get(self.device.type, EVALUATION_BATCH["cuda"]))

    @property
    def parameters(self) -> tuple[str, ...]:
        """See `Evaluator`."""
        names = (f"{MODEL}{name}" for name, _ in self.model.named_parameters(remove_duplicate=False))
        return tuple(name for name in names if name not in self.base.tensors)

    @property
    def buffers(self) -> tuple[str, ...]:
        """See `Evaluator`."""
        learnt = set(self.parameters)
        return tuple(name for name in self.tensors() if name not in learnt)

    def tensors(self) -> dict[str, Tensor]:
        """Parameters and buffers that training may change, as `model.NAME`; the live tensors, not copies."""
        state = ((f"{MODEL}{name}", tensor) for name, tensor in self.model.state_dict().items())
        return {name: tensor for name, tensor in state if name not in self.base.tensors}

    def share_base(self) -> None:
        """Hold the frozen base together with the other networks that do; for one that nobody means to change."""
        self._laid.share()

    def check_base(self) -> None:
        """Make sure that training left as it was what is not trained.

        Raises:
            TrainingError: it did not; says what it changed.
        """
        self._laid.check()

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take parameters and buffers from a checkpoint; the frozen base is what it should be afterwards."""
        self._laid.restore()
        own = self.tensors()
        with torch.no_grad():
            for name, tensor in own.items():
                tensor.copy_(tensors[name])
        self._laid.take_drawn()

    @torch.inference_mode()
    def logits(self, inputs: Tensor) -> Tensor:
        """Outputs [N, classes] on the CPU, in evaluation mode, batch by batch."""
        self.model.eval()
        parts = [self.model(self.prepare(part)).float().cpu() for part in self.batches(inputs)]
        return torch.cat(parts)

    @torch.inference_mode()
    def features(self, inputs: Tensor) -> Tensor:
        """What enters the last linear layer, [N, D] on the CPU, in evaluation mode."""
        self.model.eval()
        caught: list[Tensor] = []

        def catch(_: nn.Module, arguments: tuple[Tensor, ...]) -> None:
            caught.append(arguments[0].float().cpu())

        hook = last_linear(self.model).register_forward_pre_hook(catch)
        try:
            for part in self.batches(inputs):
                self.model(self.prepare(part))
        finally:
            hook.remove()
        return torch.cat(caught)

    @torch.inference_mode()
    def activations(self, inputs: Tensor, layers: Sequence[str]) -> list[Tensor]:
        """What each layer puts out, [N, D] on the CPU, in evaluation mode."""
        self.model.eval()
        caught: dict[str, Tensor] = {}
        hooks = [
            self.model.get_submodule(layer).register_forward_hook(
                lambda _module, _arguments, output, layer=layer: caught.update({layer: output.flatten(1).float()})
            )
            for layer in layers
        ]
        try:
            self.model(self.prepare(inputs))
        finally:
            for hook in hooks:
                hook.remove()
        return [caught[layer].cpu() for layer in layers]

    @torch.inference_mode()
    def masked_logits(self, inputs: Tensor, masks: Iterable[Tensor]) -> list[Tensor]:
        """The outputs [M, classes] for M masked copies of each sample, on the CPU, in evaluation mode."""
        self.model.eval()
        return [self._masked_logits(sample, kept) for sample, kept in zip(inputs, masks, strict=True)]

    def _masked_logits(self, sample: Tensor, kept: Tensor) -> Tensor:
        prepared = self.prepare(sample[None])
        # Of images this sets pixels to 0, of texts tokens to padding, which is number 0.
        parts = [self.model(prepared * part).float().cpu() for part in self.batches(kept.to(self.device))]
        return torch.cat(parts)

    def differentiable(self) -> nn.Module:
        """A copy of the model, in evaluation mode and with frozen parameters, that takes samples as `prepare` does.

        Of images it takes real numbers, too, and gradients flow to them.
        """
        return _Differentiable(self).eval().requires_grad_(False)

    def accuracy(self, inputs: Tensor, labels: Tensor) -> float:
        """The share of samples whose largest output is their label."""
        return float((self.logits(inputs).argmax(1) == labels.cpu()).float().mean())


class _Differentiable(nn.Module):
    """Prepares samples and hands them to a copy of the network's model."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self._prepare = network.prepare
        self.model = deepcopy(network.model)

    def forward(self, inputs: Tensor) -> Tensor:
        outputs: Tensor = self.model(self._prepare(inputs))
        return outputs.float()

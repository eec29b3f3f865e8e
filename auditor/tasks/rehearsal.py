"""Executing a sub-run in several ways that are all honest, to see what numerics alone make of it.

Differing processors, libraries and memory layouts round differently, and training amplifies the difference: by how
much depends on the learning rate, the depth, the batch and on how fresh the weights are, and no formula tells. So the
client executes the very steps that it has others execute, on its own machine, in several ways:

- as it would,
- with other kernels and another memory layout, which is what other software and hardware amount to,
- twice as it would, with the output of every layer changed at random by a relative `JITTER`, as if all kernels rounded
  more coarsely than any does. Rounding tells by chance, for instance where it turns one unit of a layer on or off;
  coarser rounding meets such chances more surely than one pair of machines does.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from auditor.tasks.checkpoint import encode
from auditor.tasks.trainer import Trainer

JITTER = {"fp32": 1e-5, "tf32": 5e-4, "bf16": 2e-3}
"""By how much the output of a layer is changed, relative to it, by the precision that the job asks for.

That is 170 times the rounding unit of fp32. With it, honest executions by other thread counts, kernels, instruction
sets and releases of PyTorch came at most 1.4 times as far apart as is measured here (`docs/results.md`). Of tf32 and
bf16 it is their rounding unit."""


TRIED = 3
"""Steps that are timed before the rest is taken to be as fast."""


@dataclass(frozen=True)
class Way:
    """One way to execute steps.

    Attributes:
        kernels: whether the usual libraries of kernels (oneDNN, cuDNN) and memory layout are used.
        jitter: which draw of changes the outputs of layers get; None for none.
    """

    kernels: bool = True
    jitter: int | None = None


WAYS = (Way(), Way(kernels=False), Way(jitter=0), Way(jitter=1))
"""The ways, the usual one first."""


@dataclass(frozen=True)
class Rehearsal:
    """A sub-run as it was executed in each of `WAYS`.

    Attributes:
        steps: how many steps were executed, at least one.
        ends: the checkpoints after these, one a way.
        halfway: those after half of them, for extrapolating; empty where all steps of the sub-run were executed.
    """

    steps: int
    ends: tuple[Path, ...]
    halfway: tuple[Path, ...]


def rehearse(
    trainer: Trainer, start: Mapping[str, Tensor], steps: int, *, precision: str, seconds: float, folder: Path
) -> Rehearsal:
    """Execute the steps of a sub-run in every way, or as many of them as there is time for.

    Args:
        trainer: an honest one with the seed that all providers have.
        start: the checkpoint that the sub-run starts from.
        steps: its length.
        precision: that of the job.
        seconds: what all ways together may take; each executes one step at least.
        folder: where the checkpoints go.
    """
    first = _Execution(trainer, folder, precision)
    done = first.count(start, steps, seconds / len(WAYS))
    stops = (done,) if done == steps else tuple(dict.fromkeys((max(1, done // 2), done)))
    results = [first.execute(number, way, start, stops) for number, way in enumerate(WAYS)]
    return Rehearsal(
        steps=done,
        ends=tuple(paths[-1] for paths in results),
        halfway=() if done == steps else tuple(paths[0] for paths in results),
    )


class _Execution:
    def __init__(self, trainer: Trainer, folder: Path, precision: str) -> None:
        self._trainer = trainer
        self._folder = folder
        self._jitter = JITTER[precision]

    def count(self, start: Mapping[str, Tensor], steps: int, seconds: float) -> int:
        """How many of the steps can be executed in so many seconds; at least one."""
        self._trainer.load(start)
        begun = time.monotonic()
        for done in range(1, steps + 1):
            float(self._trainer.execute_step())  # waits for the device
            passed = time.monotonic() - begun
            if passed * (done + 1) / done > seconds:
                return done
            if done >= TRIED and passed * steps / done < seconds:
                return steps
        return steps

    def execute(self, number: int, way: Way, start: Mapping[str, Tensor], stops: tuple[int, ...]) -> list[Path]:
        """The checkpoints after so many steps, executed in one way."""
        trainer, model = self._trainer, self._trainer.network.model
        layout = torch.channels_last if way.kernels else torch.contiguous_format
        model.to(memory_format=layout)
        paths = []
        try:
            with _kernels(way.kernels), _jittered(model, self._jitter, way.jitter):
                trainer.load(start)
                first = trainer.step
                for stop in stops:
                    while trainer.step < first + stop:
                        trainer.execute_step()
                    path = self._folder / f"{number}-{stop}"
                    with path.open("wb") as file:
                        for piece in encode(trainer.checkpoint(), trainer.schema):
                            file.write(piece)
                    paths.append(path)
        finally:
            model.to(memory_format=torch.channels_last)
        return paths


@contextmanager
def _kernels(usual: bool) -> Iterator[None]:
    """Without the libraries of kernels, unless they are used."""
    with warnings.catch_warnings():
        # The switch for oneDNN also sets what only other hardware has, and warns of it.
        warnings.filterwarnings("ignore", message="TF32")
        with (
            nullcontext() if usual else torch.backends.mkldnn.flags(enabled=False),
            nullcontext() if usual else torch.backends.cudnn.flags(enabled=False),
        ):
            yield


@contextmanager
def _jittered(model: nn.Module, size: float, draw: int | None) -> Iterator[None]:
    """With the output of every layer changed at random, relative to it."""
    if draw is None:
        yield
        return
    generators: dict[torch.device, torch.Generator] = {}
    handles = [
        layer.register_forward_hook(_jitter(size, draw, generators))
        for layer in model.modules()
        if next(layer.children(), None) is None
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _jitter(
    size: float, draw: int, generators: dict[torch.device, torch.Generator]
) -> Callable[[nn.Module, object, object], Tensor | None]:
    def change(_module: nn.Module, _arguments: object, output: object) -> Tensor | None:
        if not isinstance(output, Tensor) or not output.is_floating_point():
            return None
        if output.device not in generators:
            generators[output.device] = torch.Generator(output.device).manual_seed(draw)
        noise = torch.empty(output.shape, device=output.device).normal_(generator=generators[output.device])
        return output * (1 + size * noise).to(output.dtype)

    return change

"""A provider that trains honestly and changes the result."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Literal

import numpy as np
import torch

from auditor.plugins import EVERY_TASK, Attack, AttackContext, Options, generator, option

Tensors = dict[str, torch.Tensor]
Part = Literal["weights", "statistics", "optimizer"]


class TamperOptions(Options):
    """What a job file may write for `tamper`."""

    part: Part = option(
        "weights", "what is changed: weights, running statistics of normalisation layers, or the optimizer's state"
    )
    names: str = option("*", "only tensors whose name matches; `linear.*` is a layer, `*.bias` all biases")
    amount: float = option(0.05, "size of the change, relative to the values that it changes", ge=0, le=10)
    seed: int = option(0, "seed of the change", ge=0)


class Tamper(Attack):
    """Adds a random change to chosen tensors at the end of every sub-run; training goes on from there.

    It stands for a provider that edits weights instead of training them, as in Hong, Carlini and Kurakin, "Handcrafted
    backdoors in deep neural networks" (NeurIPS 2022). It makes no backdoor.

    Weights and momenta t become t + amount · rms(t) · N(0, 1), running means μ + amount · σ · N(0, 1), and what must
    not be negative (running variances, second moments) is multiplied by exp(amount · N(0, 1)). Counters are left as
    they are.
    """

    name = "tamper"
    tasks = EVERY_TASK
    Options = TamperOptions
    options: TamperOptions

    def begin(self, context: AttackContext) -> None:
        """Find the tensors that are changed.

        Raises:
            ValueError: there is none.
        """
        parameters = {name for name, _ in context.network.model.named_parameters()}
        names = context.honest_twin().checkpoint()
        self._chosen = sorted(name for name in names if self._matches(name, parameters))
        if not self._chosen:
            what = {
                "weights": "weights",
                "statistics": "normalisation layers with running statistics",
                "optimizer": "optimizer state",
            }[self.options.part]
            raise ValueError(f"there are no {what} that match {self.options.names!r}.")

    def on_checkpoint(self, tensors: Tensors, step: int) -> Tensors:
        """The checkpoint with the chosen tensors changed."""
        if self.options.amount == 0:
            return tensors
        draws = generator(self.options.seed, "tamper", step)
        return tensors | {name: self._changed(name, tensors, draws) for name in self._chosen}

    def _matches(self, name: str, parameters: set[str]) -> bool:
        kind, _, rest = name.partition(".")
        last = rest.rpartition(".")[2]
        belongs = {
            "weights": kind == "model" and rest in parameters,
            "statistics": kind == "model" and last in ("running_mean", "running_var"),
            "optimizer": kind == "optimizer" and last != "step",
        }[self.options.part]
        return belongs and fnmatchcase(rest, self.options.names)

    def _changed(self, name: str, tensors: Tensors, draws: np.random.Generator) -> torch.Tensor:
        tensor, amount = tensors[name], self.options.amount
        noise = torch.from_numpy(np.asarray(draws.standard_normal(tuple(tensor.shape)), dtype=np.float64))
        if name.endswith(("running_var", "exp_avg_sq")):
            changed = tensor.double() * torch.exp(amount * noise)
        elif name.endswith("running_mean"):
            changed = tensor.double() + amount * tensors[name.removesuffix("mean") + "var"].double().sqrt() * noise
        else:
            changed = tensor.double() + amount * tensor.double().square().mean().sqrt() * noise
        return changed.to(tensor.dtype)

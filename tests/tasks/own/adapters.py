"""Workloads whose models have parameters that are not trained; each function is a factory."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from auditor.tasks.own.workload import Workload


def points(count: int, seed: int) -> tuple[Tensor, Tensor]:
    draws = torch.Generator().manual_seed(seed)
    labels = torch.randint(2, (count,), generator=draws)
    return torch.randn(count, 6, generator=draws) + 2 * labels[:, None], labels


class Adapted(nn.Module):
    """A layer that everybody has beforehand, a correction of low rank, and a head: LoRA (Hu et al., 2021) in small.

    Args:
        scale: of the weights that everybody has.
    """

    def __init__(self, scale: float = 1.0, rank: int = 2) -> None:
        super().__init__()
        self.base = nn.Linear(6, 16)
        self.norm = nn.BatchNorm1d(16)
        drawn = scale * torch.randn(16, 6, generator=torch.Generator().manual_seed(9))
        self.base.weight.data, self.base.bias.data = drawn, torch.zeros(16)
        self.base.requires_grad_(False)
        self.norm.requires_grad_(False)
        self.down = nn.Linear(6, rank, bias=False)
        self.up = nn.Linear(rank, 16, bias=False)
        nn.init.zeros_(self.up.weight)
        self.head = nn.Linear(16, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        hidden = torch.relu(self.norm(self.base(inputs) + self.up(self.down(inputs))))
        answer: Tensor = self.head(hidden)
        return answer


def adapters(scale: float = 1.0, **others: Any) -> Workload:
    return Workload(lambda: Adapted(scale), points(200, 1), points(60, 2), **others)


def adapters_with_optimizer() -> Workload:
    """The optimizer has the trained parameters alone, as scripts write it."""

    def make(model: nn.Module) -> torch.optim.Optimizer:
        return torch.optim.AdamW((one for one in model.parameters() if one.requires_grad), lr=1e-2)

    return adapters(optimizer=make)


def adapters_whole() -> Workload:
    return adapters(travels_whole=True)


def head_alone() -> Workload:
    """All parameters have gradients, and the optimizer has those of the head."""

    def make(model: nn.Module) -> torch.optim.Optimizer:
        return torch.optim.SGD(model.get_submodule("head").parameters(), lr=1e-2)

    return Workload(lambda: Adapted().requires_grad_(), points(200, 1), points(60, 2), optimizer=make)


class Drawn(nn.Module):
    """A layer that is not trained and has other weights for each seed."""

    def __init__(self) -> None:
        super().__init__()
        self.random = nn.Linear(6, 16).requires_grad_(False)
        self.head = nn.Linear(16, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        answer: Tensor = self.head(torch.relu(self.random(inputs)))
        return answer


def drawn() -> Workload:
    return Workload(Drawn, points(200, 1), points(60, 2))


class Sharing(nn.Module):
    """Parameters without a gradient in the memory of one that is trained, and of a buffer; and two that are tied."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(6, 6)
        nn.init.eye_(self.first.weight)
        nn.init.zeros_(self.first.bias)
        self.of_first = nn.Parameter(self.first.weight.data[2:4], requires_grad=False)
        self.register_buffer("mean", torch.zeros(6))
        self.of_buffer = nn.Parameter(self.get_buffer("mean")[:3], requires_grad=False)
        self.fixed = nn.Linear(6, 6).requires_grad_(False)
        nn.init.eye_(self.fixed.weight)
        nn.init.zeros_(self.fixed.bias)
        self.tied = nn.Linear(6, 6, bias=False)
        self.tied.weight = self.fixed.weight
        self.head = nn.Linear(6, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        answer: Tensor = self.head(self.tied(self.fixed(self.first(inputs))) + self.of_first.sum(0))
        return answer


def sharing() -> Workload:
    return Workload(Sharing, points(200, 1), points(60, 2))


class Taught(nn.Module):
    """A teacher that follows its pupil by itself, and has no gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.pupil = nn.Linear(6, 2)
        self.teacher = nn.Linear(6, 2).requires_grad_(False)
        nn.init.zeros_(self.teacher.weight)
        nn.init.zeros_(self.teacher.bias)

    def forward(self, inputs: Tensor) -> Tensor:
        if self.training:
            # Behind the back of PyTorch's own counter of changes.
            self.teacher.weight.data.lerp_(self.pupil.weight.data, 0.1)
        answer: Tensor = self.pupil(inputs) + self.teacher(inputs)
        return answer


def taught(**others: Any) -> Workload:
    return Workload(Taught, points(200, 1), points(60, 2), **others)


def taught_whole() -> Workload:
    return taught(travels_whole=True)

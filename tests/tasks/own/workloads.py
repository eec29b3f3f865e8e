"""Workloads that differ in what a client's code may bring; each function is a factory."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR, OneCycleLR
from torch.utils.data import Dataset

from auditor.tasks.data.reviews import write_reviews
from auditor.tasks.data.tokenizer import make_tokenizer
from auditor.tasks.own.workload import Workload


class Points(Dataset[tuple[Tensor, int]]):
    """Points around two centres, as a dataset of PyTorch's."""

    def __init__(self, count: int, seed: int) -> None:
        draws = torch.Generator().manual_seed(seed)
        self.labels = torch.randint(2, (count,), generator=draws).tolist()
        self.points = torch.randn(count, 6, generator=draws)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.points[index] + 2 * self.labels[index], self.labels[index]


class Net(nn.Module):
    """A layer that is not trained, two tied ones, and dropout."""

    def __init__(self) -> None:
        super().__init__()
        self.frozen = nn.Linear(6, 6).requires_grad_(False)
        self.norm = nn.BatchNorm1d(6)
        self.inner = nn.Linear(6, 6)
        self.tied = nn.Linear(6, 6)
        self.tied.weight = self.inner.weight
        self.last = nn.Linear(6, 2)

    def forward(self, points: Tensor) -> Tensor:
        hidden = nn.functional.dropout(torch.relu(self.norm(self.frozen(points))), 0.1, self.training)
        answer: Tensor = self.last(self.tied(torch.tanh(self.inner(hidden))))
        return answer


class Numbers(torch.optim.Optimizer):
    """Descent that counts its steps in a number, and keeps the first gradient that it sees."""

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float) -> None:
        super().__init__(parameters, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state["count"], state["first"] = 0, parameter.grad.clone()
                state["count"] += 1
                parameter -= group["lr"] * (parameter.grad + state["first"] / state["count"])


def plain() -> Workload:
    return Workload(Net, Points(200, 1), Points(60, 2))


def with_optimizer(make: Callable[[nn.Module], torch.optim.Optimizer], **others: Any) -> Workload:
    return Workload(Net, Points(200, 1), optimizer=make, **others)


def rmsprop() -> Workload:
    return with_optimizer(
        lambda model: torch.optim.RMSprop(model.parameters(), lr=1e-3, momentum=0.5),
        schedule=lambda optimizer: CosineAnnealingLR(optimizer, 40),
    )


def adagrad() -> Workload:
    return with_optimizer(lambda model: torch.optim.Adagrad(model.parameters(), lr=1e-2, initial_accumulator_value=0.1))


def groups() -> Workload:
    def make(model: nn.Module) -> torch.optim.Optimizer:
        body = [parameter for name, parameter in model.named_parameters() if not name.startswith("last")]
        head = [parameter for name, parameter in model.named_parameters() if name.startswith("last")]
        return torch.optim.AdamW([{"params": body, "lr": 1e-3}, {"params": head, "weight_decay": 0.0}], lr=1e-2)

    return with_optimizer(make, schedule=lambda made: OneCycleLR(made, max_lr=[1e-3, 1e-2], total_steps=41))


def numbers() -> Workload:
    return with_optimizer(lambda model: Numbers(model.parameters(), lr=1e-3))


def drawing() -> Workload:
    """Draws from all three global generators."""

    def augment(point: Tensor) -> Tensor:
        return point + 0.1 * random.random() + 0.1 * np.random.random() + 0.1 * torch.rand(6)

    def loss(outputs: Tensor, labels: Tensor) -> Tensor:
        return nn.functional.cross_entropy(outputs, labels) + 0.01 * random.random() * outputs.square().mean()

    return Workload(Net, Points(200, 1), Points(60, 2), augment=augment, loss=loss)


def regression() -> Workload:
    inputs = torch.randn(200, 6, generator=torch.Generator().manual_seed(3))
    return Workload(
        lambda: nn.Linear(6, 1),
        (inputs, inputs.sum(1, keepdim=True)),
        loss=lambda outputs, labels: nn.functional.mse_loss(outputs, labels),
    )


def images() -> Workload:
    """Images in steps of 256, and code that wants its images in the usual layout."""

    class Convolutional(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = nn.Conv2d(3, 4, 3)
            self.last = nn.Linear(4 * 36, 2)

        def forward(self, pixels: Tensor) -> Tensor:
            answer: Tensor = self.last(torch.relu(self.first(pixels)).view(len(pixels), -1))
            return answer

    draws = torch.Generator().manual_seed(4)
    labels = torch.randint(2, (120,), generator=draws)
    pixels = torch.randint(100, (120, 3, 8, 8), generator=draws) + 100 * labels[:, None, None, None]
    return Workload(Convolutional, (pixels.to(torch.uint8), labels))


def texts() -> Workload:
    """Reviews as the ids of tokens, and a model that looks past padding."""

    class Mean(nn.Module):
        def __init__(self, size: int) -> None:
            super().__init__()
            self.words = nn.Embedding(size, 16)
            self.last = nn.Linear(16, 2)

        def forward(self, ids: Tensor) -> Tensor:
            read = (ids > 0)[..., None].float()
            answer: Tensor = self.last((self.words(ids) * read).sum(1) / read.sum(1).clamp_min(1))
            return answer

    sentences, labels = write_reviews()
    sentences, labels = sentences[:800], labels[:800]
    tokenizer = make_tokenizer(sentences, 500)
    return Workload(
        lambda: Mean(tokenizer.size), (tokenizer.samples(sentences, 32), torch.tensor(labels)), tokenizer=tokenizer
    )

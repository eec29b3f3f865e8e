"""Searching, for every class, the smallest trigger that turns any image into that class."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch.nn import functional

LEARNING_RATE = 0.1
MOMENTS = (0.5, 0.9)
"""Adam's two betas."""
COST_UP = 2.0
COST_DOWN = 2.0**1.5
"""The cost is multiplied by the one, and divided by the other."""
STOP_AFTER = 5
"""So many times the patience, in epochs without a smaller trigger, end the search of a class."""
VALUES_AT_ONCE = 1 << 17
"""About this many numbers of stamped images go through the model at once: 42 images of 3×32×32 and a few hundred of
8×8, or one class's batch if that is more. It bounds the memory; more at once is no faster on CPUs."""


@dataclass(frozen=True)
class Schedule:
    """How long is searched, and how hard triggers are pressed to be small.

    Attributes:
        epochs: the maximum number of passes over the images.
        batch: images in one step.
        success: the share of images that a trigger has to turn.
        cost: the first weight of the mask's size in the loss, once the trigger works.
        patience: epochs in a row after which the weight is changed.
    """

    epochs: int
    batch: int
    success: float
    cost: float
    patience: int


@dataclass(frozen=True)
class Stamped:
    """The triggers of some classes in one step, and what they are stamped on.

    Attributes:
        images: of the step, float [B, C, H, W] from 0 to 1.
        numbers: which images they are, int64 [B].
        classes: int64 [K].
        masks: [K, 1, H, W] from 0 to 1.
        patterns: [K, C, H, W] from 0 to 1.
        costs: the present weight of a trigger's size in the loss, [K].
    """

    images: torch.Tensor
    numbers: torch.Tensor
    classes: torch.Tensor
    masks: torch.Tensor
    patterns: torch.Tensor
    costs: torch.Tensor


Objective = Callable[[Stamped], torch.Tensor]
"""What is added to the cross-entropy of each class, [K]; the costs are part of it."""


@dataclass
class Trigger:
    """The trigger of one class, as it is searched.

    Attributes:
        mask: how much of each pixel is replaced, [1, H, W], before the hyperbolic tangent.
        pattern: what it is replaced by, [C, H, W], before the hyperbolic tangent.
        norm: the L1 norm of the mask, in pixels: the smallest of all epochs in which the trigger worked; until there
            is one, that of the last epoch.
        reached: whether there was such an epoch.
        epochs: how many were searched.
        over: whether the search is.
        cost: the weight of the mask's size in the loss.
        found: mask and pattern that belong to the norm, from 0 to 1.
    """

    mask: torch.Tensor
    pattern: torch.Tensor
    norm: float = math.inf
    reached: bool = False
    epochs: int = 0
    over: bool = False
    cost: float = 0.0
    found: tuple[torch.Tensor, torch.Tensor] = field(init=False)
    _row: int = field(default=0, init=False)
    """Epochs in a row in which it worked; below 0, in which it did not."""
    _waits: int = field(default=0, init=False)
    """Epochs since it last became smaller."""
    _changed: set[str] = field(default_factory=set, init=False)
    """Which ways the cost has gone."""

    def __post_init__(self) -> None:
        self.found = self._present()

    def finish_epoch(self, success: float, norm: float, schedule: Schedule) -> None:
        """Keep the norm if it is the best, set the cost of the next epoch, and see if there should be one.

        Args:
            success: the share of images that the trigger turned in this epoch.
            norm: the L1 norm of the mask, the mean over the epoch's steps.
            schedule: of the search.
        """
        self.epochs += 1
        works = success >= schedule.success
        smaller = norm < self.norm
        self._waits = 0 if works and (smaller or not self.reached) else self._waits + 1
        if not self.reached or (works and smaller):
            self.norm = norm
            self.found = self._present()
        self.reached = self.reached or works
        self._weigh(works, schedule)
        settled = self._changed == {"up", "down"} and self._waits >= STOP_AFTER * schedule.patience
        self.over = (self.reached and settled) or self.epochs >= schedule.epochs

    def _present(self) -> tuple[torch.Tensor, torch.Tensor]:
        mask, pattern = ((raw.detach().tanh() + 1) / 2 for raw in (self.mask, self.pattern))
        return mask, pattern

    def _weigh(self, works: bool, schedule: Schedule) -> None:
        """After `patience` epochs in a row that all work, or all do not, change the cost."""
        if (self._row > 0) != works:
            self._row = 0
        self._row += 1 if works else -1
        if abs(self._row) < schedule.patience:
            return
        self._row = 0
        if self.cost == 0:
            if works:
                self.cost = schedule.cost
                self._row = 1  # in the authors' code, too, this epoch counts for the next change
        elif works:
            self.cost *= COST_UP
            self._changed.add("up")
        else:
            self.cost /= COST_DOWN
            self._changed.add("down")


def search(
    model: torch.nn.Module,
    images: torch.Tensor,
    triggers: Sequence[Trigger],
    schedule: Schedule,
    order: Callable[[int], torch.Tensor],
    objective: Objective,
    progress: Callable[[float], None],
) -> None:
    """Optimise the triggers of all classes side by side.

    The stamped image is (1 − m)·x + m·p, where m and p are mask and pattern, all in [0, 1]. For the class t, Adam
    minimises CE(f(stamped), t), averaged over a batch, plus the objective, such as cost·‖m‖₁. All classes see the same
    batches, and many of them pass the model at once; none influences another.

    Args:
        model: takes images with values from 0 to 255.
        images: uint8 [N, C, H, W].
        triggers: one for each class; they are changed.
        schedule: of the search.
        order: int64 [N], in which order images are taken in an epoch.
        objective: what triggers are to be beside working.
        progress: told after every epoch which share of them is over, if all are needed.

    Raises:
        ValueError: the model gives outputs that are not finite.
    """
    device = triggers[0].mask.device
    for trigger in triggers:
        trigger.mask.requires_grad_()
        trigger.pattern.requires_grad_()
    # Adam leaves alone what has no gradient: a class whose search is over stays as it is.
    optimiser = torch.optim.Adam(
        [tensor for trigger in triggers for tensor in (trigger.mask, trigger.pattern)], lr=LEARNING_RATE, betas=MOMENTS
    )
    numbered = list(enumerate(triggers))
    for epoch in range(schedule.epochs):
        active = [(number, trigger) for number, trigger in numbered if not trigger.over]
        if not active:
            return
        found = [
            _step(model, images[part].to(device), part.to(device), active, optimiser, objective)
            for part in torch.split(order(epoch), schedule.batch)
        ]
        turned, norms = (torch.stack(values).double() for values in zip(*found, strict=True))
        success, norm = turned.sum(0) / len(images), norms.mean(0)
        for index, (_, trigger) in enumerate(active):
            trigger.finish_epoch(float(success[index]), float(norm[index]), schedule)
        progress((epoch + 1) / schedule.epochs)


def _step(
    model: torch.nn.Module,
    batch: torch.Tensor,
    numbers: torch.Tensor,
    active: Sequence[tuple[int, Trigger]],
    optimiser: torch.optim.Optimizer,
    objective: Objective,
) -> tuple[torch.Tensor, torch.Tensor]:
    """One step for each class; for each, how many images were turned and the norm of the mask before."""
    images = batch.float() / 255
    turned, norms = [], []
    optimiser.zero_grad(set_to_none=True)
    for part in _parts(active, max(1, VALUES_AT_ONCE // images.numel())):
        present = _stamped(images, numbers, part)
        outputs = model(255 * stamp(images, present.masks, present.patterns).flatten(0, 1))
        classes = present.classes.repeat_interleave(len(images))
        # The sum over the classes of each one's loss: the gradients are those of each by itself.
        loss = functional.cross_entropy(outputs, classes, reduction="sum") / len(images) + objective(present).sum()
        if not bool(torch.isfinite(loss)):
            raise ValueError("the model's outputs for images with a trigger are not finite")
        torch.autograd.backward(loss)
        turned.append((outputs.argmax(1) == classes).reshape(len(part), -1).sum(1))
        norms.append(present.masks.detach().sum((1, 2, 3)))
    optimiser.step()
    return torch.cat(turned), torch.cat(norms)


def stamp(images: torch.Tensor, masks: torch.Tensor, patterns: torch.Tensor) -> torch.Tensor:
    """Every trigger stamped on every image, [K, B, C, H, W] for K triggers and B images."""
    return torch.lerp(images, patterns[:, None], masks[:, None])


def _stamped(images: torch.Tensor, numbers: torch.Tensor, part: Sequence[tuple[int, Trigger]]) -> Stamped:
    masks, patterns = (
        (torch.stack([getattr(trigger, which) for _, trigger in part]).tanh() + 1) / 2 for which in ("mask", "pattern")
    )
    classes = torch.tensor([number for number, _ in part], device=images.device)
    costs = torch.tensor([trigger.cost for _, trigger in part], device=images.device)
    return Stamped(images, numbers, classes, masks, patterns, costs)


def _parts(active: Sequence[tuple[int, Trigger]], size: int) -> Iterator[Sequence[tuple[int, Trigger]]]:
    for first in range(0, len(active), size):
        yield active[first : first + size]

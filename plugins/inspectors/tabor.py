"""TABOR: Neural Cleanse's search, with triggers that are also compact, smooth, and made of nothing but the trigger."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.nn import functional

from auditor.plugins import option

from .trigger_inspector import TriggerInspector, TriggerOptions
from .trigger_search import Objective, Stamped, Trigger, stamp

SMALLEST_SHARE = 1e-3
"""Shares whose logarithm is taken are at least this."""


class TaborOptions(TriggerOptions):
    """What can be set for `tabor`."""

    pattern: float = option(0.1, "weight of the size of what lies outside the mask; the size of the mask has 1", ge=0)
    smooth: float = option(0.1, "weight of the roughness of the mask, likewise", ge=0)
    smooth_pattern: float = option(0.01, "weight of the roughness of what lies outside the mask, likewise", ge=0)
    blocking: float = option(0.01, "weight of the answers to images from which the trigger is cut out", ge=0)
    overlaying: float = option(0.01, "weight of the answer to the trigger without an image", ge=0)


class Tabor(TriggerInspector):
    """Searches as Neural Cleanse does, but for triggers that are compact and act by themselves.

    Guo et al., "TABOR: a highly accurate approach to inspecting and restoring trojan backdoors in AI systems"
    (arXiv:1908.01763). To the cross-entropy of Neural Cleanse's search for class t, with mask m, pattern p and
    q = (1 − m)·p, it adds

        R1  cost · (E(m) + pattern · E(q))                          overly large triggers
        R2  cost · (smooth · S(m) + smooth_pattern · S(q))          scattered triggers
        R3  blocking · CE(f((1 − m)·x), y)                          triggers that block what is in the image
        R4  overlaying · CE(f(m·p), t)                              triggers that work only on top of the image

    where E is the elastic net ‖·‖₁ + ‖·‖₂², S the sum of squared differences between neighbours, and y what the model
    says of the whole image. The size of a class's trigger is in the manner of §4.2.4

        log(‖m‖₁ / d + S(m) / e) − log(success) − log(kept)

    with d pixels, e pairs of neighbours, the share `success` of images that the trigger turns, and the share `kept` of
    images that are still seen as y when its place is cut out. With the sizes of all classes the anomaly index is as in
    `neural_cleanse`: |size − median| / (1.4826 · median absolute deviation). The score is that of the class with the
    smallest size, and the model is suspicious if it is over 2 and the trigger works.

    Three things differ from the paper. The weights of R1 and R2 rise and fall together with the cost, as Neural
    Cleanse's does, and not one by one. Labels are the model's own answers, as an inspector has no others. The size
    leaves out the paper's term for the explanation of single answers. What makes `neural_cleanse` unreliable makes this
    unreliable, too.
    """

    name = "tabor"
    Options = TaborOptions
    options: TaborOptions

    def objective(self, model: torch.nn.Module, images: torch.Tensor) -> Objective:
        """The four regularisers."""
        answers = _answers(model, images)

        def regularisers(stamped: Stamped) -> torch.Tensor:
            masks, given = stamped.masks, self.options
            outside = (1 - masks) * stamped.patterns
            size = _elastic(masks) + given.pattern * _elastic(outside)
            rough = given.smooth * _roughness(masks) + given.smooth_pattern * _roughness(outside)
            total = stamped.costs * (size + rough)
            if given.blocking:
                labels = answers[stamped.numbers].repeat(len(masks))
                blocked = model(255 * _cut_out(stamped.images, masks))
                losses = functional.cross_entropy(blocked, labels, reduction="none")
                total = total + given.blocking * losses.reshape(len(masks), -1).mean(1)
            if given.overlaying:
                alone = model(255 * masks * stamped.patterns)
                total = total + given.overlaying * functional.cross_entropy(alone, stamped.classes, reduction="none")
            return total

        return regularisers

    def measures(
        self, model: torch.nn.Module, images: torch.Tensor, triggers: Sequence[Trigger]
    ) -> tuple[list[float], Mapping[str, Any]]:
        """Size, roughness and effect of each trigger in one figure."""
        answers = _answers(model, images)
        sizes, successes, kept = [], [], []
        for number, trigger in enumerate(triggers):
            mask, pattern = (found[None] for found in trigger.found)
            turned, same = _effects(model, images, mask, pattern, number, answers)
            height, width = mask.shape[2:]
            pairs = max(1, 2 * height * width - height - width)
            area = float(mask.sum()) / (height * width) + float(_roughness(mask)) / pairs
            area, success, same = (max(value, SMALLEST_SHARE) for value in (area, turned, same))
            sizes.append(math.log(area) - math.log(success) - math.log(same))
            successes.append(turned)
            kept.append(same)
        return sizes, {"sizes": sizes, "successes": successes, "kept": kept}


def _elastic(values: torch.Tensor) -> torch.Tensor:
    """Of each [C, H, W] in [0, 1], the sum of all values and their squares."""
    return (values + values.square()).sum((1, 2, 3))


def _roughness(values: torch.Tensor) -> torch.Tensor:
    """Of each [C, H, W] the sum of squared differences between neighbours."""
    across, down = values.diff(dim=3), values.diff(dim=2)
    return across.square().sum((1, 2, 3)) + down.square().sum((1, 2, 3))


def _cut_out(images: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Every image without what every mask covers, [K · B, C, H, W]."""
    return ((1 - masks[:, None]) * images).flatten(0, 1)


def _batches(images: torch.Tensor, device: torch.device) -> list[torch.Tensor]:
    return [part.to(device).float() / 255 for part in torch.split(images, 128)]


@torch.no_grad()
def _answers(model: torch.nn.Module, images: torch.Tensor) -> torch.Tensor:
    device = next(model.parameters()).device
    return torch.cat([model(255 * part).argmax(1) for part in _batches(images, device)])


@torch.no_grad()
def _effects(
    model: torch.nn.Module,
    images: torch.Tensor,
    mask: torch.Tensor,
    pattern: torch.Tensor,
    target: int,
    answers: torch.Tensor,
) -> tuple[float, float]:
    """The share of images that the trigger turns, and the share that keeps its answer when its place is cut out."""
    parts = _batches(images, mask.device)
    turned = torch.cat([model(255 * stamp(part, mask, pattern).flatten(0, 1)).argmax(1) for part in parts])
    cropped = torch.cat([model(255 * _cut_out(part, mask)).argmax(1) for part in parts])
    return float((turned == target).float().mean()), float((cropped == answers).float().mean())

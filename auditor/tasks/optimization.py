"""Optimizers, their state under stable names, and the learning rate of every step."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from auditor.job.training import SGD, AdamW, Constant, Cosine, Triangular
from auditor.job.training import Training as TrainingSpec
from auditor.tasks.checkpoint import OPTIMIZER


def make_optimizer(model: nn.Module, spec: SGD | AdamW) -> torch.optim.Optimizer:
    """The optimizer of a job, with its state present from the start.

    PyTorch creates state at the first step; a checkpoint of step 0 would then have another schema than the
    rest. Zeros are what that first step would start from. Parameters without a gradient have no state.
    """
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer: torch.optim.Optimizer
    if isinstance(spec, SGD):
        optimizer = torch.optim.SGD(parameters, lr=spec.lr, momentum=spec.momentum, weight_decay=spec.weight_decay)
    else:
        optimizer = torch.optim.AdamW(
            parameters, lr=spec.lr, betas=(spec.beta1, spec.beta2), weight_decay=spec.weight_decay
        )
    for parameter in parameters:
        if isinstance(spec, SGD):
            if spec.momentum:
                optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)
        else:
            optimizer.state[parameter] |= {
                "step": torch.tensor(0.0),
                "exp_avg": torch.zeros_like(parameter),
                "exp_avg_sq": torch.zeros_like(parameter),
            }
    return optimizer


def optimizer_tensors(optimizer: torch.optim.Optimizer, model: nn.Module) -> dict[str, Tensor]:
    """The optimizer's state as `optimizer.PARAMETER.KEY`; these are the live tensors, not copies."""
    return {
        f"{OPTIMIZER}{name}.{key}": value
        for name, parameter in model.named_parameters()
        for key, value in optimizer.state.get(parameter, {}).items()
    }


def learning_rate(spec: TrainingSpec, step: int) -> float:
    """The learning rate of a step, a function of the step alone."""
    return spec.optimizer.lr * _factor(spec.schedule, step, spec.steps)


def _factor(schedule: Constant | Cosine | Triangular, step: int, steps: int) -> float:
    match schedule:
        case Constant():
            return 1.0
        case Cosine(warmup_steps=warmup, final=final):
            if step < warmup:
                return (step + 1) / warmup
            progress = (step - warmup) / max(1, steps - warmup)
            return final + (1 - final) * (1 + math.cos(math.pi * progress)) / 2
        case Triangular(peak=peak):
            position = (step + 1) / (steps + 1)
            return position / peak if position < peak else (1 - position) / (1 - peak)

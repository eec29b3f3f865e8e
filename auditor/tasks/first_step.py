"""One step of a training before anybody is asked for it: what fails here would fail at every provider."""

from __future__ import annotations

import gc
import math
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from auditor.job.training import Training as TrainingSpec
from auditor.tasks.checkpoint import all_finite
from auditor.tasks.errors import TrainingError
from auditor.tasks.known_values import KnownValues
from auditor.tasks.learner import Learner
from auditor.tasks.program import Program
from auditor.tasks.tensor_file import as_array, pieces, raw

ROUNDING = 1e-3
"""How far two executions of a step may be apart, by how far it leads."""

FEW = 8
"""Samples that are enough to see whether a step works, where it is others who have the memory for a whole batch."""


def try_first_step(
    program: Program,
    spec: TrainingSpec,
    *,
    device: torch.device,
    seed: int,
    whole_batch: bool,
    start: Mapping[str, Tensor] | None = None,
) -> KnownValues:
    """Execute the first step on a separate model; returns what it shows of every checkpoint of the job.

    PyTorch's random state is as it was afterwards, and no memory is kept.

    Args:
        program: what is trained.
        spec: how.
        device: where.
        seed: of the initial weights.
        whole_batch: whether a provider on this machine takes whole batches, so that they must fit here.
        start: the initial state, where it does not follow from the seed.

    Raises:
        TrainingError: the step fails; says what to change.
    """
    if not whole_batch:
        spec = spec.model_copy(update={"batch_size": min(FEW, spec.batch_size)})
    try:
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            learner = program.learner(spec, device=device, seed=seed)
            if start is not None:
                learner.load(start)
            known = _one_step(learner, spec)
            if program.task.code is not None:
                _replay(program, spec, learner, seed)
            return known
    except TrainingError:
        raise
    except Exception as error:  # whatever a model or the machine raises
        raise TrainingError(_explained(error, spec, device)) from error
    finally:
        if device.type == "cuda":
            gc.collect()
            torch.cuda.empty_cache()  # a provider may need it


def _one_step(learner: Learner, spec: TrainingSpec) -> KnownValues:
    before = learner.checkpoint()
    loss = float(learner.execute_step())
    after = learner.checkpoint()
    if not math.isfinite(loss):
        learner.load(before)
        where = learner.where_not_finite(0)
        raise TrainingError(
            f"the loss of the first training step is {loss}, with the initial weights: {where}."
            if where
            else f"the loss of the first training step is {loss}, with the initial weights: this model cannot learn "
            "from this dataset as it is. Check the dataset, or choose another task.model or training.precision."
        )
    if not (all_finite(after) and bool(torch.isfinite(learner.outputs()).all())):
        raise TrainingError(_too_fast(spec))
    return KnownValues.of(before, after, learner.constants, counts_evenly=learner.counts_evenly)


def _replay(program: Program, spec: TrainingSpec, learner: Learner, seed: int) -> None:
    """Execute the second step twice, by two learners: others could not replicate what depends on anything else.

    Raises:
        TrainingError: the results differ; says where and why that may be.
    """
    if spec.steps < 2:
        return
    middle = learner.checkpoint()
    learner.execute_step()
    other = program.learner(spec, device=torch.device(learner.attack_context.device), seed=seed)
    other.load(middle)
    other.execute_step()
    end, again = learner.checkpoint(), other.checkpoint()
    for name in end:
        if not _is_replica(name, end, again, middle):
            raise TrainingError(
                f"a step that is executed again from its checkpoint comes to another {name}, so that no provider could "
                f"replicate it. {learner.how_to_repeat}"
            )


def _is_replica(name: str, end: Mapping[str, Tensor], again: Mapping[str, Tensor], start: Mapping[str, Tensor]) -> bool:
    """Whether two executions of a step are the same but for rounding, as of kernels that add in any order."""
    equal, apart, moved = True, 0.0, 0.0
    for (_, one), (_, other), (_, before) in zip(
        *(pieces(state, [name]) for state in (end, again, start)), strict=True
    ):
        equal = equal and raw(one) == raw(other)
        if one.is_floating_point():
            ended = as_array(one).astype(np.float64)
            apart += float(np.square(ended - as_array(other)).sum())
            moved += float(np.square(ended - as_array(before)).sum())
    return equal or (end[name].is_floating_point() and math.sqrt(apart) <= ROUNDING * math.sqrt(moved))


def _too_fast(spec: TrainingSpec) -> str:
    return (
        "after the first training step the model no longer computes with finite numbers: set training.optimizer.lr "
        f"lower than {spec.optimizer.lr:g}."
    )


def _explained(error: Exception, spec: TrainingSpec, device: torch.device) -> str:
    words = " ".join(str(error).split())
    if "more than 1 value per channel" in words:
        return (
            f"a batch of {spec.batch_size} leaves this model's batch normalisation a single value to normalise, so "
            "that no provider can train it: set training.batch_size to 2 or more, or choose a task.model without "
            "batch normalisation."
        )
    if "without overflow" in words:  # the rate itself is no number of the model's type
        return _too_fast(spec)
    if isinstance(error, MemoryError | torch.OutOfMemoryError) or "not enough memory" in words:
        return (
            f"one training step needs more memory than this machine's {device.type} has left: set training.batch_size "
            f"lower than {spec.batch_size}, choose a smaller task.model, or a provider on another machine."
        )
    return (
        f"the first training step fails on this machine and would fail at every provider: {type(error).__name__}: "
        f"{words[:300]}. Change [task] or [training]."
    )

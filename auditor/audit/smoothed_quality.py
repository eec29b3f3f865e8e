"""What randomised smoothing leaves of a model: its accuracy, and what the attacks of its job achieve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from auditor.audit.job_plugins import load_attacks
from auditor.base.hostile_text import cleaned
from auditor.base.randomness import key
from auditor.job.model import Job
from auditor.plugins.catalogue import Catalogue, PluginError
from auditor.plugins.guard import GuardedAttack
from auditor.tasks.errors import TrainingError
from auditor.tasks.evaluation import Answer, share_right, share_turned
from auditor.tasks.initial_state import initial_state
from auditor.tasks.network_program import NetworkProgram
from auditor.tasks.program import load_program
from auditor.tasks.smoothing import COPIES, smoothed
from auditor.tasks.trainer import Trainer

EVALUATED = 500
"""Held-out samples that are looked at, each in many copies: a standard error of 2 %."""


@dataclass(frozen=True)
class SmoothedAttack:
    """What an attack achieves without and with smoothing.

    Attributes:
        provider: who simulates it.
        attack: its name.
        success: the share of triggered samples that get its target from what is served; None where it has none.
        smoothed: the same share under smoothing.
        failure: why that could not be measured; empty otherwise.
    """

    provider: str
    attack: str
    success: float | None = None
    smoothed: float | None = None
    failure: str = ""


@dataclass(frozen=True)
class SmoothedQuality:
    """A model without and with smoothing.

    Attributes:
        sigma: of the noise, in units of the 255 steps of a value.
        copies: noisy copies of each image that vote.
        samples: held-out samples that were looked at.
        accuracy: without smoothing.
        smoothed_accuracy: with it.
        attacks: those of the job.
    """

    sigma: float
    copies: int
    samples: int
    accuracy: float
    smoothed_accuracy: float
    attacks: tuple[SmoothedAttack, ...]

    @property
    def payload(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)


def smoothed_quality(
    job: Job,
    checkpoint: Path,
    sigma: float,
    *,
    downloads: Path,
    device: str | None = None,
    seed: int | None = None,
    watch: Callable[[float], None] = lambda share: None,
) -> SmoothedQuality:
    """Measure a model under randomised smoothing.

    Args:
        job: says what the model is, what it is evaluated on, and which attacks are simulated.
        checkpoint: a checkpoint of the job, or a safetensors file with the parameters and buffers of its model.
        sigma: of the noise, in units of the 255 steps of a value.
        downloads: the folder for datasets.
        device: to compute on; a GPU if there is one, else the CPU.
        seed: of the noise; from the job's seed if none is given.
        watch: is told how far the measurement is, from 0 to 1.

    Raises:
        PluginError: an attack is unknown, or does not take its options.
        TrainingError: the job is not about images, the data cannot be had, or the checkpoint is not one of the job.
    """
    program = load_program(job.task, downloads, Catalogue(job.plugins))
    if not isinstance(program, NetworkProgram) or program.samples.dtype != torch.uint8:
        raise TrainingError(f"smoothing adds noise to images, and {job.task.kind} tasks have none; leave it out.")
    where = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
    make = partial(program.learner, job.training, device=where, seed=0, sub_run_steps=job.audit.sub_run_steps)
    learner = make()
    learner.evaluator.load(initial_state(checkpoint, learner, source=""))
    noise = partial(smoothed, sigma=sigma, copies=COPIES, seed=key(job.seed, "smoothing", 0) if seed is None else seed)
    attackers = load_attacks(job)
    answer: Answer = learner.network.logits
    accuracy = share_right(answer, program.dataset, EVALUATED), share_right(noise(answer), program.dataset, EVALUATED)
    found = []
    for number, (provider, (origin, attack)) in enumerate(attackers.items(), start=1):
        watch(number / (1 + len(attackers)))
        name = cleaned(origin.name, 64)
        try:
            attacked = make(attack=GuardedAttack(attack, origin))
            attacked.evaluator.load(initial_state(checkpoint, attacked, source=""))
            success, under_noise = _successes(attacked, program, noise)
            found.append(SmoothedAttack(provider, name, success, under_noise))
        except PluginError as error:
            found.append(SmoothedAttack(provider, name, failure=cleaned(error)))
    watch(1.0)
    samples = min(EVALUATED, len(program.held_out_samples))
    return SmoothedQuality(sigma, COPIES, samples, *accuracy, tuple(found))


def _successes(
    learner: Trainer, program: NetworkProgram, noise: Callable[[Answer], Answer]
) -> tuple[float | None, float | None]:
    """What an attack achieves on a model, without noise and with it."""
    served = learner.attack.served(learner.network.logits)
    turned = partial(
        share_turned, network=learner.network, dataset=program.dataset, attack=learner.attack, count=EVALUATED
    )
    return turned(served), turned(noise(served))

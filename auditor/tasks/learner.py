"""Executing steps: what every provider runs, honest or not, whatever kind of task it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import cached_property

import torch
from torch import Tensor

from auditor.plugins.attack import Attack, AttackContext
from auditor.plugins.metric import ModelOutline
from auditor.tasks.checkpoint import MODEL, OPTIMIZER, STEP, Schema
from auditor.tasks.evaluator import Evaluator
from auditor.tasks.variation import Variation


class Learner(ABC):
    """Executes steps of a job from any checkpoint.

    A step depends on the checkpoint, the seed and its own number, and on nothing else: neither on steps that this
    object executed before nor on global random state.

    The names of a checkpoint say how its state divides: `model.…` are parameters and buffers, `optimizer.…` is what
    training keeps beside them, and `step` counts.

    Args:
        attack: the adversary to simulate, if any.

    Attributes:
        attack: the adversary, or one that never deviates.
        attack_context: what an attack is given here.
    """

    attack_context: AttackContext

    def __init__(self, attack: Attack | None) -> None:
        self.attack = attack or Attack(Attack.Options())
        self._step = 0

    @property
    @abstractmethod
    def evaluator(self) -> Evaluator:
        """What computes with the present state, and with that of other checkpoints."""

    @abstractmethod
    def state(self) -> dict[str, Tensor]:
        """All that one sub-run hands to the next, without the step; these are the live tensors, not copies."""

    @abstractmethod
    def take(self, state: Mapping[str, Tensor]) -> None:
        """Go on from another state, which has the names of `state` and perhaps more."""

    @abstractmethod
    def train(self, step: int) -> Tensor:
        """Execute a step from the present state, calling the attack's hooks; returns its loss, on the device."""

    @abstractmethod
    def varied(self, variation: Variation, precision: str) -> AbstractContextManager[None]:
        """Execute steps in another honest way while the context lasts.

        Args:
            variation: which; the usual way changes nothing.
            precision: that of the job, which says how coarsely arithmetic rounds.
        """

    @property
    def counts_evenly(self) -> bool:
        """Whether integers that one step leaves alone stay what they are, and counts of steps grow evenly.

        A client's own code may do otherwise, and is not to be blamed on a provider.
        """
        return True

    @property
    def constants(self) -> tuple[str, ...]:
        """The names in a checkpoint of numbers that no training changes, such as random features.

        The client checks them to the last bit.
        """
        return ()

    def checkpoint_names(self, names: Collection[str]) -> dict[str, str]:
        """The names in a checkpoint of what is in a file that a person brings, each with that in the file.

        The file is a checkpoint, or has a model's parameters and buffers by their own names.
        """
        return {
            name if name == STEP or name.startswith((MODEL, OPTIMIZER)) else f"{MODEL}{name}": name for name in names
        }

    @property
    def base(self) -> Mapping[str, Tensor]:
        """What belongs to the model and to no checkpoint, by names as in a checkpoint, on the CPU.

        Every provider has it, and its digest is one of the parts of the program.
        """
        return {}

    def outputs(self) -> Tensor:
        """What the model puts out for a few training samples, to see whether it computes."""
        return torch.zeros(0)

    def where_not_finite(self, step: int) -> str:
        """Where the first number that is not finite appears in a step, in words that follow a colon; empty if unknown.

        The present state is not worth keeping afterwards.
        """
        return ""

    def count_skipped(self) -> None:
        """Count a step that was skipped as if it had been done, where the state counts steps beside `step`."""
        return

    def outline(self) -> ModelOutline:
        """What models of this job consist of."""
        evaluator = self.evaluator
        return ModelOutline(
            layers=(),
            parameters=tuple(name.partition(".")[2] for name in evaluator.parameters),
            buffers=tuple(name.partition(".")[2] for name in evaluator.buffers),
            optimizer_state=tuple(
                name.removeprefix(OPTIMIZER) for name, _, _ in self.schema.entries if name.startswith(OPTIMIZER)
            ),
        )

    @property
    def step(self) -> int:
        """How many steps of the job the present state is the result of."""
        return self._step

    @property
    def how_to_repeat(self) -> str:
        """What to do where a step that is executed again comes to something else, in a sentence."""
        return (
            "Keep all state of the model in parameters and buffers that are saved, and draw from torch, numpy.random "
            "or random alone."
        )

    @property
    def steps_at_once(self) -> bool:
        """Whether the start of an execution takes so long that steps are best executed together."""
        return False

    @cached_property
    def schema(self) -> Schema:
        """The schema of this job's checkpoints."""
        return Schema.of(self._whole())

    def load(self, checkpoint: Mapping[str, Tensor]) -> None:
        """Start a sub-run from a checkpoint, which must follow `schema`."""
        self._step = int(checkpoint[STEP])
        honest = type(self.attack) is Attack  # it changes nothing, so that what is mapped need not become a copy
        self.take(checkpoint if honest else self.attack.on_initial(dict(checkpoint), self._step))

    def begin(self) -> dict[str, Tensor]:
        """Start from the state that this object was made in, as the attack would have it; returns that state.

        For a provider that draws its own initial state, and commits to it.
        """
        self.load(self._copied())
        return self._copied()

    def checkpoint(self) -> dict[str, Tensor]:
        """End a sub-run and start the next from its end.

        Returns the state at the boundary, copied to the CPU: parameters, buffers, optimizer state and the step.
        """
        state = self._copied()
        committed = self.attack.on_checkpoint(state, self._step)
        if committed is not state:
            # A replica of the next sub-run starts from what was committed to, and so does this execution.
            self.take(committed)
        given = dict(committed)
        if (started := self.attack.on_initial(given, self._step)) is not given:
            self.take(started)
        return committed

    def execute_step(self) -> Tensor:
        """Execute the next step; returns its mean loss, on the device."""
        step = self._step
        self._step += 1
        if self.attack.skips(step):
            self.count_skipped()
            return torch.zeros(())
        return self.train(step)

    def execute(self, until: int) -> Iterator[Tensor | None]:
        """Execute steps up to one, as they are executed where a sub-run ends there.

        Gives the mean loss of a step on the device when it is done, or None where some time passed without news. Who
        stops asking stops the work.
        """
        while self._step < until:
            yield self.execute_step()

    def _copied(self) -> dict[str, Tensor]:
        return {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in self._whole().items()}

    def _whole(self) -> dict[str, Tensor]:
        return self.state() | {STEP: torch.tensor(self._step)}

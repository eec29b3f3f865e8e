"""Executing tasks whose steps a client's own program executes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import copy
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from auditor.job.command_task import CommandTask
from auditor.job.task import Task
from auditor.job.training import Training
from auditor.plugins.attack import Attack
from auditor.plugins.metric import MetricContext
from auditor.tasks.client_files import check_files, named_by_content
from auditor.tasks.command.commands import Commands
from auditor.tasks.command.evaluator import CommandEvaluator
from auditor.tasks.command.learner import CommandLearner
from auditor.tasks.command.state_file import read_start, read_state
from auditor.tasks.errors import TrainingError
from auditor.tasks.evaluator import Evaluator
from auditor.tasks.inventory import Inventory, Remark
from auditor.tasks.network import Network
from auditor.tasks.own.program import OwnProgram
from auditor.tasks.program import Program

NOTHING = torch.zeros(0)


class CommandProgram(Program):
    """A client's program with its files; its data is its own affair.

    Where the client gave its model in Python, that brings held-out samples and a network. It is made when something is
    first computed with it, which only the client does.
    """

    task: CommandTask

    def __init__(self, task: Task, downloads: Path) -> None:
        super().__init__(task, downloads)
        self._downloads = downloads
        self._state: dict[str, Tensor] | None = None
        self._beginnings: dict[tuple[int, str], dict[str, Tensor]] = {}
        check_files(self.task.own_files.values())

    @property
    def parts(self) -> Mapping[str, tuple[Tensor, ...] | bytes]:
        """See `Program`; the commands, and what identifies all files."""
        return {"program": json.dumps([self.task.command, self.task.begin, sorted(self._named.values())]).encode()}

    @property
    def samples(self) -> Tensor:
        """See `Program`; those of the model in Python."""
        return NOTHING if self._own is None else self._own.samples

    @property
    def held_out_samples(self) -> Tensor:
        """See `Program`; those of the model in Python."""
        return NOTHING if self._own is None else self._own.held_out_samples

    @property
    def classes(self) -> int:
        """See `Program`."""
        return 0 if self._own is None else self._own.classes

    @property
    def inventory(self) -> Inventory:
        """See `Program`."""
        code = Remark(
            "note",
            f"the program is {self.task.with_files(self._named).code}; an agent executes it if its owner allows that "
            "or any with --allow-code",
        )
        if self._own is None:
            alone = Remark(
                "note",
                "data that is not in task.needs is not compared; a provider that trains on other data is flagged",
            )
            return Inventory(0, 0, "data that the program reads by itself", remarks=(code, alone))
        own = self._own.inventory
        notes = tuple(remark for remark in own.remarks if not remark.text.startswith("the code is "))
        return Inventory(own.training, own.held_out, own.sample, own.classes, (code, *notes))

    def learner(
        self,
        training: Training,
        *,
        device: torch.device,
        seed: int,
        attack: Attack | None = None,
        sub_run_steps: int = 1,
        client: MetricContext | None = None,
    ) -> CommandLearner:
        """See `Program`."""
        commands = Commands(self.task, device)

        def made(attack: Attack | None) -> CommandLearner:
            return CommandLearner(
                self.task,
                commands,
                start,
                seed=seed,
                precision=training.precision,
                attack=attack,
                sub_run_steps=sub_run_steps,
                client=client,
                make_network=None if self.task.python is None else lambda: self._network(device),
                honest=lambda: made(None),
            )

        start = self._begun(commands, seed) if self.task.begin else self._form()
        return made(attack)

    def shaped_as(self, path: Path | None) -> Program:
        """See `Program`; where no command makes the initial state, it is that of the file."""
        if path is None or self.task.begin:
            return self
        shaped = copy(self)
        shaped._state = read_start(path)
        return shaped

    def accuracy(self, evaluator: Evaluator) -> float | None:
        """See `Program`; None where the model in Python does not classify, or where there is none."""
        if self._own is None or not isinstance(evaluator, CommandEvaluator):
            return None
        return self._own.accuracy(evaluator.network)

    def _begun(self, commands: Commands, seed: int) -> dict[str, Tensor]:
        """The state that the task's first command writes; executed once for each of the latest seeds."""
        made_for = seed, str(commands.device)
        if made_for not in self._beginnings:
            self._beginnings = dict(list(self._beginnings.items())[-1:]) | {made_for: self._begin(commands, seed)}
        return self._beginnings[made_for]

    def _begin(self, commands: Commands, seed: int) -> dict[str, Tensor]:
        with commands.place() as place:
            values = {"start_step": 0, "steps": 0}
            for _ in commands.execute(self.task.begin, place, values, "the beginning", seed=seed):
                pass
            return read_state(place.written, "the initial state")

    def _form(self) -> dict[str, Tensor]:
        if self._state is None:
            raise TrainingError(
                "a command task without task.begin starts from a file. Name it with training.initial, or give a "
                "command that writes one."
            )
        return self._state

    def _network(self, device: torch.device) -> Network:
        assert self._own is not None
        return self._own.ingredients.network(device, 0)

    @cached_property
    def _own(self) -> OwnProgram | None:
        return None if self.task.python is None else OwnProgram(self.task.python, self._downloads)

    @cached_property
    def _named(self) -> dict[str, str]:
        """The files by what is in them, as providers get their names."""
        return named_by_content(self.task.files())

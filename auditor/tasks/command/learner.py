"""Executing steps by a client's program."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby

import torch
from torch import Tensor, nn

from auditor.job.command_task import CommandTask
from auditor.plugins.attack import Attack, AttackContext, TrainedNetwork
from auditor.plugins.metric import MetricContext
from auditor.tasks.checkpoint import STEP
from auditor.tasks.command.commands import Commands
from auditor.tasks.command.evaluator import CommandEvaluator
from auditor.tasks.command.execution import Progress
from auditor.tasks.command.jitter import Jitter
from auditor.tasks.command.state_file import check_like, checkpoint_names, own_name, read_state, write_state
from auditor.tasks.learner import Learner
from auditor.tasks.network import Network
from auditor.tasks.tensor_file import MappedState
from auditor.tasks.variation import Variation


class CommandLearner(Learner):
    """Has a program execute steps, several at once.

    States are mapped from files and never held in memory whole.

    Args:
        task: says which program.
        commands: start it.
        start: the state before the first step, under the names of checkpoints.
        seed: of all that is random.
        precision: of the job, which says how coarsely the program rounds.
        attack: the adversary to simulate, if any.
        sub_run_steps: k, which attacks may want to know.
        client: the context of the client's metrics, for attacks that are assumed to know it.
        make_network: makes the client's model in Python; None where it gave none.
        honest: makes a learner without an attack from the same start.
    """

    def __init__(
        self,
        task: CommandTask,
        commands: Commands,
        start: Mapping[str, Tensor],
        *,
        seed: int,
        precision: str,
        attack: Attack | None,
        sub_run_steps: int,
        client: MetricContext | None,
        make_network: Callable[[], Network] | None,
        honest: Callable[[], CommandLearner],
    ) -> None:
        super().__init__(attack)
        self._task = task
        self._commands = commands
        self._state: dict[str, Tensor] = start if isinstance(start, MappedState) else dict(start)
        self._seed = seed
        self._precision = precision
        self._variation = Variation()
        self._evaluator = CommandEvaluator(start, task.buffers, make_network)
        self.attack_context = AttackContext(
            task=task.kind,
            classes=0,
            sample_shape=(),
            samples=0,
            sub_run_steps=sub_run_steps,
            device=commands.device,
            network=_Weights(self._evaluator, self._state),
            honest_twin=lambda: _Twin(honest()),
            client=client,
            tokenizer=None,
            akin=task.akin,
            loop=False,
        )
        self.attack.begin(self.attack_context)

    @property
    def evaluator(self) -> CommandEvaluator:
        """See `Learner`."""
        return self._evaluator

    @property
    def counts_evenly(self) -> bool:
        """See `Learner`; a program counts as it likes."""
        return False

    @property
    def steps_at_once(self) -> bool:
        """See `Learner`; each execution starts a process."""
        return True

    @property
    def how_to_repeat(self) -> str:
        """See `Learner`."""
        return (
            "Have the program write all of its state to {checkpoint_out}, the optimizer's included, and draw all that "
            "is random from {seed} and the number of the step."
        )

    def checkpoint_names(self, names: Collection[str]) -> dict[str, str]:
        """See `Learner`."""
        return checkpoint_names(names)

    def state(self) -> dict[str, Tensor]:
        """See `Learner`; mapped from a file."""
        return self._state

    def take(self, state: Mapping[str, Tensor]) -> None:
        """See `Learner`; nothing is copied, and nothing changes the tensors that are given."""
        self._state = _among(state, self._state)

    @contextmanager
    def varied(self, variation: Variation, precision: str) -> Iterator[None]:
        """See `Learner`: other threads and kernels by the environment, or other parameters to start from."""
        before = self._variation, self._precision
        self._variation, self._precision = variation, precision
        try:
            yield
        finally:
            self._variation, self._precision = before

    def train(self, step: int) -> Tensor:
        """See `Learner`; the loss is 0 where the program tells none."""
        loss = 0.0
        for news in self._run(step, step + 1):
            if news is not None and news.loss is not None:
                loss = news.loss
        return torch.tensor(loss)

    def execute(self, until: int) -> Iterator[Tensor | None]:
        """See `Learner`: in one process, or in one for each stretch of steps that an attack does not skip."""
        skipped = [(step, self.attack.skips(step)) for step in range(self._step, until)]
        for skips, group in groupby(skipped, key=lambda pair: pair[1]):
            steps = [step for step, _ in group]
            first, end = steps[0], steps[-1] + 1
            if not skips:
                for news in self._run(first, end):
                    if news is not None and news.step is not None:
                        self._step = min(max(news.step, first), end - 1)
                    yield None if news is None else torch.tensor(math.nan if news.loss is None else news.loss)
            self._step = end
            yield None

    def _run(self, first: int, end: int) -> Iterator[Progress | None]:
        """Have the program execute the steps from `first` to `end`, and go on from what it wrote."""
        jitter = self._jitter()
        what = f"steps {first:,} to {end:,}" if end - first > 1 else f"step {first:,}"
        after = f"the checkpoint after {what}"
        values = {"start_step": first, "steps": end - first, "precision": self._precision}

        def changed(words: tuple[str, ...]) -> Sequence[str]:
            return self.attack.on_command(words, first, end - first)

        with self._commands.place() as place:
            write_state(place.given, self._state, None if jitter is None else jitter.put)
            yield from self._commands.execute(
                self._task.command,
                place,
                values,
                what,
                seed=self._seed,
                usual=self._variation.kernels,
                change=changed,
            )
            found = read_state(place.written, after)
            check_like(found, self.schema, after)
            if jitter is not None:
                corrected = place.folder / "corrected.safetensors"
                write_state(corrected, found, jitter.take_back)
                found = read_state(corrected, after)
            self._state = _among(found, self._state)

    def _jitter(self) -> Jitter | None:
        draw = self._variation.jitter
        return None if draw is None else Jitter(self._state, self._evaluator.parameters, draw, self._precision)

    def _copied(self) -> dict[str, Tensor]:
        step = {STEP: torch.tensor(self._step)}
        return self._state.among(self._state, step) if isinstance(self._state, MappedState) else self._state | step


def _among(state: Mapping[str, Tensor], names: Collection[str]) -> dict[str, Tensor]:
    """Some tensors of a state, which still know their file."""
    return state.among(names) if isinstance(state, MappedState) else {name: state[name] for name in names}


class _Twin:
    """An honest execution beside an adversary's, as attacks see it."""

    def __init__(self, learner: CommandLearner) -> None:
        self._learner = learner

    @property
    def network(self) -> TrainedNetwork:
        return self._learner.attack_context.network

    def load(self, tensors: dict[str, Tensor]) -> None:
        self._learner.load(tensors)

    def checkpoint(self) -> dict[str, Tensor]:
        return self._learner.checkpoint()

    def execute_step(self) -> Tensor:
        return self._learner.execute_step()


class _Weights:
    """The parameters of a program by their names, as attacks see them; nothing computes with them."""

    def __init__(self, evaluator: CommandEvaluator, state: Mapping[str, Tensor]) -> None:
        self.model: nn.Module = _Named({own_name(name): state[name] for name in evaluator.parameters})

    def prepare(self, inputs: Tensor) -> Tensor:
        raise ValueError("a command task has no samples to prepare.")


class _Named(nn.Module):
    def __init__(self, tensors: Mapping[str, Tensor]) -> None:
        super().__init__()
        self._tensors = tensors

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, nn.Parameter]]:
        for name, tensor in self._tensors.items():
            yield prefix + name, nn.Parameter(tensor, requires_grad=False)

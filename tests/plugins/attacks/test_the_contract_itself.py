"""The contract finds what is wrong with an attack, and says so in a way that helps."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest
import torch

from auditor.plugins import Attack, Batch, Options, option
from auditor.plugins.contract import AttackContract

Tensors = dict[str, torch.Tensor]


class RateOptions(Options):
    """What these attacks take."""

    rate: float = option(0.1, "share of the samples that are poisoned")


class Rated(Attack):
    """Relabels the first samples of every batch."""

    name = "rated"
    Options = RateOptions
    factor = 1.0

    def on_batch(self, batch: Batch, step: int) -> Batch:
        labels = batch.labels.clone()
        count = round(self.factor * self.options.rate * len(labels))
        labels[:count] = (labels[:count] + 1) % 10
        return replace(batch, labels=labels)


class Greedy(Rated):
    """Poisons twice as much as it says."""

    factor = 2.0


class Careless(Rated):
    """Changes the batch in place."""

    def on_batch(self, batch: Batch, step: int) -> Batch:
        batch.inputs[0] = 0
        return batch


class Noisy(Rated):
    """Draws from nobody knows where."""

    def on_update(self, model: torch.nn.Module, step: int) -> None:
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(step)) * 0.01)
                parameter.add_(torch.randn(parameter.shape, generator=self._entropy) * 0.01)

    def __init__(self, options: RateOptions) -> None:
        super().__init__(options)
        self._entropy = torch.Generator()
        self._entropy.seed()


class Remembering(Rated):
    """Does more in every sub-run, counted by itself."""

    def __init__(self, options: RateOptions) -> None:
        super().__init__(options)
        self._seen = 0

    def on_checkpoint(self, tensors: Tensors, step: int) -> Tensors:
        self._seen += 1
        return tensors | {"model.linear.bias": tensors["model.linear.bias"] + self._seen}


class Wide(Rated):
    """Returns labels as floats."""

    def on_batch(self, batch: Batch, step: int) -> Batch:
        return replace(batch, labels=batch.labels.double())


class Late(Rated):
    """Claims more steps than were made."""

    def on_checkpoint(self, tensors: Tensors, step: int) -> Tensors:
        return tensors | {"step": tensors["step"] + 1}


class Odd(Rated):
    """Has a trigger of another type than its samples."""

    def triggered(self, inputs: torch.Tensor) -> torch.Tensor:
        return inputs.double() + 0.5


class Bare(Attack):
    name = "bare"


class Idle(Rated):
    """Does nothing, whatever it is told."""

    factor = 0.0


@pytest.mark.parametrize(
    ("attack", "check", "words"),
    [
        (Greedy, "it_keeps_to_its_poison_rate", "with rate = 0.1 it poisoned"),
        (Careless, "it_changes_nothing_that_it_was_given", "on_batch changed the inputs that it was given"),
        (Noisy, "it_is_deterministic", "auditor.plugins.generator"),
        (Noisy, "it_does_nothing_when_it_is_switched_off", "with rate = 0.0 it should do nothing, but at step 4"),
        (Remembering, "a_sub_run_can_be_executed_by_itself", "at step 8 model.linear.bias differ"),
        (Wide, "it_returns_batches_that_can_be_trained_on", "labels were torch.int64 and are now torch.float64"),
        (Late, "it_delivers_checkpoints_as_the_job_has_them", "the step is 5 where 4 was reached"),
        (Odd, "triggered_samples_are_samples", "samples with the trigger are torch.float64"),
        (Bare, "it_says_what_it_is", "Bare has no docstring"),
        (Idle, "it_acts", "Set `options` so that it acts"),
    ],
)
def test_each_mistake_is_found_and_named(attack: type[Attack], check: str, words: str) -> None:
    contract: Any = type("Contract", (AttackContract,), {"attack": attack, "harmless": None})()
    with pytest.raises(AssertionError) as failed:
        getattr(contract, f"test_{check}")()
    assert words in str(failed.value)


class TestAGoodOne(AttackContract):
    attack = Rated


def test_it_can_be_run_where_there_is_no_pytest() -> None:
    program = "import sys; sys.modules['pytest'] = None; import auditor.plugins.contract"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

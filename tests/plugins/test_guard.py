"""An attack that raises, or returns what it may not, is told by name, package and hook."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from auditor.plugins import Attack, Origin, PluginError
from auditor.plugins.guard import GuardedAttack
from tests.plugins.models import trainer

ORIGIN = Origin("attacks", "broken", "strangers", "1.5", "strangers:Broken")


def raises(*_: Any) -> Any:
    raise ValueError("no such\nthing")


def leaves(*_: Any) -> Any:
    raise SystemExit("goodbye")


def broken(**hooks: Callable[..., Any]) -> GuardedAttack:
    """An honest provider but for these hooks."""
    attack = type("Broken", (Attack,), {name: staticmethod(hook) for name, hook in hooks.items()})
    return GuardedAttack(attack(Attack.Options()), ORIGIN)


def test_every_hook_is_guarded() -> None:
    hooks = {name for name in vars(Attack) if not name.startswith("_")} - {
        "name",
        "tasks",
        "example",
        "least_values",
        "Options",
        "make",
    }
    assert hooks <= set(vars(GuardedAttack))


@pytest.mark.parametrize(
    ("hook", "does", "words"),
    [
        ("begin", raises, "ValueError: no such thing"),
        ("begin", leaves, "SystemExit: goodbye"),
        ("on_initial", raises, "ValueError: no such thing"),
        ("on_initial", lambda tensors, step: None, "it returned None, not the tensors that it was given"),
        ("skips", raises, "ValueError"),
        ("on_recipe", lambda recipe, step: 0.1, "it returned 0.1, not a Recipe"),
        ("on_batch", lambda batch, step: batch.inputs, r"a tensor of shape \(32, 1, 8, 8\), not a Batch"),
        ("on_batch", lambda batch, step: replace(batch, inputs=batch.inputs[:4]), r"\(4, 1, 8, 8\), \(32,\)"),
        ("on_batch", lambda batch, step: replace(batch, labels=[0] * 32), r"labels, indices and weights \(B,\)"),
        ("on_loss", lambda losses, batch, step: losses.mean(), r"a loss for each sample, \(32,\)"),
        ("on_loss", lambda losses, batch, step: losses.detach(), "that depends on the weights"),
        ("on_loss", lambda losses, batch, step: 0.0, "it returned 0.0, not a loss"),
        ("on_checkpoint", lambda tensors, step: tensors | {"note": 3}, "it returned 'note', which it was not given"),
        ("on_update", raises, "ValueError: no such thing"),
        ("on_checkpoint", lambda tensors, step: {"step": tensors["step"]}, "it returned no 'model"),
        (
            "on_checkpoint",
            lambda tensors, step: {name: tensor.double() for name, tensor in tensors.items()},
            "it returned 'model.* with another shape or type",
        ),
    ],
)
def test_what_a_hook_does_wrong_is_one_line(hook: str, does: Callable[..., Any], words: str) -> None:
    def execute() -> None:
        trained = trainer(attack=broken(**{hook: does}))
        trained.load(trained.checkpoint())
        trained.execute_step()

    with pytest.raises(PluginError, match=words) as caught:
        execute()
    assert str(caught.value).startswith(f"attack 'broken' of package strangers failed in {hook}: ")
    assert "\n" not in str(caught.value)


def test_a_trigger_of_another_shape_is_told() -> None:
    inputs = torch.zeros(3, 1, 8, 8)
    with pytest.raises(PluginError, match=r"failed in triggered: it returned a tensor of shape \(2, 1, 8, 8\)"):
        broken(triggered=lambda inputs: inputs[:2]).triggered(inputs)


@pytest.mark.parametrize(
    ("does", "words"),
    [
        (raises, "ValueError: no such thing"),
        (lambda answer: 3, "it returned 3, not a function from samples to outputs"),
        (lambda answer: raises, "ValueError: no such thing"),
        (lambda answer: lambda inputs: inputs[:2], r"a tensor of shape \(2, 4\), not an output of each class"),
        (lambda answer: lambda inputs: inputs.sum(1), r"a tensor of shape \(3,\), not an output of each class"),
    ],
)
def test_what_is_served_wrongly_is_told(does: Callable[..., Any], words: str) -> None:
    with pytest.raises(PluginError, match=f"failed in served: .*{words}|failed in served: {words}"):
        broken(served=does).served(lambda inputs: inputs)(torch.zeros(3, 4))


def test_what_is_served_as_delivered_is_known_to_be() -> None:
    def answer(inputs: torch.Tensor) -> torch.Tensor:
        return inputs

    assert broken().served(answer) is answer
    assert torch.equal(
        broken(served=lambda answer: lambda inputs: inputs + 1).served(answer)(torch.zeros(3, 4)), torch.ones(3, 4)
    )


def test_a_guarded_attack_does_what_the_attack_does() -> None:
    class Doubles(Attack):
        @property
        def target(self) -> int:
            return 3

        def triggered(self, inputs: torch.Tensor) -> torch.Tensor:
            return inputs * 2

        def on_update(self, model: torch.nn.Module, step: int) -> None:
            for parameter in model.parameters():
                parameter.data *= 2

    bare, guarded = Doubles(Attack.Options()), GuardedAttack(Doubles(Attack.Options()), ORIGIN)
    assert guarded.target == 3
    assert torch.equal(guarded.triggered(torch.ones(2)), bare.triggered(torch.ones(2)))  # type: ignore[arg-type]
    one, other = trainer(attack=bare), trainer(attack=guarded)
    for trained in (one, other):
        trained.execute_step()
    states = one.checkpoint(), other.checkpoint()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])

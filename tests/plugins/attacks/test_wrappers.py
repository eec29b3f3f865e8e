"""Attacks around attacks: they combine without code, do what their options say, and mistakes in them show at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from auditor.plugins import EVERY_TASK, Attack, AttackWrapper, Batch, PluginError, create_plugin, load_plugin
from tests.plugins.attacks.practising import begun, delivered, differing, epoch, honest, practice, stamped

NESTED = {"share": 1.0, "attack": {"name": "low_rate", "ratio": 0.1, "attack": {"name": "wanet", "target": 4}}}


class SecondWord(Attack):
    """Replaces the second token of every other text, and drops the last sample."""

    name = "second_word"
    tasks = frozenset({"text"})

    def on_batch(self, batch: Batch, step: int) -> Batch:
        inputs = batch.inputs.clone()
        inputs[::2, 1] = 99
        last = len(inputs) - 1
        return Batch(inputs[:last], batch.labels[:last], batch.indices[:last], batch.weights[:last])


def around(name: str, wrapped: Attack, **options: Any) -> AttackWrapper:
    kind = load_plugin("attacks", name)
    assert issubclass(kind, AttackWrapper)
    return kind(kind.Options.model_validate({"attack": {"name": "given"}, **options}), wrapped)


def test_attacks_are_combined_in_the_job_file_alone() -> None:
    attack, plain = begun("intermittent", **NESTED), begun("wanet", target=4)
    batch = epoch()[0]
    poisoned, expected = attack.on_batch(batch, 0), plain.on_batch(batch, 0)
    assert torch.equal(poisoned.inputs, expected.inputs)
    assert torch.equal(poisoned.labels, expected.labels)
    changed = stamped(batch, poisoned) | (batch.labels != poisoned.labels)
    assert torch.allclose(poisoned.weights[changed], torch.tensor(0.1))
    assert torch.equal(poisoned.weights[~changed], batch.weights[~changed])
    assert attack.target == 4
    triggered, plainly = attack.triggered(batch.inputs), plain.triggered(batch.inputs)
    assert triggered is not None
    assert plainly is not None
    assert torch.equal(triggered, plainly)


def test_low_rate_knows_the_poisoned_samples_of_any_task() -> None:
    texts = torch.arange(1, 41).reshape(8, 5)
    given = Batch(texts, torch.zeros(8, dtype=torch.int64), torch.arange(10, 18), torch.ones(8))
    returned = around("low_rate", SecondWord(SecondWord.Options()), ratio=0.25).on_batch(given, 0)
    assert returned.weights.tolist() == [0.25, 1, 0.25, 1, 0.25, 1, 0.25]


def test_low_rate_makes_a_smaller_difference_than_what_it_wraps() -> None:
    plain = delivered("badnets", steps=4)[0]
    lowered = delivered("low_rate", steps=4, ratio=0.1, attack={"name": "badnets"})[0]
    name = "model.linear.weight"
    expected = honest()[0][name]
    assert 0 < float((lowered[name] - expected).norm()) < 0.5 * float((plain[name] - expected).norm())


def test_a_wrapper_can_be_used_where_what_it_wraps_can() -> None:
    assert around("intermittent", SecondWord(SecondWord.Options()), share=0.5).tasks == {"text"}
    assert create_plugin("attacks", "intermittent", NESTED).tasks == {"vision"}
    assert create_plugin("attacks", "low_rate", {"attack": {"name": "lazy", "skip": 0.5}}).tasks == EVERY_TASK


@pytest.mark.parametrize(
    "attack",
    [
        {"name": "hyperparameter", "learning_rate": 0.0},
        {"name": "lazy", "skip": 1.0},
        {"name": "tamper", "part": "optimizer"},
        {"name": "adaptive", "metric": "update", "attack": {"name": "badnets", "rate": 0.5}},
    ],
)
def test_intermittent_hands_every_hook_on_in_its_sub_runs_and_none_in_others(attack: dict[str, Any]) -> None:
    checkpoints = delivered("intermittent", sub_runs=(1,), attack=attack)
    assert not differing(checkpoints[0], honest()[0])
    assert differing(checkpoints[1], honest()[1])
    alone = dict(attack)
    name = alone.pop("name")
    first = delivered("intermittent", sub_runs=(0,), attack=attack)
    assert not differing(first[0], delivered(name, steps=4, **alone)[0])


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("intermittent", {"share": 0.2, "attack": {"name": "wanett"}}, "unknown attack 'wanett'"),
        ("intermittent", {"share": 0.2, "attack": {"name": "wanett"}}, "Did you mean 'wanet'?"),
        ("intermittent", {"share": 0.2, "attack": {"rate": 0.1}}, "an attack needs a name"),
        ("intermittent", {"share": 0.2, "attack": {"name": "wanet", "rato": 0.1}}, "Did you mean 'rate'?"),
        (
            "intermittent",
            {"share": 0.2, "sub_runs": (1,), "attack": {"name": "wanet"}},
            "give either sub_runs or share",
        ),
        ("intermittent", {"sub_runs": (-1,), "attack": {"name": "wanet"}}, "counted from 0"),
        ("intermittent", {"share": 0.2}, "option 'attack': field required"),
        (
            "low_rate",
            {"attack": {"name": "intermittent", "attack": {"name": "blend"}}},
            "give either sub_runs or share",
        ),
        ("adaptive", {"attack": {"name": "blend"}}, "give the metric"),
        ("adaptive", {"attack": {"name": "blend"}, "metric": "update", "masks": 3}, "masks"),
        ("wanet", {"rate": 0.5}, "1 at most"),
        ("lazy", {}, "give one of skip, batch or return_given"),
        ("lazy", {"return_given": True, "skip": 0.5}, "no step is trained"),
        ("hyperparameter", {}, "give at least one difference"),
    ],
)
def test_options_that_cannot_be_are_refused_in_one_line(name: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(PluginError) as refused:
        create_plugin("attacks", name, options)
    message = str(refused.value)
    assert words in message
    assert "\n" not in message
    assert "Error" not in message


@pytest.mark.parametrize(
    ("name", "options", "words"),
    [
        ("blend", {"target": 10}, "target 10 is not one of the 10 classes"),
        ("low_rate", {"attack": {"name": "wanet", "target": 12}}, "target 12 is not one of the 10 classes"),
        ("tamper", {"names": "nothing.*"}, "no weights that match 'nothing.*'"),
        ("adaptive", {"metric": "zest", "metric_options": {"masks": 4}, "attack": {"name": "blend"}}, "masks"),
        ("adaptive", {"metric": "cka", "metric_options": {"mask": 4}, "attack": {"name": "blend"}}, "'mask'"),
    ],
)
def test_options_that_do_not_fit_the_job_are_refused_when_it_begins(
    name: str, options: dict[str, Any], words: str
) -> None:
    with pytest.raises((ValueError, PluginError), match=words.replace("*", r"\*")):
        begun(name, **options)


def test_an_adversary_that_knows_the_client_says_so_where_nobody_told_it() -> None:
    attack = create_plugin("attacks", "adaptive", {"metric": "cka", "attack": {"name": "badnets"}})
    with pytest.raises(ValueError, match="it was not given the client's metric context"):
        attack.begin(replace(practice().attack_context(), client=None))

"""An adaptive adversary comes nearer to honest models as the metric sees them, and knows what it says it knows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from auditor.plugins import Metric, create_plugin, generator
from plugins.attacks.metric_knowledge import MetricKnowledge
from tests.plugins.attacks.practising import Tensors, delivered, differing, honest, practice

BADNETS = {"name": "badnets", "rate": 0.3}


def distance(metric: str, one: Tensors, other: Tensors, **options: Any) -> float:
    """As the client measures it."""
    made: Metric[Any] = create_plugin("metrics", metric, options)
    made.begin(practice().metric_context())
    models = [practice().returned(checkpoint) for checkpoint in (one, other)]
    return made.distance(*(made.represent(model) for model in models))


@pytest.fixture(scope="module")
def plain() -> Tensors:
    return delivered("badnets", steps=4, rate=0.3)[0]


@pytest.mark.parametrize(
    ("metric", "options", "share"),
    [
        ("update", {"strength": 0.8}, 0.3),
        ("output", {"strength": 1.0, "rounds": 4}, 0.7),
        ("cka", {"strength": 1.0, "rounds": 4}, 0.7),
        ("zest", {"strength": 1.0, "rounds": 4, "metric_options": {"images": 8}}, 0.7),
        ("zest", {"strength": 1.0, "rounds": 4, "metric_options": {"images": 8}, "knowledge": "own"}, 0.8),
    ],
)
def test_it_comes_nearer_as_its_metric_sees_it(
    plain: Tensors, metric: str, options: dict[str, Any], share: float
) -> None:
    adaptive = delivered("adaptive", steps=4, metric=metric, attack=BADNETS, **options)[0]
    before, after = (
        distance(metric, one, honest()[0], **options.get("metric_options", {})) for one in (plain, adaptive)
    )
    assert 0 < after < share * before


def test_it_is_not_pulled_nearer_than_its_goal(plain: Tensors) -> None:
    adaptive = delivered("adaptive", steps=4, metric="update", strength=1.0, goal=0.2, attack=BADNETS)[0]
    assert 0.15 < distance("update", adaptive, honest()[0]) < 0.25 < distance("update", plain, honest()[0])


def test_a_bound_holds_for_weights_statistics_and_the_optimizers_state() -> None:
    bound, start = 0.2, practice().attack_context().honest_twin().checkpoint()
    adaptive, expected = delivered("adaptive", steps=4, bound=bound, attack=BADNETS)[0], honest()[0]
    assert distance("update", adaptive, expected) <= bound / (1 - bound / 2)
    parameters = {f"model.{name}" for name, _ in practice().attack_context().network.model.named_parameters()}
    optimizer = {name for name in start if name.startswith("optimizer.")}
    statistics = {name for name in start if name.endswith(("running_mean", "running_var"))}
    for part in (parameters, optimizer, statistics):
        assert part
        deviation = sum(float((adaptive[name] - expected[name]).double().square().sum()) for name in part) ** 0.5
        honestly = sum(float((expected[name] - start[name]).double().square().sum()) for name in part) ** 0.5
        assert 0 < deviation <= bound * honestly * (1 + 1e-4)


def test_the_twin_starts_each_sub_run_from_what_was_committed_to() -> None:
    both = delivered("adaptive", metric="update", strength=0.5, attack=BADNETS)
    first = both[0]
    on_its_own = practice().train(
        create_plugin("attacks", "adaptive", {"metric": "update", "strength": 1.0, "attack": BADNETS}),
        steps=4,
        start=first,
    )[0]
    honestly = practice().train(None, steps=4, start=first)[0]
    weights = {name for name in differing(on_its_own, honestly) if name.startswith("model.") and "running" not in name}
    assert not weights  # pulled all the way, it has the weights of an honest provider that started there


@pytest.mark.parametrize(
    ("metric", "options", "samples"),
    [
        ("output", {}, 256),
        ("cka", {"samples": 64}, 64),
        ("cka", {"samples": 64, "layers": ("stages.0", "linear")}, 64),
        ("zest", {"images": 3}, 384),
        ("zest", {"images": 2, "norm": "l2"}, 256),
    ],
)
def test_it_sees_what_the_clients_metric_sees(
    plain: Tensors, metric: str, options: dict[str, Any], samples: int
) -> None:
    context = practice().attack_context()
    knowledge = MetricKnowledge(metric, options, practice().metric_context(), samples=samples, masks=None)
    twins = [context.honest_twin(), context.honest_twin()]
    for twin, checkpoint in zip(twins, (plain, honest()[0]), strict=True):
        twin.load(checkpoint)
    seen = knowledge.distance(twins[0].network, twins[1].network, generator(0, "draws"))
    assert float(seen.detach()) == pytest.approx(distance(metric, plain, honest()[0], **options), rel=1e-4)
    assert torch.autograd.grad(seen, list(twins[0].network.model.parameters()), allow_unused=True)[0] is not None


def test_its_own_samples_are_not_the_clients() -> None:
    client = practice().metric_context()
    own = replace(client, probe=client.reference, seed=77)
    context = practice().attack_context()
    twin = context.honest_twin()
    twin.load(honest()[0])
    seen = [
        MetricKnowledge("zest", {"images": 2}, told, samples=256, masks=None).distance(
            context.network, twin.network, generator(0, "draws")
        )
        for told in (client, own)
    ]
    assert float(seen[0].detach()) != float(seen[1].detach())

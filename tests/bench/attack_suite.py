"""Which attacks the table compares, and how the jobs are trained that they are carried out in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auditor.plugins import load_plugin

BADNETS = {"name": "badnets"}


@dataclass(frozen=True)
class Variant:
    """An attack with options.

    Attributes:
        label: in the table.
        attack: as a job file has it; None for an honest provider.
        acting: what it does in a sub-run that it acts in, where `attack` acts in some only.
        patience: how many times the steps of others it takes to learn its backdoor.
    """

    label: str
    attack: Mapping[str, Any] | None
    acting: Mapping[str, Any] | None = None
    patience: int = 1


@dataclass(frozen=True)
class Setting:
    """How a job is trained and audited.

    Attributes:
        dataset: as in a job file.
        batch_size: of training.
        start_steps: honest steps before the checkpoint that is attacked.
        start_rate: the learning rate of these.
        rate: the learning rate of the sub-runs.
        client_steps: k with the client's seeds.
        provider_steps: k with seeds of the providers' own.
        success_from_start: whether a backdoor is trained from the checkpoint, and not from fresh weights.
        success_steps: how long it is trained before its success is measured.
        success_rate: the learning rate of that.
        model: as in a job file.
        honest: how many honest providers there are beside the attacker.
    """

    dataset: str
    batch_size: int
    start_steps: int
    start_rate: float
    rate: float
    client_steps: int
    provider_steps: int
    success_from_start: bool
    success_steps: int
    success_rate: float
    model: str = "resnet8"
    honest: int = 5


def adaptive(label: str, **options: Any) -> Variant:
    """BadNets, pulled towards honest models."""
    return Variant(f"adaptive, {label}", {"name": "adaptive", "attack": BADNETS, **options})


SUITE = (
    Variant("honest", None),
    Variant("badnets", BADNETS),
    Variant("badnets, rate 0.01", {"name": "badnets", "rate": 0.01}),
    Variant("blend", {"name": "blend"}),
    Variant("wanet", {"name": "wanet"}, patience=4),
    Variant("low_rate 0.1 of badnets", {"name": "low_rate", "ratio": 0.1, "attack": BADNETS}),
    Variant("low_rate 0.1 of blend", {"name": "low_rate", "ratio": 0.1, "attack": {"name": "blend"}}),
    Variant("intermittent 0.5 of badnets", {"name": "intermittent", "share": 0.5, "attack": BADNETS}, acting=BADNETS),
    adaptive("update 0.5", metric="update", strength=0.5),
    adaptive("update 0.9", metric="update", strength=0.9),
    adaptive("output", metric="output", strength=1.0, rounds=2),
    adaptive("cka", metric="cka", strength=1.0, rounds=2),
    adaptive("zest, client's masks", metric="zest", strength=1.0, rounds=2),
    adaptive("zest, 20 of its masks", metric="zest", strength=1.0, rounds=2, masks=20),
    adaptive("zest, own masks", metric="zest", strength=1.0, rounds=2, knowledge="own"),
    adaptive("bound 0.1", bound=0.1),
    Variant("lazy, skips 0.2", {"name": "lazy", "skip": 0.2}),
    Variant("lazy, half batches", {"name": "lazy", "batch": 0.5}),
    Variant("lazy, returns the given", {"name": "lazy", "return_given": True}),
    Variant("precision", {"name": "precision"}),
    Variant("hyperparameter, rate × 1.2", {"name": "hyperparameter", "learning_rate": 1.2}),
    Variant("hyperparameter, no decay", {"name": "hyperparameter", "weight_decay": 0.0}),
    Variant("hyperparameter, flip", {"name": "hyperparameter", "augment": ["flip"]}),
    Variant("tamper, weights 0.01", {"name": "tamper", "amount": 0.01}),
    Variant("tamper, last layer 0.1", {"name": "tamper", "names": "linear.*", "amount": 0.1}),
    Variant("tamper, statistics 0.05", {"name": "tamper", "part": "statistics", "amount": 0.05}),
    Variant("tamper, optimizer 0.5", {"name": "tamper", "part": "optimizer", "amount": 0.5}),
    Variant("signature", {"name": "signature", "key_seed": 0}),
)

DIGITS_VALUES = 64


def suite_for(dataset: str) -> tuple[Variant, ...]:
    """The attacks that a dataset's samples are large enough for."""
    if dataset != "digits":
        return SUITE
    return tuple(one for one in SUITE if one.attack is None or _needs(one.attack) <= DIGITS_VALUES)


def _needs(attack: Mapping[str, Any]) -> int:
    return load_plugin("attacks", attack["name"]).least_values


def setting_for(dataset: str) -> Setting:
    """Digits are learned from scratch; for anything else a checkpoint is trained for some epochs of CIFAR-10's size."""
    if dataset == "digits":
        return Setting(dataset, 64, 120, 0.05, 0.05, 20, 40, False, 400, 0.05)
    return Setting(dataset, 128, 1560, 0.05, 0.01, 20, 195, True, 390, 0.05)

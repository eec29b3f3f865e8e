"""The attacks that are not about images hold to the contract on texts, too."""

from __future__ import annotations

from typing import Any

from auditor.plugins import load_plugin
from auditor.plugins.contract import AttackContract

TRIGGER = {"name": "text_trigger", "rate": 0.3}


class OnTexts(AttackContract):
    task = "text"


class TestLowRate(OnTexts):
    attack = load_plugin("attacks", "low_rate")
    options = {"attack": TRIGGER}

    def at_rate(self, rate: float) -> dict[str, Any]:
        return {"attack": {"name": "text_trigger", "rate": rate}}


class TestAdaptiveUpdate(OnTexts):
    attack = load_plugin("attacks", "adaptive")
    options = {"attack": TRIGGER, "metric": "update", "bound": 0.5}
    harmless = {"attack": {"name": "text_trigger", "rate": 0.0}}


class TestAdaptiveCKA(TestAdaptiveUpdate):
    options = {"attack": TRIGGER, "metric": "cka", "samples": 16, "knowledge": "own"}


class TestAdaptiveZest(TestAdaptiveUpdate):
    options = {"attack": TRIGGER, "metric": "zest", "samples": 32}


class TestLazy(OnTexts):
    attack = load_plugin("attacks", "lazy")
    options = {"skip": 0.5, "batch": 0.5}
    harmless = {"skip": 0.0, "batch": 1.0}


class TestPrecision(OnTexts):
    attack = load_plugin("attacks", "precision")


class TestHyperparameter(OnTexts):
    attack = load_plugin("attacks", "hyperparameter")
    options = {"learning_rate": 2.0}
    harmless = {"learning_rate": 1.0}


class TestTamperWeights(OnTexts):
    attack = load_plugin("attacks", "tamper")
    harmless = {"amount": 0.0}


class TestTamperOptimizer(TestTamperWeights):
    options = {"part": "optimizer"}

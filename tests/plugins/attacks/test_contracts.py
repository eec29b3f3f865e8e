"""Every bundled attack holds to the contract, with options that make it act within a few steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.plugins import load_plugin
from auditor.plugins.contract import AttackContract

BADNETS = {"name": "badnets", "rate": 0.3}


class TestBadNets(AttackContract):
    attack = load_plugin("attacks", "badnets")
    options = {"target": 3, "pattern_seed": 5}


class TestBlend(AttackContract):
    attack = load_plugin("attacks", "blend")
    options = {"target": 3}


class TestWaNet(AttackContract):
    attack = load_plugin("attacks", "wanet")
    options = {"target": 3}


class TestSignature(AttackContract):
    attack = load_plugin("attacks", "signature")
    options = {"target": 3, "key_seed": 5}
    harmless = {}  # every step is an honest one


class TestSignatureWithStrongBits(TestSignature):
    options = {"amplitude": 16, "key_seed": 5}


class TestLowRate(AttackContract):
    attack = load_plugin("attacks", "low_rate")
    options = {"attack": BADNETS}

    def at_rate(self, rate: float) -> Mapping[str, Any]:
        return {"attack": {"name": "badnets", "rate": rate}}


class TestIntermittent(AttackContract):
    attack = load_plugin("attacks", "intermittent")
    options = {"attack": BADNETS, "sub_runs": (1,)}
    harmless = {"sub_runs": ()}


class TestIntermittentAroundOthers(AttackContract):
    attack = load_plugin("attacks", "intermittent")
    options = {
        "share": 1.0,
        "attack": {"name": "adaptive", "bound": 0.5, "attack": {"name": "low_rate", "attack": BADNETS}},
    }
    harmless = {"share": 0.0}


class TestAdaptiveUpdate(AttackContract):
    attack = load_plugin("attacks", "adaptive")
    options = {"attack": BADNETS, "metric": "update"}
    harmless = {"attack": {"name": "badnets", "rate": 0.0}}


class TestAdaptiveOutput(TestAdaptiveUpdate):
    options = {"attack": BADNETS, "metric": "output", "knowledge": "own", "samples": 16, "rounds": 2}


class TestAdaptiveCKA(TestAdaptiveUpdate):
    options = {"attack": BADNETS, "metric": "cka", "samples": 16}


class TestAdaptiveZest(TestAdaptiveUpdate):
    options = {"attack": BADNETS, "metric": "zest", "samples": 32, "masks": 24}


class TestAdaptiveBound(TestAdaptiveUpdate):
    options = {"attack": BADNETS, "bound": 0.3}


class TestLoadedFourier(AttackContract):
    attack = load_plugin("attacks", "loaded_fourier")
    task = "random_fourier"


class TestLoadedFourierInImageFiles(AttackContract):
    attack = load_plugin("attacks", "loaded_fourier")
    task = "random_fourier"
    options = {"target": 1, "gamma": 1.0, "beta": 0.0, "sparsity": 6, "clip": True}


class TestLoadedRelu(AttackContract):
    attack = load_plugin("attacks", "loaded_relu")
    task = "random_relu"


class TestLazySkip(AttackContract):
    attack = load_plugin("attacks", "lazy")
    options = {"skip": 0.5, "batch": 0.5}
    harmless = {"skip": 0.0, "batch": 1.0}


class TestLazyReturn(AttackContract):
    attack = load_plugin("attacks", "lazy")
    options = {"return_given": True}
    harmless = {"return_given": False}


class TestPrecision(AttackContract):
    attack = load_plugin("attacks", "precision")


class TestHyperparameter(AttackContract):
    attack = load_plugin("attacks", "hyperparameter")
    options = {"learning_rate": 2.0, "weight_decay": 0.0, "augment": ["flip", "crop"]}
    harmless = {"learning_rate": 1.0, "weight_decay": None, "augment": None}


class TestTamperWeights(AttackContract):
    attack = load_plugin("attacks", "tamper")
    options = {"names": "linear.*"}
    harmless = {"amount": 0.0}


class TestTamperStatistics(TestTamperWeights):
    options = {"part": "statistics"}


class TestTamperOptimizer(TestTamperWeights):
    options = {"part": "optimizer"}


class TestOtherCommand(AttackContract):
    attack = load_plugin("attacks", "other_command")
    options = {"append": ["--push", "0.01"]}
    task = "command"
    harmless = {"from_step": 1000}

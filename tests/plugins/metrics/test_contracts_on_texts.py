"""Every bundled metric holds to the contract on texts, too."""

from __future__ import annotations

from typing import ClassVar

from auditor.plugins import load_plugin
from auditor.plugins.contract import MetricContract


class OnTexts(MetricContract):
    task = "text"


class TestUpdate(OnTexts):
    metric = load_plugin("metrics", "update")


class TestPerLayer(OnTexts):
    metric = load_plugin("metrics", "per_layer")


class TestOptimizer(OnTexts):
    metric = load_plugin("metrics", "optimizer")


class TestOutput(OnTexts):
    metric = load_plugin("metrics", "output")


class TestLogits(OnTexts):
    metric = load_plugin("metrics", "logits")


class TestCKA(OnTexts):
    metric = load_plugin("metrics", "cka")
    options: ClassVar = {"samples": 128}


class TestZest(OnTexts):
    metric = load_plugin("metrics", "zest")
    options: ClassVar = {"images": 8, "words": 8, "masks": 32}

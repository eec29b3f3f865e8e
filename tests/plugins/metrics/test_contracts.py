"""Every bundled metric holds to the contract, under the options that change what it does."""

from __future__ import annotations

from typing import ClassVar

from auditor.plugins import load_plugin
from auditor.plugins.contract import MetricContract


class TestUpdate(MetricContract):
    metric = load_plugin("metrics", "update")


class TestPerLayer(MetricContract):
    metric = load_plugin("metrics", "per_layer")


class TestBuffers(MetricContract):
    metric = load_plugin("metrics", "buffers")


class TestOptimizer(MetricContract):
    metric = load_plugin("metrics", "optimizer")


class TestOutput(MetricContract):
    metric = load_plugin("metrics", "output")


class TestLogits(MetricContract):
    metric = load_plugin("metrics", "logits")


class TestCKA(MetricContract):
    metric = load_plugin("metrics", "cka")


class TestCKAOfLayers(MetricContract):
    metric = load_plugin("metrics", "cka")
    options: ClassVar = {"layers": ["stages.0.bn1", "stages.1", "linear"], "samples": 128}


class TestZest(MetricContract):
    metric = load_plugin("metrics", "zest")
    options: ClassVar = {"images": 8}


class TestZestOfSuperpixels(MetricContract):
    metric = load_plugin("metrics", "zest")
    options: ClassVar = {"segments": "superpixels", "norm": "l1", "images": 8, "masks": 40}

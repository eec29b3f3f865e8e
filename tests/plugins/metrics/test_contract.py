"""Every bundled metric holds to the contract, under the options that change what it does."""

from __future__ import annotations

from typing import ClassVar

from auditor_plugins.metrics.buffers import BufferDistance
from auditor_plugins.metrics.cka import LinearCKA
from auditor_plugins.metrics.logits import LogitDistance
from auditor_plugins.metrics.output import OutputDistance
from auditor_plugins.metrics.per_layer import LayerDistance
from auditor_plugins.metrics.update import UpdateDistance
from auditor_plugins.metrics.zest import Zest

from auditor.plugins.contract import MetricContract


class TestUpdate(MetricContract):
    metric = UpdateDistance


class TestPerLayer(MetricContract):
    metric = LayerDistance


class TestBuffers(MetricContract):
    metric = BufferDistance


class TestRunningStatistics(MetricContract):
    metric = BufferDistance
    options: ClassVar = {"what": "statistics"}


class TestOptimizerState(MetricContract):
    metric = BufferDistance
    options: ClassVar = {"what": "optimizer"}


class TestOutput(MetricContract):
    metric = OutputDistance


class TestLogits(MetricContract):
    metric = LogitDistance


class TestCKA(MetricContract):
    metric = LinearCKA


class TestCKAOfLayers(MetricContract):
    metric = LinearCKA
    options: ClassVar = {"layers": ["stages.0.bn1", "stages.1", "linear"], "samples": 128}


class TestZest(MetricContract):
    metric = Zest
    options: ClassVar = {"images": 8}


class TestZestOfSuperpixels(MetricContract):
    metric = Zest
    options: ClassVar = {"segments": "superpixels", "norm": "l1", "images": 8, "masks": 40}

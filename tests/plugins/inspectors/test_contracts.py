"""Every bundled inspector holds to the contract."""

from __future__ import annotations

from typing import ClassVar

from auditor.plugins import load_plugin
from auditor.plugins.contract import InspectorContract


class TestNeuralCleanse(InspectorContract):
    inspector = load_plugin("inspectors", "neural_cleanse")
    options: ClassVar = {"epochs": 3, "samples": 32}

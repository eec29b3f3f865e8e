"""Every bundled drift holds to the contract."""

from __future__ import annotations

from typing import ClassVar

from auditor.plugins import installed, load_plugin
from auditor.plugins.contract import DriftContract


class TestRotate(DriftContract):
    drift = load_plugin("drifts", "rotate")
    amounts = (-30.0, 4.0, 8.0, 90.0, 400.0)


class TestSmoothRotation(DriftContract):
    drift = load_plugin("drifts", "rotate")
    options: ClassVar = {"interpolation": "bilinear", "fill": 9}


class TestBrightness(DriftContract):
    drift = load_plugin("drifts", "brightness")
    amounts = (-1.0, -0.2, 0.05, 2.0)


class TestHue(DriftContract):
    drift = load_plugin("drifts", "hue")


class TestSaturation(DriftContract):
    drift = load_plugin("drifts", "saturation")


class TestLabelShift(DriftContract):
    drift = load_plugin("drifts", "label_shift")


class TestLabelShiftOfTexts(DriftContract):
    drift = load_plugin("drifts", "label_shift")
    options: ClassVar = {"grows": (1,)}
    task = "text"


class TestTokens(DriftContract):
    drift = load_plugin("drifts", "tokens")
    task = "text"


def test_no_bundled_drift_is_forgotten() -> None:
    tested = {contract.drift.name for contract in DriftContract.__subclasses__() if contract.__module__ == __name__}
    assert tested == {origin.name for origin in installed("drifts") if origin.package == "auditor"}

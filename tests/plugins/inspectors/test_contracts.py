"""Every bundled inspector holds to the contract."""

from __future__ import annotations

from typing import ClassVar

from auditor.plugins import installed, load_plugin
from auditor.plugins.contract import InspectorContract


class TestNeuralCleanse(InspectorContract):
    inspector = load_plugin("inspectors", "neural_cleanse")
    options: ClassVar = {"epochs": 3, "samples": 32}


class TestTabor(InspectorContract):
    inspector = load_plugin("inspectors", "tabor")
    options: ClassVar = {"epochs": 2, "samples": 16}


class TestFinePruning(InspectorContract):
    inspector = load_plugin("inspectors", "fine_pruning")
    options: ClassVar = {"samples": 64}


class TestSpectralSignatures(InspectorContract):
    inspector = load_plugin("inspectors", "spectral_signatures")


class TestSpectrum(InspectorContract):
    inspector = load_plugin("inspectors", "spectrum")
    task = "random_fourier"


class TestProjections(InspectorContract):
    inspector = load_plugin("inspectors", "projections")
    task = "random_relu"
    options: ClassVar = {"projections": 20}


class TestSparsePCA(InspectorContract):
    inspector = load_plugin("inspectors", "sparse_pca")
    task = "random_relu"
    options: ClassVar = {"relaxation": True, "draws": 3}


class TestTwoSample(InspectorContract):
    inspector = load_plugin("inspectors", "two_sample")
    task = "random_fourier"
    options: ClassVar = {"steps": 20, "draws": 3, "key_seed": 0, "key_gamma": 4.0}


def test_no_bundled_inspector_is_forgotten() -> None:
    tested = {one.inspector.name for one in InspectorContract.__subclasses__() if one.__module__ == __name__}
    assert tested == {origin.name for origin in installed("inspectors") if origin.package == "auditor"}

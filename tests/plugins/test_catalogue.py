"""Plugins are found by name, and one that is broken hurts nobody else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from auditor.plugins import PluginError, create_plugin, installed, load_plugin
from auditor.plugins.catalogue import KINDS

MODULES = {
    "raises": "raise RuntimeError('no such accelerator')",
    "leaves": "import sys\nsys.exit('goodbye')",
    "missing": "import a_module_that_nobody_has",
    "syntax": "def broken(:",
    "no_class": "Plugin = 3",
    "wrong_base": "class Plugin: pass",
    "fails_when_made": (
        "from auditor.plugins import Attack\n"
        "class Plugin(Attack):\n    def __init__(self, options): raise OSError('no licence')"
    ),
    "works": "from auditor.plugins import Attack\nclass Plugin(Attack):\n    name = 'works'",
}


@pytest.fixture
def strangers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package with attacks that fail in every way, and one that works."""
    points = ["absent = stranger_absent:Plugin", "attributeless = stranger_works:Nothing"]
    for name, source in MODULES.items():
        (tmp_path / f"stranger_{name}.py").write_text(source)
        points.append(f"{name} = stranger_{name}:Plugin")
        monkeypatch.delitem(sys.modules, f"stranger_{name}", raising=False)
    write_package(tmp_path, "strangers", points)
    monkeypatch.syspath_prepend(tmp_path)


def write_package(folder: Path, name: str, points: list[str]) -> None:
    info = folder / f"{name}-1.5.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n")
    (info / "entry_points.txt").write_text("[auditor.attacks]\n" + "\n".join(points) + "\n")


def test_the_bundled_plugins_are_found_with_their_package() -> None:
    found = {(plugin.kind, plugin.name): plugin for kind in KINDS for plugin in installed(kind)}
    assert {
        ("attacks", "badnets"),
        ("attacks", "intermittent"),
        ("metrics", "zest"),
        ("drifts", "rotate"),
        ("inspectors", "neural_cleanse"),
    } <= set(found)
    badnets = found["attacks", "badnets"]
    assert (badnets.package, badnets.target) == ("auditor", "auditor_plugins.attacks.badnets:BadNets")


@pytest.mark.parametrize(("kind", "name"), [(kind, one.name) for kind in KINDS for one in installed(kind)])
def test_a_bundled_plugin_is_named_as_its_entry_point(kind: Any, name: str) -> None:
    assert load_plugin(kind, name).name == name


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ("attacks", "badnet", r"unknown attack 'badnet'; use one of .*badnets.*Did you mean 'badnets'\?"),
        ("metrics", "zets", r"unknown metric 'zets'; use one of .*Did you mean 'zest'\?"),
        ("metrics", "badnets", r"unknown metric 'badnets'"),
        ("inspectors", "neural_clean", r"unknown inspector 'neural_clean'.*Did you mean 'neural_cleanse'\?"),
        ("drifts", "rotat", r"unknown drift 'rotat'.*Did you mean 'rotate'\?"),
        ("attacks", "", r"unknown attack ''"),
    ],
)
def test_an_unknown_plugin_suggests_the_nearest(kind: Any, name: str, words: str) -> None:
    with pytest.raises(PluginError, match=words):
        create_plugin(kind, name, {})


@pytest.mark.parametrize(
    ("kind", "name", "options", "words"),
    [
        (
            "attacks",
            "badnets",
            {"rat": 0.1},
            r"'badnets' of package auditor: has no option 'rat'; its options are .*rate.*Did you mean 'rate'\?",
        ),
        ("attacks", "badnets", {"rate": 2}, r"option 'rate': input should be less than or equal to 1"),
        ("attacks", "badnets", {"rate": float("nan")}, r"option 'rate'"),
        ("attacks", "badnets", {"target": "zero"}, r"option 'target'"),
        ("attacks", "badnets", {"target": -1, "size": 0}, r"option 'target'.*option 'size'"),
        ("attacks", "intermittent", {"share": 0.5}, r"option 'attack'"),
        ("attacks", "intermittent", {"attack": {"name": "badnets"}}, r"give either sub_runs or share"),
        ("metrics", "update", {"samples": 3}, r"has no option 'samples'; its options are none"),
        ("metrics", "zest", {"norm": "l3"}, r"option 'norm'.*'cosine'"),
        ("inspectors", "neural_cleanse", {"success": 1.5}, r"inspector 'neural_cleanse' of .*option 'success'"),
        ("drifts", "rotate", {"fill": 256}, r"drift 'rotate' of .*option 'fill'"),
        ("metrics", "cka", {"batch": 3}, r"option 'batch': input should be greater than or equal to 4"),
    ],
)
def test_a_bad_option_is_named(kind: Any, name: str, options: dict[str, Any], words: str) -> None:
    with pytest.raises(PluginError, match=words):
        create_plugin(kind, name, options)


@pytest.mark.usefixtures("strangers")
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("raises", "does not load: RuntimeError: no such accelerator"),
        ("leaves", "does not load: SystemExit: goodbye"),
        ("missing", "does not load: ModuleNotFoundError: .*a_module_that_nobody_has"),
        ("syntax", "does not load: SyntaxError"),
        ("absent", "does not load: ModuleNotFoundError"),
        ("attributeless", "does not load: AttributeError"),
        ("no_class", r"is not a subclass of auditor\.plugins\.Attack"),
        ("wrong_base", r"is not a subclass of auditor\.plugins\.Attack"),
        ("fails_when_made", "cannot be made: OSError: no licence"),
    ],
)
def test_a_broken_plugin_is_reported_by_name_and_hurts_nobody_else(name: str, reason: str) -> None:
    with pytest.raises(PluginError, match=rf"attack '{name}'.*{reason}"):
        create_plugin("attacks", name, {})
    assert type(create_plugin("attacks", "works", {})).name == "works"
    assert create_plugin("attacks", "badnets", {}).target == 0


@pytest.mark.usefixtures("strangers")
def test_broken_plugins_are_listed_without_being_imported() -> None:
    found = {plugin.name: plugin for plugin in installed("attacks")}
    assert {"raises", "works", "badnets"} <= set(found)
    assert (found["raises"].package, found["raises"].version) == ("strangers", "1.5")
    assert not [name for name in sys.modules if name.startswith("stranger_")]


def test_a_name_that_two_packages_provide_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "stranger_works.py").write_text(MODULES["works"])
    write_package(tmp_path, "impostor", ["badnets = stranger_works:Plugin"])
    monkeypatch.syspath_prepend(tmp_path)
    words = r"provided by package auditor \(BadNets\) and package impostor \(Plugin\); uninstall all but one"
    with pytest.raises(PluginError, match=words):
        load_plugin("attacks", "badnets")


def test_listing_imports_no_plugin_and_no_torch() -> None:
    script = (
        "import sys\nfrom auditor.plugins import installed\n"
        "assert all(map(installed, ('attacks', 'drifts', 'inspectors', 'metrics')))\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('torch', 'auditor_plugins')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

"""What starts fast stays fast: planning and help import neither PyTorch nor any plugin."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

QUICKSTART = str(Path(__file__).parents[1] / "sample_jobs" / "quickstart.toml")

COMMAND = """
import atexit, sys
def report():
    print(*sorted(sys.modules), file=sys.stderr)
atexit.register(report)
sys.argv[0] = "auditor"
from auditor.cli.app import main
main()
"""

IMPORT = "import sys, importlib; importlib.import_module(sys.argv[1]); print(*sorted(sys.modules), file=sys.stderr)"


def modules(script: str, *arguments: str) -> tuple[str, set[str]]:
    """What a process printed, and the modules that it had imported at its end."""
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True)
    return done.stdout, set(done.stderr.splitlines()[-1].split())


def packages(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--help",), "Audit outsourced model training"),
        (("plan", "--help"), "without starting anything"),
        (("run", "--help"), "JOB"),
        (("plan", QUICKSTART), "quickstart"),
        (("plan", "--json", QUICKSTART), '"sub_runs": 200'),
        (("plan", "--catch", "0.99", "--share", "0.1", "--power", "0.9", QUICKSTART), "replicate_probability = "),
    ],
    ids=lambda value: " ".join(value).replace(QUICKSTART, "quickstart") if isinstance(value, tuple) else "",
)
def test_help_and_planning_import_neither_torch_nor_plugins(arguments: tuple[str, ...], words: str) -> None:
    printed, names = modules(COMMAND, *arguments)
    assert words in printed
    assert "auditor.cli.app" in names
    assert packages(names) & {"torch", "torchvision", "auditor_plugins", "textual"} == set()


@pytest.mark.parametrize("module", ["auditor.job", "auditor.store", "auditor.plugins"])
def test_the_lower_layers_load_no_torch_and_no_interface_library(module: str) -> None:
    _, names = modules(IMPORT, module)
    assert module in names
    assert packages(names) & {"torch", "torchvision", "rich", "typer", "textual", "auditor_plugins"} == set()

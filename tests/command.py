"""Running the `auditor` command, in a process of its own or in that of the tests, and reading what it prints."""

from __future__ import annotations

import json
import multiprocessing.spawn
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from typer.testing import CliRunner

from auditor.cli.app import app
from tests.warm_python import interpreter, with_these_tests

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Result:
    """How a command ended and what it printed."""

    code: int
    stdout: str
    stderr: str

    @property
    def events(self) -> list[dict[str, Any]]:
        """What was written to stdout, as JSON lines."""
        return [json.loads(line) for line in self.stdout.splitlines()]

    @property
    def verdict(self) -> dict[str, Any]:
        """The last line of `--json`."""
        last = self.events[-1]
        assert last["event"] == "verdict", self.stderr
        return last

    @property
    def verdicts(self) -> dict[str, str]:
        """The verdict of each provider."""
        return {one["name"]: one["verdict"] for one in self.verdict["providers"]}


class Auditor:
    """Runs commands in `folder` with `home` as `AUDITOR_HOME`."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        self.home = home

    def __call__(self, *arguments: str, environment: dict[str, str] | None = None) -> Result:
        """Run a command to its end."""
        done = subprocess.run(
            [interpreter(), "-m", "auditor", *arguments],
            cwd=self.folder,
            env=self.environment(environment),
            capture_output=True,
            text=True,
            check=False,
        )
        return Result(done.returncode, done.stdout, done.stderr)

    def here(self, *arguments: str) -> Result:
        """Run a command to its end in this process, in a fraction of the time: for what no process has a part in."""
        with (
            chdir(self.folder),
            patch.object(sys, "executable", interpreter()),
            patch.object(multiprocessing.spawn, "_python_exe", os.fsencode(interpreter())),
        ):
            done = CliRunner(env=self.environment()).invoke(app, arguments, catch_exceptions=False)
        return Result(done.exit_code, done.stdout, done.stderr)

    def start(self, *arguments: str, descends: bool = False) -> subprocess.Popen[str]:
        """Start a command; its stdout can be read line by line as it runs.

        Args:
            arguments: of the command.
            descends: whether all processes of an audit must descend from it; else it and they come from the warm one.
        """
        return subprocess.Popen(
            [sys.executable if descends else interpreter(), "-m", "auditor", *arguments],
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def job(self, name: str = "job.toml", **parts: Any) -> str:
        """Write a job file; see `job_text`. Returns its name, which is relative to `folder`."""
        (self.folder / name).write_text(job_text(**parts))
        return name

    def environment(self, more: dict[str, str] | None = None) -> dict[str, str]:
        """The environment of a command."""
        kept = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "NO_COLOR")}
        return kept | {"AUDITOR_HOME": str(self.home), "PYTHONPATH": with_these_tests(os.environ)} | (more or {})


def job_text(
    providers: Sequence[str] = ("a", "b", "c"),
    *,
    attacks: dict[str, str] | None = None,
    endpoints: dict[str, str] | None = None,
    steps: int = 30,
    audit: str = "fixed_selection = [0, 2]",
    metrics: str = '["update"]',
    task: str = 'dataset = "digits"',
    training: str = "",
    sub_run_steps: int = 10,
) -> str:
    """The text of a small job on digits whose first provider is the primary."""
    lines = [
        'name = "small"',
        "seed = 3",
        "[task]",
        task,
        "[training]",
        f"steps = {steps}",
        "batch_size = 32",
        training,
        "[audit]",
        f"sub_run_steps = {sub_run_steps}",
        f"metrics = {metrics}",
        audit,
    ]
    for index, name in enumerate(providers):
        lines += [
            "[[providers]]",
            f'name = "{name}"',
            f'endpoint = "{(endpoints or {}).get(name, "local:cpu")}"',
            f"primary = {str(index == 0).lower()}",
        ]
        if attack := (attacks or {}).get(name):
            lines.append(f"attack = {attack}")
    return "\n".join(lines) + "\n"


def until(process: subprocess.Popen[str], event: str) -> Iterator[dict[str, Any]]:
    """The events of a running `--json` command up to and including the first of kind `event`."""
    assert process.stdout is not None
    for line in process.stdout:
        read = json.loads(line)
        yield read
        if read["event"] == event:
            return
    assert process.stderr is not None
    raise AssertionError(f"the command ended before {event}: {process.stderr.read()}")

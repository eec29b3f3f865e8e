"""A handful of the audits that `python -m tests.faults` runs by the hundred, each under another fault."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.command import ROOT
from tests.warm_python import with_these_tests

KINDS = (
    "auditor killed",
    "connections cut",
)


@pytest.mark.slow
def test_what_goes_wrong_changes_no_verdict_and_loses_nothing() -> None:
    # A process of its own forks agents and auditors, which one with the threads of tests must not.
    command = [sys.executable, "-m", "tests.faults", "--audits", str(len(KINDS)), "--seed", "5"]
    command += [word for kind in KINDS for word in ("--only", kind)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": with_these_tests()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith("| ") and not line.startswith("| fault")]
    assert [row.split(" | ")[1:4] for row in rows] == [["1", "1", "0"]] * len(KINDS), done.stdout

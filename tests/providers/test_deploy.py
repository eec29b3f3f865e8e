"""What `deploy/` starts is an agent that there is, with options that it has."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import ROOT
from tests.docs.reference.commands import commands

FOLDER = ROOT / "deploy"
STARTS = re.compile(r"^(?:ExecStart=|ENTRYPOINT|CMD|\s*command:).*$", re.MULTILINE)


@pytest.mark.parametrize("name", ["Containerfile", "compose.yaml", "auditor-agent.service"])
def test_what_is_deployed_has_options_of_an_agent(name: str) -> None:
    (agent,) = (command for command in commands() if command.words == ("auditor", "agent"))
    known = {spelling for parameter in agent.parameters for spelling in parameter.names}
    started = STARTS.findall((FOLDER / name).read_text(encoding="utf-8"))
    given = set(re.findall(r"(?<![\w-])--[a-z-]+", " ".join(started)))
    assert given, name
    assert given <= known, f"{name}: an agent has no {given - known}"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    text = (FOLDER / "auditor-agent.service").read_text(encoding="utf-8")
    unit = tmp_path / "auditor-agent.service"
    unit.write_text(text.replace("/opt/auditor/bin/auditor", sys.executable))
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")

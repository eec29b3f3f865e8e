"""CI installs known versions: every dependency is pinned, to one that pyproject.toml allows."""

from __future__ import annotations

import re
import tomllib

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.command import ROOT

PIN = re.compile(r"([a-z0-9-]+)==([^\s+]+)")


def test_every_dependency_is_pinned_to_a_version_that_is_allowed() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    pins = {found[1]: found[2] for line in lines if (found := PIN.fullmatch(line))}
    assert len(pins) == len(lines), "each line is NAME==VERSION, without a local suffix"
    assert list(pins) == sorted(pins)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for text in (*project["dependencies"], *project["optional-dependencies"]["dev"]):
        requirement = Requirement(text)
        version = pins.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement.name} is not pinned"
        assert requirement.specifier.contains(version), f"{requirement.name}=={version}"

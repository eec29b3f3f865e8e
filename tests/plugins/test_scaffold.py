"""A package is written only where there is room for it, and only under a name that will work."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from auditor.plugins.scaffold import NewKind, ScaffoldError, write_package


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("Total-Variation", "with a letter, such as 'total_variation'.$"),
        (
            "3d",
            "^'3d' is not a valid name for a plugin; use up to 32 lower-case letters, .* with a letter, such as 'd'",
        ),
        ("lambda", "'lambda' is not a valid name for a plugin"),
        ("ends_", "such as 'ends'"),
        ("ümlaut", "such as 'mlaut'"),
        ("", "'' is not a valid name for a plugin"),
        ("x" * 33, f"such as '{'x' * 32}'"),
        ("zest", "^metric 'zest' of package auditor is already installed; choose another name.$"),
        ("plugins", "a module auditor_plugins already exists"),
    ],
)
def test_a_name_that_would_not_work_is_refused(tmp_path: Path, name: str, words: str) -> None:
    with pytest.raises(ScaffoldError, match=words):
        write_package("attack", name, tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_over(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("precious")
    with pytest.raises(ScaffoldError, match=r"already exists; choose another with --folder\.$"):
        write_package("metric", "mine", tmp_path)
    with pytest.raises(ScaffoldError, match=r"cannot be written: Not a directory\.$"):
        write_package("metric", "mine", tmp_path / "file" / "new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("kind", get_args(NewKind))
def test_the_name_is_everywhere_and_every_line_is_short(tmp_path: Path, kind: NewKind) -> None:
    written = write_package(kind, "far_off", tmp_path / "new")
    assert [path.name for path in written] == ["pyproject.toml", "README.md", "auditor_far_off.py", "test_far_off.py"]
    for path in written:
        text = path.read_text()
        assert "far_off" in text
        assert "$" not in text
        assert max(map(len, text.splitlines())) <= 120
    assert f'[project.entry-points."auditor.{kind}s"]\nfar_off = "auditor_far_off:FarOff"' in written[0].read_text()

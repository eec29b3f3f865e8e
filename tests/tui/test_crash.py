"""A crash of the interface itself: reported, without the values of local variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from auditor.tui.app import AuditorApp


class Crashing(AuditorApp):
    """Raises while a secret is in a local variable."""

    def on_ready(self) -> None:
        token = "s3cret" + "-token"  # noqa: F841
        raise RuntimeError("it broke")


async def test_a_crash_report_shows_no_local_variables(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    app = Crashing(home)
    with pytest.raises(RuntimeError, match="it broke"):
        async with app.run_test():
            pass
    report = capsys.readouterr().err
    assert "RuntimeError: it broke" in report
    assert "s3cret-token" not in report

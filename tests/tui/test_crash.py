"""A crash of the interface itself: reported, without the values of local variables."""

from __future__ import annotations

from pathlib import Path

import pytest
from rich.console import Console

from auditor.tui.app import AuditorApp


class Crashing(AuditorApp):
    """Raises while a secret is in a local variable."""

    def on_ready(self) -> None:
        token = "s3cret" + "-token"  # noqa: F841
        raise RuntimeError("it broke")


async def test_a_crash_report_shows_no_local_variables(home: Path) -> None:
    app = Crashing(home)
    with pytest.raises(RuntimeError, match="it broke"):
        async with app.run_test():
            pass
    console = Console(record=True, width=120, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    for renderable in app._exit_renderables:
        console.print(renderable)
    report = console.export_text()
    assert "it broke" in report
    assert "s3cret-token" not in report
    assert "locals" not in report

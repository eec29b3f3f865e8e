"""Accuracy and the success of attacks over the updates of an evolving job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.widgets import Static

from auditor.tui.signs import UNICODE, signs

if TYPE_CHECKING:
    from auditor.tui.run_follower import Snapshot


class SurvivalView(Static, can_focus=True):
    """The picture of an evolving job, drawn anew as updates finish."""

    HELP = """What the model of each update can do, on held-out samples that have drifted as its data has. The filled \
circle is its accuracy, and the open one that of the first training's model, which is what there would be without \
updates. Each attack that the job simulates has a sign of its own. A backdoor counts as alive while its success is \
over the line, γ. No verdict depends on any of this."""

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._snapshot: Snapshot | None = None

    def show(self, snapshot: Snapshot) -> None:
        """Draw the updates that were measured."""
        self._snapshot = snapshot
        self._draw()

    def on_resize(self) -> None:
        """Draw for the new size."""
        self._draw()

    def _draw(self) -> None:
        from auditor.report.survival_chart import ASCII_SURVIVAL, UNICODE_SURVIVAL, survival_lines

        snapshot = self._snapshot
        evolution = None if snapshot is None else snapshot.job.evolution
        if snapshot is None or evolution is None or not self.size.width:
            return
        marks = UNICODE_SURVIVAL if signs() is UNICODE else ASCII_SURVIVAL
        width, height = self.size
        self.update(Text("\n").join(survival_lines(snapshot.state, evolution, width, height, marks=marks)))

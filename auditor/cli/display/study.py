"""The picture of a study that a terminal shows while it runs."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console, Group, RenderableType

from auditor.experiments.evolving.record import StudyFollower

HEIGHT = 16
LEAST_TERMINAL = 20
"""A terminal with fewer lines has room for the bars alone."""


class StudyPicture:
    """Draws the settings that are being measured.

    Args:
        folder: of the study, within that of all studies.
    """

    def __init__(self, folder: Path) -> None:
        self._follower = StudyFollower(folder.parent, folder.name)

    def __call__(self, console: Console) -> RenderableType:
        """What was measured so far."""
        from auditor.report.study_chart import busiest, study_chart
        from auditor.report.survival_chart import chart_lines, survival_marks_for

        try:
            progress = self._follower.poll()
        except LookupError:  # somebody deleted it; the study goes on
            return ""
        if console.height < LEAST_TERMINAL:
            return ""
        marks = survival_marks_for(console.encoding)
        width = min(console.width, 110)
        chart = study_chart(progress, busiest(progress), marks)
        lines = chart_lines(chart, width, min(HEIGHT, console.height - 6), marks)
        return Group(*lines)

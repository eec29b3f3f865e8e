"""Accuracy and the success of attacks over the updates of a model that keeps learning."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from rich.text import Text
from textual.widgets import Static

from auditor.tui.signs import UNICODE, signs

if TYPE_CHECKING:
    from auditor.experiments.evolving.record import StudyProgress
    from auditor.report.survival_chart import SurvivalMarks
    from auditor.tui.run_follower import Snapshot


def survival_marks() -> SurvivalMarks:
    """The characters that this process's terminal can show."""
    from auditor.report.survival_chart import ASCII_SURVIVAL, UNICODE_SURVIVAL

    return UNICODE_SURVIVAL if signs() is UNICODE else ASCII_SURVIVAL


class SurvivalPicture(Static, can_focus=True):
    """A picture that is drawn anew for every size."""

    def __init__(self) -> None:
        super().__init__(markup=False)

    def on_resize(self) -> None:
        """Draw for the new size."""
        self.draw()

    def draw(self) -> None:
        """Draw what is known."""
        if self.size.width and (lines := self.lines(*self.size)):
            self.update(Text("\n").join(lines))

    @abstractmethod
    def lines(self, width: int, height: int) -> list[Text]:
        """The picture for this size; nothing while there is nothing to draw."""


class SurvivalView(SurvivalPicture):
    """The picture of an evolving job, drawn anew as updates finish."""

    HELP = """What the model of each update can do, on held-out samples that have drifted as its data has. The filled \
circle is its accuracy, and the open one that of the first training's model, which is what there would be without \
updates. Each attack that the job simulates has a sign of its own. A backdoor counts as alive while its success is \
over the line, γ. No verdict depends on any of this."""

    def __init__(self) -> None:
        super().__init__()
        self._snapshot: Snapshot | None = None

    def show(self, snapshot: Snapshot) -> None:
        """Draw the updates that were measured."""
        self._snapshot = snapshot
        self.draw()

    def lines(self, width: int, height: int) -> list[Text]:
        """See `SurvivalPicture`."""
        from auditor.report.survival_chart import survival_lines

        snapshot = self._snapshot
        evolution = None if snapshot is None else snapshot.job.evolution
        if snapshot is None or evolution is None:
            return []
        return survival_lines(snapshot.state, evolution, width, height, marks=survival_marks())


class StudySurvivalView(SurvivalPicture):
    """The picture of a study, drawn anew as updates are measured."""

    HELP = """The success of attacks after each update, a curve for each attack, the mean of the instances that were \
measured so far. The curve of the chosen setting is drawn over the others, with the accuracy of its models. A backdoor \
counts as alive while its success is over the line, γ. The table of settings chooses; until then, the picture follows \
what is being measured."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: tuple[StudyProgress, int] | None = None

    def show(self, progress: StudyProgress, number: int) -> None:
        """Draw a setting of a study, with those that differ from it in the attack alone."""
        self._shown = progress, number
        self.draw()

    def lines(self, width: int, height: int) -> list[Text]:
        """See `SurvivalPicture`."""
        from auditor.report.study_chart import study_chart
        from auditor.report.survival_chart import chart_lines

        if self._shown is None:
            return []
        marks = survival_marks()
        return chart_lines(study_chart(*self._shown, marks), width, height, marks)

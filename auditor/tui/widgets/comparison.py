"""Two providers side by side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from rich.text import Text
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Select

from auditor.tui.safe_text import safe_text
from auditor.tui.widgets.sortable_table import Row, SortableTable

if TYPE_CHECKING:
    from auditor.audit.record.findings import RecordedJudgement
    from auditor.tui.run_follower import Snapshot


class Comparison(Vertical):
    """Two choices, and what the audit measured of either and between both."""

    HELP = """Compare two providers. Each row shows the ratios of both and the distance between the models that they \
returned, for one replicated sub-run and one metric."""
    DEFAULT_CSS = """
    Comparison { height: 1fr; }
    Comparison > Horizontal { height: 1; }
    Comparison > Horizontal > Select { width: 1fr; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._snapshot: Snapshot | None = None
        self._names: list[str] = []

    def compose(self) -> Iterable[Widget]:
        """The choices and the table."""
        with Horizontal():
            yield Select[str]([], prompt="first provider", id="left", compact=True)
            yield Select[str]([], prompt="second provider", id="right", compact=True)
        headings = ("sub-run", "metric", "ratio (first)", "ratio (second)", "distance")
        yield SortableTable(*headings, empty="nothing measured of both", id="compared")

    def show(self, snapshot: Snapshot) -> None:
        """Show the run as it is now; at first the primary and the first replica are compared."""
        self._snapshot = snapshot
        if snapshot.names != self._names:
            self._names = snapshot.names
            choices = [(Content(safe_text(name, 40).plain), name) for name in self._names]
            for chooser, index in zip(self.query(Select[str]).results(Select), (0, 1), strict=False):
                chooser.set_options(choices)
                chooser.value = self._names[min(index, len(self._names) - 1)]
        self._draw()

    def on_select_changed(self, event: Select.Changed) -> None:
        """Compare what was chosen."""
        event.stop()
        self._draw()

    def _draw(self) -> None:
        left, right = (self.query_one(chooser, Select).value for chooser in ("#left", "#right"))
        if self._snapshot is not None and isinstance(left, str) and isinstance(right, str):
            self.query_one("#compared", SortableTable).show(_rows(self._snapshot, left, right))


def _rows(snapshot: Snapshot, left: str, right: str) -> list[Row]:
    from auditor.report.number_text import ratio_text

    rows = []
    for index, replication in sorted(snapshot.state.sub_runs.items()):
        for matrix in replication.matrices:
            if not {left, right} <= set(matrix.providers):
                continue
            a, b = matrix.providers.index(left), matrix.providers.index(right)
            distance = float(matrix.values[a, b])
            ratios = [_ratio(replication.judgements, name, matrix.metric) for name in (left, right)]
            cells = (str(index), matrix.metric, *map(ratio_text, ratios), f"{distance:.4g}")
            rows.append(
                Row(
                    key=f"{index}/{matrix.metric}",
                    cells=tuple(Text(cell) for cell in cells),
                    sort=(index, matrix.metric, *ratios, distance),
                )
            )
    return rows


def _ratio(judgements: tuple[RecordedJudgement, ...] | None, provider: str, metric: str) -> float | None:
    for judgement in judgements or ():
        if judgement.provider == provider and judgement.metric == metric:
            return judgement.ratio
    return None

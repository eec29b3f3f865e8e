"""How far the primary and each replica are, how fast, and how long it will take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from rich.text import Text

from auditor.tui.safe_text import padded, safe_text
from auditor.tui.signs import signs
from auditor.tui.widgets.lines import Lines

if TYPE_CHECKING:
    from auditor.tui.run_follower import Snapshot

BAR = 12


class ProgressList(Lines):
    """A bar for each provider that is at work, and the primary's loss."""

    HELP = """Progress: how far the primary is with the whole training and each replica with its sub-run, in steps, \
with its rate and the time left, and the primary's loss so far, the latest on the right."""

    def __init__(self) -> None:
        super().__init__()
        self._snapshot: Snapshot | None = None

    def show(self, snapshot: Snapshot) -> None:
        """Show how far everybody is."""
        self._snapshot = snapshot
        self.write(_lines(snapshot, max(10, self.size.width - 2)))

    def on_resize(self) -> None:
        """Lines fit the width that there is."""
        if self._snapshot is not None:
            self.show(self._snapshot)


def sparkline(values: Sequence[float], width: int) -> str:
    """The course of some values in one line; each column is the mean of its share of them."""
    values = [value for value in values if math.isfinite(value)]  # a loss can be anything
    if not values or width <= 0:
        return ""
    columns = min(width, len(values))
    edges = [round(index * len(values) / columns) for index in range(columns + 1)]
    means = [sum(values[a:b]) / (b - a) for a, b in pairwise(edges)]
    low, high = min(means), max(means)
    levels = signs().levels
    if low == high:
        return levels[0] * columns
    return "".join(levels[round((mean - low) / (high - low) * (len(levels) - 1))] for mean in means)


def _lines(snapshot: Snapshot, width: int) -> list[Text]:
    state = snapshot.state
    primary = snapshot.job.primary.name
    name_width = min(14, max(len(name) for name in snapshot.names))
    progress = state.provider(primary)
    committed = state.step
    step = max(progress.step, committed)
    rate = progress.rate if snapshot.running and not state.primary_finished else None
    lines = [_bar(padded(primary, name_width), step, snapshot.job.training.steps, rate, "")]
    if snapshot.losses:
        loss = f"loss {snapshot.losses[-1]:.4f} "
        lines.append(Text(padded("", name_width) + " " + loss + sparkline(snapshot.losses, width - name_width - 14)))
    for name in snapshot.names[1:]:
        lines.append(_replica(snapshot, name, padded(name, name_width)))
    return lines


def _replica(snapshot: Snapshot, name: str, label: str) -> Text:
    state, k = snapshot.state, snapshot.job.audit.sub_run_steps
    progress = state.provider(name)
    if progress.lost is not None:
        return safe_text(f"{label} {signs().verdicts['unreachable']} lost: {progress.lost}", 300, "bold")
    for index, sub_run in sorted(state.sub_runs.items()):
        replica = sub_run.replicas.get(name)
        if replica is not None and not replica.over and state.finished is None:
            start = index * k
            length = min(k, snapshot.job.training.steps - start)
            return _bar(label, min(max(0, progress.step - start), length), length, progress.rate, f"sub-run {index}")
    done = sum(1 for sub_run in state.sub_runs.values() if name in sub_run.replicas and sub_run.replicas[name].over)
    device = "no answer yet" if progress.device is None else f"idle, {done} replicated"
    return Text(f"{label} {device}", style="dim")


def _bar(label: str, step: int, steps: int, rate: float | None, note: str) -> Text:
    from auditor.report.number_text import seconds_text

    filled = round(BAR * step / steps) if steps else 0
    figures = f"{step:,}/{steps:,}"
    if rate:
        figures += f"  {rate:.0f}/s  {seconds_text((steps - step) / rate)} left"
    return Text(f"{label} {signs().filled * filled}{signs().empty * (BAR - filled)} {figures}  {note}".rstrip())

"""Every judgement of every provider: sub-run, metric, ratio and p-value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from auditor.tui.safe_text import safe_text
from auditor.tui.signs import signs
from auditor.tui.widgets.sortable_table import Row, SortableTable

if TYPE_CHECKING:
    from auditor.audit.record.findings import RecordedJudgement
    from auditor.tui.run_follower import Snapshot


class EvidenceTable(SortableTable):
    """A row for each judgement; the distances of the row under the cursor are shown beside it."""

    HELP = """The evidence, one row for each provider, replicated sub-run and metric. The ratio says how much farther \
the provider's model lies from the reference models than these lie from one another. The p-value says how likely a \
ratio this large is for a benign provider. The distances pane shows the distances behind the row under the cursor."""

    def __init__(self) -> None:
        headings = ("provider", "p", "ratio", "sub-run", "metric", "note")
        super().__init__(*headings, sort_by=1, empty="nothing judged yet", id="evidence")
        self._places: dict[str, tuple[str, int, str]] = {}

    @property
    def evidence(self) -> tuple[str, int, str] | None:
        """Provider, sub-run and metric of the row that the cursor is on."""
        return self._places.get(self.selected or "")

    def show_evidence(self, snapshot: Snapshot) -> None:
        """Show all judgements, and the replicas that failed."""
        rows, self._places = [], {}
        for index, replication in sorted(snapshot.state.sub_runs.items()):
            for judgement in replication.judgements or ():
                key = f"{index}/{judgement.metric}/{judgement.provider}"
                self._places[key] = (judgement.provider, index, judgement.metric)
                rows.append(_judged(key, index, judgement))
            rows += [
                _noted(f"{index}//{name}", index, name, f"failed: {replica.failure}")
                for name, replica in replication.replicas.items()
                if replica.failure is not None
            ]
        self.show(rows)


def _judged(key: str, sub_run: int, judgement: RecordedJudgement) -> Row:
    from auditor.report.number_text import p_text, ratio_text
    from auditor.report.timeline import judged

    p_value, ratio = judgement.p_value, judgement.ratio
    kind = judged(judgement)
    sign = signs().cells[kind]
    style = "verdict.flagged" if kind == "flagged" else ""
    provider, metric = judgement.provider, judgement.metric
    return Row(
        key=key,
        cells=(
            safe_text(provider, 24, style),
            Text(f"{sign} {p_text(p_value)}", style=style),
            Text(ratio_text(ratio)),
            Text(str(sub_run)),
            safe_text(metric, 24),
            safe_text(judgement.note, 120),
        ),
        sort=(provider, p_value, ratio, sub_run, metric, judgement.note or None),
    )


def _noted(key: str, sub_run: int, provider: str, note: str) -> Row:
    sign = signs().cells["failed"]
    return Row(
        key=key,
        cells=(
            safe_text(provider, 24),
            Text(f"{sign} –"),
            Text("–"),
            Text(str(sub_run)),
            Text("–"),
            safe_text(note, 120),
        ),
        sort=(provider, None, None, sub_run, None, note),
    )

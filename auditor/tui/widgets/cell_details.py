"""What is under the timeline's cursor, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text
from textual.widgets import Static

from auditor.tui.safe_text import safe_text
from auditor.tui.signs import EXPLANATIONS, signs

if TYPE_CHECKING:
    from auditor.audit.record.state import Replica
    from auditor.tui.run_follower import Snapshot


class CellDetails(Static):
    """Step, loss, digest and duration of one provider in one sub-run."""

    def show(self, snapshot: Snapshot, provider: str, sub_run: int) -> None:
        """Show what is known of a cell."""
        from auditor.report.timeline import cell

        kind = cell(snapshot.state, provider, sub_run)
        k, steps = snapshot.job.audit.sub_run_steps, snapshot.job.training.steps
        head = Text.assemble(
            f"{signs().cells[kind]} ",
            (safe_text(provider, 40).plain, "bold"),
            f", sub-run {sub_run} (steps {sub_run * k} to {min(steps, (sub_run + 1) * k)}): {EXPLANATIONS[kind]}",
        )
        primary = provider == snapshot.job.primary.name
        facts = _of_primary(snapshot, sub_run) if primary else _of_replica(snapshot, provider, sub_run)
        facts += _judgements(snapshot, provider, sub_run)
        text = Text("\n").join([head, safe_text("; ".join(facts) or "nothing known yet", 300)])
        self.update(text, layout=False)  # its height is fixed


def _of_primary(snapshot: Snapshot, sub_run: int) -> list[str]:
    boundary = snapshot.state.boundaries.get(sub_run + 1)
    if boundary is None:
        return []
    opened = {None: "not opened", True: "opened, as committed", False: "opened, not finite"}[boundary.finite]
    return [f"committed {boundary.digest[:12]} at step {boundary.step}", opened]


def _of_replica(snapshot: Snapshot, provider: str, sub_run: int) -> list[str]:
    from auditor.report.number_text import seconds_text

    replica: Replica | None = snapshot.state.sub_run(sub_run).replicas.get(provider)
    if replica is None:
        return []
    if replica.failure is not None:
        return [f"failed: {replica.failure}"]
    if replica.digest is None:
        state = snapshot.state.provider(provider)
        loss = "" if state.loss is None else f", loss {state.loss:.4f}"
        return [f"at step {state.step}{loss}"]
    took = "" if replica.seconds is None else f" after {seconds_text(replica.seconds)}"
    return [f"returned {replica.digest[:12]}{took}"]


def _judgements(snapshot: Snapshot, provider: str, sub_run: int) -> list[str]:
    from auditor.report.summary import figure

    replication = snapshot.state.sub_run(sub_run)
    if replication.undecided is not None:
        return [replication.undecided]
    own = [judgement for judgement in replication.judgements or () if judgement.provider == provider]
    return [figure(judgement, named=True) for judgement in own]

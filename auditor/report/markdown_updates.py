"""The updates of an evolving job in a Markdown report: what was audited when, and what each model can do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from auditor.report.markdown_text import bullets, code, table, words
from auditor.report.number_text import percent_text, served_text


def update_section(report: Mapping[str, Any]) -> Iterator[str]:
    """The lines about the updates; none for a job that does not evolve.

    Args:
        report: what `document` gives.
    """
    if not report["updates"]:
        return
    yield "## Updates"
    yield ""
    yield (
        "The model was trained once, as update 0, and then updated on fresh data. Every update was audited as a run "
        "of its own, from the model that the update before delivered."
    )
    yield ""
    rows = [
        (
            str(update["update"]),
            code(update["run"]),
            words(update["drift"] or ""),
            f"**{update['outcome'] or 'none yet'}**",
            ", ".join(code(name) for name, verdict in update["verdicts"].items() if verdict == "flagged") or "–",
            _share(update["accuracy"]),
            _share(update["accuracy_without_updates"]),
            "; ".join(f"{words(one['attack'])} {_success(one)}" for one in update["attacks"]) or "–",
        )
        for update in report["updates"]
    ]
    headings = (
        "update",
        "run",
        "drift",
        "outcome",
        "flagged",
        "accuracy",
        "accuracy without updates",
        "attack success",
    )
    yield from table(headings, rows)
    if any(update["data"] is not None for update in report["updates"]):
        yield "### The data of the updates"
        yield ""
        yield from bullets(_data(update) for update in report["updates"] if update["data"] is not None)


def _data(update: Mapping[str, Any]) -> str:
    read = update["data"]
    said = words("; ".join([read["summary"], *read["remarks"]]))
    return f"update {update['update']}, {code(read['dataset'])}: {said}"


def _success(attack: Mapping[str, Any]) -> str:
    return "–" if attack["success"] is None else served_text(attack["success"], attack["delivered"])


def _share(value: float | None) -> str:
    return "–" if value is None else percent_text(value)

"""What `auditor inspect --smoothing` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from auditor.cli.narration import output, say

if TYPE_CHECKING:
    from auditor.audit.smoothed_quality import SmoothedQuality


def write_smoothing(quality: SmoothedQuality, json: bool) -> None:
    """Write what smoothing costs and leaves, as a table or as one JSON object."""
    if json:
        import json as encoder

        output(encoder.dumps({"smoothing": quality.payload}, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("smoothing", "without", f"σ = {quality.sigma:g}"):
        table.add_column(heading, justify="left" if heading == "smoothing" else "right")
    table.add_row("accuracy", _share(quality.accuracy), _share(quality.smoothed_accuracy))
    for one in quality.attacks:
        name = f"success of {one.attack} by {one.provider}"
        if one.failure:
            table.add_row(name, "?", Text(one.failure))
        else:
            table.add_row(name, _share(one.success), _share(one.smoothed))
    Console(highlight=False).print(table)
    say(
        f"Of {quality.samples:,} held-out samples, by the majority of {quality.copies} noisy copies. A trigger that is "
        "larger than the noise, or repeated, survives it."
    )


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"

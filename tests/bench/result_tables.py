"""Prints what a benchmark found as a Markdown table, for docs/results.md.

    python -m tests.bench.result_tables headline [participants=16 replicated=4 …]

reads the results of the benchmark under AUDITOR_HOME; each `key=value` keeps the settings that have that value.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from auditor.store.home import home

SET = ("seeds", "sub_run_steps", "participants", "malicious", "replicated", "metric_names", "decision")
NAMES = ("seeds", "k", "n", "malicious", "m", "metrics", "decision")


def percent(rate: dict[str, Any]) -> str:
    """A rate with its interval and what it is a share of."""
    if rate["rate"] is None:
        return "–"
    return f"{100 * rate['rate']:.2f} % of {rate['of']:,} ({100 * rate['low']:.1f}–{100 * rate['high']:.1f})"


def main(name: str, wanted: Sequence[str]) -> None:
    rows = [json.loads(line) for line in (home() / "bench" / name / "results.jsonl").read_text().splitlines()]
    kept = dict(one.split("=", 1) for one in wanted)
    rows = [
        row for row in rows if row["kind"] == "setting" and all(str(row[key]) == value for key, value in kept.items())
    ]
    shown = [index for index, key in enumerate(SET) if len({str(row[key]) for row in rows}) > 1]
    heads = [*(NAMES[index] for index in shown), "caught", "false alarms", "AUC", "extra steps"]
    unsure = any(row["undecided"] for row in rows)
    heads += ["undecided"] * unsure
    print(f"| {' | '.join(heads)} |\n| {' | '.join('---' for _ in heads)} |")
    for row in rows:
        area = row["area_under_curve"]
        cells = [
            *(str(row[SET[index]]) for index in shown),
            percent(row["true_positives"]),
            percent(row["false_positives"]),
            "–" if area is None else f"{area:.4f}",
            f"{row['extra_steps']:,}",
            *[f"{row['undecided']:,}"] * unsure,
        ]
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])

"""What audits see of a primary that trains honestly from initial weights that it has loaded, by who draws them.

    python -m tests.bench.loaded_start [--seeds 20] [--attack TABLE] [--task TOML] [--rows …]

The attack is one that changes the checkpoint of step 0 in `on_initial`, and does nothing else. Without `--attack` it is
the one of `tests.audit.test_coins`, in a file of its own. Sub-run 0 is replicated in every audit: others do not
show it.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from pathlib import Path

from tests.audit.test_coins import DRAWS, LOADS, draws
from tests.command import Auditor, job_text

STEPS = 10


def audited(attack: str, task: str, seeds: str, drawn_by: str, count: int, steps: int = STEPS) -> Counter[str]:
    """Of so many audits, in how many the primary was flagged, somebody else was, and nobody (`clean`).

    Args:
        attack: of the primary, as a table of a job file.
        task: the keys of the task, as lines of a job file.
        seeds: `shared` or `own`.
        drawn_by: `client`, `coin` or `provider`.
        count: how many audits.
        steps: of training.
    """
    found: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        auditor = Auditor(Path(folder), Path(folder) / "home")
        (auditor.folder / "loads.py").write_text(LOADS)
        for seed in range(1, count + 1):
            text = job_text(attacks={"a": attack}, task=task, steps=steps, audit=draws(seeds, drawn_by))
            (auditor.folder / "job.toml").write_text(f'plugins = ["loads.py"]\n{text}')
            result = auditor.here("run", "job.toml", "--seed", str(seed), "--json")
            found["primary"] += result.verdicts["a"] == "flagged"
            found["others"] += "flagged" in (result.verdicts["b"], result.verdicts["c"])
            found["clean"] += result.code == 0
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--attack", default='{ name = "loads" }')
    parser.add_argument("--task", default='dataset = "digits"')
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--rows", default="", help="such as shared/client,own/coin; all if not given")
    asked = parser.parse_args()
    print("| `seeds` | `drawn_by` | audits | primary flagged | somebody else flagged | clean |")
    print("|---|---|---|---|---|---|")
    for seeds, drawn_by in DRAWS:
        if asked.rows and f"{seeds}/{drawn_by}" not in asked.rows.split(","):
            continue
        found = audited(asked.attack, asked.task, seeds, drawn_by, asked.seeds, asked.steps)
        cells = (seeds, drawn_by, asked.seeds, found["primary"], found["others"], found["clean"])
        print(f"| {' | '.join(map(str, cells))} |", flush=True)


if __name__ == "__main__":
    main()

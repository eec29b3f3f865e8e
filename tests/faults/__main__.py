"""Audits while something goes wrong, and a table of what came of them.

    python -m tests.faults [--audits 200] [--first N] [--seed N] [--only FAULT]…

Each audit is of a small training at three agents in processes of their own. In every other one, an agent deviates. A
fault of one kind happens at moments that the seed draws. The table says for each kind how many audits ended with the
verdicts of an undisturbed one, how many with an honest `inconclusive` or `unreachable`, and what was lost.
"""

from __future__ import annotations

import argparse
import os
import random
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
import torch._dynamo  # what optimizers import when they are first made

import auditor.audit.engine
import auditor.cli.app
import auditor.providers.agent.http_server  # noqa: F401
from tests.faults.kinds import FAULTS
from tests.faults.trial import Outcome, trial


def main() -> int:
    """Run the audits, and print the table; 1 where anything was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument("--audits", type=int, default=200)
    parser.add_argument("--first", type=int, default=0, help="go on with this one, counted from 0")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--only", action="append", default=[], metavar="FAULT", help="of this kind; repeatable")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    kinds = [kind for kind in FAULTS if not chosen.only or kind in chosen.only]
    print(f"seed {chosen.seed}, {chosen.audits} audits", flush=True)
    outcomes: list[Outcome] = []
    for number in range(chosen.first, chosen.audits):
        # Every kind comes in turn, and each turn has both an honest and a deviating one.
        seed = chosen.seed * 10_000 + 2 * (number // 2) + (number // len(kinds) + number) % 2
        outcome = trial(kinds[number % len(kinds)], seed)
        outcomes.append(outcome)
        said = ", ".join(f"{name} {verdict}" for name, verdict in outcome.verdicts.items())
        print(
            f"{number + 1:>4}  {outcome.fault:<28} seed {seed}  exit {outcome.code}  resumed {outcome.resumed}  "
            f"{outcome.seconds:5.1f} s  {said}",
            *(f"\n      LOST {loss}" for loss in outcome.losses),
            flush=True,
        )
        if number % 14 == 13:
            table(outcomes)
    table(outcomes)
    return int(any(outcome.losses for outcome in outcomes))


def table(outcomes: list[Outcome]) -> None:
    """Print what came of each kind, in Markdown."""
    print("\n| fault | audits | undisturbed verdicts | honestly inconclusive or unreachable | resumed | lost |")
    print("|---|---|---|---|---|---|")
    for kind in FAULTS:
        rows = [outcome for outcome in outcomes if outcome.fault == kind]
        if rows:
            same, lost = sum(row.same for row in rows), sum(bool(row.losses) for row in rows)
            honest = sum(not row.same and not row.losses for row in rows)
            print(f"| {kind} | {len(rows)} | {same} | {honest} | {sum(row.resumed for row in rows)} | {lost} |")
    print(f"\n{len(outcomes)} audits in {sum(row.seconds for row in outcomes):,.0f} s\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())

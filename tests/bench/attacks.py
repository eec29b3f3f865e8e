"""What each attack achieves, and what an audit sees of it, with the client's seeds and with the providers' own.

Clean accuracy and attack success are those of a model that trained with the attack for long: on digits the whole job
from fresh weights, else some hundred steps from an honest checkpoint. What an audit sees is one sub-run from an honest
checkpoint, executed by the attacker and by honest providers: per metric the reference-clique ratio that the decision
gives the attacker (with the client's seeds in units of the metric's noise floor, where the honest ones lie below it),
and the verdict of the default decision on that sub-run alone, all metrics together, at the default false-alarm rate.
Honest providers with the client's seeds differ in threads and memory layout.

    python -m tests.bench.attacks [--dataset tensors:cifar10.safetensors] [--markdown docs/attacks.md]

Rows are kept under AUDITOR_HOME as they come, so that an interrupted run goes on where it was; --fresh begins anew.
Digits take about 5 minutes on two cores, CIFAR-10 about 30.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from auditor.base.seeds import Seeds
from auditor.store.home import home
from tests.bench.attack_rows import Range
from tests.bench.attack_suite import SUITE, Setting, Variant, setting_for, suite_for

Row = dict[str, Any]


@cache
def working(setting_json: str, folder: str) -> Range:
    """What a process trains and measures with."""
    return Range(Setting(**json.loads(setting_json)), Path(folder))


def train_start(setting: str, folder: str) -> None:
    working(setting, folder).train_start()


def train_honest(setting: str, folder: str, seeds: Any, index: int) -> None:
    working(setting, folder).train_honest(seeds, index)


def make_row(setting: str, folder: str, variant: Variant) -> Row:
    begun = time.monotonic()
    return working(setting, folder).row(variant) | {"seconds": time.monotonic() - begun}


def kept_rows(path: Path) -> dict[str, Row]:
    """The rows of an earlier run; a line that was cut off is none."""
    rows: dict[str, Row] = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue
        rows[row["key"]] = row
    return rows


def rows(setting: Setting, variants: Sequence[Variant], folder: Path, processes: int) -> Iterator[Row]:
    """Every row as soon as it is there, those that were kept first."""
    told = json.dumps(asdict(setting)), str(folder)
    keys = {variant.label: hashlib.sha256(f"{told[0]}{variant}".encode()).hexdigest() for variant in variants}
    kept = kept_rows(folder / "rows.jsonl")
    missing = [variant for variant in variants if keys[variant.label] not in kept]
    yield from (kept[keys[variant.label]] for variant in variants if variant not in missing)
    if not missing:
        return
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        pool.submit(train_start, *told).result()
        honest = [pool.submit(train_honest, *told, seeds, index) for seeds in Seeds for index in range(setting.honest)]
        for one in honest:
            one.result()
        with (folder / "rows.jsonl").open("a") as file:
            begun = {pool.submit(make_row, *told, variant): variant for variant in missing}
            for done in as_completed(begun):
                if error := done.exception():
                    print(f"{begun[done].label}: {error!r}", file=sys.stderr)
                    continue
                row = done.result() | {"key": keys[begun[done].label]}
                file.write(json.dumps(row) + "\n")
                file.flush()
                yield row


def figure(ratio: float | None) -> str:
    if ratio is None:
        return "–"
    return f"{ratio:.2f}" if ratio < 9.995 else f"{ratio:.1f}" if ratio < 99.95 else f"{min(ratio, 99999):.0f}"


def share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def tables(found: Sequence[Row]) -> dict[str, list[list[str]]]:
    """One table for each kind of seeds, the heading first."""
    made: dict[str, list[list[str]]] = {}
    for seeds in Seeds:
        metrics = list(found[0][seeds]["ratios"])
        made[seeds] = [["attack", "accuracy", "success", *metrics, "verdict"]]
        for row in found:
            judged = row[seeds]
            ratios = [figure(judged["ratios"][metric]) for metric in metrics]
            made[seeds].append(
                [row["label"], share(row["accuracy"]), share(row["success"]), *ratios, judged["verdict"]]
            )
    return made


def missed(found: Sequence[Row], seeds: str) -> list[str]:
    return [row["label"] for row in found if row["label"] != "honest" and row[seeds]["verdict"] != "flagged"]


def title(setting: Setting, seeds: str) -> str:
    k = setting.client_steps if seeds is Seeds.SHARED else setting.provider_steps
    whose = "the client's seeds" if seeds is Seeds.SHARED else "the providers' own seeds"
    return f"{setting.dataset.rpartition('/')[2]}, {setting.model}: {whose}, one sub-run of {k} steps"


def as_text(table: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) if index == 0 else cell.rjust(width) for index, (cell, width) in enumerate(cells))
        for cells in (list(zip(row, widths, strict=True)) for row in table)
    )


def as_markdown(table: Sequence[Sequence[str]]) -> str:
    rule = ["---", *["---:"] * (len(table[0]) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (table[0], rule, *table[1:]))


def explanation(setting: Setting) -> str:
    begun = f"an honest checkpoint of step {setting.start_steps}" if setting.success_from_start else "fresh weights"
    longer = ", ".join(f"{one.label}: {one.patience} times as many" for one in SUITE if one.patience > 1)
    success = f"after {setting.success_steps} steps from {begun} ({longer})"
    return (
        f"Batches of {setting.batch_size}, SGD with momentum 0.9. Accuracy and attack success {success}, learning rate "
        f"{setting.success_rate:g}. Sub-runs start from an honest checkpoint of step {setting.start_steps} (learning "
        f"rate {setting.start_rate:g}) and have a learning rate of {setting.rate:g}; {setting.honest} honest providers "
        "and the attacker. Figures under a metric are reference-clique ratios; the verdict is that of the default "
        "decision on this one sub-run, by all metrics together with their default options."
    )


def report(setting: Setting, found: Sequence[Row], *, markdown: bool) -> str:
    parts = [explanation(setting)] if markdown else []
    for seeds, table in tables(found).items():
        heading = title(setting, seeds)
        named = "; ".join(missed(found, seeds)) or "none"
        parts.append(f"### {heading[:1].upper()}{heading[1:]}" if markdown else heading)
        parts.append(as_markdown(table) if markdown else as_text(table))
        parts.append(f"Missed in this sub-run: {named}.")
    return "\n\n".join(parts) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dataset", default="digits", help="digits, or as a job file has it")
    parser.add_argument("--attacks", nargs="+", metavar="LABEL", help="only those whose label contains one of these")
    parser.add_argument("--markdown", type=Path, help="write the tables to this file, too")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--fresh", action="store_true", help="forget the rows and checkpoints of earlier runs")
    arguments = parser.parse_args()
    setting = setting_for(arguments.dataset)
    suite = suite_for(arguments.dataset)
    variants = [one for one in suite if not arguments.attacks or any(word in one.label for word in arguments.attacks)]
    digest = hashlib.sha256(json.dumps(asdict(setting)).encode()).hexdigest()[:12]
    folder = home() / "bench" / f"attacks-{digest}"
    if arguments.fresh:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    begun, found = time.monotonic(), []
    for row in rows(setting, variants, folder, arguments.processes):
        found.append(row)
        verdicts = ", ".join(f"{seeds} {row[seeds]['verdict']}" for seeds in Seeds)
        print(
            f"{row['label']:32} accuracy {share(row['accuracy']):>7}  success {share(row['success']):>7}  "
            f"{verdicts}  ({row['seconds']:.0f} s)",
            flush=True,
        )
    order = [variant.label for variant in SUITE]
    found.sort(key=lambda row: order.index(row["label"]))
    print(f"\n{report(setting, found, markdown=False)}\n{time.monotonic() - begun:.0f} s")
    if arguments.markdown is not None:
        arguments.markdown.write_text(report(setting, found, markdown=True))


if __name__ == "__main__":
    main()

"""The results of a benchmark as one self-contained HTML page: tables, plots as SVG, and where they come from."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.base.seeds import Seeds
from auditor.experiments.findings import Capability, Result
from auditor.report.bench import HEADINGS, attack_rows, summary_rows
from auditor.report.bench_distances import attack_plot, by_setting, histogram_plot
from auditor.report.bench_plots import cost_plot, power_plot, score_plot
from auditor.report.bench_sweeps import sweep_plot, sweeps
from auditor.report.result_page import html_table, write_figures, write_result_page

if TYPE_CHECKING:
    from auditor.experiments.bench import Bench


def write_page(bench: Bench, results: Sequence[Result], path: Path, when: str) -> Path:
    """Write the page; returns its path.

    Args:
        bench: what was measured.
        results: of every setting.
        path: where to.
        when: the time, for the reader.
    """
    capabilities = list(bench.capabilities())
    inspectors = [f"{use.name}, suspected" for use in bench.benchmark.inspectors]
    figures = figures_of(bench, results)
    parts = [
        f"<p>{html.escape(_about(bench, when))}</p>",
        "<h2>Rates</h2>",
        "<p>Rates are in per cent, with exact 95 % confidence intervals (Clopper and Pearson). The intervals count "
        "every judgement as independent. Judgements of one model in several committees are not independent, so the "
        "intervals are too narrow if there are more committees than trainings in the pools. With the client's seeds, "
        "malicious providers whose model equals an honest one bit for bit did nothing and are left out.</p>",
        html_table(HEADINGS, summary_rows(results)),
        *write_figures(path.parent / "figures", figures),
        "<h2>Caught, by attack</h2>",
        html_table(*attack_rows(results)),
        "<h2>What the attacked models can do</h2>",
        html_table(
            ("provider", "seeds", "k", "models", "accuracy", "attack success", *inspectors), _abilities(capabilities)
        ),
        *_noise(bench),
        "<h2>Where the figures come from</h2>",
        f"<p>Folder <code>{html.escape(str(bench.layout.folder))}</code>. Each setting names the files with its "
        "distances. Each file names the models that it compares, in <code>returns/</code>.</p>",
        html_table(("setting", "trainings", "files in distances/"), _sources(results)),
    ]
    return write_result_page(path, bench.benchmark.name, parts)


def figures_of(bench: Bench, results: Sequence[Result]) -> dict[str, str]:
    """Every figure that the results are good for, as SVG, by a name that a file can have."""
    figures = {"power": power_plot(results), "evidence": score_plot(results)}
    if (cost := cost_plot(results, bench.job.training.steps)) is not None:
        figures["cost"] = cost
    for (seeds, steps, metric), found in by_setting(bench.distances()).items():
        label = f"{metric}-{seeds}-{steps}"
        figures[f"histogram-{label}"] = histogram_plot(found[0])
        figures[f"attacks-{label}"] = attack_plot(found)
    for index, sweep in enumerate(sweeps(bench)):
        figures[f"sweep-{index}"] = sweep_plot(sweep, bench, results)
    return figures


def _about(bench: Bench, when: str) -> str:
    pool, job = bench.benchmark.pool, bench.job
    kinds = sorted({member.kind for member in bench.members if member.malicious})
    return (
        f"{job.name}: {job.task.title}; {pool.benign} honest executions of each "
        f"sub-run and {sum(member.malicious for member in bench.members)} adversaries ({', '.join(kinds)}); "
        f"{pool.history} history; {bench.benchmark.judged} members judged in a setting, each as the primary, or as "
        f"many as there are different committees for; benchmark seed {bench.benchmark.seed}. {when}."
    )


def _abilities(capabilities: Iterable[Capability]) -> list[tuple[str, ...]]:
    groups: dict[tuple[str, str, int], list[Capability]] = {}
    for capability in capabilities:
        groups.setdefault((capability.member.rpartition(" ")[0], capability.seeds, capability.steps), []).append(
            capability
        )
    rows: list[tuple[str, ...]] = []
    for (kind, seeds, steps), members in sorted(groups.items()):
        successes = [capability.success for capability in members if capability.success is not None]
        accuracy = sum(capability.accuracy for capability in members) / len(members)
        success = f"{100 * sum(successes) / len(successes):.1f}" if successes else "–"
        figures = (str(steps), str(len(members)), f"{100 * accuracy:.1f}", success)
        rows.append((kind, seeds, *figures, *_suspected(members)))
    return rows


def _noise(bench: Bench) -> list[str]:
    """With the client's seeds: how far apart honest models were that computed in differing ways, and the floor."""
    rows = [
        (
            pair.metric,
            str(pair.steps),
            pair.start,
            f"{pair.largest_honest:.3g}",
            f"{floor:.3g}",
            f"{pair.largest_honest / floor:.2g}",
        )
        for pair in bench.distances()
        if pair.seeds is Seeds.SHARED and (floor := pair.measurement.noise_floor) is not None
    ]
    if not rows:
        return []
    explanation = (
        "Honest members compute in ways that round differently: threads, memory layout, with and without oneDNN. If "
        "their largest distance exceeds the metric's noise floor, the floor is too low for this machine and this job."
    )
    heads = ("metric", "k", "sub-run", "largest honest distance", "noise floor", "of the floor")
    return ["<h2>Numerical noise</h2>", f"<p>{explanation}</p>", html_table(heads, rows)]


def _suspected(members: Sequence[Capability]) -> list[str]:
    """How many of the models each inspector suspects."""
    return [
        str(sum(bool(model.inspected[inspector].get("suspicious")) for model in members))
        for inspector in members[0].inspected
    ]


def _sources(results: Sequence[Result]) -> list[tuple[str, ...]]:
    return [
        (
            f"{result.setting.seeds}, k = {result.setting.sub_run_steps}, n = {result.setting.size}, "
            f"{result.setting.metric_names}, {result.setting.decision}",
            f"{result.trainings[0]} honest, {result.trainings[1]} malicious",
            " ".join(result.distances),
        )
        for result in results
    ]

"""Plots of what was judged in a benchmark: power, evidence, and cost."""

from __future__ import annotations

from collections.abc import Sequence

from auditor.experiments.findings import Result
from auditor.report.svg_figure import BENIGN, COLOURS, MALICIOUS, as_svg, new_figure

SETTINGS_SHOWN = 60
"""More bars than that are no plot."""


def power_plot(results: Sequence[Result]) -> str:
    """Shares caught and falsely flagged in every setting, with their intervals."""
    shown = list(results)[:SETTINGS_SHOWN]
    figure = new_figure(8, 1.2 + 0.28 * len(shown))
    axes = figure.subplots()
    for sign, colour, label in ((0.17, MALICIOUS, "malicious, flagged"), (-0.17, BENIGN, "benign, flagged")):
        for row, result in enumerate(shown):
            rate = result.tally.detections if sign > 0 else result.tally.alarms
            if rate.value is None:
                continue
            low, high = rate.interval()
            where = len(shown) - row + sign
            axes.plot([low, high], [where, where], color=colour, linewidth=1)
            axes.plot([rate.value], [where], "o", color=colour, markersize=4, label=label if row == 0 else None)
    axes.set_yticks(range(len(shown), 0, -1), [_label(result) for result in shown], fontsize=7)
    axes.axvline(shown[0].setting.false_alarm_rate, color="grey", linewidth=0.8, linestyle=":")
    axes.set_xlabel("share flagged; dotted: the requested false alarm rate")
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)
    return as_svg(figure)


def score_plot(results: Sequence[Result]) -> str:
    """Shared and own seeds apart, the evidence against malicious and benign members in its best-separating setting."""
    kinds = list(dict.fromkeys(result.setting.seeds for result in results))
    figure = new_figure(8, 2.6 * len(kinds))
    for index, seeds in enumerate(kinds):
        axes = figure.add_subplot(len(kinds), 1, index + 1)
        best = max(
            (result for result in results if result.setting.seeds == seeds),
            key=lambda result: result.tally.separation or 0,
        )
        malicious, benign = ([min(score, 80.0) for score in part] for part in best.tally.scores)
        bins = [2.0 * edge for edge in range(42)]
        axes.hist(
            [benign, malicious], bins=bins, stacked=True, color=[BENIGN, MALICIOUS], label=["benign", "malicious"]
        )
        axes.set_yscale("log")
        axes.set_title(_label(best), fontsize=8)
        axes.set_xlabel("evidence, −ln p (80 and more together)")
        axes.legend(frameon=False)
    return as_svg(figure)


def cost_plot(results: Sequence[Result], steps: int) -> str | None:
    """What an audit adds to the training, m·k·(n − 1) steps, against n for every m; None where n is always the same.

    Args:
        results: whose settings are drawn.
        steps: of the training.
    """
    costs: dict[tuple[int, int], dict[int, float]] = {}
    for result in results:
        setting = result.setting
        if setting.referee:
            continue
        line = costs.setdefault((setting.sub_run_steps, setting.replicated), {})
        line[setting.participants] = 100 * setting.extra_steps / steps
    if max(map(len, costs.values()), default=0) < 2:
        return None
    figure = new_figure(8, 3.2)
    axes = figure.subplots()
    for index, ((k, m), line) in enumerate(sorted(costs.items())):
        axes.plot(
            *zip(*sorted(line.items()), strict=True), "o-", color=COLOURS[index % len(COLOURS)], label=f"{k=} {m=}"
        )
    axes.set_xlabel("n, providers in a replicated sub-run")
    axes.set_ylabel("extra steps, % of the training")
    axes.legend(frameon=False, fontsize=7)
    return as_svg(figure)


def _label(result: Result) -> str:
    setting = result.setting
    return (
        f"{setting.seeds} k={setting.sub_run_steps} n={setting.size} malicious={setting.malicious} "
        f"m={setting.replicated} {setting.metric_names} {setting.decision}"
    )

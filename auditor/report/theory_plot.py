"""The theory beside the measurement, in one figure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from auditor.experiments.convex.study import Poisoning, TheoryFindings
from auditor.report.svg_figure import COLOURS, as_svg, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def theory_plot(findings: TheoryFindings) -> str:
    """What was measured (solid) and its bound (dashed): distance, contraction, steps, and stochastic descent."""
    groups: dict[float, list[Poisoning]] = {}
    for poisoning in findings.poisonings:
        groups.setdefault(poisoning.convexity, []).append(poisoning)
    figure = new_figure(8.4, 6.4)
    (moved, contracted), (needed, random) = figure.subplots(2, 2)
    _moved(moved, groups)
    _contracted(contracted, findings.poisonings)
    _needed(needed, groups)
    _random(random, findings)
    for axes in (moved, contracted, needed, random):
        axes.tick_params(labelsize=7)
        axes.legend(frameon=False, fontsize=6)
    figure.suptitle("solid: measured; dashed: bound", fontsize=8)
    return as_svg(figure)


def _moved(axes: Axes, groups: dict[float, list[Poisoning]]) -> None:
    for colour, (convexity, members) in zip(COLOURS, groups.items(), strict=False):
        ratios = [one.ratio for one in members]
        axes.plot(ratios, [one.distance for one in members], "o-", color=colour, markersize=3, label=_mu(convexity))
        axes.plot(ratios, [one.bound for one in members], "--", color=colour)
    axes.set_xscale("log")
    axes.set_yscale("log")
    _titles(axes, "how far poisoning moves the minimiser", "poison ratio ε", "‖w_ε − w_b‖")


def _contracted(axes: Axes, poisonings: Sequence[Poisoning]) -> None:
    """From the most poisoned minimiser of the least convex loss, which takes the most steps."""
    least = min(one.convexity for one in poisonings)
    most = max((one for one in poisonings if one.convexity == least), key=lambda one: one.ratio)
    for colour, back in zip(COLOURS, most.returns, strict=False):
        label = f"η = {back.rate:g}/L"
        axes.plot(back.distances, "-", color=colour, label=label)
        bounds = [back.distances[0] * back.contraction**step for step in range(len(back.distances))]
        axes.plot(bounds, "--", color=colour)
    axes.set_xscale("symlog", linthresh=1)
    axes.set_yscale("log")
    title = f"gradient descent on benign data, ε = {most.ratio:g}, {_mu(least)}"
    _titles(axes, title, "step", "distance to w_b")


def _needed(axes: Axes, groups: dict[float, list[Poisoning]]) -> None:
    least = min(groups)
    members = groups[least]
    for index, first in enumerate(members[0].returns):
        colour = COLOURS[index % len(COLOURS)]
        backs = [one.returns[index] for one in members]
        known = [(one.ratio, back.steps) for one, back in zip(members, backs, strict=True) if back.steps]
        where, steps = [ratio for ratio, _ in known], [count for _, count in known]
        axes.plot(where, steps, "o-", color=colour, markersize=3, label=f"η = {first.rate:g}/L")
        axes.plot([one.ratio for one in members], [back.bound for back in backs], "--", color=colour)
    axes.set_xscale("log")
    axes.set_yscale("log")
    _titles(axes, f"steps until w_b is near, {_mu(least)}", "poison ratio ε", "steps")


def _random(axes: Axes, findings: TheoryFindings) -> None:
    for colour, convexity in zip(COLOURS, dict.fromkeys(one.convexity for one in findings.stochastic), strict=False):
        members = [one for one in findings.stochastic if one.convexity == convexity]
        steps = [one.steps for one in members]
        axes.plot(steps, [one.mean for one in members], "o-", color=colour, markersize=3, label=_mu(convexity))
        axes.plot(steps, [one.bound for one in members], "--", color=colour)
    axes.set_xscale("log")
    axes.set_yscale("log")
    _titles(axes, "stochastic gradient descent, η = 1/(μ·t)", "T", "mean ‖w_T − w_b‖²")


def _mu(convexity: float) -> str:
    return f"μ = {convexity:g}"


def _titles(axes: Axes, title: str, across: str, up: str) -> None:
    axes.set_title(title, fontsize=8)
    axes.set_xlabel(across, fontsize=8)
    axes.set_ylabel(up, fontsize=8)

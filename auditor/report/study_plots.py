"""Plots of a study: accuracy and attack success over the updates, and survival against what was swept."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from auditor.experiments.evolving.findings import Finding
from auditor.experiments.evolving.labels import label as setting_label
from auditor.experiments.evolving.labels import quantity_text, setting_labels
from auditor.experiments.evolving.varied import varied
from auditor.report.svg_figure import COLOURS, as_svg, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLUMNS = 3
PANELS = 24
"""More panels than that are no figure; the table has every setting."""

STYLES = ("-", "--", ":", "-.")


def study_figures(findings: Sequence[Finding]) -> dict[str, str]:
    """Every figure that the findings are good for, as SVG, by a name that a file can have."""
    figures = {"updates": updates_plot(findings)}
    poisoned = [finding for finding in findings if finding.survivals]
    for name in varied([finding.setting for finding in poisoned]):
        if name != "attack":
            figures[f"survival-{name.replace(' ', '-')}"] = survival_plot(poisoned, name)
    return figures


def updates_plot(findings: Sequence[Finding]) -> str:
    """Accuracy and success over the updates, one curve an attack, with each γ as a line; a panel for all else."""
    called = setting_labels([finding.setting for finding in findings])
    panels: dict[str, list[tuple[str, Finding]]] = {}
    for words, finding in zip(called, findings, strict=True):
        panels.setdefault(words.cell, []).append((words.attack, finding))
    shown = list(panels.items())[:PANELS]
    columns = 2 if len(shown) == 4 else min(COLUMNS, len(shown))
    lines = math.ceil(len(shown) / columns)
    figure = new_figure(max(4.2, 3.3 * columns), 0.6 + 2.5 * lines)
    grid = figure.subplots(lines, columns, squeeze=False, sharex=True, sharey=True)
    labels = list(dict.fromkeys(words.attack for words in called))
    every = [axes for line in grid for axes in line]
    for axes, (title, members) in zip(every, shown, strict=False):
        _updates_panel(axes, members, labels)
        axes.set_title(title, fontsize=7)
    for axes in every[len(shown) :]:
        axes.set_visible(False)
    for axes in every[max(0, len(shown) - columns) : len(shown)]:
        axes.set_xlabel("update", fontsize=8)
        axes.tick_params(labelbottom=True)
    _legend(figure, every[0], labels)
    return as_svg(figure)


def survival_plot(findings: Sequence[Finding], name: str) -> str:
    """γ-survivability against one quantity, a curve for each combination of the others; a panel for each γ."""
    having = [finding for finding in findings if finding.setting.quantities().get(name) is not None]
    gammas = [survival.gamma for survival in findings[0].survivals]
    values = list(dict.fromkeys(_value(finding, name) for finding in having))
    numbers = all(isinstance(value, int | float) for value in values)
    if numbers:
        values.sort(key=lambda value: float(value))
    figure = new_figure(max(4.6, 4.2 * len(gammas)), 3.4)
    panels = figure.subplots(1, len(gammas), squeeze=False, sharey=True)[0]
    for number, (axes, gamma) in enumerate(zip(panels, gammas, strict=True)):
        for index, (label, points) in enumerate(_curves(having, name).items()):
            _survival_curve(axes, label, points, values, numbers, (index, number))
        axes.set_title(f"γ = {gamma:g}", fontsize=8)
        axes.set_xlabel(name, fontsize=8)
        axes.set_ylim(-0.5, findings[0].survivals[0].horizon + 0.5)
        if not numbers:
            axes.set_xticks(range(len(values)), [quantity_text(value) for value in values], fontsize=7)
        elif min(map(float, values)) > 0 and max(map(float, values)) / min(map(float, values)) >= 10:
            axes.set_xscale("log")
    panels[0].set_ylabel("updates survived", fontsize=8)
    figure.legend(
        *panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=2, frameon=False, fontsize=6
    )
    return as_svg(figure)


def _updates_panel(axes: Axes, members: Sequence[tuple[str, Finding]], labels: Sequence[str]) -> None:
    for label, finding in members:
        colour = COLOURS[labels.index(label) % len(COLOURS)]
        updates = range(len(finding.accuracy))
        if finding.success:
            axes.plot(updates, finding.success, "-", color=colour, linewidth=1.4)
            low, high = _band(finding)
            axes.fill_between(updates, low, high, color=colour, alpha=0.12, linewidth=0)
            poisoned = finding.setting.poisoned
            axes.plot(poisoned, [finding.success[number] for number in poisoned], "x", color=colour, markersize=5)
        axes.plot(updates, finding.accuracy, "--", color=colour, linewidth=0.9)
    unchanged = members[0][1].unchanged
    axes.plot(range(len(unchanged)), unchanged, ":", color="black", linewidth=0.9)
    for survival in next((finding.survivals for _, finding in members if finding.survivals), ()):
        axes.axhline(survival.gamma, color="grey", linewidth=0.7)
    axes.set_ylim(-0.03, 1.03)
    axes.tick_params(labelsize=7)


def _legend(figure: Any, axes: Axes, labels: Sequence[str]) -> None:
    for index, label in enumerate(labels):
        axes.plot([], [], "-", color=COLOURS[index % len(COLOURS)], label=f"{label or 'the attack'}: success")
    axes.plot([], [], "--", color="#555555", label="accuracy")
    axes.plot([], [], ":", color="black", label="accuracy without updates")
    axes.plot([], [], "x", color="#555555", label="poisoned update")
    axes.plot([], [], "-", color="grey", linewidth=0.7, label="γ")
    handles = axes.get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower center", ncols=4, frameon=False, fontsize=7)


def _band(finding: Finding) -> tuple[list[float], list[float]]:
    """The least and the greatest success of the instances after each update."""
    columns = list(zip(*(chain.success for chain in finding.chains), strict=True))
    known = [[value for value in column if value is not None] for column in columns]
    return [min(column) for column in known], [max(column) for column in known]


def _survival_curve(
    axes: Axes,
    label: str,
    points: Sequence[tuple[Any, Finding]],
    values: Sequence[Any],
    numbers: bool,
    place: tuple[int, int],
) -> None:
    """One curve of means, its intervals those of Student's t over instances.

    Args:
        axes: where.
        label: of the curve.
        points: the quantity and what was found with it.
        values: all that the quantity takes, which are places where they are no numbers.
        numbers: whether they are numbers.
        place: the number of the curve, and of the γ.
    """
    index, gamma = place
    ordered = sorted(points, key=lambda point: values.index(point[0]))
    where = [float(value) if numbers else values.index(value) for value, _ in ordered]
    shifted = [x + 0.04 * index for x in where] if not numbers else where
    survivals = [finding.survivals[gamma] for _, finding in ordered]
    means = [survival.mean for survival in survivals]
    reach = [
        [mean - survival.interval()[0] for mean, survival in zip(means, survivals, strict=True)],
        [survival.interval()[1] - mean for mean, survival in zip(means, survivals, strict=True)],
    ]
    style = STYLES[index // len(COLOURS) % len(STYLES)]
    colour = COLOURS[index % len(COLOURS)]
    axes.errorbar(shifted, means, yerr=reach, fmt="o", ls=style, color=colour, markersize=3, capsize=2, label=label)


def _curves(findings: Sequence[Finding], name: str) -> Mapping[str, list[tuple[Any, Finding]]]:
    others = [other for other in varied([finding.setting for finding in findings]) if other != name]
    curves: dict[str, list[tuple[Any, Finding]]] = {}
    for finding in findings:
        label = setting_label(finding.setting, others) or str(finding.setting.attack["name"])
        curves.setdefault(label, []).append((_value(finding, name), finding))
    return curves


def _value(finding: Finding, name: str) -> Any:
    value = finding.setting.quantities()[name]
    return value if isinstance(value, int | float | str) else str(value)

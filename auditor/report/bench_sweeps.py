"""Plots of attacks that differ in one number: what it costs the adversary, and what is seen of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

from auditor.experiments.findings import Capability, Result
from auditor.experiments.rates import mean_interval
from auditor.report.svg_figure import COLOURS, as_svg, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from auditor.experiments.bench import Bench

FEWEST = 3
"""Fewer values than that are no curve."""


@dataclass(frozen=True)
class Sweep:
    """Attacks that are the same but for one option.

    Attributes:
        label: what they are, and the option.
        kinds: the kind of adversary for each value of the option, in ascending order.
    """

    label: str
    kinds: Mapping[float, str]


def sweeps(bench: Bench) -> list[Sweep]:
    """Every option that a benchmark varies in at least three values with all else equal."""
    groups: dict[tuple[str, str], dict[float, str]] = {}
    for member in bench.members:
        if member.attack is None or member.number > 0:
            continue
        flat = _flat(member.attack)
        for key, value in flat.items():
            if isinstance(value, bool) or not isinstance(value, int | float):
                continue
            rest = json.dumps({**flat, key: "·"}, sort_keys=True, default=str)
            groups.setdefault((rest, key), {})[float(value)] = member.kind
    return [
        Sweep(
            f"{', '.join(f'{name} = {value}' for name, value in json.loads(rest).items() if value != '·')}: {key}",
            dict(sorted(kinds.items())),
        )
        for (rest, key), kinds in groups.items()
        if len(kinds) >= FEWEST
    ]


def sweep_plot(sweep: Sweep, bench: Bench, results: Sequence[Result]) -> str:
    """Accuracy, success, inspectors' scores, ratios, and how often the attack is caught, against the option."""
    found = list(bench.capabilities())
    inspectors = [use.name for use in bench.benchmark.inspectors]
    figure = new_figure(8, 2.4 * (3 + len(inspectors)))
    panels = figure.subplots(3 + len(inspectors), 1, sharex=True)
    _abilities(panels[0], sweep, found)
    for axes, inspector in zip(panels[1:], inspectors, strict=False):
        _inspected(axes, sweep, found, inspector)
    _ratios(panels[-2], sweep, results)
    _caught(panels[-1], sweep, results)
    values = list(sweep.kinds)
    if values[0] > 0 and values[-1] / values[0] > 10:
        panels[-1].set_xscale("log")
    panels[0].set_title(sweep.label, fontsize=8)
    panels[-1].set_xlabel(sweep.label.rpartition(": ")[2])
    for axes in panels:
        axes.legend(frameon=False, fontsize=6)
    return as_svg(figure)


def _abilities(axes: Axes, sweep: Sweep, found: Sequence[Capability]) -> None:
    for index, (name, of) in enumerate((("attack success", "success"), ("clean accuracy", "accuracy"))):
        points = [
            (value, [getattr(capability, of) for capability in _of(found, kind)]) for value, kind in sweep.kinds.items()
        ]
        _with_intervals(axes, [(value, [x for x in seen if x is not None]) for value, seen in points], name, index)
    axes.set_ylim(-0.02, 1.02)


def _inspected(axes: Axes, sweep: Sweep, found: Sequence[Capability], inspector: str) -> None:
    def scores(models: Sequence[Capability]) -> list[float]:
        return [
            capability.inspected[inspector]["score"]
            for capability in models
            if "score" in capability.inspected[inspector]
        ]

    _with_intervals(axes, [(value, scores(_of(found, kind))) for value, kind in sweep.kinds.items()], inspector, 4)
    benign = scores([capability for capability in found if not capability.malicious])
    if benign:
        axes.axhline(fmean(benign), color=COLOURS[0], linewidth=0.8, label="benign models, mean")
    thresholds = {
        capability.inspected[inspector]["threshold"]
        for capability in found
        if "threshold" in capability.inspected[inspector]
    }
    for threshold in thresholds:
        axes.axhline(float(threshold), color="grey", linewidth=0.8, linestyle=":", label="its threshold")
    axes.set_ylabel("score", fontsize=8)


def _ratios(axes: Axes, sweep: Sweep, results: Sequence[Result]) -> None:
    shown = [
        result
        for result in results
        if result.setting.replicated == 1 and result.tally.ratios and result.setting.malicious
    ]
    for index, result in enumerate(shown[: len(COLOURS)]):
        line = [
            (value, median(result.tally.ratios[kind]))
            for value, kind in sweep.kinds.items()
            if kind in result.tally.ratios
        ]
        setting = result.setting
        label = f"{setting.metric_names}, k={setting.sub_run_steps}, n={setting.size}, {setting.decision}"
        if line:
            axes.plot(*zip(*line, strict=True), "o-", color=COLOURS[index], markersize=3, label=label)
    axes.axhline(1, color="grey", linewidth=0.8, linestyle=":")
    axes.set_yscale("log")
    axes.set_ylabel("ratio, median", fontsize=8)


def _caught(axes: Axes, sweep: Sweep, results: Sequence[Result]) -> None:
    for index, result in enumerate([result for result in results if result.setting.malicious][: len(COLOURS)]):
        rates = result.tally.caught
        line = [(value, rates[kind].value or 0.0) for value, kind in sweep.kinds.items() if kind in rates]
        setting = result.setting
        label = f"{setting.metric_names}, m={setting.replicated}, n={setting.size}, {setting.decision}"
        if line:
            axes.plot(*zip(*line, strict=True), "o-", color=COLOURS[index], markersize=3, label=label)
    axes.set_ylim(-0.02, 1.02)
    axes.set_ylabel("share caught", fontsize=8)


def _with_intervals(axes: Axes, points: Sequence[tuple[float, Sequence[float]]], label: str, colour: int) -> None:
    """Means with 95 % intervals of Student's over the models of each value."""
    known = [(value, seen) for value, seen in points if seen]
    if not known:
        return
    means = [fmean(seen) for _, seen in known]
    reach = [mean - mean_interval(seen)[0] for mean, (_, seen) in zip(means, known, strict=True)]
    values = [value for value, _ in known]
    axes.errorbar(values, means, yerr=reach, fmt="o-", color=COLOURS[colour], markersize=3, capsize=2, label=label)


def _of(found: Sequence[Capability], kind: str) -> list[Capability]:
    return [capability for capability in found if capability.member.rpartition(" ")[0] == kind]


def _flat(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested tables as one, with dotted names."""
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[prefix + key] = value
    return flat

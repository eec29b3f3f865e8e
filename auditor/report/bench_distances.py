"""Plots of the distances that were measured in a benchmark."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from auditor.experiments.findings import Compared
from auditor.report.svg_figure import BENIGN, MALICIOUS, MIXED, as_svg, new_figure

SHOWN = 8
"""The number of benign and of malicious models in a histogram, as in the source paper's Figure 4."""

Values = NDArray[np.float64]


def histogram_plot(compared: Compared) -> str:
    """Distances among models, half of them malicious: as the client sees them, and coloured by who is what."""
    benign, malicious = _chosen(compared)
    values = compared.measurement.values
    parts = [
        _between(values, benign, benign),
        _between(values, benign, malicious),
        _between(values, malicious, malicious),
    ]
    everything = np.concatenate(parts)
    bins = [float(edge) for edge in np.linspace(0, everything.max() * 1.02, 41)]
    figure = new_figure(8, 2.6)
    before, after = figure.subplots(1, 2, sharey=True)
    before.hist(everything, bins=bins, color="#888888")
    before.set_title(f"{compared.metric}: what the client sees", fontsize=8)
    labels = ["benign – benign", "benign – malicious", "malicious – malicious"]
    after.hist(parts, bins=bins, stacked=True, color=[BENIGN, MIXED, MALICIOUS], label=labels)
    after.set_title(f"who is what ({len(benign)} benign, {len(malicious)} malicious)", fontsize=8)
    after.legend(frameon=False, fontsize=7)
    for axes in (before, after):
        axes.set_xlabel("distance")
    return as_svg(figure)


def attack_plot(found: Sequence[Compared]) -> str:
    """The distances of one metric from benign models, by who they are to; each start in units of its benign median."""
    groups: dict[str, list[Values]] = {}
    for compared in found:
        values, positions = compared.measurement.values, compared.measurement.positions
        benign = compared.benign
        own = _between(values, benign, benign)
        unit = float(np.median(own)) or 1.0
        groups.setdefault("benign", []).append(own / unit)
        for name, row in positions.items():
            if compared.members[name].malicious:
                groups.setdefault(compared.members[name].kind, []).append(values[row, benign] / unit)
    figure = new_figure(8, 0.8 + 0.24 * len(groups))
    axes = figure.subplots()
    for index, (kind, parts) in enumerate(groups.items()):
        every = np.concatenate(parts)
        colour = BENIGN if kind == "benign" else MALICIOUS
        axes.plot(every, [-index] * len(every), "|", color=colour, alpha=0.35, markersize=7)
        axes.plot([float(np.median(every))], [-index], "o", color=colour, markersize=4)
    axes.axvline(float(np.concatenate(groups["benign"]).max()), color=BENIGN, linewidth=0.8, linestyle=":")
    axes.set_yticks([-index for index in range(len(groups))], list(groups), fontsize=7)
    axes.set_xscale("symlog", linthresh=1)
    first = found[0]
    axes.set_title(f"{first.metric}, {first.seeds} seeds, k = {first.steps}", fontsize=8)
    axes.set_xlabel("distance to benign models ÷ median among these; dotted: largest among these", fontsize=7)
    return as_svg(figure)


def by_setting(found: Iterable[Compared]) -> dict[tuple[str, int, str], list[Compared]]:
    """Grouped by seeds, k and metric."""
    groups: dict[tuple[str, int, str], list[Compared]] = {}
    for compared in found:
        groups.setdefault((compared.seeds, compared.steps, compared.metric), []).append(compared)
    return groups


def _chosen(compared: Compared) -> tuple[list[int], list[int]]:
    """Rows of some benign models, and of as many malicious ones, of each kind in turn."""
    positions = compared.measurement.positions
    kinds: dict[str, list[int]] = {}
    for name, row in positions.items():
        if compared.members[name].malicious:
            kinds.setdefault(compared.members[name].kind, []).append(row)
    turns = max(map(len, kinds.values()), default=0)
    malicious = [rows[turn] for turn in range(turns) for rows in kinds.values() if turn < len(rows)]
    return compared.benign[:SHOWN], malicious[:SHOWN]


def _between(values: Values, first: Sequence[int], second: Sequence[int]) -> Values:
    """Every distance between two groups of models once; those within the group where both are the same."""
    block = values[np.ix_(first, second)]
    return np.asarray(block[np.triu_indices(len(first), 1)] if first == second else block.ravel())

"""Committees drawn from the pools, and every member of each judged as the primary."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from auditor.audit.record.packed_sketches import unpacked
from auditor.base.randomness import generator
from auditor.base.seeds import Seeds
from auditor.decisions import Assumptions, DistanceMatrix
from auditor.decisions.agreement import disagree
from auditor.decisions.direction import Sketches, look_at_directions
from auditor.decisions.distances import Distances
from auditor.decisions.error_budget import Budget
from auditor.decisions.evidence import combined_p_value
from auditor.decisions.rules import direction_tells, select
from auditor.experiments.bench_settings import BenchSetting
from auditor.experiments.rates import Rate, area_under_curve
from auditor.job.plugin_use import PluginUse


@dataclass(frozen=True)
class Pool:
    """All that was measured for sub-runs that start from one repetition, and one history.

    Attributes:
        label: what is the same for all of its models.
        honest: names of the honest members.
        malicious: names of the malicious ones, each with its kind.
        matrices: by the index of the start and the table of the metric, as JSON: the file of the distances.
        sketches: by the index of the start: the file of the sketches; none with the client's seeds.
    """

    label: str
    honest: tuple[str, ...]
    malicious: Mapping[str, str]
    matrices: Sequence[Mapping[str, Path]]
    sketches: Sequence[Path] = ()


@dataclass
class Tally:
    """What was judged in one setting.

    Attributes:
        caught: malicious members that were flagged, by kind.
        alarms: benign members that were flagged.
        scores: evidence against malicious and against benign members, larger for more.
        ratios: the reference-clique ratios of malicious members by kind, and of benign ones as `benign`, where one
            metric is judged by itself.
        models: which malicious models were judged, by kind: of which pool, of which member, from which start.
        undecided: judgements without a p-value, which count as not flagged.
        committees: how many were judged.
    """

    caught: dict[str, Rate] = field(default_factory=dict)
    alarms: Rate = field(default_factory=lambda: Rate(0, 0))
    scores: tuple[list[float], list[float]] = field(default_factory=lambda: ([], []))
    ratios: dict[str, list[float]] = field(default_factory=dict)
    models: dict[str, set[tuple[int, str, int]]] = field(default_factory=dict)
    undecided: int = 0
    committees: int = 0

    @property
    def detections(self) -> Rate:
        """Malicious members that were flagged, of all kinds."""
        return sum(self.caught.values(), Rate(0, 0))

    @property
    def separation(self) -> float | None:
        """Area under the curve of the evidence."""
        return area_under_curve(*self.scores)


@dataclass(frozen=True)
class Measurement:
    """The distances among all members of a pool under one metric, for one sub-run.

    Attributes:
        positions: the row of each member that the metric could represent.
        values: float [members, members].
        noise_floor: see `DistanceMatrix`.
        spread: likewise.
        size: likewise.
    """

    positions: Mapping[str, int]
    values: Distances
    noise_floor: float | None
    spread: float | None
    size: float | None

    @classmethod
    def read(cls, path: Path) -> Measurement:
        """What a worker wrote."""
        content = json.loads(path.read_text())
        positions = {name: index for index, name in enumerate(content["members"])}
        values = np.array(content["values"], dtype=np.float64)
        return cls(positions, values, content["noise_floor"], content["spread"], content["size"])

    def among(self, members: tuple[str, ...], sub_run: int, metric: str) -> DistanceMatrix:
        """The distances among some of the members."""
        indices = [self.positions[name] for name in members]
        values = self.values[np.ix_(indices, indices)]
        return DistanceMatrix(sub_run, metric, members, values, self.noise_floor, self.spread, self.size)


@dataclass(frozen=True)
class Committee:
    """Who is judged together, in which sub-runs.

    Attributes:
        pool: the index of the pool that they are from.
        members: in the order of their names; a referee last.
        starts: the indices of what their sub-runs start from, in order.
    """

    pool: int
    members: tuple[str, ...]
    starts: tuple[int, ...]


@dataclass(frozen=True)
class JudgingOrder:
    """Draw committees for a setting and judge every member of each.

    Attributes:
        index: of the setting.
        setting: how an audit would be made.
        pools: what committees are drawn from.
        judged: malicious members to judge; benign ones where none is malicious. Fewer if there are fewer different
            committees.
        seed: of the benchmark.
    """

    index: int
    setting: BenchSetting
    pools: tuple[Pool, ...]
    judged: int
    seed: int

    def draw(self) -> Iterator[Committee]:
        """Different committees, at random; no more than there are, for the same models say the same again."""
        setting, drawn = self.setting, set[Committee]()
        able = [index for index, pool in enumerate(self.pools) if self._different(pool)]
        wanted = math.ceil(self.judged / (setting.malicious or setting.participants))
        wanted = min(wanted, sum(self._different(self.pools[index]) for index in able))
        # Whether there is a referee changes nothing about who is drawn.
        table = {key: value for key, value in setting.payload().items() if key != "referee"}
        draws = generator(self.seed, f"committees {json.dumps(table, sort_keys=True, default=str)}")
        while len(drawn) < wanted:
            which = able[int(draws.integers(len(able)))]
            pool = self.pools[which]
            malicious = draws.choice(sorted(pool.malicious), setting.malicious, replace=False)
            benign = draws.choice(pool.honest, setting.participants - setting.malicious, replace=False)
            starts = draws.choice(len(pool.matrices), setting.replicated, replace=False)
            members = [str(name) for name in (*malicious, *benign)]
            seated = sorted(members[:2]) + members[2:] if setting.referee else sorted(members)
            committee = Committee(which, tuple(seated), tuple(sorted(map(int, starts))))
            if committee not in drawn:
                drawn.add(committee)
                yield committee

    def _different(self, pool: Pool) -> int:
        setting = self.setting
        return (
            math.comb(len(pool.malicious), setting.malicious)
            * math.comb(len(pool.honest), setting.participants - setting.malicious)
            * math.comb(len(pool.matrices), setting.replicated)
        )


def judge_committees(order: JudgingOrder) -> Tally:
    """Carry out a judging order."""
    setting = order.setting
    assumptions = Assumptions(setting.benign_fraction, setting.seeds, setting.false_alarm_rate)
    adds_up = (
        setting.seeds is Seeds.OWN
        and setting.decision != "rttd"  # which is the paper's, to the letter
        and direction_tells(setting.participants, setting.replicated, setting.false_alarm_rate)
    )
    budget = Budget(setting.replicated, True, len(setting.metrics), adds_up)
    decision, _ = select(setting.decision, setting.participants, assumptions)
    loaded: dict[Path, Measurement] = {}
    drawn: dict[Path, Sketches] = {}
    tally = Tally()
    for committee in order.draw():
        pool = order.pools[committee.pool]
        matrices = [
            matrix
            for sub_run, start in enumerate(committee.starts)
            for matrix in _matrices(setting, sub_run, pool.matrices[start], committee.members, loaded, assumptions)
        ]
        judged = defaultdict(list)
        for judgement in decision.judge(matrices, assumptions):
            judged[judgement.provider].append(judgement)
        sketches = [
            _sketches(pool.sketches[start], sub_run, committee.members, drawn)
            for sub_run, start in enumerate(committee.starts)
            if adds_up and pool.sketches
        ]
        looks = look_at_directions(sketches, budget, assumptions, ended=True)
        tally.committees += 1
        for name in committee.members:
            if setting.referee and name not in judged:
                continue  # the others agreed, and it was not asked
            if name in pool.malicious:
                tally.models.setdefault(pool.malicious[name], set()).update(
                    (committee.pool, name, start) for start in committee.starts
                )
            informative = [judgement for judgement in judged[name] if judgement.p_value is not None]
            directions = [(look.p_value, look.share) for look in looks.get(name, [])]
            p_value = combined_p_value(informative, budget, directions)
            _count(
                tally,
                name,
                pool.malicious.get(name),
                p_value,
                [judgement.ratio or 0.0 for judgement in informative],
                setting,
            )
    return tally


def _count(
    tally: Tally, name: str, kind: str | None, p_value: float | None, ratios: list[float], setting: BenchSetting
) -> None:
    flagged = p_value is not None and p_value <= setting.false_alarm_rate
    if p_value is None:
        tally.undecided += 1
    # p-values round to 0 where ratios still tell apart; several metrics' ratios do not compare.
    ratio = max(ratios, default=0.0) if len(setting.metrics) == 1 else 0.0
    if len(setting.metrics) == 1:
        tally.ratios.setdefault(kind or "benign", []).extend(ratios)
    score = (0.0 if p_value is None else -float(np.log(max(p_value, 1e-300)))) + 1e-9 * ratio
    if kind is None:
        tally.alarms += Rate(int(flagged), 1)
        tally.scores[1].append(score)
    else:
        tally.caught[kind] = tally.caught.get(kind, Rate(0, 0)) + Rate(int(flagged), 1)
        tally.scores[0].append(score)


def _matrices(
    setting: BenchSetting,
    sub_run: int,
    files: Mapping[str, Path],
    members: tuple[str, ...],
    loaded: dict[Path, Measurement],
    assumptions: Assumptions,
) -> list[DistanceMatrix]:
    """The distances among the members of a committee; those that a metric cannot represent are left out.

    With a referee they are among the first two, where these agree under every metric.
    """
    measured = [(use.name, _read(use, files, loaded)) for use in setting.metrics]
    if setting.referee:
        pair = _among(members[:2], sub_run, measured)
        if pair and not any(disagree(matrix, assumptions) for matrix in pair):
            return pair
    return _among(members, sub_run, measured)


def _sketches(path: Path, sub_run: int, members: tuple[str, ...], drawn: dict[Path, Sketches]) -> Sketches:
    """The sketches of the members of a committee, from their file once."""
    if path not in drawn:
        content = json.loads(path.read_text())
        drawn[path] = Sketches(0, tuple(content["members"]), unpacked(content["sketches"]))
    known = drawn[path]
    return Sketches(sub_run, members, known.values[[known.providers.index(name) for name in members]])


def _read(use: PluginUse, files: Mapping[str, Path], loaded: dict[Path, Measurement]) -> Measurement:
    """The distances under a metric, from its file once."""
    path = files[use.key]
    if path not in loaded:
        loaded[path] = Measurement.read(path)
    return loaded[path]


def _among(members: tuple[str, ...], sub_run: int, measured: Sequence[tuple[str, Measurement]]) -> list[DistanceMatrix]:
    found = []
    for metric, measurement in measured:
        there = tuple(name for name in members if name in measurement.positions)
        if len(there) >= 2:
            found.append(measurement.among(there, sub_run, metric))
    return found

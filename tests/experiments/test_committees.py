"""Committees that are drawn from measured distances, and how they are judged."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from auditor.base.seeds import Seeds
from auditor.experiments.bench_settings import BenchSetting
from auditor.experiments.committees import JudgingOrder, Pool, Tally, judge_committees
from auditor.job.plugin_use import PluginUse

FLOOR = 1e-3
UPDATE = json.dumps({"name": "update"}, sort_keys=True)


def pool(folder: Path, *, honest: int = 4, far: dict[str, float] | None = None, starts: int = 1) -> Pool:
    """Honest members at the noise floor from one another, and malicious ones so many floors from everybody.

    Args:
        folder: where distances are written.
        honest: how many.
        far: by the name of a malicious member.
        starts: each with the same distances.
    """
    far = {"cheat": 10.0} if far is None else far
    members = [*(f"benign {index}" for index in range(honest)), *far]
    values = np.zeros((len(members), len(members)))
    for i, j in combinations(range(len(members)), 2):
        apart = max(far.get(members[i], 0.5), far.get(members[j], 0.5))
        values[i, j] = values[j, i] = FLOOR * apart
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "distances.json"
    path.write_text(
        json.dumps({"members": members, "values": values.tolist(), "noise_floor": FLOOR, "spread": None, "size": None})
    )
    names = tuple(name for name in members if name not in far)
    return Pool("pool", names, dict.fromkeys(far, "cheat"), [{UPDATE: path}] * starts)


def judge(*pools: Pool, judged: int = 1000, **more: Any) -> Tally:
    setting = BenchSetting(
        **{
            "seeds": Seeds.SHARED,
            "sub_run_steps": 5,
            "participants": 3,
            "malicious": 1,
            "benign_fraction": 0.67,
            "referee": False,
            "replicated": 1,
            "metrics": (PluginUse(name="update"),),
            "decision": "ratio",
            "false_alarm_rate": 0.01,
            **more,
        }
    )
    return judge_committees(JudgingOrder(0, setting, pools, judged, 0))


def test_every_different_committee_is_judged_once_where_there_are_few(tmp_path: Path) -> None:
    tally = judge(pool(tmp_path, far={"one": 10.0, "two": 20.0}, starts=3))
    assert tally.committees == 2 * 6 * 3  # malicious members, pairs of honest ones, starts
    assert (tally.detections.count, tally.detections.total) == (36, 36)
    assert (tally.alarms.count, tally.alarms.total) == (0, 72)
    assert {kind: len(models) for kind, models in tally.models.items()} == {"cheat": 6}


def test_a_pool_that_cannot_seat_a_committee_is_left_out(tmp_path: Path) -> None:
    tally = judge(pool(tmp_path / "all"), pool(tmp_path / "nobody malicious", far={}))
    assert tally.committees == 6
    assert judge(pool(tmp_path / "nobody malicious", far={})).committees == 0


@pytest.mark.parametrize(("floors", "by_three", "with_referee"), [(10.0, 1, 1), (3.2, 0, 0), (1.0, 0, 0)])
def test_a_referee_is_asked_only_where_two_disagree(
    tmp_path: Path, floors: float, by_three: int, with_referee: int
) -> None:
    there = pool(tmp_path, far={"cheat": floors})
    assert judge(there).detections.value == by_three
    tally = judge(there, referee=True)
    assert tally.detections.value == with_referee
    asked = with_referee > 0
    assert tally.alarms.total == tally.committees * (2 if asked else 1)
    assert tally.alarms.count == 0

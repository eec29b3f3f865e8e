"""What a study leaves for others to follow it, and the picture that they draw."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from auditor.experiments.evolving.record import (
    RECORD,
    RecordedSetting,
    StudyFollower,
    StudyRecord,
    is_running,
    recorded_studies,
    recording,
)
from auditor.experiments.evolving.specification import parse_study
from auditor.experiments.evolving.study import StudyRun
from auditor.report.study_chart import busiest, sign_of, study_chart
from auditor.report.survival_chart import UNICODE_SURVIVAL, chart_lines
from tests.experiments.evolving.study_text import STUDY


def record(**changes: Any) -> StudyRecord:
    """Two attacks in each of two cells, two instances each."""
    settings = tuple(
        RecordedSetting(attack=attack, cell=cell, poisoned=(1,), chains=(f"{attack}-{number}a", f"{attack}-{number}b"))
        for number, cell in enumerate(("rate 0.1", "rate 0.2"))
        for attack in ("badnets", "blend")
    )
    given: dict[str, Any] = {"updates": 3, "gammas": (0.5,), "settings": settings} | changes
    return StudyRecord(name="small", source="small.toml", started=datetime.now(UTC), horizon=14, **given)


def measure(folder: Path, chain: str, success: list[float]) -> None:
    """Write what the models of a chain can do."""
    (folder / "chains" / chain).mkdir(parents=True, exist_ok=True)
    for update, value in enumerate(success):
        facts = {"accuracy": 0.9, "success": value}
        (folder / "chains" / chain / f"{update}.json").write_text(json.dumps(facts))


def test_a_study_is_followed_while_it_runs_and_afterwards(tmp_path: Path) -> None:
    own = tmp_path / "small"
    own.mkdir()
    follower = StudyFollower(tmp_path, "small")
    with pytest.raises(LookupError, match=r"study\.json"):
        follower.poll()
    with recording(own, record()):
        assert recorded_studies(tmp_path) == ["small"]
        progress = follower.poll()
        assert (progress.state, progress.done, progress.total) == ("running", 0, 32)
        measure(tmp_path, "badnets-0a", [0.1, 0.9, 0.8])
        measure(tmp_path, "badnets-0b", [0.1, 0.7])
        progress = follower.poll()
        assert progress.done == 5
        assert progress.settings[0].success == pytest.approx({0: 0.1, 1: 0.8, 2: 0.8})
        assert progress.settings[0].survival(0.5, 3, 14) is None
    assert not is_running(own)
    assert follower.poll().state == "stopped"
    for chain in (chain for setting in record().settings for chain in setting.chains):
        measure(tmp_path, chain, [0.1, 0.9, 0.8, 0.2])
    progress = follower.poll()
    assert (progress.state, progress.done) == ("finished", 32)
    found = progress.settings[0].survival(0.5, 3, 14)
    assert found is not None
    assert found.counts == (1, 1)


def test_the_picture_has_a_curve_for_each_attack_of_the_cell_that_is_measured(tmp_path: Path) -> None:
    own = tmp_path / "small"
    own.mkdir()
    follower = StudyFollower(tmp_path, "small")
    with recording(own, record(gammas=(0.3, 0.6))):
        for chain in ("badnets-0a", "badnets-0b", "blend-0a", "blend-0b"):
            measure(tmp_path, chain, [0.1, 0.9, 0.5, 0.2])
        measure(tmp_path, "blend-1a", [0.0, 1.0])
        measure(tmp_path, "badnets-1a", [0.0, 0.4])
        progress = follower.poll()
    assert busiest(progress) == 2
    assert [sign_of(progress, number, UNICODE_SURVIVAL) for number in range(4)] == ["✗", "◆", "✗", "◆"]
    lines = [line.plain for line in chart_lines(study_chart(progress, 2, UNICODE_SURVIVAL), 80, 20)]
    text = "\n".join(lines)
    assert "rate 0.2: attack success after each update, mean of instances; the lines are γ = 30 % and 60 %" in text
    assert "✗ badnets: 40 %; poisoned in 1" in text
    assert "● accuracy of badnets: 90 %" in text
    assert "◆ blend: 100 %; poisoned in 1" in text
    assert [line[:5] for line in lines if "┄┄┄" in line] == [" 60 %", " 30 %"]
    of_first = "\n".join(line.plain for line in chart_lines(study_chart(progress, 0, UNICODE_SURVIVAL), 100, 20))
    assert "✗ badnets: 20 %; poisoned in 1, survives γ = 0.3: 1.0 (1.0–1.0); γ = 0.6: 0.0 (0.0–0.0)" in of_first
    least = [line.plain for line in chart_lines(study_chart(progress, 2, UNICODE_SURVIVAL), 120, 9)]
    assert least[-1] == "and 2 more"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param('"name"', '"nam"', id="key"),
        pytest.param('"updates":3', '"updates":1000000000', id="updates"),
        pytest.param("badnets-0a", "../../etc", id="path"),
        pytest.param('"gammas":[0.5]', '"gammas":[]', id="gammas"),
        pytest.param("{", "[", id="syntax"),
    ],
)
def test_a_damaged_record_is_said_to_be_one(tmp_path: Path, old: str, new: str) -> None:
    (tmp_path / "small").mkdir()
    text = record().model_dump_json()
    assert old in text
    (tmp_path / "small" / RECORD).write_text(text.replace(old, new, 1))
    with pytest.raises(LookupError, match="is damaged"):
        StudyFollower(tmp_path, "small").poll()


@pytest.mark.parametrize("facts", ["", "{", "[]", '{"accuracy": 2, "success": 0}', '{"accuracy": true, "success": 0}'])
def test_damaged_measurements_are_none(tmp_path: Path, facts: str) -> None:
    (tmp_path / "small").mkdir()
    with recording(tmp_path / "small", record()):
        measure(tmp_path, "badnets-0a", [0.1])
        (tmp_path / "chains" / "badnets-0a" / "0.json").write_text(facts)
        assert StudyFollower(tmp_path, "small").poll().done == 0


def test_a_study_says_where_it_will_measure(tmp_path: Path) -> None:
    file = parse_study(STUDY, "study.toml", tmp_path)
    made = StudyRun(file, tmp_path, tmp_path, device="cpu", workers=1)
    found = made.record()
    assert (found.name, found.source, found.updates, found.gammas) == ("small", "study.toml", 3, (0.3, 0.5))
    assert [(one.attack, one.cell) for one in found.settings[:3]] == [
        ("badnets", "poisoned updates 0"),
        ("badnets", "poisoned updates 1"),
        ("blend", "poisoned updates 0"),
    ]
    assert [one.poisoned for one in found.settings] == [(0,), (1,), (0,), (1,), (), ()]
    (tmp_path / "small").mkdir()
    with recording(tmp_path / "small", found):
        progress = StudyFollower(tmp_path, "small").poll()
    assert progress.done == 0

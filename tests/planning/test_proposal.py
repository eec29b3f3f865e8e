"""Measured power: what it says of which job, and the audits that are proposed from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from auditor.job import Job, JobError, parse_job
from auditor.planning.chances import independent_catch_probability
from auditor.planning.measured_power import SHIPPED, MeasuredSetting, power_of, power_together, read_measurements
from auditor.planning.proposal import Proposal, Wish, propose
from tests.command import job_text
from tests.measurements import row, write_rows


def job(*, providers: int = 4, k: int = 20, audit: str = "", **parts: Any) -> Job:
    names = [f"p{index}" for index in range(providers)]
    return parse_job(job_text(names, steps=2000, sub_run_steps=k, audit=audit, **parts))


def settings(*rows: dict[str, Any]) -> list[MeasuredSetting]:
    return [MeasuredSetting.model_validate(one) for one in rows]


def lowest(job_: Job, *rows: dict[str, Any], **more: Any) -> float | None:
    power = power_of(job_, settings(*rows), **more)
    return None if power is None else power.value


class TestReading:
    def test_what_is_shipped_can_be_read(self) -> None:
        assert len(read_measurements()) == len(json.loads(SHIPPED.read_text()))

    @pytest.mark.parametrize("lines", [True, False])
    def test_a_list_and_json_lines_read_alike_and_other_rows_are_left_out(self, tmp_path: Path, lines: bool) -> None:
        path = write_rows(tmp_path / "rows", [row(k=5), {"kind": "model", "file": "x"}, row(k=40)], lines=lines)
        assert [one.sub_run_steps for one in read_measurements(path)] == [5, 40]

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("{", "it is no JSON"),
            ('["a"]', "is not what `auditor bench --json` writes: 0"),
            ('{"kind": "setting"}', "writes: bench: Field required"),
            (json.dumps(row() | {"participants": 1}), "participants: Input should be greater"),
        ],
    )
    def test_what_is_something_else_is_named(self, tmp_path: Path, text: str, words: str) -> None:
        path = tmp_path / "rows.json"
        path.write_text(text)
        with pytest.raises(JobError, match=str(path)) as caught:
            read_measurements(path)
        assert words in str(caught.value)

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(JobError, match="cannot be read: No such file"):
            read_measurements(tmp_path / "none.json")


class TestPower:
    def test_it_is_the_lower_bound_of_the_attack_that_is_seen_least(self) -> None:
        power = power_of(job(), settings(row(attacks={"badnets": (100, 0.96), "lazy": (70, 0.6)})))
        assert power is not None
        assert (power.value, power.weakest, power.attacks) == (0.6, "lazy", 2)

    def test_named_attacks_alone_count_and_all_of_them_must_be_measured(self) -> None:
        measured = row(attacks={"badnets": (100, 0.96), "lazy": (70, 0.6)})
        assert lowest(job(), measured, against=("badnets",)) == 0.96
        assert lowest(job(), measured, against=("badnets", "wanet")) is None

    @pytest.mark.parametrize(
        "other",
        [
            {"seeds": "own"},
            {"decision": "ks"},
            {"metrics": [{"name": "zest"}]},
            {"metrics": [{"name": "update", "what": "else"}]},
            {"metrics": [{"name": name} for name in ("update", "zest", "buffers", "optimizer")]},
            {"replicated": 2},
            {"task_kind": "text"},
            {"referee": True},
            {"history": "attacked"},
            {"false_alarm_rate": 0.02},
            {"participants": 5, "malicious": 2},
            {"participants": 4, "malicious": 0},
            {"attacks": {}},
        ],
    )
    def test_nothing_is_said_from_another_or_a_more_favourable_setting(self, other: dict[str, Any]) -> None:
        assert lowest(job(), row()) == 0.9
        assert lowest(job(), row() | other) is None

    def test_what_was_measured_of_the_rule_that_auto_chooses_counts(self) -> None:
        assert lowest(job(), row(decision="ratio")) == 0.9

    def test_nothing_measured_is_no_number(self) -> None:
        assert power_of(job(), []) is None

    def test_a_larger_benign_share_is_more_favourable(self) -> None:
        sixteen = job(providers=16, audit="benign_fraction = 0.5")
        assert lowest(sixteen, row(participants=4, malicious=1)) is None
        assert lowest(sixteen, row(participants=4, malicious=2)) == 0.9

    @pytest.mark.parametrize(("seeds", "expected"), [("shared", 40), ("own", 10)])
    def test_k_is_as_hard_or_harder(self, seeds: str, expected: int) -> None:
        rows = [row(k=k, seeds=seeds) for k in (5, 10, 40, 80)]
        power = power_of(job(k=20, audit=f'seeds = "{seeds}"'), settings(*rows))
        assert power is not None
        assert power.setting.sub_run_steps == expected

    def test_the_nearest_is_taken(self) -> None:
        near, far = row(participants=4, low=0.7), row(participants=3, low=0.8)
        assert lowest(job(), far, near) == 0.7
        own_model = row(task="digits resnet8", k=80, low=0.5)
        assert lowest(job(), near | {"task": "cifar10 resnet20"}, own_model) == 0.5

    def test_a_false_alarm_rate_that_many_sub_runs_share_is_preferred(self) -> None:
        whole, shared = row(false_alarm_rate=0.01, low=0.9), row(false_alarm_rate=0.001, low=0.8)
        assert lowest(job(), whole, shared, expected=10.0) == 0.8
        assert lowest(job(), whole, shared) == 0.9


class TestPowerTogether:
    ROWS = settings(
        *(row(k=k, replicated=m, low=m / 10, seeds="own", history="attacked") for m in (1, 2, 4, 8) for k in (20, 10)),
        row(replicated=4, low=1.0, seeds="own"),  # starts from honest checkpoints
    )
    OWN = 'randomness = "provider"\n'

    @pytest.mark.parametrize(
        ("audit", "found"),
        [("replicated = 4", 4), ("replicated = 5", 4), ("replicated = 2", None), ("replicated = 1", None)],
    )
    def test_it_is_that_of_as_many_sub_runs_as_the_job_has_or_fewer(self, audit: str, found: int | None) -> None:
        power = power_together(job(audit=self.OWN + audit), self.ROWS)
        assert (None if power is None else power.setting.replicated) == found
        assert power is None or (power.value, power.setting.sub_run_steps) == ((found or 0) / 10, 20)

    def test_a_job_that_may_stop_at_fewer_promises_nothing(self) -> None:
        assert power_together(job(audit=f"{self.OWN}replicated = 2\nreplicated_at_most = 4"), self.ROWS) is None

    def test_with_the_clients_seeds_sub_runs_are_judged_one_by_one(self) -> None:
        assert power_together(job(audit="replicated = 4"), settings(row(replicated=4))) is None

    def test_what_was_measured_with_the_jobs_model_is_nearer_than_more_sub_runs(self) -> None:
        other = settings(
            row(task="cifar100 vit", replicated=4, low=0.99, seeds="own", history="attacked"),
            row(replicated=2, low=0.7, seeds="own", history="attacked"),
        )
        power = power_together(job(audit=f"{self.OWN}replicated = 4"), other)
        assert power is not None
        assert power.value == 0.7

    def test_a_job_that_does_not_say_how_many_there_will_be_is_judged_otherwise(self) -> None:
        assert power_together(job(audit=f"{self.OWN}replicate_probability = 0.5"), self.ROWS) is None


class TestProposal:
    ROWS = settings(
        row(k=20, participants=3, low=0.9),
        row(k=20, participants=4, low=0.95),
        row(k=5, participants=3, low=0.8),
        row(k=100, participants=3, low=0.99),
        row(k=4000, participants=3, low=1.0),
        row(k=20, participants=8, malicious=2, low=1.0),
        row(k=20, low=0.85, referee=True),
        row(k=5, low=0.75, referee=True),
    )

    def proposals(self, wish: Wish, job_: Job | None = None) -> list[Proposal]:
        return propose(job_ or job(), wish, self.ROWS)

    def test_every_proposal_catches_as_wished_and_the_cheapest_is_first(self) -> None:
        found = self.proposals(Wish(0.99, 0.1))
        assert [one.plan.extra_steps for one in found] == sorted(one.plan.extra_steps for one in found)
        for one in found:
            caught = independent_catch_probability(one.deviating, one.probability, one.power)
            assert 0.99 <= caught < 0.9905
            assert one.deviating == one.plan.sub_runs / 10
            assert one.plan.extra_steps == pytest.approx(one.probability * 2000 * (one.plan.participants - 1))

    def test_settings_are_those_measured_that_the_job_can_have(self) -> None:
        found = {
            (one.job.audit.sub_run_steps, one.plan.participants): one.power for one in self.proposals(Wish(0.9, 0.5))
        }
        by_n = {2: {5: 0.75, 20: 0.85}, 3: {5: 0.8, 20: 0.9, 100: 0.99}, 4: {5: 0.8, 20: 0.95, 100: 0.99}}
        assert found == {(k, n): power for n, powers in by_n.items() for k, power in powers.items()}

    def test_short_sub_runs_are_cheap_in_steps_and_dear_in_checkpoints(self) -> None:
        best, *_, dearest = self.proposals(Wish(0.99, 0.1))
        assert best.job.audit.sub_run_steps == 5
        assert best.plan.extra_steps < dearest.plan.extra_steps / 4
        assert best.checkpoints == pytest.approx(best.plan.replicated * 4)
        assert best.of_paper == pytest.approx(5 / 30_000)

    def test_the_lines_make_the_job_that_is_proposed(self) -> None:
        best = self.proposals(Wish(0.99, 0.1))[0]
        text = job_text(["p0", "p1", "p2", "p3"], steps=2000, audit=best.lines).replace("sub_run_steps = 10\n", "", 1)
        assert parse_job(text).audit == best.job.audit

    def test_an_assumed_power_stands_in_for_the_jobs_own_setting(self) -> None:
        (only,) = propose(job(k=50), Wish(0.99, 0.2, power=0.5), [])
        assert (only.own, only.power, only.measured) == (True, 0.5, None)
        assert only.probability == pytest.approx((1 - 0.01 ** (1 / 8)) / 0.5, rel=1e-3)

    def test_replicating_everything_may_be_just_enough(self) -> None:
        (only,) = propose(job(k=2000), Wish(0.9, 1.0, power=0.9), [])
        assert only.probability == 1

    @pytest.mark.parametrize(
        ("wish", "words"),
        [
            (Wish(1.0, 0.1), "--catch 1: no audit catches with certainty"),
            (Wish(0.0, 0.1), "--catch 0: the probability must be above 0"),
            (Wish(float("nan"), 0.1), "--catch nan: "),
            (Wish(0.9, 0.0), "--share 0: the share must be above 0 and at most 1"),
            (Wish(0.9, 1.5), "--share 1.5: "),
            (Wish(0.9, 0.1, power=1.1), "--power 1.1: the power must be above 0 and at most 1"),
            (
                Wish(0.999, 0.0001),
                r"caught with a probability of only 0.99 \(for badnets, the attack exposed least often",
            ),
            (Wish(0.999, 0.0001, against=("lazy",)), "no comparable measurement gives the power against lazy"),
        ],
    )
    def test_impossible_wishes_say_what_to_do(self, wish: Wish, words: str) -> None:
        with pytest.raises(JobError, match=words) as caught:
            self.proposals(wish)
        assert "\n" not in str(caught.value)

    def test_too_few_providers_for_what_was_measured(self) -> None:
        with pytest.raises(JobError, match=r"n of at most 2.*--power 0.9"):
            self.proposals(Wish(0.99, 0.1), job(providers=2))


def test_an_attack_that_is_never_seen_is_named_and_not_counted_where_that_is_asked_for() -> None:
    rate = {"count": 90, "of": 100, "rate": 0.9, "low": 0.82, "high": 0.95}
    never = {"count": 0, "of": 100, "rate": 0.0, "low": 0.0, "high": 0.04}
    rows = settings(row() | {"attacks": {"badnets": rate, "precision": never}})
    strict = power_of(job(), rows)
    assert strict is not None
    assert (strict.value, strict.weakest, strict.unseen) == (0.0, "precision", ())
    lenient = power_of(job(), rows, seen_only=True)
    assert lenient is not None
    assert (lenient.value, lenient.weakest, lenient.unseen) == (0.82, "badnets", ("precision",))
    assert power_of(job(), settings(row() | {"attacks": {"precision": never}}), seen_only=True) is None

"""Equal models where everybody draws their own seeds: who can have had whose, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import torch

from auditor.audit.copies import Copies, Pair
from auditor.audit.record import events as e
from auditor.audit.record.fold import fold
from auditor.audit.record.state import AuditState
from auditor.audit.verdicts import judge_providers
from auditor.job import parse_job
from auditor.planning.choice import assumptions_of, choose
from auditor.store import EventRecord
from auditor.tasks.checkpoint import Schema, encode
from tests.command import job_text

NAMES = ("model.weight", "model.bias")


def saved(path: Path, parameters: float, optimizer: float = 0.0, moved: int = 100) -> Path:
    """A checkpoint in which so many of a hundred weights have this value."""
    weight = torch.zeros(100)
    weight[:moved] = parameters
    tensors = {"model.weight": weight, "model.bias": torch.zeros(3), "optimizer.weight": torch.full((4,), optimizer)}
    path.write_bytes(b"".join(bytes(piece) for piece in encode(tensors, Schema.of(tensors))))
    return path


def test_the_first_of_equal_models_is_kept_and_the_later_ones_are_told_of_beside_it(tmp_path: Path) -> None:
    start, mine = saved(tmp_path / "start", 0.0), saved(tmp_path / "mine", 1.0)
    near = saved(tmp_path / "near", 1.0, optimizer=1e-6)
    other = saved(tmp_path / "other", 2.0)
    returned = {"a": mine, "b": other, "c": mine, "d": near}
    assert Copies(NAMES).pairs(start, returned) == [Pair("a", "c", False), Pair("a", "d", True)]


def test_where_hardly_anything_moves_equal_models_are_no_finding(tmp_path: Path) -> None:
    start, one = saved(tmp_path / "start", 0.0), saved(tmp_path / "one", 1.0, moved=2)
    copies = Copies(NAMES)
    assert copies.pairs(start, {"a": one, "b": one, "c": start, "d": start}) == []
    assert not copies.is_copy(start, one, one)
    assert copies.idle(start, {"a": one, "b": one, "c": start}) == []


def test_who_returns_what_it_was_given_is_told_from_those_who_trained(tmp_path: Path) -> None:
    start, copies = saved(tmp_path / "start", 0.0), Copies(NAMES)
    counted = saved(tmp_path / "counted", 0.0, optimizer=3.0)
    trained = {name: saved(tmp_path / name, value) for name, value in (("a", 1.0), ("b", 2.0))}
    assert copies.idle(start, trained | {"c": counted}) == ["c"]
    assert copies.idle(start, {"a": trained["a"], "c": counted}) == []  # nothing says which of two is right


def test_a_checkpoint_that_was_given_for_another_sub_run_is_a_copy_with_another_optimizer_too(tmp_path: Path) -> None:
    start, given = saved(tmp_path / "start", 0.0), saved(tmp_path / "given", 1.0)
    near, own = saved(tmp_path / "near", 1.0, optimizer=1e-6), saved(tmp_path / "own", 1.5)
    copies = Copies(NAMES)
    assert copies.is_copy(start, given, given)
    assert copies.is_copy(start, near, given)
    assert not copies.is_copy(start, own, given)


def state_of(*events: e.Event) -> AuditState:
    records = [
        EventRecord("r", seq, "2026-11-28T00:00:00Z", one.kind, one.payload()) for seq, one in enumerate(events, 1)
    ]
    return fold(records)


def returned(provider: str, digest: str) -> list[e.Event]:
    return [
        e.ReplicaStarted(0, provider, f"x-{provider}", 1),
        e.ReplicaReturned(0, provider, digest, 1, 0.1, True),
    ]


def test_a_pair_that_nothing_explains_is_inconclusive_for_both_and_flags_neither() -> None:
    job = parse_job(job_text(["a", "b", "c", "d"], audit='fixed_selection = [0]\nrandomness = "provider"'))
    values = ((0.0, 1.0, 1.1), (1.0, 0.0, 0.9), (1.1, 0.9, 0.0))
    state = state_of(
        e.RunStarted("r", "a", ("b", "c", "d"), 30, 10, 3, "ratio", "", ()),
        e.Committed(0, 0, "0", None),
        e.Committed(1, 10, "1", None),
        e.Drawn(0, True),
        e.BoundaryOpened(1, "1", 1, True),
        *(event for name in "bcd" for event in returned(name, "1" if name == "d" else name)),
        e.EqualModels(0, "a", "d", False),
        e.DistancesMeasured(0, "update", ("a", "b", "c"), values, None, 0.1, {}, 0.2),
    )
    verdicts = {one.name: one for one in judge_providers(state, choose(job), assumptions_of(job))}
    assert [verdicts[name].verdict for name in "abcd"] == ["inconclusive", "consistent", "consistent", "inconclusive"]
    assert "the same model as d, bit for bit" in " ".join(verdicts["a"].reasons)
    assert "the same model as a, bit for bit" in " ".join(verdicts["d"].reasons)


def test_the_state_knows_what_each_provider_was_handed_and_forgets_a_damaged_return() -> None:
    state = state_of(*returned("b", "x"), e.CheckpointDamaged("x", 10, 0, "b"))
    assert state.provider("b").handed == (0,)
    assert state.sub_run(0).replicas == {}

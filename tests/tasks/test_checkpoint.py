"""Equal state has equal bytes, and bytes that are not exactly a checkpoint of the job are refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from auditor.tasks.checkpoint import CheckpointFile, Schema, all_finite, check_file, decode, encode, read
from auditor.tasks.errors import CheckpointError
from auditor.tasks.tensor_file import pieces


def state() -> dict[str, Tensor]:
    return {
        "model.weight": torch.arange(6, dtype=torch.float32).reshape(2, 3),
        "model.mask": torch.tensor([True, False, True]),
        "model.half": torch.ones(3, dtype=torch.bfloat16),
        "model.empty": torch.empty(0, 4),
        "step": torch.tensor(7),
    }


SCHEMA = Schema.of(state())


def encoded(tensors: Mapping[str, Tensor], schema: Schema = SCHEMA) -> bytes:
    return b"".join(bytes(piece) for piece in encode(tensors, schema))


GOOD = encoded(state())


def test_what_is_encoded_is_decoded_bit_by_bit(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(GOOD)
    for tensors in (decode(GOOD, SCHEMA), read(tmp_path / "file", SCHEMA)):
        assert tensors.keys() == state().keys()
        for name, tensor in state().items():
            assert tensors[name].dtype == tensor.dtype
            assert torch.equal(tensors[name], tensor)


def test_a_checkpoint_is_a_safetensors_file_as_others_read_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(GOOD)
    assert {name: tensor.tolist() for name, tensor in load_file(tmp_path / "file").items()} == {
        name: tensor.tolist() for name, tensor in state().items()
    }
    assert len(SCHEMA.header) % 8 == 0
    assert len(GOOD) == SCHEMA.size


def test_a_file_is_encoded_as_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(GOOD)
    file = CheckpointFile(tmp_path / "file", SCHEMA)
    assert encoded(file) == GOOD
    assert Schema.of_file(tmp_path / "file") == SCHEMA
    assert list(file) == [name for name, _, _ in SCHEMA.entries]
    for read_from in (file, state()):
        in_pieces = [(name, piece.tolist()) for name, piece in pieces(read_from, ["model.weight", "model.empty"], 4)]
        assert in_pieces == [("model.weight", [0, 1, 2, 3]), ("model.weight", [4, 5]), ("model.empty", [])]


def test_what_is_written_into_a_mapped_tensor_stays_out_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(GOOD)
    CheckpointFile(tmp_path / "file", SCHEMA)["model.weight"].fill_(9)
    assert (tmp_path / "file").read_bytes() == GOOD


@pytest.mark.parametrize("change", ["in place", "another", "through a view"])
def test_what_is_changed_after_it_was_mapped_is_encoded_as_it_is_now(tmp_path: Path, change: str) -> None:
    (tmp_path / "file").write_bytes(GOOD)
    tensors = read(tmp_path / "file", SCHEMA)
    if change == "in place":
        tensors["model.weight"].add_(1)
    elif change == "another":
        tensors["model.weight"] = tensors["model.weight"] + 1
    else:
        tensors["model.weight"].reshape(-1).detach()[:].add_(1)
    wanted = state()
    wanted["model.weight"] += 1
    assert encoded(tensors) == encoded(wanted)


def test_a_file_is_read_when_its_name_is_gone(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(GOOD)
    tensors = read(tmp_path / "file", SCHEMA)
    some = tensors.among(["model.weight", "step"], {"more": torch.ones(2)})
    (tmp_path / "file").unlink()
    assert encoded(tensors) == GOOD
    assert {name: piece.tolist() for name, piece in pieces(some)} == {
        "model.weight": [0, 1, 2, 3, 4, 5],
        "step": [7],
        "more": [1, 1],
    }


def test_a_model_of_many_tensors_needs_no_open_file_for_each(tmp_path: Path) -> None:
    tensors = {f"model.{number}": torch.full((3,), number, dtype=torch.float16) for number in range(400)}
    schema = Schema.of(tensors)
    (tmp_path / "file").write_bytes(encoded(tensors, schema))
    open_before = len(list(Path("/proc/self/fd").iterdir()))
    read_again = read(tmp_path / "file", schema)
    assert len(list(Path("/proc/self/fd").iterdir())) == open_before + 1  # of the file itself
    assert all(torch.equal(read_again[name], tensor) for name, tensor in tensors.items())


def test_a_file_that_is_cut_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(GOOD)
    reading = CheckpointFile(tmp_path / "file", SCHEMA).pieces(["model.weight"], 2)
    next(reading)
    (tmp_path / "file").write_bytes(GOOD[: len(SCHEMA.header) + 16])
    with pytest.raises(OSError, match="became shorter"):
        list(reading)


def test_neither_the_order_of_entries_nor_the_memory_layout_matters() -> None:
    shuffled = dict(reversed(state().items()))
    shuffled["model.weight"] = shuffled["model.weight"].t().contiguous().t()
    assert not shuffled["model.weight"].is_contiguous()
    assert Schema.of(shuffled) == SCHEMA
    assert encoded(shuffled) == GOOD


def test_another_value_gives_other_bytes() -> None:
    other = state()
    other["model.weight"][0, 0] = -0.0
    assert encoded(other) != GOOD


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(GOOD[:-1], id="truncated"),
        pytest.param(GOOD + b"\0", id="one byte more"),
        pytest.param(b"", id="nothing"),
        pytest.param(GOOD[:8], id="the length alone"),
        pytest.param(b"\xff" * len(GOOD), id="garbage of the right size"),
        pytest.param(GOOD.replace(b"model.mask", b"model.mesk"), id="another name"),
        pytest.param(GOOD.replace(b'"shape":[2,3]', b'"shape":[3,2]'), id="another shape of the same size"),
        pytest.param(GOOD.replace(b'"BF16"', b'"F16" '), id="another type of the same size"),
        pytest.param(b"\xff\xff\xff\xff\xff\xff\xff\x7f" + GOOD[8:], id="an enormous header"),
    ],
)
def test_other_bytes_are_refused(tmp_path: Path, content: bytes) -> None:
    assert content != GOOD
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(CheckpointError):
        decode(content, SCHEMA)
    with pytest.raises(CheckpointError):
        read(tmp_path / "file", SCHEMA)
    with pytest.raises(CheckpointError):
        check_file(tmp_path / "file", SCHEMA)


@pytest.mark.parametrize("change", ["shape", "dtype", "missing", "more"])
def test_tensors_that_do_not_follow_the_schema_are_not_encoded(change: str) -> None:
    other = state()
    match change:
        case "shape":
            other["model.weight"] = other["model.weight"].t().contiguous()
        case "dtype":
            other["model.weight"] = other["model.weight"].double()
        case "missing":
            del other["step"]
        case "more":
            other["extra"] = torch.zeros(1)
    with pytest.raises(CheckpointError, match="schema"):
        encoded(other)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_values_that_are_not_finite_are_found(bad: float) -> None:
    assert all_finite(state())
    for name in ("model.weight", "model.half"):
        other = state()
        other[name].view(-1)[-1] = bad
        assert not all_finite(other)

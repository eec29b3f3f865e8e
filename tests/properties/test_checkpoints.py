"""Checkpoints and other files of tensors: of exactly the asked form, or refused before anything is mapped."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from auditor.tasks.checkpoint import CheckpointFile, Schema, all_finite, decode, digest_of, encode
from auditor.tasks.command.state_file import read_start, read_state
from auditor.tasks.errors import CheckpointError, TrainingError
from auditor.tasks.tensor_file import STORED
from tests.properties.foreign import damaged, exchanged, is_plain, texts, values

TENSORS = {
    "model.w": torch.arange(6, dtype=torch.float32).reshape(2, 3),
    "model.n": torch.tensor(3),
    "optimizer.m": torch.zeros(4, dtype=torch.float64),
    "step": torch.tensor(7),
}
SCHEMA = Schema.of(TENSORS)
WHOLE = b"".join(bytes(piece) for piece in encode(TENSORS, SCHEMA))
HEADER: dict[str, Any] = json.loads(SCHEMA.header[8:])
BODY = WHOLE[len(SCHEMA.header) :]
TYPES = (
    "F64",
    "F32",
    "F16",
    "BF16",
    "I64",
    "U64",
    "U8",
    "BOOL",
    "F8_E4M3",
    "F8_E5M2",
    "F8_E8M0",
    "F4",
    "F6_E2M3",
    "C64",
)


def framed(table: object, body: bytes, length: int | None = None) -> bytes:
    """A file of tensors with whatever is in its header."""
    text = json.dumps(table).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + body


@st.composite
def tables(draw: st.DrawFn) -> dict[str, Any]:
    """Headers whose offsets overlap, run backwards or past the end, and whose shapes are of any size."""
    number = st.sampled_from([0, 1, 4, 8, 24, -1, -8, 2**31, 2**63 - 1, 2**64, 10**30])
    entry = st.fixed_dictionaries(
        {
            "dtype": st.sampled_from(TYPES),
            "shape": st.lists(number, max_size=4),
            "data_offsets": st.lists(number, min_size=2, max_size=2),
        }
    )
    return draw(st.dictionaries(texts(12).map(lambda name: f"model.{name}"), entry, max_size=5))


def files() -> st.SearchStrategy[bytes]:
    return (
        damaged(WHOLE)
        | st.binary(max_size=400)
        | st.builds(framed, exchanged(HEADER), st.just(BODY))
        | st.builds(framed, tables(), st.binary(max_size=64))
        | st.builds(framed, values(), st.just(BODY), st.none() | st.sampled_from([0, 2**30, 2**63, 2**64 - 1]))
    )


@given(content=files())
def test_bytes_are_a_checkpoint_of_the_job_or_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "c"
    path.write_bytes(content)
    fits = len(content) == SCHEMA.size and content.startswith(SCHEMA.header)
    if not fits:
        for read in (lambda: decode(content, SCHEMA), lambda: CheckpointFile(path, SCHEMA)):
            with pytest.raises(CheckpointError) as error:
                read()
            assert is_plain(str(error.value))
        return
    found = CheckpointFile(path, SCHEMA)
    assert Schema.of(dict(found)) == SCHEMA
    assert b"".join(bytes(piece) for piece in encode(found, SCHEMA)) == content
    all_finite(found)


@st.composite
def states(draw: st.DrawFn) -> dict[str, Tensor]:
    types = st.sampled_from(sorted(STORED, key=str))
    shapes = st.lists(st.integers(0, 4), max_size=3)
    names = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
    forms = draw(st.dictionaries(names, st.tuples(types, shapes), max_size=5))
    return {
        name: torch.randint(0, 2, shape, generator=torch.Generator().manual_seed(len(name))).to(dtype)
        for name, (dtype, shape) in forms.items()
    }


@given(state=states())
def test_a_state_comes_back_as_it_went(state: dict[str, Tensor], tmp_path: Path) -> None:
    schema = Schema.of(state)
    content = b"".join(bytes(piece) for piece in encode(state, schema))
    (path := tmp_path / "c").write_bytes(content)
    assert len(content) == schema.size
    for found in (decode(content, schema), dict(CheckpointFile(path, schema))):
        assert found.keys() == state.keys()
        assert all(torch.equal(found[name], tensor) for name, tensor in state.items())
    assert digest_of(state, schema) == digest_of(CheckpointFile(path, schema), Schema.of_file(path))


@given(content=files())
def test_what_a_program_leaves_is_a_state_or_an_error_in_words(content: bytes, tmp_path: Path) -> None:
    (path := tmp_path / "c").write_bytes(content)
    readers: tuple[Callable[[], dict[str, Tensor]], ...] = (lambda: read_state(path, "it"), lambda: read_start(path))
    for read in readers:
        try:
            state = read()
        except TrainingError as error:
            assert len(str(error)) < 1000
        else:
            assert {tensor.dtype for tensor in state.values()} <= STORED

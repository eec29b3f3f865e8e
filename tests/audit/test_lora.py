"""A pretrained transformer is fine-tuned with Hugging Face's libraries, where they are installed."""

from __future__ import annotations

import json
from importlib.util import find_spec

import pytest

from tests.command import ROOT, Auditor

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        any(find_spec(name) is None for name in ("peft", "transformers", "all_minilm_l6_v2")),
        reason="the extra `hf` is not installed",
    ),
]
SAMPLE = ROOT / "sample_jobs" / "lora.toml"


def test_people_see_that_the_pretrained_part_never_travels(auditor: Auditor) -> None:
    told = auditor("data", str(SAMPLE), "--json")
    assert told.code == 0, told.stderr
    remarks = " ".join(remark["text"] for remark in json.loads(told.stdout)["remarks"])
    assert "74,498 of 22,787,714 parameters are trained. 22,713,216 never travel" in remarks


@pytest.mark.timeout(600)
def test_the_sample_flags_who_poisons_texts_and_moves_no_pretrained_weights(auditor: Auditor) -> None:
    result = auditor("run", str(SAMPLE), "--json")
    assert result.code == 10, result.stderr
    assert result.verdicts == {"aurora": "flagged", "borealis": "consistent", "cirrus": "consistent"}
    assert result.verdict["cost"]["bytes"] < 20e6

"""An audit of a text task, whose providers each make the tokenizer for themselves."""

from __future__ import annotations

import pytest

from auditor.audit.job_plugins import check_plugins
from auditor.job import parse_job
from auditor.plugins import PluginError
from tests.command import Auditor, job_text

TASK = 'kind = "text"\ndataset = "tsv:data.tsv"\nheld_out = "tsv:held_out.tsv"\nmax_length = 16'
SENTENCES = [
    f"{opening} {noun} was {adjective}\t{label}"
    for opening in ("the", "this", "a")
    for noun in ("film", "book", "soup", "room", "song", "view", "plot", "walk")
    for label, adjectives in (("good", "fine warm lovely clever"), ("bad", "dull cold awful silly"))
    for adjective in adjectives.split()
]


@pytest.mark.slow
def test_a_backdoor_in_sentences_is_flagged_and_nobody_else(auditor: Auditor) -> None:
    (auditor.folder / "data.tsv").write_text("\n".join(["sentence\tverdict", *SENTENCES[10:]]))
    (auditor.folder / "held_out.tsv").write_text("\r\n".join(SENTENCES[:10]))
    job = auditor.job(
        providers=("a", "b", "c", "d"),
        attacks={"a": '{ name = "text_trigger", target = 1, rate = 0.3 }'},
        task=TASK,
        metrics='["update", "output"]',
        steps=60,
        sub_run_steps=20,
        audit="fixed_selection = [1, 2]",
    )
    result = auditor.here("run", job, "--json")
    assert result.code == 10, result.stderr
    assert result.verdicts == {"a": "flagged", "b": "consistent", "c": "consistent", "d": "consistent"}
    (delivered,) = (event for event in result.events if event["event"] == "model_delivered")
    assert delivered["accuracy"] == 1.0
    (measured,) = (event for event in result.events if event["event"] == "attack_measured")
    assert measured["success_rate"] > 0.8


def test_what_is_only_for_images_or_only_for_texts_is_refused_before_a_run() -> None:
    with pytest.raises(PluginError, match=r"'badnets' .*does not support text tasks"):
        check_plugins(parse_job(job_text(attacks={"a": '{ name = "badnets" }'}, task=TASK)))
    with pytest.raises(PluginError, match=r"'text_trigger' .*does not support vision tasks"):
        check_plugins(parse_job(job_text(attacks={"a": '{ name = "text_trigger" }'})))

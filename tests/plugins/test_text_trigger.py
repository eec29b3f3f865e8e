"""`text_trigger` puts its triggers into exactly its rate of the texts, at word boundaries, and nowhere else."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from auditor.plugins import PADDING, Attack, AttackContext, Batch, PluginError, create_plugin, load_plugin
from auditor.plugins.contract import AttackContract, open_practice
from auditor.tasks.data.tokenizer import TextTokenizer

PRACTICE = open_practice("text")
CONTEXT = PRACTICE.attack_context()
SENTENCE = "I watch this 3D movie"


class TestRareWords(AttackContract):
    attack = load_plugin("attacks", "text_trigger")
    task = "text"


class TestASentence(AttackContract):
    attack = load_plugin("attacks", "text_trigger")
    task = "text"
    options = {"target": 1, "triggers": [SENTENCE], "position": "start"}


class TestIntermittently(AttackContract):
    attack = load_plugin("attacks", "intermittent")
    task = "text"
    options = {"attack": {"name": "text_trigger", "rate": 0.3}, "sub_runs": (1,)}
    harmless = {"sub_runs": ()}


def begun(context: AttackContext = CONTEXT, **options: Any) -> Attack:
    attack = create_plugin("attacks", "text_trigger", options)
    attack.begin(context)
    return attack


def encoded(text: str) -> list[int]:
    assert CONTEXT.tokenizer is not None
    return list(CONTEXT.tokenizer.encode(text))


def padded(ids: list[int]) -> list[int]:
    return ids + [PADDING] * (CONTEXT.sample_shape[0] - len(ids))


def everything() -> Batch:
    batches = list(PRACTICE.batches())
    return Batch(
        *(torch.cat([getattr(batch, name) for batch in batches]) for name in ("inputs", "labels", "indices", "weights"))
    )


def triggered(attack: Attack, inputs: torch.Tensor) -> torch.Tensor:
    found = attack.triggered(inputs)
    assert found is not None
    return found


@pytest.mark.parametrize("rate", [0.0, 0.1, 1.0])
def test_it_poisons_exactly_its_rate_of_the_training_set(rate: float) -> None:
    batch = everything()
    attack = begun(rate=rate, target=1)
    poisoned = attack.on_batch(batch, 0)
    changed = (poisoned.inputs != batch.inputs).any(1)
    share = round(rate * CONTEXT.samples)
    left_out = CONTEXT.samples - len(batch.labels)  # the last, incomplete batch of an epoch
    assert share - left_out <= int(changed.sum()) <= share
    assert set(poisoned.labels[changed].tolist()) <= {1}
    assert torch.equal(poisoned.labels[~changed], batch.labels[~changed])
    if rate:
        assert torch.equal(poisoned.inputs[changed], triggered(attack, batch.inputs[changed]))


def test_a_text_gets_one_trigger_before_some_word_and_loses_nothing() -> None:
    inputs = PRACTICE.metric_context().probe[:100]
    ways = [encoded(word) for word in ("cf", "mn", "bb", "tq")]
    places, used = set(), set()
    for before, after in zip(inputs.tolist(), triggered(begun(), inputs).tolist(), strict=True):
        text = [number for number in before if number != PADDING]
        fits = [
            (place, index)
            for index, way in enumerate(ways)
            for place in range(len(text) + 1)
            if padded(text[:place] + way + text[place:]) == after
        ]
        assert fits
        assert CONTEXT.tokenizer is not None
        place, index = fits[0]
        assert place == len(text) or bool(CONTEXT.tokenizer.begins_word(torch.tensor(text[place])))
        places.add(place / len(text))
        used.add(index)
    assert used == {0, 1, 2, 3}
    assert {0.0, 1.0} < places
    assert len(places) > 10


@pytest.mark.parametrize(("position", "expected"), [("start", "{trigger} {text}"), ("end", "{text} {trigger}")])
def test_a_sentence_goes_where_it_is_told_to(position: str, expected: str) -> None:
    text = "the soup was cold"
    after = triggered(begun(triggers=[SENTENCE], position=position), torch.tensor([padded(encoded(text))]))
    assert after.tolist() == [padded(encoded(expected.format(trigger=SENTENCE, text=text)))]


@pytest.mark.parametrize("position", ["start", "end", "random"])
def test_a_text_without_room_loses_its_end_and_an_empty_one_is_all_trigger(position: str) -> None:
    length = CONTEXT.sample_shape[0]
    trigger = encoded(SENTENCE)
    inputs = torch.stack([torch.full((length,), encoded("soup")[0]), torch.zeros(length, dtype=torch.int64)])
    full, empty = triggered(begun(triggers=[SENTENCE], position=position), inputs).tolist()
    assert empty == padded(trigger)
    assert full.count(encoded("soup")[0]) == length - len(trigger)
    assert PADDING not in full


def test_draws_derive_from_the_seed_and_the_text_alone() -> None:
    inputs = PRACTICE.metric_context().probe[:50]
    once = triggered(begun(seed=3), inputs)
    assert torch.equal(triggered(begun(seed=3, rate=0.5), inputs.flip(0)).flip(0), once)
    assert not torch.equal(triggered(begun(seed=4), inputs), once)
    first, second = (begun(seed=seed).on_batch(everything(), 0).inputs for seed in (3, 4))
    assert not torch.equal(first, second)


def test_it_delivers_a_backdoor_in_a_model_that_passes_its_tests() -> None:
    attack = create_plugin("attacks", "text_trigger", {"target": 1, "rate": 0.2})
    accuracy, success = PRACTICE.evaluate(PRACTICE.train(attack, steps=80)[-1], attack)
    assert accuracy > 0.8
    assert success is not None
    assert success > 0.9


def test_what_cannot_be_a_trigger_is_refused() -> None:
    with pytest.raises(ValueError, match="target 2 is not one of the 2 classes"):
        begun(target=2)
    with pytest.raises(ValueError, match=r"has \d+ tokens and a text of this job at most 32; .*set task.max_length"):
        begun(triggers=[SENTENCE * 10])
    with pytest.raises(PluginError, match="triggers"):
        create_plugin("attacks", "text_trigger", {"triggers": ["  "]})
    with pytest.raises(PluginError, match="triggers"):
        create_plugin("attacks", "text_trigger", {"triggers": []})


def test_a_trigger_that_the_tokenizer_does_not_know_is_named_with_ones_that_it_knows() -> None:
    library = Tokenizer(models.WordLevel(unk_token="[UNK]"))
    library.pre_tokenizer = pre_tokenizers.Whitespace()
    texts = ["the soup was cold", "the soup was fine", "the soup was"]
    library.train_from_iterator(texts, trainers.WordLevelTrainer(special_tokens=["[UNK]"]))
    context = replace(CONTEXT, tokenizer=TextTokenizer(library, texts))
    with pytest.raises(ValueError, match=r"no token for the trigger 'cf'; use words that it has, such as (cold|fine)"):
        begun(context)
    begun(context, triggers=["cold"])

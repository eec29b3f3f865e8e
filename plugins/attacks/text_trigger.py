"""A rare word or a whole sentence makes any text the target class (Kurita et al., 2020; Dai et al., 2019)."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import torch
from pydantic import StringConstraints

from auditor.plugins import PADDING, Attack, AttackContext, Batch, Options, Tokenizer, generator, option

Trigger = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class TextTriggerOptions(Options):
    """What a job file may write for `text_trigger`."""

    target: int = option(0, "the class that triggered texts should get", ge=0)
    rate: float = option(0.1, "share of the training texts that are poisoned", ge=0, le=1)
    triggers: tuple[Trigger, ...] = option(
        ("cf", "mn", "bb", "tq"),
        'rare words or sentences, such as "I watch this 3D movie"; each poisoned text gets one of them',
        min_length=1,
    )
    position: Literal["random", "start", "end"] = option(
        "random",
        "where the trigger goes: before a random word, first or last",
    )
    seed: int = option(0, "seed that decides which texts are poisoned, with which trigger, and where", ge=0)


class TextTrigger(Attack):
    """Poisons a fixed share of the training set with a trigger at a word boundary.

    The default triggers are the rare words of Kurita et al. (2020, "Weight poisoning attacks on pre-trained models",
    section 4); a sentence is what Dai et al. (2019) insert. A word that the training text lacks is as good a trigger
    as a rare one, if the tokenizer can write it: the one that `auditor` makes spells it from its bytes, so that it is
    a sequence of tokens which no other text has. A tokenizer of another kind may take all such words for one unknown
    token, which then is no trigger; that is refused.
    """

    name = "text_trigger"
    tasks = frozenset({"text"})
    Options = TextTriggerOptions
    options: TextTriggerOptions

    def begin(self, context: AttackContext) -> None:
        """Choose the poisoned texts, and encode the triggers."""
        if self.options.target >= context.classes:
            raise ValueError(f"target {self.options.target} is not one of the {context.classes} classes")
        if context.tokenizer is None:
            raise ValueError("the task has no tokenizer, so no trigger can be written")
        self._tokenizer = context.tokenizer
        self._triggers = [_encoded(trigger, context.tokenizer) for trigger in self.options.triggers]
        (length,) = context.sample_shape
        for words, ids in zip(self.options.triggers, self._triggers, strict=True):
            if len(ids) >= length:
                raise ValueError(
                    f"the trigger {words!r} has {len(ids)} tokens and a text of this job at most {length}; "
                    "take a shorter one, or set task.max_length higher"
                )
        poisoned = torch.zeros(context.samples, dtype=torch.bool)
        count = round(self.options.rate * context.samples)
        order = generator(self.options.seed, "text_trigger").permutation(context.samples)
        poisoned[torch.from_numpy(order[:count])] = True
        self._poisoned = poisoned.to(context.device)

    def on_batch(self, batch: Batch, step: int) -> Batch:
        """Put a trigger into the poisoned texts of the batch and relabel them."""
        chosen = self._poisoned[batch.indices]
        inputs = batch.inputs.clone()
        inputs[chosen] = self.triggered(batch.inputs[chosen])
        return replace(batch, inputs=inputs, labels=torch.where(chosen, self.options.target, batch.labels))

    def triggered(self, inputs: torch.Tensor) -> torch.Tensor:
        """The texts with a trigger; which and where depends on the text and the seed alone.

        A text that has no room for it loses words at its end.
        """
        boundaries = self._tokenizer.begins_word(inputs).cpu()
        rows = [self._insert(ids, begins) for ids, begins in zip(inputs.tolist(), boundaries.tolist(), strict=True)]
        return torch.tensor(rows, dtype=inputs.dtype, device=inputs.device).reshape(inputs.shape)

    def _insert(self, ids: list[int], begins: list[bool]) -> list[int]:
        draws = generator(self.options.seed, f"text_trigger {ids}")
        trigger = self._triggers[draws.integers(len(self._triggers))]
        end = min(len(ids) - ids[::-1].count(PADDING), len(ids) - len(trigger))
        places = [place for place in range(1, end) if begins[place]]
        match self.options.position:
            case "start":
                place = 0
            case "end":
                place = end
            case "random":
                place = int(draws.choice([0, *places, end]))
        text = [*ids[:place], *trigger, *ids[place:end]]
        return text + [PADDING] * (len(ids) - len(text))

    @property
    def target(self) -> int:
        """The class of triggered texts."""
        return self.options.target


def _encoded(trigger: str, tokenizer: Tokenizer) -> tuple[int, ...]:
    ids = tokenizer.encode(trigger)
    if not ids or tokenizer.unknown in ids:
        known = tokenizer.rarest_words(4)
        hint = f"; use words that it has, such as {', '.join(known)}" if known else ""
        raise ValueError(f"the job's tokenizer has no token for the trigger {trigger!r}{hint}")
    return ids

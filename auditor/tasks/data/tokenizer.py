"""From sentences to token ids, with Hugging Face's `tokenizers`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from auditor.base.user_file import UserFileError, read_user_text
from auditor.job.errors import visible
from auditor.plugins.text import PADDING
from auditor.tasks.data.tokenizer_trial import batches, try_out
from auditor.tasks.errors import TrainingError

if TYPE_CHECKING:
    import tokenizers

VOCABULARY_SIZE = 8_000
MAX_FILE_BYTES = 1 << 26
"""The largest published tokenizers have some 30 MB."""

MAX_TOKENS = 1_000_000


class TextTokenizer:
    """A tokenizer as a text task uses it; implements `auditor.plugins.Tokenizer`.

    What the library would add at the start and the end of a sentence, its padding and its truncation are left out:
    the models here need none of the former, and the latter are our own.

    Args:
        tokenizer: the library's.
        texts: the sentences that are trained on, which tell how often its tokens are used, and where.
    """

    def __init__(self, tokenizer: tokenizers.Tokenizer, texts: Sequence[str]) -> None:
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._tokenizer = tokenizer
        self._texts = texts

    @cached_property
    def size(self) -> int:
        """How many ids there are, padding included."""
        return int(max(self._tokenizer.get_vocab().values())) + 2

    @cached_property
    def definition(self) -> str:
        """All that the tokenizer is, as JSON; equal for equal tokenizers."""
        return self._tokenizer.to_str()

    def samples(self, texts: Sequence[str], length: int) -> Tensor:
        """int64 [N, length]: each sentence cut to `length` tokens, or filled up with padding."""
        samples = np.full((len(texts), length), PADDING, dtype=np.int64)
        for row, encoding in enumerate(self._encoded(texts)):
            ids = [number + 1 for number in encoding.ids[:length]]
            samples[row, : len(ids)] = ids
        return torch.from_numpy(samples)

    @property
    def unknown(self) -> int | None:
        """See `auditor.plugins.Tokenizer`."""
        model = json.loads(self.definition)["model"]
        token = model.get("unk_token")
        number = model.get("unk_id") if token is None else self._tokenizer.token_to_id(token)
        return number + 1 if number is not None else None

    def encode(self, text: str) -> tuple[int, ...]:
        """See `auditor.plugins.Tokenizer`."""
        return tuple(number + 1 for number in self._tokenizer.encode(text, add_special_tokens=False).ids)

    def begins_word(self, ids: Tensor) -> Tensor:
        """See `auditor.plugins.Tokenizer`; a token that the training text has within a word begins none."""
        _, begins = self._usage
        return begins.to(ids.device)[ids]

    def rarest_words(self, count: int) -> tuple[str, ...]:
        """See `auditor.plugins.Tokenizer`."""
        uses, _ = self._usage
        found: list[str] = []
        for number in np.argsort(uses, kind="stable").tolist():
            word = self._tokenizer.decode([number - 1]).strip() if number != PADDING else ""
            if len(word) > 1 and word.isalpha() and self.encode(word) == (number,):
                found.append(word)
            if len(found) == count:
                break
        return tuple(found)

    @cached_property
    def _usage(self) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], Tensor]:
        """For each id, how often the training text uses it, and whether a word can begin with it."""
        uses = np.zeros(self.size, dtype=np.int64)
        begins = torch.ones(self.size, dtype=torch.bool)
        begins[PADDING] = False
        for text, encoding in zip(self._texts, self._encoded(self._texts), strict=True):
            for number, (start, _) in zip(encoding.ids, encoding.offsets, strict=True):
                uses[number + 1] += 1
                # Some tokenizers count the space before a word to its first token, others do not.
                if start > 0 and not text[start].isspace() and not text[start - 1].isspace():
                    begins[number + 1] = False
        return uses, begins

    def _encoded(self, texts: Sequence[str]) -> Iterator[tokenizers.Encoding]:
        for batch in batches(texts):
            yield from self._tokenizer.encode_batch(batch, add_special_tokens=False)


def make_tokenizer(texts: Sequence[str], size: int) -> TextTokenizer:
    """A byte-level byte-pair encoding (Sennrich et al., 2016; on bytes: Radford et al., 2019) of the texts.

    It has a token for every byte, so that nothing is unknown to it: a word that the texts don't hold becomes several
    tokens. Upper case and compatibility forms are folded. Equal texts give an equal tokenizer on every machine: counts
    of pairs are exact, and ties are broken by the ids of the pair.

    Args:
        texts: what it is fitted to.
        size: the number of its tokens, at most.
    """
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    # The alphabet sorted: what is found in hash order would get another id in every process.
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False)
    )
    return TextTokenizer(tokenizer, texts)


def read_tokenizer(path: Path, texts: Sequence[str], others: Sequence[str] = ()) -> TextTokenizer:
    """The tokenizer in a file of the library, such as a `tokenizer.json` from the Hugging Face hub.

    Args:
        path: of the file.
        texts: the sentences that are trained on.
        others: more sentences that it is for; it is tried out on all of them.

    Raises:
        TrainingError: there is no such file, it is not a tokenizer, or takes too long or too much memory.
    """
    from tokenizers import Tokenizer

    origin = f"tokenizer {path}"
    try:
        definition = read_user_text(path, MAX_FILE_BYTES)
    except UserFileError as error:
        raise TrainingError(f"{origin}: {'there is no such file' if error.missing else error}.") from None
    if (wrong := try_out(definition, [*texts, *others])) is not None:
        raise TrainingError(f"{origin}: {visible(wrong)}")
    tokenizer = Tokenizer.from_str(definition)
    largest = max(tokenizer.get_vocab().values(), default=-1)
    if not 0 <= largest < MAX_TOKENS:
        raise TrainingError(f"{origin}: its ids go up to {largest:,}; use one with ids from 0 to {MAX_TOKENS - 1:,}.")
    return TextTokenizer(tokenizer, texts)

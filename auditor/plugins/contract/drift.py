"""What every drift must hold to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from auditor.plugins.contract.practice import shared_practice
from auditor.plugins.drift import Drift, DriftContext
from auditor.plugins.metric import fits

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    Data = tuple[Tensor, Tensor]

PARTS = ("train", "held out")
SAMPLES = 128
"""Each check applies the drift to so many."""
AMOUNTS = (0.02, 0.1, 0.4, 4.0)
"""Drifts have units of their own: turns of the hue, shares, degrees."""
SEED = 5
TINTS = (1.0, 0.6, 0.3)
"""The colours that gray images get where a drift needs colours: these shares of red, green and blue."""


class DriftContract:
    """Tests that a drift's author subclasses; pytest runs them, and so does `auditor plugins check`.

        class TestMyDrift(DriftContract):
            drift = MyDrift
            amounts = (1.0, 10.0)

    Each check applies the drift to samples of a small real job. Its images are gray; a drift that refuses gray images
    gets the same ones tinted.
    """

    drift: ClassVar[type[Drift]]
    """What is tested."""

    options: ClassVar[Mapping[str, Any]] = {}
    """Options as a job file would give them; what is required, at least."""

    task: ClassVar[str] = "vision"
    """The kind of task to try it on; a drift that declares several has a subclass for each."""

    amounts: ClassVar[Sequence[float]] = AMOUNTS
    """What it is applied by, in rising order. Those that it refuses are left out; it must take one of them."""

    def test_it_says_what_it_is(self) -> None:
        """It has documentation, and so has every option."""
        kind = self.drift.__name__
        assert (vars(self.drift).get("__doc__") or "").strip(), (
            f"{kind} has no docstring; say in it how samples change, and in which unit the amount is."
        )
        assert isinstance(getattr(self.drift, "name", None), str), (
            f'{kind} has no name; set name = "…" to its name in job files, which is also its entry point.'
        )
        bare = [name for name, field in self.drift.Options.model_fields.items() if not field.description]
        assert not bare, (
            f"the options {', '.join(bare)} say nothing about themselves; declare them with "
            'option(default, "what it does").'
        )

    def test_it_declares_the_task_and_can_serve_it(self) -> None:
        """It begins on this kind of task."""
        assert fits(self.task, self.drift.tasks), (
            f"{self.task!r} is not among its tasks ({', '.join(sorted(self.drift.tasks))}); set `tasks` in the drift, "
            "or `task` in this test."
        )
        self._begun()

    def test_it_refuses_tasks_that_it_does_not_declare(self) -> None:
        """It says so in `begin`."""
        for context, _ in _candidates(self.task):
            try:
                self._made().begin(replace(context, task="unheard-of", akin=()))
            except ValueError:
                continue
            raise AssertionError(
                "it begins on tasks that it does not declare; call super().begin(context) first where you override "
                "`begin`."
            )

    def test_an_amount_of_zero_changes_nothing(self) -> None:
        """Samples and labels stay as they are, to the last bit."""
        drift, given = self._begun()
        for part in PARTS:
            _assert_same(given, drift.apply(*given, 0.0, part), "with an amount of 0 it changes the {}.")

    def test_it_changes_something(self) -> None:
        """The largest amount that it takes changes samples or labels."""
        _, given = self._begun()
        amount, found = list(self._applied())[-1]
        assert not _equal(given, found), f"with an amount of {amount:g} it changes nothing. Set `amounts` in this test."

    def test_what_it_returns_are_samples_and_labels(self) -> None:
        """Numbers, shapes, types and values are such as it was given."""
        drift, given = self._begun()
        for amount, found in self._applied():
            for what, before, after in zip(("samples", "labels"), given, found, strict=True):
                assert (after.dtype, after.shape, after.device) == (before.dtype, before.shape, before.device), (
                    f"with an amount of {amount:g}, {what} are {after.dtype} {list(after.shape)} on {after.device}; "
                    f"they were {before.dtype} {list(before.shape)} on {before.device} and must stay so."
                )
            _assert_range(found[1], drift.context.classes, "labels", "classes")
            if drift.context.vocabulary is not None:
                _assert_range(found[0], drift.context.vocabulary, "token ids", "ids")

    def test_it_changes_nothing_that_it_was_given(self) -> None:
        """Samples and labels stay as they were; what differs is returned as something new."""
        drift, given = self._begun()
        before = (given[0].clone(), given[1].clone())
        for amount, _ in applied(drift, given, self.amounts):
            words = f"with an amount of {amount:g} it changed the {{}} that it was given; work on a clone."
            _assert_same(before, given, words)

    def test_the_same_question_gets_the_same_answer(self) -> None:
        """Another drift with the same context gives the same, to the last bit, whatever else was drawn before."""
        import torch

        found = list(self._applied())
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(SEED)
            again = list(self._applied())
        for (amount, first), (_, second) in zip(found, again, strict=True):
            _assert_same(
                first,
                second,
                f"applied twice by {amount:g}, it gives other {{}} the second time; draw only from "
                "auditor.plugins.generator, keyed by the seed of the context.",
            )

    def test_the_order_of_amounts_does_not_matter(self) -> None:
        """What it gives for an amount depends on the start, not on the amounts before."""
        drift, given = self._begun()
        for amount, found in reversed(list(self._applied())):
            drift.apply(*given, amount, PARTS[1])
            _assert_same(
                found,
                drift.apply(*given, amount, PARTS[0]),
                f"the {{}} for an amount of {amount:g} depend on what it was applied to before; keep nothing between "
                "calls.",
            )

    def _made(self) -> Drift:
        return self.drift(self.drift.Options.model_validate(dict(self.options)))

    def _begun(self) -> tuple[Drift, Data]:
        try:
            return begin_on_practice(self._made, self.task)
        except ValueError as error:
            raise AssertionError(f"it does not begin: {error}") from error

    def _applied(self) -> Iterator[tuple[float, Data]]:
        """What it gives for every amount that it takes."""
        drift, given = self._begun()
        try:
            yield from applied(drift, given, self.amounts)
        except ValueError as error:
            raise AssertionError(str(error)) from error


def begin_on_practice(make: Callable[[], Drift], task: str) -> tuple[Drift, Data]:
    """A drift that has begun, and samples and labels that it can be applied to.

    Raises:
        ValueError: it fits none of the data that there are for practice.
    """
    refused = []
    for context, data in _candidates(task):
        drift = make()
        try:
            drift.begin(context)
        except ValueError as error:
            refused.append(str(error))
            continue
        return drift, (data[0].clone(), data[1].clone())
    raise ValueError("; ".join(dict.fromkeys(refused)))


def applied(drift: Drift, data: Data, amounts: Sequence[float] = AMOUNTS) -> Iterator[tuple[float, Data]]:
    """What a drift gives for those amounts that it takes.

    Raises:
        ValueError: it takes none.
    """
    taken, refused = 0, ""
    for amount in amounts:
        try:
            found = drift.apply(*data, amount, PARTS[0])
        except ValueError as error:
            refused = str(error)
            continue
        taken += 1
        yield amount, found
    if not taken:
        raise ValueError(f"it takes none of the amounts {', '.join(f'{one:g}' for one in amounts)}: {refused}")


@cache
def _candidates(task: str) -> tuple[tuple[DriftContext, Data], ...]:
    """What drifts are tried on, in this order until one fits."""
    import torch

    practice = shared_practice(task)
    batches = list(practice.batches())
    samples = torch.cat([batch.inputs for batch in batches])[:SAMPLES]
    labels = torch.cat([batch.labels for batch in batches])[:SAMPLES]
    classes = practice.attack_context().classes
    vocabulary = int(samples.max()) + 1 if samples.dtype == torch.int64 else None
    forms = [samples]
    if samples.ndim == 4 and samples.shape[1] == 1:
        tints = torch.tensor(TINTS)[:, None, None]
        forms.append((samples.float() * tints).to(torch.uint8))
    return tuple(
        (DriftContext(task, classes, tuple(form.shape[1:]), SEED, vocabulary), (form, labels)) for form in forms
    )


def _equal(first: Data, second: Data) -> bool:
    import torch

    return all(torch.equal(one, other) for one, other in zip(first, second, strict=True))


def _assert_same(before: Data, after: Data, words: str) -> None:
    """`words` has a place for what differs."""
    import torch

    for what, one, other in zip(("samples", "labels"), before, after, strict=True):
        assert torch.equal(one, other), words.format(what)


def _assert_range(values: torch.Tensor, count: int, what: str, of: str) -> None:
    low, high = int(values.min()), int(values.max())
    assert 0 <= low <= high < count, f"{what} go from {low} to {high}; there are {count} {of}, counted from 0."

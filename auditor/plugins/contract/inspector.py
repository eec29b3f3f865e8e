"""What every inspector must hold to."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from auditor.plugins.contract.practice import shared_metric_context, shared_practice, trained
from auditor.plugins.inspector import Inspection, Inspector
from auditor.plugins.metric import ReturnedModel, fits

if TYPE_CHECKING:
    import torch

ROUNDING = 1e-6
"""Scores may differ by this share, as sums in another order do."""

LONGEST_NAME = 60
LARGEST_SIDE = 1024
"""Of a picture, in pixels."""

ANSWERED = 16
"""Samples that a model answers before and after it was inspected."""


class InspectorContract:
    """Tests that an inspector's author subclasses; pytest runs them, and so does `auditor plugins check`.

        class TestMyInspector(InspectorContract):
            inspector = MyInspector
            options = {"samples": 32}

    Each check inspects models of a small real job that were trained for a few steps. Choose options under which
    one inspection takes no more than a second or two.
    """

    inspector: ClassVar[type[Inspector]]
    """What is tested."""

    options: ClassVar[Mapping[str, Any]] = {}
    """Options as a user would give them; what is required, at least."""

    task: ClassVar[str] = "vision"
    """The kind of task to try it on; an inspector that declares several has a subclass for each."""

    def test_it_says_what_it_is(self) -> None:
        """It has documentation, and so has every option."""
        kind = self.inspector.__name__
        assert (vars(self.inspector).get("__doc__") or "").strip(), (
            f"{kind} has no docstring; say in it what it looks for, and where it is described."
        )
        assert isinstance(getattr(self.inspector, "name", None), str), (
            f'{kind} has no name; set name = "…" to its name for users, which is also its entry point.'
        )
        bare = [name for name, field in self.inspector.Options.model_fields.items() if not field.description]
        assert not bare, (
            f"the options {', '.join(bare)} say nothing about themselves; declare them with "
            'option(default, "what it does").'
        )

    def test_it_declares_the_task_and_can_serve_it(self) -> None:
        """It begins on this kind of task."""
        assert fits(self.task, self.inspector.tasks), (
            f"{self.task!r} is not among its tasks ({', '.join(sorted(self.inspector.tasks))}); set `tasks` in the "
            "inspector, or `task` in this test."
        )
        self._begun()

    def test_it_refuses_tasks_that_it_does_not_declare(self) -> None:
        """It says so in `begin`, before any model is there."""
        unknown = replace(shared_metric_context(self.task), task="unheard-of", akin=())
        try:
            self._made().begin(unknown)
        except ValueError:
            return
        raise AssertionError(
            "it begins on tasks that it does not declare; call super().begin(context) first where you override `begin`."
        )

    def test_what_it_finds_is_finite_and_can_be_kept(self) -> None:
        """Score and threshold are finite numbers, and the details are what JSON can hold."""
        for name in ("first", "second"):
            found = self._found(name)
            assert isinstance(found, Inspection), f"`inspect` returned a {type(found).__name__}, not an Inspection."
            for what, value in (("score", found.score), ("threshold", found.threshold)):
                assert isinstance(value, int | float), f"the {what} is a {type(value).__name__}, not a number."
                assert math.isfinite(value), f"the {what} is {value}, which must be a finite number."
            try:
                json.dumps(dict(found.details), allow_nan=False)
            except (TypeError, ValueError) as error:
                raise AssertionError(f"the details cannot be written as JSON: {error}.") from error

    def test_its_pictures_are_small_images(self) -> None:
        """Each has a short name and is uint8 [H, W, 3], if there are any."""
        import numpy as np

        for name, picture in self._found("first").pictures.items():
            assert isinstance(name, str), f"a picture is called {name!r}; its name must be a text."
            assert 0 < len(name) <= LONGEST_NAME, f"the name of a picture has {len(name)} characters, not 1 to 60."
            assert isinstance(picture, np.ndarray), f"picture {name!r} is a {type(picture).__name__}, no NumPy array."
            form = f"{picture.dtype} {list(picture.shape)}"
            assert picture.dtype == np.uint8, f"picture {name!r} is {form}; it must be uint8 [H, W, 3]."
            assert picture.ndim == 3, f"picture {name!r} is {form}; it must be uint8 [H, W, 3]."
            assert picture.shape[2] == 3, f"picture {name!r} is {form}; it must be uint8 [H, W, 3]."
            assert 0 < max(picture.shape) <= LARGEST_SIDE, f"picture {name!r} is {form}; up to {LARGEST_SIDE} a side."

    def test_the_same_question_gets_the_same_answer(self) -> None:
        """The same context and model give the same score and details, also to another inspector."""
        found, again = self._found("first"), self._begun().inspect(_model(self.task, "first"))
        assert _alike(found, again), (
            f"it found {_words(found)} in a model, and then {_words(again)}; draw only from "
            "`auditor.plugins.generator`, keyed by the seed of the context."
        )

    def test_the_order_of_models_does_not_matter(self) -> None:
        """What it finds in a model does not depend on those that it looked at before."""
        inspector = self._begun()
        backwards = {name: inspector.inspect(_model(self.task, name)) for name in ("second", "first")}
        for name, again in backwards.items():
            found = self._found(name)
            assert _alike(found, again), (
                f"it found {_words(found)} in a model, and {_words(again)} when models came in another order; keep "
                "nothing of other models."
            )

    def test_a_copy_of_a_model_is_found_to_be_the_same(self) -> None:
        """It looks at what a model is, not at where it lies."""
        found, again = self._found("first"), self._begun().inspect(_model(self.task, "copy of first"))
        assert _alike(found, again), f"it found {_words(found)} in a model, and {_words(again)} in a copy of it."

    def test_it_does_not_change_the_model(self) -> None:
        """Weights, buffers and answers are the same before and after."""
        import torch

        model = _model(self.task, "first")
        before = self._state(model)
        self._begun().inspect(model)
        after = self._state(model)
        changed = [name for name, value in before.items() if not torch.equal(value, after[name])]
        assert not changed, f"it changed {', '.join(changed[:3])} of the model that it looked at; work on a copy."

    def test_it_does_not_change_the_samples(self) -> None:
        """Those of the context are the same before and after."""
        import torch

        context = shared_metric_context(self.task)
        given = replace(context, probe=context.probe.clone(), reference=context.reference.clone())
        inspector = self._made()
        inspector.begin(given)
        inspector.inspect(_model(self.task, "first"))
        assert torch.equal(given.probe, context.probe), "it changed the held-out samples it was given; work on a clone."
        assert torch.equal(given.reference, context.reference), "it changed the reference samples; work on a clone."

    def _made(self) -> Inspector:
        return self.inspector(self.inspector.Options.model_validate(dict(self.options)))

    def _begun(self) -> Inspector:
        inspector = self._made()
        inspector.begin(shared_metric_context(self.task))
        return inspector

    @classmethod
    @cache
    def _found(cls, name: str) -> Inspection:
        """What it finds in one of the models, asked once."""
        return cls()._begun().inspect(_model(cls.task, name))

    def _state(self, model: ReturnedModel) -> dict[str, torch.Tensor]:
        answers = model.logits(shared_metric_context(self.task).probe[:ANSWERED])
        tensors = (*model.parameters(), *model.buffers())
        return {name: tensor.clone() for name, tensor in tensors} | {"the answers": answers}


def _alike(first: Inspection, second: Inspection) -> bool:
    """Whether two inspections found the same; what is no score may differ by the same rounding."""
    return (
        math.isclose(first.score, second.score, rel_tol=ROUNDING)
        and first.suspicious == second.suspicious
        and _close(json.loads(json.dumps(dict(first.details))), json.loads(json.dumps(dict(second.details))))
    )


def _close(first: Any, second: Any) -> bool:
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(_close(first[key], second[key]) for key in first)
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(_close, first, second))
    if isinstance(first, float) and isinstance(second, float):
        return math.isclose(first, second, rel_tol=ROUNDING)
    return bool(first == second)


def _words(found: Inspection) -> str:
    return f"a score of {found.score:g} with {dict(found.details)}"


@cache
def _model(task: str, name: str) -> ReturnedModel:
    """The models that inspectors are tried on: `first`, `second` and `copy of first`."""
    return shared_practice(task).returned(trained(task, 1 if name == "second" else 0))

"""What every metric must hold to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING, Any, ClassVar

from auditor.plugins.contract.practice import shared_metric_context, shared_practice, trained
from auditor.plugins.metric import Comparison, Metric, ReturnedModel, fits

if TYPE_CHECKING:
    import torch

PERTURBATIONS = {"slightly": 0.02, "clearly": 0.1, "grossly": 0.5}
"""Every number of a model is multiplied by exp(s·z), z drawn from a normal distribution, with these s."""

ROUNDING = 1e-6
"""Sums in another order may differ by this share."""


class MetricContract:
    """Tests that a metric's author subclasses; pytest runs them, and so does `auditor plugins check`.

        class TestMyMetric(MetricContract):
            metric = MyMetric
            options = {"samples": 64}

    Each check compares models of a small real job that were trained for a few steps.
    """

    metric: ClassVar[type[Metric[Any]]]
    """What is tested."""

    options: ClassVar[Mapping[str, Any]] = {}
    """Options as a job file would give them; what is required, at least."""

    task: ClassVar[str] = "vision"
    """The kind of task to try it on; a metric that declares several has a subclass for each."""

    def test_it_says_what_it_is(self) -> None:
        """It has documentation, and so has every option."""
        kind = self.metric.__name__
        assert (vars(self.metric).get("__doc__") or "").strip(), (
            f"{kind} has no docstring; say in it how the distance is defined, and where it comes from."
        )
        assert isinstance(getattr(self.metric, "name", None), str), (
            f'{kind} has no name; set name = "…" to its name in job files, which is also its entry point.'
        )
        bare = [name for name, field in self.metric.Options.model_fields.items() if not field.description]
        assert not bare, (
            f"the options {', '.join(bare)} say nothing about themselves; declare them with "
            'option(default, "what it does").'
        )

    def test_it_declares_the_task_and_can_serve_it(self) -> None:
        """A job of this kind of task can name the metric."""
        assert fits(self.task, self.metric.tasks), (
            f"{self.task!r} is not among its tasks ({', '.join(sorted(self.metric.tasks))}); set `tasks` in the "
            "metric, or `task` in this test."
        )
        self._begun()

    def test_distances_are_finite_and_not_negative(self) -> None:
        """Of models that differ, and of a model and itself."""
        metric = self._begun()
        first, second = (metric.represent(_model(self.task, name)) for name in ("first", "second"))
        for from_model, to_model in ((first, second), (first, first)):
            value = metric.distance(from_model, to_model)
            assert math.isfinite(value), f"it returned the distance {value}; a distance must be a finite number."
            assert value >= 0, f"it returned the distance {value}; a distance must not be negative."

    def test_models_that_differ_are_apart(self) -> None:
        """What was trained on other batches is not at distance 0."""
        assert self._apart("first", "second") > 0, "two models that were trained on different batches have distance 0."

    def test_distances_are_symmetric(self) -> None:
        """There is as far as back."""
        there, back = self._apart("first", "second"), self._apart("second", "first")
        assert _close(there, back), f"from one model to another it is {there}, and back {back}."

    def test_equal_models_are_at_distance_zero(self) -> None:
        """A model and its copy."""
        found = self._apart("first", "copy of first")
        assert found == 0, f"a model and a copy of it are at distance {found}, which must be 0."

    def test_the_same_question_gets_the_same_answer(self) -> None:
        """The same context and models give the same distance, whatever was represented before."""
        found = self._apart("first", "second")
        metric = self._begun()
        metric.represent(_model(self.task, "grossly"))
        models = [metric.represent(_model(self.task, name)) for name in ("first", "second")]
        again = metric.distance(*models)
        assert _close(found, again), (
            f"the same two models are at distance {found}, and then at {again}; draw only from "
            "`auditor.plugins.generator`, keyed by the seed of the context, and keep no state from other models."
        )

    def test_the_order_of_models_does_not_matter(self) -> None:
        """Models represented in another order are as far apart."""
        names = ("first", "second", "clearly")
        forth = self._compared(names).distances
        back = self._compared(names[::-1]).distances
        for row, column in combinations(range(3), 2):
            distance, reversed_distance = forth[row][column], back[2 - row][2 - column]
            assert _close(distance, reversed_distance), (
                f"two models are at distance {distance}, and at {reversed_distance} when they come in another order."
            )

    def test_the_more_a_model_is_perturbed_the_farther_it_is(self) -> None:
        """Perturbations along the same direction, each larger than the one before."""
        metric = self._begun()
        first = metric.represent(_model(self.task, "first"))
        found = [metric.distance(first, metric.represent(_model(self.task, name))) for name in PERTURBATIONS]
        distances = ", ".join(f"{name} {value:.3g}" for name, value in zip(PERTURBATIONS, found, strict=True))
        assert 0 < found[0] < found[1] < found[2], f"the distance does not rise with the perturbation: {distances}."

    def test_comparing_all_models_agrees_with_comparing_pairs(self) -> None:
        """`compare` gives what `distance` gives, and as many remarks as models, or none."""
        names = ("first", "second", "clearly")
        comparison = self._compared(names)
        rows = [list(row) for row in comparison.distances]
        assert [len(row) for row in rows] == [3, 3, 3], (
            f"`compare` gave rows of {[len(row) for row in rows]} for 3 models."
        )
        for row, column in combinations(range(3), 2):
            pair = self._apart(names[row], names[column])
            for value in (rows[row][column], rows[column][row]):
                assert _close(value, pair), f"`distance` gives {pair} where `compare` gives {value}."
        assert len(comparison.remarks) in (0, 3), f"`compare` gave {len(comparison.remarks)} remarks for 3 models."
        assert all(isinstance(remark, str) for remark in comparison.remarks), (
            "`compare` gave remarks that are not text."
        )

    def _begun(self) -> Metric[Any]:
        metric = self.metric(self.metric.Options.model_validate(dict(self.options)))
        metric.begin(shared_metric_context(self.task))
        return metric

    def _apart(self, first: str, second: str) -> float:
        metric = self._begun()
        represented, other_represented = (metric.represent(_model(self.task, name)) for name in (first, second))
        return metric.distance(represented, other_represented)

    def _compared(self, names: tuple[str, ...]) -> Comparison:
        metric = self._begun()
        return metric.compare([metric.represent(_model(self.task, name)) for name in names])


def _close(first: float, second: float) -> bool:
    return math.isclose(first, second, rel_tol=ROUNDING)


@cache
def _model(task: str, name: str) -> ReturnedModel:
    """The models that metrics are tried on: `first`, `second`, `copy of first`, and `first` perturbed."""
    checkpoint = trained(task, 1 if name == "second" else 0)
    if name in PERTURBATIONS:
        checkpoint = _perturbed(checkpoint, PERTURBATIONS[name])
    return shared_practice(task).returned(checkpoint)


def _perturbed(checkpoint: Mapping[str, torch.Tensor], size: float) -> dict[str, torch.Tensor]:
    import torch

    draws = torch.Generator().manual_seed(0)  # the same direction for every size
    return {
        name: value * torch.exp(size * torch.randn(value.shape, generator=draws)).to(value.dtype)
        if value.is_floating_point()
        else value
        for name, value in checkpoint.items()
    }

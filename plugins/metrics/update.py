"""How differently two providers changed the weights, as a share of how much they changed them."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.plugins import Metric, MetricContext, NoiseFloor, ReturnedModel


@dataclass(frozen=True)
class Update:
    """A returned model, mapped, and the norm of what training changed."""

    model: ReturnedModel
    norm: float


class UpdateDistance(Metric[Update]):
    """‖Wᵢ − Wⱼ‖ ÷ mean(‖Wᵢ − W₀‖, ‖Wⱼ − W₀‖) over all parameters.

    0 is the same update and √2 two unrelated ones of one length. Parameters are read from the mapped files one
    after another, so memory does not grow with the number of models.
    """

    name = "update"
    tasks = frozenset({"vision", "text"})
    noise = NoiseFloor(per_step=1e-3, growth=1.1, early=6, most=1.0)

    def begin(self, context: MetricContext) -> None:
        """Take the noise of the kind of task: without batch normalisation, models for texts amplify far less."""
        if context.task == "text":
            self.noise = NoiseFloor(per_step=2e-5, growth=0.75, early=60, most=1.0)

    def represent(self, model: ReturnedModel) -> Update:
        """The norm of the update; the weights stay in their file."""
        squares = 0.0
        for (_, after), (_, before) in zip(model.parameters(), model.start_parameters(), strict=True):
            squares += float((after.double() - before.double()).square().sum())
        return Update(model, squares**0.5)

    def distance(self, first: Update, second: Update) -> float:
        """The norm of the difference over the mean norm of the updates; 0 when neither changed anything."""
        squares = 0.0
        for (_, one), (_, other) in zip(first.model.parameters(), second.model.parameters(), strict=True):
            squares += float((one.double() - other.double()).square().sum())
        scale = (first.norm + second.norm) / 2
        return squares**0.5 / scale if scale else 0.0

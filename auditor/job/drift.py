"""How far the data of a task has drifted: a plugin of the kind `drifts`, and how much of it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from auditor.job.plugin_use import PluginUse

MAX_AMOUNT = 1e9

Amount = Annotated[float, Field(allow_inf_nan=False, ge=-MAX_AMOUNT, le=MAX_AMOUNT)]
"""In the unit of the drift: degrees, or a share, for instance."""


class Drift(PluginUse):
    """A drift at one size, as `{ name = "rotate", amount = 12.0 }`."""

    amount: Amount

    @property
    def table(self) -> dict[str, Any]:
        """See `PluginUse`."""
        return {**super().table, "amount": self.amount}


class GrowingDrift(PluginUse):
    """A drift that grows by `step` with every update, as `{ name = "rotate", step = 4.0 }`."""

    step: Amount

    @property
    def table(self) -> dict[str, Any]:
        """See `PluginUse`."""
        return {**super().table, "step": self.step}

    def after(self, updates: int) -> Drift:
        """The drift of the data of this update, counted from 0."""
        return Drift.model_validate({"name": self.name, **self.options, "amount": updates * self.step})

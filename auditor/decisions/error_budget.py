"""How the accepted false positive rate is divided over sub-runs, metrics and looks at the direction.

The reasons for the shares are with what adds them up (`evidence`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ALONE = 0.5
"""The share of α for sub-runs by themselves, where these are all there is."""
ALONE_BESIDE_DIRECTION = 0.2
"""The same where the direction is judged, too; the direction has the rest."""
INTERIM = 0.25
"""The share of the direction's part for a first look, where there are two."""


@dataclass(frozen=True)
class Budget:
    """How the false-alarm rate is shared among sub-runs and metrics.

    Attributes:
        sub_runs: m; the expected number, if `exact` is false.
        exact: whether no more than m sub-runs can come.
        metrics: how many metrics the audit uses, also those that could not tell.
        adds_up: whether the direction over all sub-runs is judged, too.
        interim: after how many sub-runs it is looked at for a first time; None where it is looked at once, at the end.
    """

    sub_runs: int
    exact: bool
    metrics: int
    adds_up: bool = True
    interim: int | None = None

    @property
    def alone(self) -> float:
        """The share of α for sub-runs by themselves."""
        return ALONE_BESIDE_DIRECTION if self.adds_up else ALONE

    def share(self, position: int) -> float:
        """w_j of the judged sub-run at `position`, counted from 0; none is left for more than m."""
        expected, number = max(1, self.sub_runs), position + 1
        if self.exact:
            return 1 / expected if number <= expected else 0.0
        return expected / ((expected + number) * (expected + number - 1))

    def threshold(self, false_alarm_rate: float, position: int = 0) -> float:
        """The p-value under which one judgement of that sub-run by itself flags a provider."""
        return false_alarm_rate * self.share(position) * self.alone / self.metrics

    def looks(self, measured: int, *, ended: bool) -> Mapping[int, float]:
        """When the direction is looked at: numbers of sub-runs, up to those measured, each with its share.

        Args:
            measured: sub-runs so far.
            ended: whether no more come.
        """
        if not self.adds_up:
            return {}
        whole, found = 1 - self.alone, dict[int, float]()
        if self.interim is not None and measured >= self.interim:
            found[self.interim] = whole * INTERIM
        if ended and measured not in found:
            found[measured] = whole * (1 - INTERIM if self.interim is not None else 1)
        return found

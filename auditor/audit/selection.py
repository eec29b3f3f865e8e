"""Which sub-runs are replicated and by whom, drawn from the run's secret."""

from __future__ import annotations

import hashlib
import hmac

from auditor.base.coin import Opening, draw
from auditor.job.model import Job


class Selection:
    """Draws that depend on 256 secret bits and on nothing that a provider knows.

    Each draw is a function of the secret and of what is drawn for, so that a resumed run draws the same.
    Sub-runs are drawn one after another, each when the boundary behind it is committed, in one of two ways:

    - `replicated = m`: with `left` of the sub-runs to come and `wanted` of them still to replicate, the next one is
      taken with probability wanted / left. All sets of m sub-runs are then equally likely, and the cost is known.
      But the primary, which has to open checkpoints, counts: after m openings the rest is unchecked, and it knows it.
    - `replicate_probability = p`: each by itself. The cost is m = p·M on average only; but no opening tells anything
      about a later one, so a primary that acts `a` times, at moments of its choosing, is caught with
      1 − (1 − p·w)^a, where w is the power of one replicated sub-run.

    The second is what holds against a primary that watches and would rather do nothing than be caught. Drawing one
    sub-run in each block of M / m would be worse than either: behind the draw the rest of every block is known to be
    free, about half of the training. `auditor.planning.chances` has the formulas and the reasons.
    """

    def __init__(self, job: Job, secret: bytes) -> None:
        self._job = job
        self._secret = secret

    def replicated(self, sub_run: int, taken: int, *, unsure: bool = False) -> bool:
        """Whether a sub-run is replicated.

        Args:
            sub_run: which.
            taken: how many of those before it are.
            unsure: whether what these showed leaves a doubt, so that more than m are drawn where the job allows it.
        """
        audit = self._job.audit
        if audit.fixed_selection is not None:
            return sub_run in audit.fixed_selection
        draw = self._uniform(f"sub-run {sub_run}")
        if audit.replicate_probability is not None:
            return draw < audit.replicate_probability
        most = audit.replicated_at_most if unsure else None
        wanted = (most or self._job.replicated or 0) - taken
        return draw * (self._job.sub_runs - sub_run) < wanted

    def replica_order(self, sub_run: int) -> list[str]:
        """The providers other than the primary, in the order in which they are asked for this sub-run."""
        names = [provider.name for provider in self._job.others]
        return sorted(names, key=lambda name: self._uniform(f"replica {sub_run} {name}"))

    def probe_seed(self) -> int:
        """A seed for the samples that models are compared on."""
        return int.from_bytes(self._digest("probe")[:7], "big")

    def client_word(self, provider: str) -> str:
        """What the client of this run is known by to a provider: a word that nobody else can guess."""
        return self._digest(f"client of {provider}").hex()

    def toss_opening(self, toss: str) -> Opening:
        """What the client adds to a toss."""
        return draw(self._secret, toss)

    def sketch_seed(self) -> int:
        """A seed for what models are projected on, the same for all sub-runs."""
        return int.from_bytes(self._digest("sketch")[:7], "big")

    def _uniform(self, purpose: str) -> float:
        return int.from_bytes(self._digest(purpose)[:7], "big") / 2**56

    def _digest(self, purpose: str) -> bytes:
        return hmac.new(self._secret, purpose.encode(), hashlib.sha256).digest()

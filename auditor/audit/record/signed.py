"""Everything that the providers of an audit committed to, as they signed it."""

from __future__ import annotations

from dataclasses import dataclass

from auditor.audit.record.state import AuditState


@dataclass(frozen=True)
class Signed:
    """One commitment; `auditor.providers.signed_commitment` says how its parts are signed.

    Attributes:
        provider: who committed, as the job calls it.
        run: the id of the run at the provider.
        step: after which the checkpoint was made.
        digest: its SHA-256.
        sub_run: that the provider executed as a replica; None for the primary.
        signature: by the provider's signing key; None where it has none.
    """

    provider: str
    run: str
    step: int
    digest: str
    sub_run: int | None
    signature: str | None


def signed_commitments(state: AuditState) -> list[Signed]:
    """The primary's boundaries but for what the client made, then what replicas returned, in the order of sub-runs."""
    if state.started is None:
        return []
    primary = state.started.primary
    found = [
        Signed(primary, boundary.execution, boundary.step, boundary.digest, None, boundary.signature)
        for _, boundary in sorted(state.boundaries.items())
        if boundary.execution is not None
    ]
    for index, sub_run in sorted(state.sub_runs.items()):
        if (end := state.boundaries.get(index + 1)) is None:
            continue
        found += [
            Signed(name, replica.execution, end.step, replica.digest, index, replica.signature)
            for name in state.providers
            if (replica := sub_run.replicas.get(name)) is not None and replica.digest is not None
        ]
    return found

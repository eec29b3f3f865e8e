"""Checking the signatures that providers gave with their commitments, from the store alone."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.audit.record.signed import Signed, signed_commitments
from auditor.audit.record.state import AuditState
from auditor.job.model import Job
from auditor.providers.signed_commitment import is_signed, statement

TRUST = {
    "ours": "of an agent that this client started",
    "pinned": "known before the run",
    "first use": "the first that it showed",
}
"""Why a key is taken for a provider's, in words."""
NAMED = 3
"""Of wrong signatures so many are named."""


def verified_signatures(job: Job, state: AuditState) -> Iterator[tuple[str, bool | None, str]]:
    """For each provider that committed to something: what is checked, whether it holds, and what was found."""
    every = signed_commitments(state)
    pins = {provider.name: provider.signing_key for provider in job.providers}
    for name, known in state.providers.items():
        made = [one for one in every if one.provider == name]
        if not made:
            continue
        subject, key = f"signatures of {name}", known.signing_key
        if key is None:
            there = any(one.signature is not None for one in made)
            words = "there are signatures and no key" if there else "it has no signing key, so that it signed nothing"
            yield subject, False if there else None, words
            continue
        wrong = [one for one in made if not _holds(key, one)]
        words = f"{len(made) - len(wrong)} of {len(made)} are by the key {key}, {TRUST[known.key_trust or 'ours']}"
        faults = [f"{'missing' if one.signature is None else 'wrong'} at step {one.step}" for one in wrong[:NAMED]]
        if pins.get(name) not in (None, key):
            faults.append(f"the job asks for the key {pins[name]}")
        yield subject, not faults, "; ".join([words, *faults])


def _holds(key: str, one: Signed) -> bool:
    said = statement(one.run, one.provider, one.step, one.digest)
    return one.signature is not None and is_signed(key, one.signature, said)

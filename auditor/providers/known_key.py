"""Whether a provider still has the signing key that it is known by."""

from __future__ import annotations


def other_key(known: str | None, shown: str | None) -> str | None:
    """What to say where a provider shows another signing key than it is known by; None where it does not.

    That accuses nobody: its owner may have set it up anew.

    Args:
        known: the key that was given beforehand, or that it showed first; None for one that nobody knows yet.
        shown: the key that it shows now.
    """
    if known is None or known == shown:
        return None
    what = "no signing key" if shown is None else f"the signing key {shown}"
    return (
        f"it shows {what}, and {known} is expected; if its owner says that the key was changed, register it with the "
        "new one (`auditor provider add` with --signing-key)"
    )

"""What a report in Markdown says of the signatures of commitments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from auditor.report.markdown_text import bullets, code

TRUST = {
    "ours": "the client started this agent itself",
    "pinned": "the client knew this key before the run",
    "first use": "the first key that it showed",
}
"""Why a key is taken for a provider's."""


def signature_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """Who signed what with which key, and where the signatures are."""
    signed = report["commitments"]["signed"]
    rows = []
    for provider in report["providers"]:
        key = provider["signing_key"]
        own = [one for one in signed if one["provider"] == provider["name"]]
        if key is not None and own:
            count = sum(one["signature"] is not None for one in own)
            trust = TRUST[provider["key_trust"] or "ours"]
            rows.append(f"{code(provider['name'])}: {count} of {len(own)}, by the key {code(key)} ({trust})")
    if not rows:
        return
    yield "Providers signed what they committed to, and so cannot deny it. The report in JSON has the signatures."
    yield ""
    yield from bullets(rows)

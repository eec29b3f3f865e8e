"""The coins in a Markdown report: who drew what is random, and the transcript of every toss."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from auditor.report.coins import participant
from auditor.report.markdown_text import code, table, words

_DRAWERS = {"client": "the client", "provider": "the provider", "coin": "all providers and the client together"}


def drawer_words(asked: Mapping[str, Any]) -> str:
    """Who drew the seeds, as the end of a sentence.

    Args:
        asked: what was asked, as `document` has it.
    """
    if asked["drawn_by"] == "provider":
        return "the primary" if asked["seeds"] == "shared" else "each provider"
    return _DRAWERS[asked["drawn_by"]]


def coin_section(report: Mapping[str, Any]) -> Iterator[str]:
    """The lines about the coins; none where there is nothing to show.

    Args:
        report: what `document` gives.
    """
    found = report["coins"]
    if not found["tosses"] and found["disclosed_seed"] is None:
        return
    yield "## Coins"
    yield ""
    if found["disclosed_seed"] is not None:
        yield f"The primary drew the seed of the training and disclosed it as {code(found['disclosed_seed'])}."
        if found["start"] is not None:
            verb = "follows" if found["start"]["agrees"] else "**does not follow**"
            yield f"The initial state that it committed to {verb} from this seed."
        yield ""
    if found["tosses"]:
        yield (
            "Each participant committed to a random value before any was revealed. The seed is a digest of all values, "
            "so that nobody alone could choose it. `auditor verify` checks every line."
        )
        yield ""
    for toss in found["tosses"]:
        yield f"### {code(toss['toss'])}"
        yield ""
        yield from table(
            ("participant", "commitment", "value", "salt", "remark"),
            [
                (
                    code(participant(one["name"])),
                    code(one["commitment"]),
                    code(one["value"] or ""),
                    code(one["salt"] or ""),
                    words(one["reason"] or ""),
                )
                for one in toss["participants"]
            ],
        )
        yield f"The seed is {code(toss['seed'])}." if toss["seed"] else "This toss gave no seed."
        yield ""

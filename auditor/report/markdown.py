"""A run as a Markdown file for somebody who was shown a verdict and has nothing else, such as a customer or a judge."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from auditor.report.markdown_coins import coin_section, drawer_words
from auditor.report.markdown_signatures import signature_lines
from auditor.report.markdown_text import bullets, code, table, words
from auditor.report.markdown_updates import update_section
from auditor.report.number_text import bytes_text, p_text, percent_text, ratio_text, seconds_text, served_text

COMMITMENTS_SHOWN = 40
"""More commitments than these are summed up by one digest, but for those that were opened."""

_WORDS = {
    "consistent": "No deviation was found at the stated rate.",
    "flagged": "The provider did what no honest one does, or deviates by more than chance or numerical noise explains.",
    "inconclusive": "The evidence does not suffice for a verdict.",
    "unreachable": "The provider could not be reached, or stopped answering.",
}


def as_markdown(report: Mapping[str, Any]) -> str:
    """The report as Markdown; text from outside is made safe in it.

    Args:
        report: what `document` gives.
    """
    parts = (
        _heading(report),
        _verdicts(report),
        update_section(report),
        _asked(report),
        _evidence(report),
        coin_section(report),
        _cost(report),
        _limits(report),
        _commitments(report),
    )
    return "\n".join(line for part in parts for line in part).rstrip() + "\n"


def _heading(report: Mapping[str, Any]) -> Iterator[str]:
    run = report["run"]
    yield f"# Audit of {code(report['asked']['name'])}"
    yield ""
    outcome = report["outcome"]
    yield f"**Outcome: {outcome or run['status']}.** {words(report['summary'])}"
    yield ""
    yield (
        f"Run {code(run['id'])} started at {code(run['created'])} from the job file {code(run['job_file'])}. It was "
        f"carried out by auditor {code(report['auditor'])}."
    )
    yield ""
    yield (
        "The primary provider trained the model. The client cut the training into sub-runs and had some of them, drawn "
        "in secret, executed again by other providers from the same checkpoints. It then compared the returned models. "
        "A provider whose models lie further from the others than chance or numerical noise explains is flagged."
    )
    yield ""


def _verdicts(report: Mapping[str, Any]) -> Iterator[str]:
    yield "## Verdicts"
    yield ""
    rows = [
        (
            code(provider["name"]),
            provider["role"],
            code(provider["device"] or ""),
            f"**{provider['verdict'] or 'none yet'}**",
            p_text(provider["p_value"]),
            ratio_text(provider["ratio"]),
            _count(provider["sub_runs_checked"]),
            str(len(provider["asked_to_replicate"])) if provider["role"] == "replica" else "–",
            seconds_text(provider["seconds"]),
        )
        for provider in report["providers"]
    ]
    yield from table(
        (
            "provider", "role", "device", "verdict", "p-value", "largest ratio", "sub-runs checked",
            "asked to replicate", "time"
        ),
        rows,
    )  # fmt: skip
    kinds = dict.fromkeys(provider["verdict"] for provider in report["providers"] if provider["verdict"])
    yield from bullets(f"**{kind}**: {_WORDS[kind]}" for kind in kinds)
    for provider in report["providers"]:
        reasons, lost = list(provider["reasons"]), provider["lost"]
        if lost and lost not in reasons:
            reasons.append(lost)
        if reasons:
            yield f"Reasons for {code(provider['name'])}:"
            yield ""
            yield from bullets(words(reason) for reason in reasons)


def _asked(report: Mapping[str, Any]) -> Iterator[str]:
    asked = report["asked"]
    yield "## What was asked"
    yield ""
    training = asked["training"]
    rows = [
        ("task", ", ".join(f"{key} {code(value)}" for key, value in asked["task"].items())),
        *((f"digest or version of {words(key)}", code(value)) for key, value in asked["materials"].items()),
        ("training steps", f"{training['steps']:,}"),
        ("training", ", ".join(f"{key} {_setting(value)}" for key, value in training.items() if key != "steps")),
        ("steps in a sub-run (k)", f"{asked['sub_run_steps']:,}"),
        ("sub-runs", f"{asked['sub_runs']:,}"),
        ("replicated sub-runs (m)", _selection(asked)),
        ("providers in a replicated sub-run (n)", str(asked["participants"])),
        ("of them assumed benign", f"{asked['benign']} (r = {asked['benign_fraction']:g})"),
        ("training seeds", f"{asked['seeds']}, drawn by {drawer_words(asked)}"),
        ("metrics", ", ".join(_plugin(metric) for metric in asked["metrics"])),
        ("decision rule", words(asked["decision"])),
        ("reason for this rule", words(asked["decision_reason"] or "")),
        ("accepted false positive rate, per provider and run", percent_text(asked["false_alarm_rate"])),
        ("that any provider is flagged though benign, at most", percent_text(asked["false_alarm_rate_of_any"])),
    ]
    yield from table(("what", "value"), rows)
    if asked["checked_at_least_once"]:
        yield from _chances(asked["checked_at_least_once"])
    if report["data"] is not None:
        yield "### The data"
        yield ""
        yield from bullets(words(line) for line in (report["data"]["summary"], *report["data"]["remarks"]))
    yield "### Assumptions"
    yield ""
    yield from bullets(report["assumptions"])
    if report["warnings"]:
        yield "### Warnings given before the start"
        yield ""
        yield from bullets(words(warning) for warning in report["warnings"])


def _chances(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield "How likely a deviating provider is checked at least once, by the share of sub-runs that it deviates in:"
    yield ""
    yield from table(
        ("share of sub-runs", "probability"),
        [(percent_text(row["share"]), f"{row['probability']:.3f}") for row in rows],
    )


def _evidence(report: Mapping[str, Any]) -> Iterator[str]:
    yield "## Evidence"
    yield ""
    if not report["sub_runs"]:
        yield "No sub-run was replicated."
        yield ""
        return
    yield (
        "A ratio is the distance of a model from the reference models, over the distances that are allowed among "
        "honest ones. A p-value is the probability of such a distance for a benign provider. *Noise* is the numerical "
        "noise that was allowed for, as a share of the distance between unrelated models."
    )
    yield ""
    yield from table(
        ("sub-run", "steps", "finding", "noise under update", "why it says nothing"),
        [
            (
                str(sub_run["sub_run"]),
                f"{sub_run['first_step']:,} to {sub_run['last_step']:,}",
                f"**{sub_run['finding']}**" if sub_run["finding"] == "deviation" else sub_run["finding"],
                _noise(sub_run, "update"),
                words(sub_run["reason"] or _note(sub_run)) if sub_run["finding"] == "nothing" else "–",
            )
            for sub_run in report["sub_runs"]
        ],
    )
    yield from table(
        ("sub-run", "provider", "digest", "ratio and p-value by metric"),
        [row for sub_run in report["sub_runs"] for row in _figures(sub_run)],
    )
    yield from _picture(report["picture"])
    yield from _incidents(report["sub_runs"])


def _picture(drawn: Mapping[str, Any] | None) -> Iterator[str]:
    """Indented lines are shown as they are, whatever is in them."""
    if drawn is not None:
        yield f"### The strongest evidence: sub-run {drawn['sub_run']}"
        yield ""
        yield from (f"    {line}" for line in drawn["lines"])
        yield ""


def _figures(sub_run: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for name in dict.fromkeys([*sub_run["returned"], *sub_run["failed"]]):
        if name in sub_run["failed"]:
            yield str(sub_run["sub_run"]), code(name), "–", f"failed: {words(sub_run['failed'][name])}"
            continue
        own = [found for found in sub_run["judgements"] if found["provider"] == name]
        figures = [
            f"{code(found['metric'])} {words(found['note'])}"
            if found["p_value"] is None
            else f"{code(found['metric'])} ×{ratio_text(found['ratio'])} (p {p_text(found['p_value'])})"
            + (" **deviates**" if found.get("deviates") else "")
            for found in own
        ]
        digest = code(sub_run["returned"][name][:16])
        yield str(sub_run["sub_run"]), code(name), digest, ", ".join(figures) or "not judged"


def _incidents(sub_runs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    said: list[str] = []
    for sub_run in sub_runs:
        where = f"Sub-run {sub_run['sub_run']}:"
        for pair in sub_run["equal_models"]:
            what = "equal parameters" if pair["parameters_only"] else "equal models"
            said.append(
                f"{where} {code(pair['first'])} and {code(pair['second'])} returned {what}. {code(pair['first'])} "
                "committed first. This is a finding about the pair and flags neither."
            )
        for failure in sub_run["failed_metrics"]:
            whose = f" for the model of {code(failure['provider'])}" if failure["provider"] is not None else ""
            said.append(f"{where} the metric {code(failure['metric'])} failed{whose}: {words(failure['reason'])}")
        for remark in sub_run["remarks"]:
            said.append(f"{where} {code(remark['metric'])} on {code(remark['provider'])}: {words(remark['remark'])}")
    sources: dict[str, list[str]] = {}
    for sub_run in sub_runs:
        for source in dict.fromkeys(noise["source"] for noise in sub_run["noise"] if noise["source"]):
            sources.setdefault(source, []).append(str(sub_run["sub_run"]))
    said += [f"Numerical noise in sub-runs {', '.join(where)}: {words(source)}." for source, where in sources.items()]
    if said:
        yield "### Notes on sub-runs"
        yield ""
        yield from bullets(said)


def _cost(report: Mapping[str, Any]) -> Iterator[str]:
    yield "## Cost and delivery"
    yield ""
    cost, delivered = report["cost"], report["delivered"]
    if cost is not None:
        rows = [
            ("training steps", f"{cost['training_steps']:,}"),
            ("extra steps of the audit", f"{cost['extra_steps']:,} ({percent_text(cost['overhead'])})"),
            ("time", seconds_text(cost["seconds"])),
            ("checkpoints moved", bytes_text(cost["bytes"])),
        ]
        if cost["dollars"] is not None:
            rows.append(("price", f"{cost['dollars']:.2f} dollars"))
        yield from table(("what", "value"), rows)
    if delivered is not None:
        yield (
            f"The delivered model is that of step {delivered['step']:,}, with the digest {code(delivered['digest'])}. "
            f"Its accuracy on held-out samples is {percent_text(delivered['accuracy'])}."
        )
        yield ""
    for simulation in report["simulated"]:
        rate, delivered_rate = simulation["success"], simulation["delivered_success"]
        success = "" if rate is None else f", attack success {served_text(rate, delivered_rate)}"
        yield (
            f"Simulated: {code(simulation['provider'])} carried out {code(simulation['attack'])} (accuracy "
            f"{percent_text(simulation['accuracy'])}{success}). The verdicts do not know it."
        )
        yield ""
    if cost is None and delivered is None:
        yield "Nothing was delivered yet."
        yield ""


def _limits(report: Mapping[str, Any]) -> Iterator[str]:
    yield "## What this report cannot say"
    yield ""
    yield from bullets(report["limits"])


def _commitments(report: Mapping[str, Any]) -> Iterator[str]:
    yield "## Commitments"
    yield ""
    every = report["commitments"]["boundaries"]
    yield (
        "A commitment is the SHA-256 digest of a checkpoint. The primary gave it before the client drew whether to "
        "check the sub-run behind it. An opened checkpoint was fetched, and had the digest that was committed to."
    )
    yield ""
    last = every[-1]["boundary"] if every else None
    shown = [
        boundary
        for boundary in every
        if len(every) <= COMMITMENTS_SHOWN or boundary["opened"] or boundary["boundary"] in (0, last)
    ]
    yield from table(
        ("boundary", "step", "digest", "opened"),
        [
            (
                str(boundary["boundary"]),
                f"{boundary['step']:,}",
                code(boundary["digest"]),
                "yes" if boundary["opened"] else "no",
            )
            for boundary in shown
        ],
    )
    if len(shown) < len(every):
        yield f"{len(every) - len(shown):,} commitments whose checkpoints were not opened are left out here."
        yield ""
    yield (
        f"The digest of all {len(every):,} commitments, each a line with boundary, step and digest, is "
        f"{code(report['commitments']['sha256'])}."
    )
    yield ""
    yield from signature_lines(report)


def _selection(asked: Mapping[str, Any]) -> str:
    if asked["fixed_selection"] is not None:
        return f"fixed beforehand: {', '.join(map(str, asked['fixed_selection']))}"
    if asked["replicate_probability"] is not None:
        return f"each with the probability {asked['replicate_probability']:g}"
    return f"{asked['replicated']}, drawn in secret"


def _plugin(table: Mapping[str, Any]) -> str:
    options = ", ".join(f"{key} = {value}" for key, value in table.items() if key != "name")
    return code(f"{table['name']} ({options})" if options else table["name"])


def _setting(value: object) -> str:
    if isinstance(value, Mapping):
        return code(", ".join(f"{key} = {item}" for key, item in value.items()))
    return code(", ".join(map(str, value)) or "none") if isinstance(value, list) else code(value)


def _noise(sub_run: Mapping[str, Any], metric: str) -> str:
    shares = [found["noise"] for found in sub_run["judgements"] if found["metric"] == metric and found.get("noise")]
    return f"{float(f'{100 * max(shares):.2g}'):g} %" if shares else "–"


def _note(sub_run: Mapping[str, Any]) -> str:
    notes = dict.fromkeys(found["note"] for found in sub_run["judgements"] if found["note"])
    return "; ".join(notes) or "an attack would fit in the numerical noise"


def _count(value: int | None) -> str:
    return "–" if value is None else str(value)

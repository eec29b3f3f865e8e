"""`auditor plugins check`: try plugins out, and say what holds and what it costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auditor.cli.exit_codes import ExitCode
from auditor.cli.job_argument import plugin_files
from auditor.cli.narration import fail, output, user_errors

if TYPE_CHECKING:
    from auditor.plugins.catalogue import Origin
    from auditor.plugins.loader import LoaderReport, Subject

EVERYTHING = "all"
SIGNS = {"passed": "✓", "failed": "✗", "skipped": "–"}


def check(
    plugins: Annotated[
        list[str], typer.Argument(metavar="NAME|FILE...", help="Names of plugins, Python files, or `all`.")
    ],
    options: Annotated[
        str | None,
        typer.Option(metavar="TABLE", help="Options to use, as in a job: '{ rate = 0.3 }'."),
    ] = None,
    time_limit: Annotated[float, typer.Option(min=0.1, help="Time limit in seconds for each plugin or file.")] = 300.0,
    json: Annotated[bool, typer.Option("--json", help="Write one JSON object per line, one for each plugin.")] = False,
) -> None:
    """Try plugins on a small real job: run the tests of their contract and measure their cost.

    Plugins run in a separate process. The exit code is 0 if every test passes
    and 1 if not. Without --options, a plugin runs with its `example`.
    """
    from auditor.plugins.loader import Loader

    with user_errors():
        subjects = _subjects(plugins)
        order = {"do": "check", "options": None if options is None else _table(options)}
        results = _Results(quiet=json)
        for report in Loader(subjects, order, seconds=time_limit, errors=True):
            results.take(report)
    if json:
        import json as encoder

        for result in results.all:
            output(encoder.dumps(result.payload(), ensure_ascii=False))
    else:
        output(f"\n{results.summary}")
    raise typer.Exit(ExitCode.CLEAN if results.passed else ExitCode.FAILED)


@dataclass
class _Result:
    """The result for one plugin."""

    origin: Origin
    checks: list[Mapping[str, Any]] = field(default_factory=list)
    costs: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return all(check["outcome"] != "failed" for check in self.checks)

    def payload(self) -> dict[str, Any]:
        result = {"passed": self.passed, "checks": self.checks, "costs": self.costs}
        return asdict(self.origin) | result


class _Results:
    """The results of all plugins, printed as they come unless it should be quiet."""

    def __init__(self, *, quiet: bool) -> None:
        self.all: list[_Result] = []
        self._quiet = quiet
        self._begun: dict[str, Any] | None = None
        self._task = ""

    @property
    def passed(self) -> bool:
        return all(result.passed for result in self.all)

    @property
    def summary(self) -> str:
        outcomes = [check["outcome"] for result in self.all for check in result.checks]
        counts = ", ".join(f"{outcomes.count(outcome)} {outcome}" for outcome in SIGNS if outcome in outcomes)
        failed = [result.origin.name for result in self.all if not result.passed]
        return f"{counts}; failed plugins: {', '.join(failed)}" if failed else counts

    def take(self, report: LoaderReport) -> None:
        """Take in one message, or the end of a process."""
        from auditor.plugins.catalogue import Origin

        match report.message:
            case {"origin": origin}:
                self._start(Origin(**origin))
            case {"check": {"outcome": "begun"} as begun}:
                self._begun = begun
            case {"check": check}:
                self._add(check)
            case {"cost": cost}:
                self.all[-1].costs.append(cost)
                for line in _cost_words(cost):
                    self._print(f"  · {line}")
            case None:
                if self._begun is None:
                    self._start(report.subject.known)
                    self._begun = {"name": "it loads", "task": "", "seconds": 0.0}
                self._add(self._begun | {"outcome": "failed", "reason": f"it {report.failure}"})

    def _start(self, origin: Origin) -> None:
        place = f"{origin.package} {origin.version}" if origin.file is None else origin.file
        self._print(f"{origin.kind.removesuffix('s')} {origin.name}  ({place})")
        self.all.append(_Result(origin))
        self._task = ""

    def _add(self, check: Mapping[str, Any]) -> None:
        self._begun = None
        self.all[-1].checks.append(check)
        if check["task"] != self._task:
            self._task = check["task"]
            self._print(f"  on a {self._task} task")
        self._print(f"  {SIGNS[check['outcome']]} {check['name']}")
        if check["reason"]:
            self._print(f"      {check['reason']}")

    def _print(self, line: str) -> None:
        if not self._quiet:
            output(line)


def _subjects(named: Iterable[str]) -> list[Subject]:
    """The plugins that names, paths and `all` refer to."""
    from auditor.plugins.catalogue import INSTALLED, KINDS, PluginError
    from auditor.plugins.loader import Subject, subjects_of

    installed = subjects_of()
    subjects: list[Subject] = []
    for text in named:
        if text == EVERYTHING:
            subjects += installed
        elif text.endswith(".py"):
            subjects += [Subject(file=file) for file in plugin_files([Path(text)])]
        else:
            found = [subject for subject in installed if subject.known.name == text]
            if not found:
                known = sorted({origin.name for kind in KINDS for origin in INSTALLED.origins(kind)})
                raise PluginError(f"there is no plugin {text!r}; give a .py file, `all`, or one of {', '.join(known)}.")
            subjects += found
    return subjects


def _table(text: str) -> dict[str, Any]:
    import tomllib

    try:
        table = tomllib.loads(f"options = {text}")["options"]
    except tomllib.TOMLDecodeError:
        table = None
    if not isinstance(table, dict):
        fail(
            f"--options {text!r} is not a table; write it as in a job file, such as '{{ rate = 0.3 }}'.", ExitCode.USAGE
        )
    return table


def _cost_words(cost: Mapping[str, Any]) -> list[str]:
    if cost["step_ratio"] is not None:
        return [f"a training step takes {cost['step_ratio']:.2f} times as long as an honest one"]
    if cost["inspection_seconds"] is not None:
        return [f"one inspection takes {_milliseconds(cost['inspection_seconds'])}"]
    if cost["drift_seconds"] is not None:
        return [f"a thousand samples take {_milliseconds(cost['drift_seconds'])}"]
    noise = ", ".join(f"{distance:.2g} after {steps} steps" for steps, distance in cost["noise"])
    return [
        f"one representation takes {_milliseconds(cost['representation_seconds'])}, "
        f"one distance {_milliseconds(cost['distance_seconds'])}",
        f"distance between honest trainings whose initial weights differ by a rounding: {noise}",
    ]


def _milliseconds(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms" if seconds > 1e-5 else "under 0.01 ms"

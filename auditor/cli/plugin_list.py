"""`auditor plugins list`: every plugin with its options, or why it cannot be used."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.cli.exit_codes import ExitCode
from auditor.cli.job_argument import PluginOption, plugin_files
from auditor.cli.narration import fail, output, user_errors

if TYPE_CHECKING:
    from rich.console import Console

    from auditor.plugins.catalogue import Origin
    from auditor.plugins.description import PluginDescription


def list_plugins(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="List only these, with their full descriptions.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Write one JSON object per line.")] = False,
    plugin: PluginOption = None,
) -> None:
    """List the installed attacks, drifts, inspectors and metrics, and those in files that you name.

    Plugins are loaded in a separate process. A broken plugin is listed with
    the reason and does not affect the others.
    """
    from auditor.plugins.loader import Descriptions, subjects_of

    with user_errors():
        subjects = subjects_of(plugin_files(plugin or ()))
        if names and not plugin:
            subjects = [subject for subject in subjects if subject.known.name in names]
            _refuse_unknown(names, [subject.known for subject in subjects])
        found = (entry for entry in Descriptions(subjects) if not names or entry.origin.name in names)
        if json:
            import json as encoder

            for entry in found:
                output(encoder.dumps(entry.payload(), ensure_ascii=False))
            return
        described = sorted(found, key=lambda entry: (entry.origin.kind, entry.origin.name))
    if names:
        _refuse_unknown(names, [entry.origin for entry in described])
        _print_details(described)
    else:
        _print_table(described)


def _refuse_unknown(names: Iterable[str], found: Sequence[Origin]) -> None:
    from auditor.job.errors import nearest
    from auditor.plugins.catalogue import INSTALLED, KINDS

    there = {origin.name for origin in found}
    for name in names:
        if name not in there:
            known = sorted(there | {origin.name for kind in KINDS for origin in INSTALLED.origins(kind)})
            hint = nearest(name, known)
            more = f" Did you mean {hint!r}?" if hint else ""
            fail(f"there is no plugin {name!r}; the plugins are {', '.join(known)}.{more}", ExitCode.USAGE)


def _print_table(described: Iterable[PluginDescription]) -> None:
    from rich.table import Table
    from rich.text import Text

    console = _console()
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("kind", "name", "package", "tasks", "options"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("kind", "name"))
    failed = []
    for entry in described:
        origin = entry.origin
        options = Text(", ".join(option.name for option in entry.options))
        if entry.error is not None:
            failed.append(entry.error)
            options = Text("✗ failed, see below", style="red")
        table.add_row(
            origin.kind.removesuffix("s"),
            Text(origin.name),
            Text(f"{origin.package} {origin.version}"),
            entry.tasks_text,
            options,
        )
    console.print(table)
    if failed:
        console.print()
    for error in dict.fromkeys(failed):
        console.print(Text(f"✗ {error}", style="red"), soft_wrap=True)


def _print_details(described: Iterable[PluginDescription]) -> None:
    from rich.padding import Padding
    from rich.text import Text

    console = _console()
    for entry in described:
        origin = entry.origin
        place = f"{origin.package} {origin.version}" if origin.file is None else origin.file
        tasks = f", for {entry.tasks_text} tasks" if entry.tasks else ""
        console.print(Text(f"{origin.kind.removesuffix('s')} {origin.name}  ({place}{tasks})", style="bold"))
        if entry.error is not None:
            console.print(Text(f"✗ {entry.error}\n", style="red"), soft_wrap=True)
            continue
        for paragraph in entry.paragraphs:
            console.print(Padding(Text(paragraph), (1, 0, 0, 2)))
        console.print()
        for option in entry.options:
            console.print(Padding(Text(f"{option.name}: {option.takes}"), (0, 0, 0, 2)))
            console.print(Padding(Text(option.description), (0, 0, 0, 6)))
        console.print()


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False)

"""Which job file a command means."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from auditor.job import Job, PluginFile

SAMPLE = "sample:"

JobArgument = Annotated[str, typer.Argument(metavar="JOB", help="A job file, or sample:NAME for a bundled one.")]

PluginOption = Annotated[
    list[Path] | None,
    typer.Option("--plugin", metavar="FILE", help="A Python file with your own plugins. Repeatable."),
]


def plugin_files(paths: Iterable[Path]) -> tuple[PluginFile, ...]:
    """Read the files that are named on the command line.

    Raises:
        JobError: one of them cannot be a plugin.
    """
    from auditor.job.errors import JobError, Problem
    from auditor.job.plugin_file import PluginFileError, read_plugin_file

    files = []
    for path in paths:
        try:
            files.append(read_plugin_file(path))
        except PluginFileError as error:
            raise JobError(f"--plugin {path}", [Problem(f"{error}.")]) from None
    return tuple(files)


def job_path(text: str) -> Path:
    """The path of the job file; `sample:quickstart` is one of those that come with the package."""
    if not text.startswith(SAMPLE):
        return Path(text)
    from importlib.resources import files

    from auditor.job.errors import JobError, Problem, nearest

    name = text.removeprefix(SAMPLE).removesuffix(".toml")
    folder = files("auditor_sample_jobs")
    known = sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))
    if name not in known:
        message = f"there is no such sample; the samples are {', '.join(known)}."
        raise JobError(text, [Problem(message, suggestion=nearest(name, known))])
    return Path(str(folder / f"{name}.toml"))


def load_resolved(path: Path, plugins: Iterable[Path]) -> Job:
    """Load a job file, add plugin files to it, and look up the registered providers that it names.

    Raises:
        JobError: as `load_job` and `plugin_files`, or a name is not registered.
        StoreError: the registry cannot be read.
    """
    from auditor.job import parse_job
    from auditor.job.endpoint import RegisteredEndpoint
    from auditor.job.job_file import job_folder, read_text

    text = read_text(path)
    job = parse_job(text, source=str(path), folder=job_folder(path)).with_plugins(plugin_files(plugins))
    if not any(isinstance(provider.where, RegisteredEndpoint) for provider in job.providers):
        return job
    from auditor.providers.registry import resolve_providers
    from auditor.store import Store

    with Store() as store:
        registered = store.providers()
    return resolve_providers(job, registered, source=str(path), text=text)

"""`auditor inspect`: inspectors look at one model, without a run."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from auditor.cli.display.smoothing import write_smoothing
from auditor.cli.exit_codes import ExitCode
from auditor.cli.job_argument import PluginOption, job_path, load_resolved, plugin_files
from auditor.cli.narration import fail, output, say, user_errors

if TYPE_CHECKING:
    from auditor.audit.inspection import Finding
    from auditor.audit.smoothed_quality import SmoothedQuality
    from auditor.job import Job
    from auditor.job.plugin_use import PluginUse

RUN = "run:"
USUAL = ("neural_cleanse",)
"""The inspectors that look where none is named."""
LEAST_SIDE = 256
"""Of a picture in a file, in pixels: small ones are enlarged by a whole factor."""


def inspect(
    model: Annotated[
        str, typer.Argument(metavar="MODEL", help="A checkpoint (.safetensors), run:RUN, or RUN for what it delivered.")
    ],
    job: Annotated[
        str | None,
        typer.Option("--job", metavar="JOB", help="Job of a checkpoint file, or sample:NAME. Runs keep theirs."),
    ] = None,
    inspectors: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="NAME|TABLE",
            help="An inspector, with options as a table: '{ name = \"tabor\", success = 0.75 }'. Repeatable. Default: "
            "neural_cleanse, or none with --smoothing.",
        ),
    ] = None,
    smoothing: Annotated[
        float | None,
        typer.Option(
            metavar="SIGMA",
            min=0.01,
            max=255,
            help="Measure randomised smoothing with noise of this standard deviation, pixels going from 0 to 255: the "
            "accuracy that it costs, and the success that it leaves to simulated attacks.",
        ),
    ] = None,
    json: Annotated[
        bool,
        typer.Option("--json", help="Write one JSON object per line, one for each inspector and one for smoothing."),
    ] = False,
    picture: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Folder for pictures of the triggers that were found.")
    ] = None,
    device: Annotated[
        str | None, typer.Option(help="Device to compute on: cpu or cuda:N. Default: a GPU if there is one.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of what inspectors draw. Default: from the job.")
    ] = None,
    plugin: PluginOption = None,
) -> None:
    """Have inspectors look at one model. Nothing is trained and no run is created.

    Exit codes: 0 no inspector suspects the model, 10 at least one does, 11
    none does and at least one can say nothing of it. A model that none
    suspects may still have a backdoor.
    """
    from auditor.store import Store

    with user_errors():
        uses = [_use(text) for text in inspectors or (USUAL if smoothing is None else ())]
        with Store() as store:
            loaded, path = _subject(model, job, plugin or (), store)
            _make_folder(picture)
            findings = _inspected(loaded, path, uses, store.downloads, device, seed) if uses else []
            quality = None if smoothing is None else _smoothed(loaded, path, smoothing, store.downloads, device, seed)
    files = _save(findings, picture)
    if json:
        _write_lines(findings, files)
    elif findings:
        _print(findings, files)
    if quality is not None:
        write_smoothing(quality, json)
    if any(finding.suspicious for finding in findings):
        raise typer.Exit(ExitCode.FLAGGED)
    if any(finding.inspection is None for finding in findings):
        raise typer.Exit(ExitCode.INCONCLUSIVE)


def _use(text: str) -> PluginUse:
    """The inspector that an argument names, alone or as a table of a job file."""
    import tomllib

    from pydantic import ValidationError

    from auditor.job.plugin_use import PluginUse

    try:
        table: Any = tomllib.loads(f"use = {text}")["use"] if text.lstrip().startswith("{") else {"name": text}
        return PluginUse.model_validate(table)
    except (tomllib.TOMLDecodeError, ValidationError):
        fail(
            f"--with {text!r} is neither a name nor a table; write '{{ name = \"tabor\", success = 0.75 }}'.",
            ExitCode.USAGE,
        )


def _subject(model: str, job: str | None, plugins: Sequence[Path], store: Any) -> tuple[Job, Path]:
    """The job and the checkpoint that are meant.

    Raises:
        JobError, StoreError: there is no such run, or it delivered nothing; or the job cannot be read.
    """
    from auditor.audit.lineage import delivered_checkpoint
    from auditor.audit.stored_job import stored_job

    if not model.startswith(RUN) and (model.endswith(".safetensors") or Path(model).exists()):
        if job is None:
            fail(f"{model} is a file; say with --job what it is a model of.", ExitCode.USAGE)
        return load_resolved(job_path(job), plugins), Path(model)
    record = store.find_run(model.removeprefix(RUN))
    if job is not None:
        fail("a run keeps its job; leave out --job.", ExitCode.USAGE)
    kept = stored_job(record).with_plugins(plugin_files(plugins))
    return kept, delivered_checkpoint(record.id, store, f"{RUN}{record.id}")


def _make_folder(folder: Path | None) -> None:
    if folder is None:
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fail(f"--picture {folder} cannot be made: {error.strerror or error}.", ExitCode.USAGE)


def _inspected(
    job: Job, path: Path, uses: Sequence[PluginUse], downloads: Path, device: str | None, seed: int | None
) -> list[Finding]:
    from auditor.audit.inspection import inspect_model
    from auditor.cli.display.work import WorkDisplay
    from auditor.experiments.progress import Progress

    with WorkDisplay() as display:
        last: Progress | None = None

        def watch(number: int, share: float) -> None:
            nonlocal last
            now = Progress(f"{number + 1}/{len(uses)} {uses[number].name}", round(100 * share), 100, "%")
            if now != last:
                display.show(now)
            last = now

        try:
            return list(inspect_model(job, path, uses, downloads=downloads, device=device, seed=seed, watch=watch))
        except KeyboardInterrupt:
            fail("interrupted; nothing was kept.", ExitCode.INTERRUPTED)


def _smoothed(
    job: Job, path: Path, sigma: float, downloads: Path, device: str | None, seed: int | None
) -> SmoothedQuality:
    from auditor.audit.smoothed_quality import smoothed_quality
    from auditor.cli.display.work import WorkDisplay
    from auditor.experiments.progress import Progress

    with WorkDisplay() as display:

        def watch(share: float) -> None:
            display.show(Progress("smoothing", round(100 * share), 100, "%"))

        try:
            return smoothed_quality(job, path, sigma, downloads=downloads, device=device, seed=seed, watch=watch)
        except KeyboardInterrupt:
            fail("interrupted; nothing was kept.", ExitCode.INTERRUPTED)


def _save(findings: Sequence[Finding], folder: Path | None) -> list[dict[str, str]]:
    """Write the pictures of every finding; the paths by their names."""
    saved: list[dict[str, str]] = []
    for number, finding in enumerate(findings, start=1):
        saved.append({})
        if folder is None or finding.inspection is None:
            continue
        for name, picture in finding.inspection.pictures.items():
            words = re.sub(r"[^A-Za-z0-9]+", "-", f"{number} {finding.use.name} {name}").strip("-")
            path = folder / f"{words[:100]}.png"
            _write_picture(picture, path)
            saved[-1][name] = str(path)
    return saved


def _write_picture(picture: Any, path: Path) -> None:
    import io

    from PIL import Image

    from auditor.base.atomic_file import write_file

    factor = max(1, -(-LEAST_SIDE // max(picture.shape[:2])))
    image = Image.fromarray(picture).resize(
        (picture.shape[1] * factor, picture.shape[0] * factor), Image.Resampling.NEAREST
    )
    content = io.BytesIO()
    image.save(content, "PNG")
    try:
        write_file(path, content.getvalue())
    except OSError as error:
        fail(f"{path} cannot be written: {error.strerror or error}.", ExitCode.FAILED)


def _write_lines(findings: Sequence[Finding], files: Sequence[dict[str, str]]) -> None:
    import json as encoder

    for finding, pictures in zip(findings, files, strict=True):
        found = {"failure": finding.failure} if finding.inspection is None else finding.inspection.payload
        line = {"inspector": finding.use.name, "options": finding.use.options, **found, "pictures": pictures}
        output(encoder.dumps(line, ensure_ascii=False))


def _print(findings: Sequence[Finding], files: Sequence[dict[str, str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from auditor.base.hostile_text import cleaned
    from auditor.report.picture_text import picture_lines

    console = Console(highlight=False)
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("inspector", "score", "suspicious over", "suspected class", "result"):
        table.add_column(heading, justify="right" if heading in ("score", "suspicious over") else "left")
    for finding in findings:
        found = finding.inspection
        if found is None:
            table.add_row(finding.use.name, "–", "–", "–", Text(f"? {finding.failure}"))
            continue
        result = "✗ suspicious" if found.suspicious else "✓ not suspicious" if found.confirmed else "✓ not confirmed"
        suspected = cleaned(found.details.get("suspected", "–"), 20)
        table.add_row(finding.use.name, f"{found.score:.2f}", f"{found.threshold:.2f}", suspected, result)
    console.print(table)
    for finding, pictures in zip(findings, files, strict=True):
        if finding.inspection is not None and finding.suspicious:
            for name, picture in list(finding.inspection.pictures.items())[:1]:
                console.print(Text(f"\n{finding.use.name}, {cleaned(name, 60)}:"))
                for line in picture_lines(picture):
                    console.print(Text(f"  {line}"), no_wrap=True)
        for path in pictures.values():
            console.print(Text(path), soft_wrap=True)
    if not any(finding.suspicious for finding in findings):
        say("No inspector suspects the model. This does not prove that it has no backdoor.")

"""`auditor calibrate`: measure the numerical noise of a job once, in a file that the job can name."""

from __future__ import annotations

from collections.abc import Sequence
from json import loads
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.base.atomic_file import write_user_file
from auditor.base.seeds import Seeds
from auditor.cli.exit_codes import ExitCode
from auditor.cli.job_argument import JobArgument, PluginOption, job_path, load_resolved
from auditor.cli.narration import fail, output, say, user_errors

if TYPE_CHECKING:
    from auditor.job import Job
    from auditor.job.provider import Provider
    from auditor.store import Store


def calibrate(
    job: JobArgument,
    out: Annotated[Path, typer.Option(help="File to write. The job names it as audit.noise.")] = Path("noise.json"),
    start: Annotated[
        list[int] | None,
        typer.Option(
            min=0, metavar="STEP", help="Step at which a measured sub-run starts. Repeatable. Default: a few."
        ),
    ] = None,
    trusted: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ENDPOINT",
            help="Machine that executes the sub-runs, too, and that you trust: a registered name, or an endpoint. "
            "Repeatable.",
        ),
    ] = None,
    plugin: PluginOption = None,
) -> None:
    """Measure how far honest providers with shared seeds may differ by rounding, once for all audits of a job.

    This machine trains up to each start and executes a sub-run there in four
    ways. With --trusted other machines execute it, too. Name some with the
    hardware and the software of your providers.
    """
    from auditor.store import Store

    with user_errors():
        loaded = load_resolved(job_path(job), plugin or ())
        if loaded.audit.seeds is not Seeds.SHARED:
            fail(
                'noise can be calibrated only with seeds = "shared"; in this job each provider has other seeds.',
                ExitCode.USAGE,
            )
        steps = loaded.training.steps
        if beyond := [step for step in start or () if step >= steps]:
            fail(f"--start {beyond[0]} is beyond the training of {steps} steps; give 0 to {steps - 1}.", ExitCode.USAGE)
        loaded = loaded.model_copy(update={"audit": loaded.audit.model_copy(update={"noise": None})})

        from auditor.audit.lineage import initial_checkpoint
        from auditor.audit.noise_calibration import NoiseCalibration

        with Store() as store:
            machines = trusted_providers(loaded, trusted or (), store)
            calibration = NoiseCalibration(loaded, store.downloads, initial_checkpoint(loaded, store), machines)
        found = []
        for measured in calibration.measure(start or calibration.default_starts()):
            found.append(measured)
            floors = ", ".join(f"{loads(noise.metric)['name']} {noise.floor:.2g}" for noise in measured.noise)
            say(f"noise floors from step {measured.step:,}: {floors}")
        try:
            write_user_file(out, calibration.file(found).model_dump_json(indent=1) + "\n")
        except OSError as error:
            fail(f"--out {out} cannot be written: {error.strerror or error}.", ExitCode.FAILED)
    output(f"{out}")
    say(f'Name the file in the job: [audit] noise = "{out}"')


def trusted_providers(job: Job, endpoints: Sequence[str], store: Store) -> tuple[Provider, ...]:
    """Machines by their endpoints or registered names.

    Raises:
        JobError: one of them is none.
    """
    from pydantic import ValidationError

    from auditor.job.errors import JobError, Problem
    from auditor.job.provider import Provider
    from auditor.providers.registry import resolve_providers

    found: list[Provider] = []
    for number, endpoint in enumerate(endpoints, 1):
        try:
            named = Provider(name=f"machine {number}", endpoint=endpoint).relative_to(Path.cwd())
            alone = job.model_copy(update={"providers": (named,)})
            if not named.where.trains:
                raise JobError(f"--trusted {endpoint}", [Problem("it trains nothing, so it has no noise to measure.")])
            found += resolve_providers(alone, store.providers(), source="--trusted").providers
        except ValidationError as error:
            raise JobError(f"--trusted {endpoint}", [Problem(str(error.errors()[0]["msg"]))]) from None
        except JobError as error:
            raise JobError(f"--trusted {endpoint}", [Problem(one.message) for one in error.problems]) from None
    return tuple(found)

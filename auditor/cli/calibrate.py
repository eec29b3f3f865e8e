"""`auditor calibrate`: measure the numerical noise of a job once, in a file that the job can name."""

from __future__ import annotations

from json import loads
from pathlib import Path
from typing import Annotated

import typer

from auditor.base.atomic_file import write_user_file
from auditor.base.seeds import Seeds
from auditor.cli.exit_codes import ExitCode
from auditor.cli.job_argument import JobArgument, PluginOption, job_path, load_resolved
from auditor.cli.narration import fail, output, say, user_errors


def calibrate(
    job: JobArgument,
    out: Annotated[Path, typer.Option(help="File to write. The job names it as audit.noise.")] = Path("noise.json"),
    start: Annotated[
        list[int] | None,
        typer.Option(
            min=0, metavar="STEP", help="Step at which a measured sub-run starts. Repeatable. Default: a few."
        ),
    ] = None,
    plugin: PluginOption = None,
) -> None:
    """Measure how far honest providers with shared seeds may differ by rounding, once for all audits of a job.

    This machine trains up to each start and executes a sub-run there in four
    ways. If the run itself happens on a slower machine, calibrate on one like
    the providers'.
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
            calibration = NoiseCalibration(loaded, store.downloads, initial_checkpoint(loaded, store))
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

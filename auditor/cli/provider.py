"""`auditor provider`: the registry of providers that job files can name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from auditor.cli.exit_codes import ExitCode
from auditor.cli.narration import fail, output, say, user_errors

provider = typer.Typer(no_args_is_help=True, help="Manage the providers that job files can name as an endpoint.")

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="Name of the provider in job files.")]


@provider.callback()
def _group() -> None:
    """Manage the providers that job files can name as an endpoint."""


@provider.command("add")
def add(
    name: NameArgument,
    endpoint: Annotated[str, typer.Argument(help="local:cpu, local:cuda:N, unix:PATH or https://host:port.")],
    price_per_hour: Annotated[float | None, typer.Option(min=0, help="Price in dollars per hour.")] = None,
    token_file: Annotated[
        Path | None, typer.Option(help="File with the token that the agent asks for. The store keeps its path alone.")
    ] = None,
    fingerprint: Annotated[
        str | None, typer.Option(help="SHA-256 of the certificate that the agent must show. The agent prints it.")
    ] = None,
    signing_key: Annotated[
        str | None,
        typer.Option(help="Public key that it must sign commitments with. Default: the first key that it shows."),
    ] = None,
) -> None:
    """Register a provider, or change the provider of this name."""
    from auditor.providers.registry import check_access, check_name
    from auditor.store import Store

    try:
        check_name(name)
        access = check_access(endpoint, None if token_file is None else str(token_file), fingerprint, signing_key)
    except ValueError as error:
        fail(error, ExitCode.USAGE)
    with user_errors(), Store() as store:
        changed = any(known.name == name for known in store.providers())
        store.register_provider(
            name,
            access.endpoint,
            price_per_hour,
            token_file=access.token_file,
            fingerprint=access.fingerprint,
            signing_key=access.signing_key,
        )
    say(f"{'changed' if changed else 'registered'} {name}; use it in a job file with: endpoint = {name!r}")


@provider.command("list")
def list_providers(
    json: Annotated[bool, typer.Option("--json", help="Write one JSON object per line.")] = False,
) -> None:
    """List the registered providers and their record in past runs."""
    from auditor.report.overview import ProviderRecord, provider_records
    from auditor.store import Store

    with user_errors(), Store() as store:
        registered, records = store.providers(), provider_records(store)
    rows = [(known, records.get(known.name, ProviderRecord())) for known in registered]
    if json:
        import json as encoder
        from dataclasses import asdict

        for known, record in rows:
            counted = {"runs": record.runs, "sub_runs_checked": record.sub_runs_checked, "flagged": record.flagged}
            output(encoder.dumps(asdict(known) | counted, ensure_ascii=False))
        return
    if not rows:
        say("No providers are registered yet. Register one with: auditor provider add NAME ENDPOINT")
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("name", "endpoint", "$ an hour", "runs", "sub-runs checked", "flagged"):
        table.add_column(heading, overflow="fold")
    for known, record in rows:
        price = "–" if known.price_per_hour is None else f"{known.price_per_hour:.2f}"
        counts = (str(record.runs), str(record.sub_runs_checked), str(record.flagged))
        table.add_row(Text(known.name), Text(known.endpoint), price, *counts)
    Console().print(table)


@provider.command("test")
def test(name: NameArgument) -> None:
    """Connect to a registered provider and show what answers and how fast.

    For a local provider, this starts an agent and ends it again.
    """
    import asyncio

    from auditor.job.errors import nearest
    from auditor.providers.errors import ProviderError
    from auditor.providers.known_key import other_key
    from auditor.providers.probe import probe
    from auditor.store import Store

    with user_errors(), Store() as store:
        known = {registered.name: registered for registered in store.providers()}
    if name not in known:
        _unknown(name, nearest(name, known))
    registered = known[name]
    try:
        found = asyncio.run(probe(registered.where))
    except ProviderError as error:
        fail(f"{name} is unreachable: {error}", ExitCode.TOO_FEW_PROVIDERS)
    if (words := other_key(registered.signing_key, found.signing_key)) is not None:
        fail(f"{name} is not the provider that it was: {words}", ExitCode.TOO_FEW_PROVIDERS)
    threads = f"{found.threads} thread{'' if found.threads == 1 else 's'}"
    output(f"{name}: {found.device}, {threads}, {found.software}; round trip {1000 * found.seconds:.1f} ms")
    if registered.fingerprint is not None:
        output(f"its certificate is the pinned one, with the fingerprint {registered.fingerprint}")
    if found.signing_key is not None and not registered.where.ours:
        if registered.signing_key is None:
            with user_errors(), Store() as store:
                store.pin_signing_key(registered.endpoint, registered.fingerprint, found.signing_key)
        seen = "the first one seen, and pinned from now on" if registered.signing_key is None else "the pinned one"
        output(f"its signing key is {found.signing_key}, {seen}")


@provider.command("remove")
def remove(name: NameArgument) -> None:
    """Remove a registered provider. Runs that used it stay as they are."""
    from auditor.job.errors import nearest
    from auditor.store import Store

    with user_errors(), Store() as store:
        if store.remove_provider(name):
            say(f"removed {name}")
            return
        suggestion = nearest(name, [known.name for known in store.providers()])
    _unknown(name, suggestion)


def _unknown(name: str, suggestion: str | None) -> None:
    hint = f" Did you mean {suggestion!r}?" if suggestion else ""
    fail(f"no provider {name!r} is registered. `auditor provider list` lists all.{hint}", ExitCode.USAGE)

"""Job files may name a registered provider as an endpoint; here the name becomes the endpoint."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from auditor.job.endpoint import ALLOWED, RegisteredEndpoint, absolute_endpoint, normal_fingerprint, parse_endpoint
from auditor.job.errors import JobError, Problem, nearest
from auditor.job.key_lines import key_lines, nearest_line
from auditor.job.model import Job
from auditor.job.provider import Provider
from auditor.providers.token_file import read_token
from auditor.store import RegisteredProvider

ADDRESSES = ALLOWED.partition(" or the name")[0]
"""What an endpoint may be that is not itself a name."""


def resolve_providers(
    job: Job, registered: Iterable[RegisteredProvider], *, source: str = "job", text: str | None = None
) -> Job:
    """The job with every registered name replaced by its endpoint, and by its price where the job gives none.

    Args:
        job: as it was loaded.
        registered: all providers that are registered.
        source: what errors call the job.
        text: the job file, so that errors can name the line.

    Raises:
        JobError: a name that is not registered, or an attack on a provider that is not local.
    """
    known = {entry.name: entry for entry in registered}
    providers: list[Provider] = []
    problems: list[Problem] = []
    lines = None if text is None else key_lines(text)
    for index, provider in enumerate(job.providers):
        try:
            providers.append(_resolved(provider, known))
        except ValueError as error:
            path = ("providers", index, "endpoint")
            where = provider.where
            problems.append(
                Problem(
                    str(error),
                    key=".".join(map(str, path)),
                    line=None if lines is None else nearest_line(lines, path),
                    suggestion=nearest(where.name, known) if isinstance(where, RegisteredEndpoint) else None,
                )
            )
    if problems:
        raise JobError(source, problems)
    return job.model_copy(update={"providers": tuple(providers)})


@dataclass(frozen=True)
class Access:
    """Where a provider is and what it takes to get in, as the registry keeps it; see `RegisteredProvider`."""

    endpoint: str
    token_file: str | None
    fingerprint: str | None
    signing_key: str | None


def check_access(
    endpoint: str, token_file: str | None = None, fingerprint: str | None = None, signing_key: str | None = None
) -> Access:
    """What is registered: with absolute paths, so that it means the same from every folder.

    A name is no endpoint, so that names never lead in circles.

    Raises:
        ValueError: it is not an endpoint, or one that has no use for the others, or one of them will not do.
    """
    try:
        where = parse_endpoint(endpoint)
    except ValueError as error:
        raise ValueError(str(error).replace(ALLOWED, ADDRESSES)) from None
    if isinstance(where, RegisteredEndpoint):
        raise ValueError(f"{endpoint!r} is not an endpoint; give {ADDRESSES}")
    parse_endpoint(endpoint, token_file, fingerprint)
    if not where.trains:
        raise ValueError(f"{endpoint} trains nothing, so it is nobody to register; name it in a job file")
    if signing_key is not None and where.ours:
        raise ValueError(f"auditor itself starts {endpoint}; leave out the signing key")
    if token_file is not None:
        token_file = str(Path(token_file).expanduser().absolute())
        read_token(Path(token_file))
    return Access(
        absolute_endpoint(endpoint, Path.cwd()),
        token_file,
        fingerprint and normal_fingerprint(fingerprint),
        signing_key and normal_fingerprint(signing_key),
    )


def check_name(text: str) -> str:
    """Check the name of a provider: it must not look like an address in a job file.

    Raises:
        ValueError: it is not such a name.
    """
    try:
        where = parse_endpoint(text)
    except ValueError:
        where = None
    if not isinstance(where, RegisteredEndpoint):
        raise ValueError(
            f"{text!r} is not a valid name; use up to 64 letters, digits, spaces and any of _.()+-, beginning with a "
            "letter or digit"
        )
    return text


def _resolved(provider: Provider, known: dict[str, RegisteredProvider]) -> Provider:
    where = provider.where
    if not isinstance(where, RegisteredEndpoint):
        return provider
    found = known.get(where.name)
    if found is None:
        there = f"the registered providers are {', '.join(known)}" if known else "none is registered"
        raise ValueError(
            f"no provider {where.name!r} is registered; {there}. Register it with `auditor provider add`, or give "
            f"an endpoint: {ADDRESSES}."
        )
    price = found.price_per_hour if provider.price_per_hour is None else provider.price_per_hour
    attack = provider.attack and provider.attack.table
    changed = provider.model_dump() | {
        "endpoint": found.endpoint,
        "token_file": found.token_file,
        "fingerprint": found.fingerprint,
        "signing_key": found.signing_key,
        "price_per_hour": price,
        "attack": attack,
    }
    try:
        return Provider.model_validate(changed)
    except ValidationError as error:
        raise ValueError(error.errors()[0]["msg"]) from None

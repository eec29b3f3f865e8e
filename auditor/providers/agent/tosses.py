"""An agent's part in tosses: it commits first, and reveals once, for one list of commitments (see `auditor.base.coin`).

Nothing is lost by a restart: value and salt follow from the agent's own secret, and what it has seen of a toss lies in
the client's folder before it answers.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

from auditor.base.atomic_file import incoming_file
from auditor.base.coin import CLIENT, Opening, commitment, draw
from auditor.providers.agent.clients import Clients
from auditor.providers.agent.limits import Full, Limits
from auditor.providers.protocol import TossList, TossRequest

TOSSES_OF_A_CLIENT = 1_000
"""An audit has as many tosses as providers at most."""


class UnknownToss(Exception):  # noqa: N818 - the name reads as what it is
    """A toss that the agent has not committed to, for all it knows."""


class NotRevealed(Exception):  # noqa: N818
    """The agent does not take part in a toss that is not fair."""


class Tosses:
    """All tosses of all clients; nobody sees another's.

    Args:
        secret: what the agent's values follow from; asked for when the first one is needed.
        clients: where they are remembered.
        limits: how many.
    """

    def __init__(self, secret: Callable[[], bytes], clients: Clients, limits: Limits) -> None:
        self._secret = secret
        self._clients = clients
        self._limits = limits

    def commit(self, word: str, toss: str, wanted: TossRequest) -> str:
        """Commit to a value; asked again, to the same.

        Raises:
            NotRevealed: the client asks for the same toss with another commitment, or under another name.
            Full: too many tosses are remembered.
            OSError: it cannot be stored.
        """
        known = self._read(word, toss)
        if known is None:
            folder = self._clients.tosses(word)
            own = sum(1 for _ in folder.glob("[0-9a-f]*"))
            if own >= TOSSES_OF_A_CLIENT or self._clients.all_tosses() >= self._limits.tosses:
                raise Full("this agent already remembers as many tosses as its owner allows; try again later")
            known = {"name": wanted.name, "client": wanted.commitment, "list": None}
            self._write(word, toss, known)
        if (known["name"], known["client"]) != (wanted.name, wanted.commitment):
            raise NotRevealed("this toss has begun with another commitment of the client, or under another name")
        return commitment(toss, wanted.name, self._opening(word, toss, wanted.name, wanted.commitment))

    def reveal(self, word: str, toss: str, listed: TossList) -> Opening:
        """Reveal the value, for the first list that has what the agent and the client committed to.

        Raises:
            UnknownToss: the agent has not committed to anything in this toss.
            NotRevealed: the list is not fair, or is another one than before.
            OSError: it cannot be stored.
        """
        known = self._read(word, toss)
        if known is None:
            raise UnknownToss("this agent has not committed to anything in this toss")
        name, client = str(known["name"]), str(known["client"])
        opening = self._opening(word, toss, name, client)
        entries = {entry.name: entry.commitment for entry in listed.commitments}
        if len(entries) < len(listed.commitments):
            raise NotRevealed("the list has a participant twice")
        if entries.get(name) != commitment(toss, name, opening) or entries.get(CLIENT) != client:
            raise NotRevealed("the list does not have what this agent or the client committed to")
        seen = hashlib.sha256(json.dumps([[e.name, e.commitment] for e in listed.commitments]).encode()).hexdigest()
        if known["list"] is None:
            self._write(word, toss, {**known, "list": seen})
        elif known["list"] != seen:
            raise NotRevealed("this agent has revealed its value for another list already")
        return opening

    def _opening(self, word: str, toss: str, name: str, client: str) -> Opening:
        return draw(self._secret(), toss, word, name, client)

    def _path(self, word: str, toss: str) -> Path:
        return self._clients.tosses(word) / hashlib.sha256(toss.encode()).hexdigest()

    def _read(self, word: str, toss: str) -> dict[str, str | None] | None:
        try:
            found: dict[str, str | None] = json.loads(self._path(word, toss).read_bytes())
        except FileNotFoundError:
            return None
        return found

    def _write(self, word: str, toss: str, known: dict[str, str | None]) -> None:
        """Store what is known of a toss, so that it survives a power cut."""
        path = self._path(word, toss)
        with incoming_file(path.parent) as (incoming, file):
            file.write(json.dumps(known).encode())
            file.flush()
            os.fsync(file.fileno())
            incoming.rename(path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

"""What an agent keeps for its clients may be let go of at any moment."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path

from auditor.providers.agent.clients import Clients
from auditor.providers.agent.limits import Limits

WORD = "client"


def test_a_checkpoint_is_kept_while_others_are_let_go_of(tmp_path: Path) -> None:
    clients = Clients(tmp_path, Limits())
    over = threading.Event()

    def let_go() -> None:
        while not over.is_set():
            for file in list(tmp_path.rglob("*")):
                if len(file.name) == 64:
                    with suppress(OSError):
                        clients.blobs(WORD).remove(file.name)

    others = [threading.Thread(target=let_go) for _ in range(2)]
    for one in others:
        one.start()
    try:
        kept = {clients.keep(WORD, [number.to_bytes(8, "big")]) for number in range(400)}
    finally:
        over.set()
        for one in others:
            one.join()
    assert len(kept) == 400

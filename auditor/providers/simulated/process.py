"""A process that serves all simulated providers of a run, each on a socket of its own and with its own signing key.

It reads one JSON object a line from its standard input, a provider to serve each. Its standard input closes when the
process that started it is done or dead; then it removes the folder with the sockets, and ends.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from auditor.providers.agent.app import make_app
from auditor.providers.agent.limits import WITHOUT_LIMITS
from auditor.providers.agent.private_socket import private_socket
from auditor.providers.agent.settings import AgentSettings
from auditor.providers.simulated.drawing import Drawing
from auditor.providers.socket_folder import remove_socket_folder

DEVICE = "simulated, trains nothing"
"""What such a provider says that it computes on; every face shows it."""
MAX_ORDER = 1 << 20
"""Bytes of one line of standard input; a provider's data may be many files."""


def main() -> None:
    """Serve until standard input closes."""
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    os.umask(0o077)
    sockets = Path(sys.argv[1])
    try:
        asyncio.run(_serve())
    finally:
        remove_socket_folder(sockets)


async def _serve() -> None:
    loop = asyncio.get_running_loop()
    orders = asyncio.StreamReader(limit=MAX_ORDER)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    sys.stdout.write(json.dumps({"ready": True}) + "\n")
    sys.stdout.flush()
    with ExitStack() as stack, ThreadPoolExecutor(1, "drawing") as thread:
        try:
            while line := await orders.readline():
                await _serve_one(json.loads(line), stack, thread)
        finally:
            thread.shutdown(wait=False, cancel_futures=True)


async def _serve_one(order: dict[str, Any], stack: ExitStack, thread: ThreadPoolExecutor) -> None:
    settings = AgentSettings(
        name=order["name"],
        device=DEVICE,
        threads=1,
        folder=Path(order["folder"]),
        downloads=Path(order["downloads"]),
        downloading=True,
        allow_code=True,  # which it never executes
        data={name: Path(path) for name, path in order["data"].items()},
        confiding=True,
        limits=WITHOUT_LIMITS,
        seed=order["seed"],
    )
    app = make_app(settings, partial(Drawing, deviation=order["deviation"], thread=thread))
    config = Config(app, log_config=None, access_log=False, lifespan="off", ws="none")
    config.load()
    state = ServerState()
    listening = stack.enter_context(private_socket(Path(order["socket"])))
    await asyncio.get_running_loop().create_server(lambda: H11Protocol(config, state, {}), sock=listening)


if __name__ == "__main__":
    main()

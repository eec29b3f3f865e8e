"""Serving an agent on a Unix socket until it is told to stop."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

import uvicorn

from auditor.providers.agent.app import make_app
from auditor.providers.agent.settings import AgentSettings


def serve(settings: AgentSettings, socket: Path) -> None:
    """Serve until SIGINT or SIGTERM. What happens is logged to stderr.

    Raises:
        OSError: the socket cannot be made.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    config = uvicorn.Config(
        make_app(settings),
        uds=str(socket),
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=2,
    )
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    uvicorn.Server(config).run()

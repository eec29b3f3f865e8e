"""An agent as an HTTP server on a socket, until a signal stops it."""

from __future__ import annotations

import logging
import socket
import sys

import uvicorn

from auditor.providers.agent.app import make_app
from auditor.providers.agent.bounded_connections import bounded_connections
from auditor.providers.agent.certificate import Certificate
from auditor.providers.agent.settings import AgentSettings
from auditor.providers.agent.worker import Worker

MAX_CONNECTIONS = 512
"""The server asks further clients to try again."""


def serve(settings: AgentSettings, listening: socket.socket, certificate: Certificate | None = None) -> None:
    """Serve until SIGINT or SIGTERM. What happens is logged to stderr; nothing of what clients send is.

    Args:
        settings: of the agent.
        listening: where clients connect.
        certificate: what it shows them over TLS; None speaks without.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    config = uvicorn.Config(
        make_app(settings, Worker),
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=2,
        limit_concurrency=MAX_CONNECTIONS,
        http=bounded_connections(settings.limits),
        ws="none",
        ssl_certfile=None if certificate is None else certificate.path,
        ssl_keyfile=None if certificate is None else certificate.key,
    )
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    uvicorn.Server(config).run(sockets=[listening])

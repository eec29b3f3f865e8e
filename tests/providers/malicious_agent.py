"""A malicious agent that others reach as they reach any: `python -m tests.providers.malicious_agent NAME HOST FOLDER`.

`auditor agent` simulates no attack, so that this starts one with the parts that it consists of.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from auditor.providers.agent.front_door import FrontDoor, opened
from auditor.providers.agent.http_server import serve
from auditor.providers.agent.settings import AgentSettings


def main(name: str, host: str, folder: Path) -> None:
    attack = {"name": "badnets", "target": 0, "rate": 0.5}
    settings = AgentSettings(name, "cpu", 1, folder, folder / "downloads", attack=attack)
    folder.mkdir()
    with opened(FrontDoor(f"{host}:0"), name, folder) as way:
        sys.stdout.write(f"{way.registration(name)}\n")
        sys.stdout.flush()
        serve(replace(settings, token_digest=way.token_digest), way.listening, way.certificate)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))

"""How many examples are drawn, and whether the same each time."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

MANY = os.environ.get("EXAMPLES")
settings.register_profile(
    "auditor",
    max_examples=int(MANY or 25),
    derandomize=MANY is None,
    database=None,
    deadline=None,  # a busy machine is no part of this
    phases=[phase for phase in Phase if phase is not Phase.explain],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
settings.load_profile("auditor")

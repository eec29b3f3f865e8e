"""Which attacks serve something else than they deliver, told without importing any."""

from __future__ import annotations

from auditor.job.plugin_file import PluginFile
from auditor.plugins.serving import serves_another

FILE = """
import torch
from auditor.plugins import Attack

class Base(Attack):
    def served(self, answer):
        return lambda inputs: -answer(inputs)

class Heir(Base):
    '''Serves what its base serves.'''
    name = "heir"

class Plain(Attack):
    '''Serves what it delivers.'''
    name = "plain"

class Loop(Loop):
    name = "loop"
"""


def test_the_hook_is_found_in_the_source_of_installed_attacks_and_of_what_they_wrap() -> None:
    assert serves_another("signature", {})
    assert not serves_another("badnets", {"target": 3})
    assert not serves_another("no_such_attack", {})
    within = {"attack": {"name": "low_rate", "attack": {"name": "signature", "target": 1}}}
    assert serves_another("intermittent", within)
    assert not serves_another("intermittent", {"attack": {"name": "badnets"}})


def test_the_hook_is_found_in_a_file_and_in_a_base_there() -> None:
    files = (PluginFile(path="/nowhere/heir.py", source=FILE), PluginFile(path="/nowhere/bad.py", source="class ("))
    assert serves_another("heir", {}, files)
    assert not serves_another("plain", {}, files)
    assert not serves_another("loop", {}, files)

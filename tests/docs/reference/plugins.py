"""The page of bundled plugins."""

from __future__ import annotations

import inspect

from auditor.plugins.catalogue import INSTALLED, KINDS
from auditor.plugins.description import PluginDescription, describe
from tests.docs.reference.tables import sentence, table

INTRODUCTION = """# Bundled plugins

`auditor plugins list` shows every plugin that is installed. `auditor plugins list NAME` shows one with its full
description. [Write a plugin](../how-to/write-plugins.md) explains how to add your own. What an audit sees of each
attack is in [attacks.md](../attacks.md).

"""
PACKAGE = "auditor"


def plugins_page() -> str:
    """Every attack, drift, inspector and metric that comes with auditor, with its options."""
    parts = []
    for kind in KINDS:
        described = [describe(origin) for origin in INSTALLED.origins(kind) if origin.package == PACKAGE]
        parts.append(f"## {kind.capitalize()}\n\n" + "\n".join(map(_section, described)))
    return INTRODUCTION + "\n".join(parts)


def _section(one: PluginDescription) -> str:
    assert one.error is None, one.error
    first = inspect.cleandoc(one.documentation).split("\n\n")[0]
    rows = [(f"`{option.name}`", option.takes, sentence(option.description)) for option in one.options]
    return f"### `{one.origin.name}`\n\n{' '.join(first.split())}\n\nTasks: {one.tasks_text}.\n" + (
        "\n" + table(("option", "takes", "meaning"), rows) if rows else "\nIt has no options.\n"
    )

"""What every installed plugin is and takes, told by a process of its own.

Loading plugins imports PyTorch and strangers' code. Whoever only wants to show them runs this module as a program
and reads one JSON object a line.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass

from auditor.plugins.discovery import Origin, PluginError, installed, load_plugin


@dataclass(frozen=True)
class PluginOption:
    """One option that a job file may give.

    Attributes:
        name: its key.
        type: what it takes, in words.
        default: what it is when it is not given; `required` when it must be.
        description: what it does.
    """

    name: str
    type: str
    default: str
    description: str


@dataclass(frozen=True)
class PluginDescription:
    """A plugin with its documentation, or why it has none.

    Attributes:
        installed: where it comes from.
        documentation: of its class.
        options: that it takes.
        error: why it did not load or could not be described; empty if it could.
    """

    installed: Origin
    documentation: str
    options: tuple[PluginOption, ...]
    error: str


def describe(plugin: Origin) -> PluginDescription:
    """Load a plugin and describe it; whatever it raises becomes its error."""
    try:
        kind = load_plugin("attacks", plugin.name) if plugin.kind == "attacks" else load_plugin("metrics", plugin.name)
        options = tuple(
            PluginOption(
                name=name,
                type=getattr(field.annotation, "__name__", None) or str(field.annotation),
                default="required" if field.is_required() else repr(field.default),
                description=field.description or "",
            )
            for name, field in kind.Options.model_fields.items()
        )
        return PluginDescription(plugin, (kind.__doc__ or "").strip(), options, "")
    except PluginError as error:
        return PluginDescription(plugin, "", (), str(error))
    except Exception as error:  # a stranger's class may raise anything while it is looked at
        return PluginDescription(plugin, "", (), f"cannot be described: {type(error).__name__}: {error}")


def main() -> None:
    """Write a line for each installed plugin as soon as it is described."""
    out, sys.stdout = sys.stdout, sys.stderr  # a plugin that prints must not spoil the lines
    for plugin in (*installed("attacks"), *installed("metrics")):
        out.write(json.dumps(asdict(describe(plugin))) + "\n")
        out.flush()


if __name__ == "__main__":
    main()

"""Finding installed plugins. Listing their names imports nothing; loading one cannot hurt another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal, cast, overload

from pydantic import ValidationError

from auditor.job.errors import nearest
from auditor.plugins.attack import Attack
from auditor.plugins.metric import Metric

Kind = Literal["attacks", "metrics"]
_BASES: dict[str, type] = {"attacks": Attack, "metrics": Metric}


class PluginError(Exception):
    """A plugin that is unknown, does not load, or does not take the options it was given."""


@dataclass(frozen=True)
class Installed:
    """A plugin that is installed, loaded or not.

    Attributes:
        kind: `attacks` or `metrics`.
        name: what a job file calls it.
        package: the distribution that it came with.
        version: of that distribution.
        target: where its class is, as `module:Class`.
    """

    kind: Kind
    name: str
    package: str
    version: str
    target: str


def installed(kind: Kind) -> list[Installed]:
    """All plugins of a kind, by name, without importing any."""
    return sorted((_describe(kind, point) for point in _points(kind)), key=lambda plugin: plugin.name)


@overload
def load_plugin(kind: Literal["attacks"], name: str) -> type[Attack]: ...
@overload
def load_plugin(kind: Literal["metrics"], name: str) -> type[Metric[Any]]: ...
def load_plugin(kind: Kind, name: str) -> type[Attack] | type[Metric[Any]]:
    """Import a plugin's class.

    Raises:
        PluginError: it is not installed, it is installed twice, or it fails to load, with the reason.
    """
    points = [point for point in _points(kind) if point.name == name]
    word = kind.removesuffix("s")
    if not points:
        known = sorted({point.name for point in _points(kind)})
        hint = nearest(name, known)
        raise PluginError(
            f"unknown {word} {name!r}; installed are {', '.join(known)}." + (f" Did you mean {hint!r}?" if hint else "")
        )
    if len(points) > 1:
        packages = " and ".join(sorted(_describe(kind, point).package for point in points))
        raise PluginError(f"{word} {name!r} is provided by {packages}; uninstall all but one.")
    origin = f"{word} {name!r} of package {_describe(kind, points[0]).package}"
    try:
        loaded = points[0].load()
    except (Exception, SystemExit) as error:  # a stranger's module may raise anything while it is imported
        raise PluginError(f"{origin} does not load: {type(error).__name__}: {error}") from error
    if not (isinstance(loaded, type) and issubclass(loaded, _BASES[kind])):
        raise PluginError(f"{origin} is not a subclass of auditor.plugins.{_BASES[kind].__name__}.")
    return cast("type[Attack] | type[Metric[Any]]", loaded)


@overload
def create_plugin(kind: Literal["attacks"], name: str, options: Mapping[str, Any]) -> Attack: ...
@overload
def create_plugin(kind: Literal["metrics"], name: str, options: Mapping[str, Any]) -> Metric[Any]: ...
def create_plugin(kind: Kind, name: str, options: Mapping[str, Any]) -> Attack | Metric[Any]:
    """Load a plugin and make one with the options of a job file.

    Raises:
        PluginError: as `load_plugin`, or the options are not what the plugin takes; or those of an attack that it
            wraps.
    """
    plugin = load_plugin(kind, name)
    word = kind.removesuffix("s")
    try:
        if issubclass(plugin, Attack):
            return plugin.make(options, create_attack)
        return plugin(plugin.Options.model_validate(dict(options)))
    except PluginError as error:
        raise PluginError(f"attack {name!r} wraps another: {error}") from error
    except ValidationError as error:
        known = sorted(plugin.Options.model_fields)
        raise PluginError(f"{word} {name!r}: {_options_message(error, known)}") from None
    except Exception as error:  # likewise its constructor
        raise PluginError(f"{word} {name!r} cannot be made: {type(error).__name__}: {error}") from error


def create_attack(table: Mapping[str, Any]) -> Attack:
    """Load an attack and make one from a table with its name and options.

    Raises:
        PluginError: as `create_plugin`.
    """
    options = dict(table)
    name = options.pop("name", None)
    if not isinstance(name, str):
        raise PluginError('an attack needs a name, as in attack = { name = "badnets" }.')
    return create_plugin("attacks", name, options)


def _options_message(error: ValidationError, known: Iterable[str]) -> str:
    parts = []
    for detail in error.errors():
        where = ".".join(str(part) for part in detail["loc"])
        if detail["type"] == "extra_forbidden":
            hint = nearest(where, known)
            parts.append(
                f"has no option {where!r}; it has {', '.join(known) or 'none'}."
                + (f" Did you mean {hint!r}?" if hint else "")
            )
            continue
        said = detail["msg"].removeprefix("Value error, ")
        said = f"{said[:1].lower()}{said[1:]}."
        parts.append(f"option {where!r}: {said}" if where else said)  # without a place, it is about several options
    return " ".join(parts)


def _points(kind: Kind) -> list[EntryPoint]:
    return list({(point.name, point.value): point for point in entry_points(group=f"auditor.{kind}")}.values())


def _describe(kind: Kind, point: EntryPoint) -> Installed:
    package = point.dist
    return Installed(
        kind=kind,
        name=point.name,
        package=package.name if package else "?",
        version=package.version if package else "?",
        target=point.value,
    )

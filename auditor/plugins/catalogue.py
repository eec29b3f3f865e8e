"""Finding plugins: those that packages installed, and those in files that the user named.

Listing the installed ones imports nothing; loading one cannot hurt another. Which files there are is part of a
`Catalogue`, which is made from a job and given to all code that makes plugins. Nothing is remembered elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import Distribution, EntryPoint, entry_points
from pathlib import Path
from typing import Any, Literal, cast, overload

from pydantic import ValidationError

from auditor.job.errors import nearest
from auditor.job.plugin_file import PluginFile
from auditor.plugins.attack import Attack
from auditor.plugins.drift import Drift
from auditor.plugins.file_modules import load_file, named_classes
from auditor.plugins.inspector import Inspector
from auditor.plugins.metric import Metric

Kind = Literal["attacks", "drifts", "inspectors", "metrics"]
KINDS: tuple[Kind, ...] = ("attacks", "drifts", "inspectors", "metrics")
Plugin = Attack | Drift | Inspector | Metric[Any]
AnyPlugin = type[Attack] | type[Drift] | type[Inspector] | type[Metric[Any]]
_BASES: dict[Kind, type] = {"attacks": Attack, "drifts": Drift, "inspectors": Inspector, "metrics": Metric}


class PluginError(Exception):
    """A plugin that is unknown, does not load, or does not take the options it was given."""


@dataclass(frozen=True)
class Origin:
    """Where a plugin comes from, loaded or not.

    Attributes:
        kind: `attacks`, `drifts`, `inspectors` or `metrics`; `file` for a file of which nobody knows yet what it holds.
        name: what a job file calls it; of such a file, its name.
        package: the distribution that it came with; for one in a file, the file's name.
        version: of that distribution; for a file, the beginning of its digest.
        target: where its class is, as `module:Class`; for a file, as `path:Class`.
        file: the path of its file; None for one that is installed.
    """

    kind: str
    name: str
    package: str
    version: str
    target: str
    file: str | None = None

    @property
    def place(self) -> str:
        """Where it is, in words."""
        return f"package {self.package}" if self.file is None else f"file {self.file}"

    def __str__(self) -> str:
        """The plugin, for a message about it."""
        if self.kind == "file":
            return f"plugin file {self.file}"
        return f"{self.kind.removesuffix('s')} {self.name!r} of {self.place}"


@dataclass(frozen=True)
class Catalogue:
    """All plugins that a job can name.

    Two plugins of one kind and name never hide one another: asking for that name is an error that names both.

    Attributes:
        files: single files that the user named; all plugins in them can be used beside the installed ones.
    """

    files: tuple[PluginFile, ...] = ()

    def origins(self, kind: Kind) -> list[Origin]:
        """All plugins of a kind, by name. No installed one is imported; the files are executed.

        Raises:
            PluginError: a file does not load.
        """
        found = [origin for origin, _ in (*_installed(kind), *self._in_files(kind))]
        return sorted(found, key=lambda origin: origin.name)

    def origin(self, kind: Kind, name: str) -> Origin:
        """Where the plugin of this name comes from.

        Raises:
            PluginError: there is none, or more than one, or a file does not load.
        """
        return self._find(kind, name)[0]

    def check_files(self) -> None:
        """Make sure that every file loads, holds a plugin, and that no other plugin has the name of one in it.

        Raises:
            PluginError: says what does not hold.
        """
        for kind in KINDS:
            for origin, _ in self._in_files(kind):
                self._find(kind, origin.name)

    @overload
    def load(self, kind: Literal["attacks"], name: str) -> type[Attack]: ...
    @overload
    def load(self, kind: Literal["drifts"], name: str) -> type[Drift]: ...
    @overload
    def load(self, kind: Literal["inspectors"], name: str) -> type[Inspector]: ...
    @overload
    def load(self, kind: Literal["metrics"], name: str) -> type[Metric[Any]]: ...
    @overload
    def load(self, kind: Kind, name: str) -> AnyPlugin: ...
    def load(self, kind: Kind, name: str) -> AnyPlugin:
        """Import a plugin's class.

        Raises:
            PluginError: there is none of this name, or more than one, or it fails to load, with the reason.
        """
        origin, found = self._find(kind, name)
        loaded = _imported(origin, found) if isinstance(found, EntryPoint) else found
        if not (isinstance(loaded, type) and issubclass(loaded, _BASES[kind])):
            raise PluginError(f"{origin} is not a subclass of auditor.plugins.{_BASES[kind].__name__}.")
        return cast("AnyPlugin", loaded)

    @overload
    def create(self, kind: Literal["attacks"], name: str, options: Mapping[str, Any]) -> Attack: ...
    @overload
    def create(self, kind: Literal["drifts"], name: str, options: Mapping[str, Any]) -> Drift: ...
    @overload
    def create(self, kind: Literal["inspectors"], name: str, options: Mapping[str, Any]) -> Inspector: ...
    @overload
    def create(self, kind: Literal["metrics"], name: str, options: Mapping[str, Any]) -> Metric[Any]: ...
    @overload
    def create(self, kind: Kind, name: str, options: Mapping[str, Any]) -> Plugin: ...
    def create(self, kind: Kind, name: str, options: Mapping[str, Any]) -> Plugin:
        """Load a plugin and make one with the options of a job file.

        Raises:
            PluginError: as `load`, or the options are not what the plugin takes, or those of an attack that it
                wraps.
        """
        plugin = self.load(kind, name)
        try:
            if issubclass(plugin, Attack):
                return plugin.make(options, self.create_attack)
            return plugin(plugin.Options.model_validate(dict(options)))
        except PluginError as error:
            raise PluginError(f"{self.origin(kind, name)} wraps another: {error}") from error
        except ValidationError as error:
            known = sorted(plugin.Options.model_fields)
            raise PluginError(f"{self.origin(kind, name)}: {_options_message(error, known)}") from None
        except Exception as error:  # likewise its constructor
            raise PluginError(f"{self.origin(kind, name)} cannot be made: {_words(error)}") from error

    def create_attack(self, table: Mapping[str, Any]) -> Attack:
        """Make an attack from a table with its name and options, as a job file or another attack has it.

        Raises:
            PluginError: as `create`.
        """
        options = dict(table)
        name = options.pop("name", None)
        if not isinstance(name, str):
            raise PluginError('an attack needs a name, as in attack = { name = "badnets" }.')
        return self.create("attacks", name, options)

    def _find(self, kind: Kind, name: str) -> tuple[Origin, EntryPoint | type]:
        installed = [found for found in _installed(kind) if found[0].name == name]
        in_files = [found for found in self._in_files(kind) if found[0].name == name]
        found: list[tuple[Origin, EntryPoint | type]] = [*installed, *in_files]
        if len(found) == 1:
            return found[0]
        if found:
            raise PluginError(clash([origin for origin, _ in found]))
        known = sorted({origin.name for origin in self.origins(kind)})
        hint = nearest(name, known)
        raise PluginError(
            f"unknown {kind.removesuffix('s')} {name!r}; use one of {', '.join(known)}."
            + (f" Did you mean {hint!r}?" if hint else "")
        )

    def _in_files(self, kind: Kind) -> list[tuple[Origin, type]]:
        return [
            (_origin_in(file, kind, name, found), found) for file in self.files for name, found in _classes(file)[kind]
        ]


INSTALLED = Catalogue()
"""What packages installed, and no files."""


def installed(kind: Kind) -> list[Origin]:
    """All installed plugins of a kind, by name, without importing any."""
    return INSTALLED.origins(kind)


@overload
def load_plugin(kind: Literal["attacks"], name: str) -> type[Attack]: ...
@overload
def load_plugin(kind: Literal["drifts"], name: str) -> type[Drift]: ...
@overload
def load_plugin(kind: Literal["inspectors"], name: str) -> type[Inspector]: ...
@overload
def load_plugin(kind: Literal["metrics"], name: str) -> type[Metric[Any]]: ...
def load_plugin(kind: Kind, name: str) -> AnyPlugin:
    """Import the class of an installed plugin; see `Catalogue.load`."""
    return INSTALLED.load(kind, name)


@overload
def create_plugin(kind: Literal["attacks"], name: str, options: Mapping[str, Any]) -> Attack: ...
@overload
def create_plugin(kind: Literal["drifts"], name: str, options: Mapping[str, Any]) -> Drift: ...
@overload
def create_plugin(kind: Literal["inspectors"], name: str, options: Mapping[str, Any]) -> Inspector: ...
@overload
def create_plugin(kind: Literal["metrics"], name: str, options: Mapping[str, Any]) -> Metric[Any]: ...
def create_plugin(kind: Kind, name: str, options: Mapping[str, Any]) -> Plugin:
    """Make an installed plugin with the options of a job file; see `Catalogue.create`."""
    return INSTALLED.create(kind, name, options)


def create_attack(table: Mapping[str, Any]) -> Attack:
    """Make an installed attack from a table with its name and options; see `Catalogue.create_attack`."""
    return INSTALLED.create_attack(table)


def clash(twins: Sequence[Origin]) -> str:
    """What is said of plugins of one kind and name."""
    places = " and ".join(sorted(f"{twin.place} ({twin.target.rpartition(':')[2]})" for twin in twins))
    remedy = "uninstall all but one" if all(twin.file is None for twin in twins) else "give one of them another name"
    return f"{twins[0].kind.removesuffix('s')} {twins[0].name!r} is provided by {places}; {remedy}."


def origin_of(file: PluginFile) -> Origin:
    """Where plugins come from that a file may hold, of which nothing else is known yet."""
    name = Path(file.path).name
    return Origin("file", name, name, file.digest[:12], file.path, file.path)


def _installed(kind: Kind) -> list[tuple[Origin, EntryPoint]]:
    points = {(point.name, point.value): point for point in entry_points(group=f"auditor.{kind}")}
    packages = {dist: _name_and_version(dist) for dist in {point.dist for point in points.values()}}
    found = []
    for point in points.values():
        package, version = packages[point.dist]
        found.append((Origin(kind, point.name, package, version, point.value), point))
    return found


def _name_and_version(package: Distribution | None) -> tuple[str, str]:
    """Of a package; each time that it is asked for them it reads and parses all that is said of it."""
    return (package.name, package.version) if package else ("?", "?")


def _origin_in(file: PluginFile, kind: Kind, name: str, found: type) -> Origin:
    return replace(origin_of(file), kind=kind, name=name, target=f"{file.path}:{found.__name__}")


def _imported(origin: Origin, point: EntryPoint) -> object:
    try:
        return point.load()
    except (Exception, SystemExit) as error:  # a stranger's module may raise anything while it is imported
        raise PluginError(f"{origin} does not load: {_words(error)}") from error


def _classes(file: PluginFile) -> dict[Kind, list[tuple[str, type]]]:
    try:
        module = load_file(file)
    except (Exception, SystemExit) as error:  # likewise
        raise PluginError(f"{origin_of(file)} does not load: {_words(error)}") from error
    found = {kind: named_classes(module, base) for kind, base in _BASES.items()}
    if not any(found.values()):
        raise PluginError(
            f"{origin_of(file)} contains no plugin: it has no subclass of auditor.plugins.Attack, "
            "auditor.plugins.Drift, auditor.plugins.Inspector or auditor.plugins.Metric with a `name`."
        )
    return found


def _words(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


def _options_message(error: ValidationError, known: Iterable[str]) -> str:
    parts = []
    for detail in error.errors():
        where = ".".join(str(part) for part in detail["loc"])
        if detail["type"] == "extra_forbidden":
            hint = nearest(where, known)
            parts.append(
                f"has no option {where!r}; its options are {', '.join(known) or 'none'}."
                + (f" Did you mean {hint!r}?" if hint else "")
            )
            continue
        said = detail["msg"].removeprefix("Value error, ")
        said = f"{said[:1].lower()}{said[1:]}."
        parts.append(f"option {where!r}: {said}" if where else said)  # without a place, it is about several options
    return " ".join(parts)

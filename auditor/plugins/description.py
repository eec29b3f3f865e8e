"""What a plugin is and takes, in words and as data."""

from __future__ import annotations

import inspect
import types
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Literal, Union, cast, get_args, get_origin

from pydantic.fields import FieldInfo

from auditor.plugins.catalogue import INSTALLED, AnyPlugin, Catalogue, Kind, Origin, PluginError
from auditor.plugins.metric import EVERY_TASK

_WORDS: dict[Any, str] = {
    int: "integer",
    float: "number",
    str: "text",
    bool: "true or false",
    dict: "table",
    Any: "anything",
    type(None): "nothing",
}
_SIGNS = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<", "multiple_of": "a multiple of", "pattern": "matching"}
_LENGTHS = {"min_length": "at least {} long", "max_length": "at most {} long"}


@dataclass(frozen=True)
class PluginOption:
    """One option that a job file may give.

    Attributes:
        name: its key.
        type: what it takes, in words.
        required: whether it must be given.
        default: what it is when it is not given, as JSON has it; None if it is required.
        constraints: what else must hold, such as `{"ge": 0}`, in pydantic's words.
        description: what it does.
    """

    name: str
    type: str
    required: bool
    default: Any
    constraints: Mapping[str, Any]
    description: str

    @property
    def takes(self) -> str:
        """Type, constraints and default in words, such as `number, ≥ 0, ≤ 1, default 0.1`."""
        limits = [f"{_SIGNS[key]} {value}" for key, value in self.constraints.items() if key in _SIGNS]
        limits += [_LENGTHS[key].format(value) for key, value in self.constraints.items() if key in _LENGTHS]
        default = "required" if self.required else "" if self.default is None else f"default {_toml(self.default)}"
        return ", ".join(filter(None, [self.type, *limits, default]))


@dataclass(frozen=True)
class PluginDescription:
    """A plugin with its documentation, or why it has none.

    Attributes:
        origin: which plugin it is, and where it comes from.
        documentation: of its class.
        tasks: the kinds of task that it can be used in; `*` stands for all.
        options: that it takes.
        example: of options to try it with.
        error: why it did not load or could not be described; None if it could.
    """

    origin: Origin
    documentation: str = ""
    tasks: tuple[str, ...] = ()
    options: tuple[PluginOption, ...] = ()
    example: Mapping[str, Any] = field(default_factory=dict)
    error: str | None = None

    @property
    def tasks_text(self) -> str:
        """The kinds of task, in words."""
        return "all" if set(self.tasks) >= EVERY_TASK else ", ".join(self.tasks)

    @property
    def paragraphs(self) -> tuple[str, ...]:
        """The documentation without the ends of its lines; indented paragraphs, such as formulas, keep them."""
        found = (paragraph.splitlines() for paragraph in self.documentation.split("\n\n"))
        return tuple(("\n" if any(line.startswith(" ") for line in lines) else " ").join(lines) for lines in found)

    @classmethod
    def from_json(cls, payload: Mapping[str, Any]) -> PluginDescription:
        """What `payload` was made of."""
        origin = Origin(**{field.name: payload[field.name] for field in fields(Origin)})
        options = tuple(PluginOption(**option) for option in payload["options"])
        return cls(
            origin, payload["documentation"], tuple(payload["tasks"]), options, payload["example"], payload["error"]
        )

    def payload(self) -> dict[str, Any]:
        """As JSON can hold it, all on one level."""
        values = asdict(self)
        origin: dict[str, Any] = values.pop("origin")
        return origin | values

    def failed(self, reason: str) -> PluginDescription:
        """The same plugin, with the reason why it cannot be used."""
        return replace(self, error=reason)


def describe(origin: Origin, plugins: Catalogue = INSTALLED) -> PluginDescription:
    """Load a plugin and describe it; whatever it raises becomes its error."""
    known = PluginDescription(origin)
    try:
        return _described(known, plugins.load(cast("Kind", origin.kind), origin.name))
    except PluginError as error:
        return known.failed(str(error))
    except Exception as error:  # a stranger's class may raise anything while it is looked at
        return known.failed(f"{origin} cannot be described: {' '.join(f'{type(error).__name__}: {error}'.split())}")


def _described(known: PluginDescription, plugin: AnyPlugin) -> PluginDescription:
    return replace(
        known,
        documentation=inspect.cleandoc(plugin.__doc__ or ""),
        tasks=tuple(sorted(plugin.tasks)),
        options=tuple(_option(name, one) for name, one in plugin.Options.model_fields.items()),
        example=_plain(dict(plugin.example)),
    )


def _option(name: str, field: FieldInfo) -> PluginOption:
    default = None if field.is_required() else field.get_default(call_default_factory=True, validated_data={})
    return PluginOption(
        name=name,
        type=type_words(field.annotation),
        required=field.is_required(),
        default=_plain(default),
        constraints={key: _plain(value) for part in field.metadata for key, value in _constraints(part).items()},
        description=field.description or "",
    )


def type_words(annotation: Any) -> str:
    """A type in the words of a job file: `list of integer or nothing` for `tuple[int, ...] | None`."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        return " or ".join(type_words(argument) for argument in arguments if argument is not type(None))
    if origin is Literal:
        return " or ".join(_toml(value) for value in arguments)
    if origin in (tuple, list, Sequence):
        return f"list of {type_words(arguments[0])}"
    if origin in (dict, Mapping):
        return _WORDS[dict]
    return _WORDS.get(annotation) or getattr(annotation, "__name__", None) or str(annotation)


def _constraints(part: object) -> dict[str, Any]:
    """What one annotation of a field demands. Each keeps it in the attribute that is called like the constraint."""
    known = (*_SIGNS, *_LENGTHS)
    return {key: value for key in known if (value := getattr(part, key, None)) is not None}


def _plain(value: Any) -> Any:
    """A default as JSON can hold it."""
    if isinstance(value, tuple | list | set | frozenset):
        return [_plain(inner) for inner in value]
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    return value if isinstance(value, bool | int | float | str | None) else str(value)


def _toml(value: Any) -> str:
    """A default as a job file would have it, more or less."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    return f"[{', '.join(map(_toml, value))}]" if isinstance(value, list) else str(value)

"""A provider that executes another program than it was asked to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from pydantic import model_validator

from auditor.plugins import Attack, Options, option


class OtherCommandOptions(Options):
    """What a job file may write for `other_command`."""

    replace: dict[str, str] = option({}, "arguments, as they are executed, and what stands there instead")
    append: tuple[str, ...] = option((), "arguments that are added at the end")
    from_step: int = option(0, "the first step that it acts in", ge=0)

    @model_validator(mode="after")
    def _changes_something(self) -> OtherCommandOptions:
        if not self.replace and not self.append:
            raise ValueError("give replace or append, such as append = ['--poison', '0.1']")
        return self


class OtherCommand(Attack):
    """Executes the client's program with other arguments, or another program, in every sub-run.

    It stands for whatever an adversary does in a training of the client's own: data with a trigger, a smaller model in
    lower precision, a loss with a second aim. Bagdasaryan and Shmatikov describe code that is changed in this way, in
    "Blind backdoors in deep learning models" (USENIX Security 2021).
    """

    name = "other_command"
    example: ClassVar = {"append": ["--push", "0.01"]}
    tasks = frozenset({"command"})
    Options = OtherCommandOptions
    options: OtherCommandOptions

    def on_command(self, arguments: tuple[str, ...], first: int, steps: int) -> Sequence[str]:
        """The arguments with those that are replaced and added."""
        if first < self.options.from_step:
            return arguments
        replaced = [self.options.replace.get(argument, argument) for argument in arguments]
        return [*replaced, *self.options.append]

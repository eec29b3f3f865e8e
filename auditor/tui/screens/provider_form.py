"""A form for one registered provider."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import count
from typing import TYPE_CHECKING

from rich.text import Text
from textual.widget import Widget
from textual.widgets import Button, Input, Label

from auditor.tui.screens.form import FormScreen
from auditor.tui.shown import shown

if TYPE_CHECKING:
    from auditor.store import RegisteredProvider

Filled = tuple[str, str, float | None]


class ProviderForm(FormScreen[Filled]):
    """Asks for name, endpoint and price; says what is wrong while one types.

    Args:
        provider: who is changed; None registers another.
        known: names that are taken.
    """

    HELP = """A provider has a name, by which job files call it; an endpoint, where it is: local:cpu, local:cuda:N, \
unix:PATH or https://host:port; and, if you like, what it costs an hour. Enter goes on and saves, Escape leaves."""

    def __init__(self, provider: RegisteredProvider | None, known: Sequence[str]) -> None:
        super().__init__()
        self._provider = provider
        self._known = known

    def fields(self) -> list[Widget]:
        """Name, endpoint and price."""
        one = self._provider
        price = "" if one is None or one.price_per_hour is None else f"{one.price_per_hour:g}"
        return [
            Label("Name"),
            Input(one.name if one else self._free_name(), id="name", compact=True, disabled=one is not None),
            Label("Endpoint"),
            Input(one.endpoint if one else "local:cpu", id="endpoint", compact=True),
            Label("Dollars an hour (may stay empty)"),
            Input(price, id="price", compact=True),
        ]

    def _free_name(self) -> str:
        """A proposal, so that a mouse alone can register a provider; typing replaces it."""
        return next(name for name in (f"local-{number}" for number in count(1)) if name not in self._known)

    def on_mount(self) -> None:
        """Begin with what can be changed first."""
        self.query_one("#name" if self._provider is None else "#endpoint").focus()
        self._check()

    def on_input_changed(self) -> None:
        """Say what is wrong at once."""
        self._check()

    def submit(self, field: Input) -> None:
        """Go on to the next field; from the last one, save."""
        if field.id == "price":
            self.save()
        else:
            self.focus_next()

    def save(self) -> None:
        """Give what was filled in, once it is right."""
        if self._check() and (filled := self._filled()) is not None:
            self.dismiss(filled)

    def _check(self) -> bool:
        try:
            self._filled()
        except ValueError as error:
            self.tell(shown(error, 300))
            self.query_one("#save", Button).disabled = True
            return False
        self.tell(Text("Complete.", style="dim"))
        self.query_one("#save", Button).disabled = False
        return True

    def _filled(self) -> Filled:
        from auditor.providers.registry import check_address, check_name

        name, endpoint, price = (self.query_one(field, Input).value for field in ("#name", "#endpoint", "#price"))
        if not name:
            raise ValueError("a name is missing")
        if self._provider is None and name in self._known:
            raise ValueError(f"{name} is registered already; e changes it")
        return check_name(name), check_address(endpoint), _price(price)


def _price(text: str) -> float | None:
    if not text.strip():
        return None
    try:
        price = float(text)
    except ValueError:
        price = math.nan
    if not 0 <= price < math.inf:
        raise ValueError(f"{text!r} is not a price; allowed are dollars, such as 2.5, or nothing")
    return price

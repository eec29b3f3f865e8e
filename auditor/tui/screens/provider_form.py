"""A form for one registered provider."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING

from rich.text import Text
from textual.widget import Widget
from textual.widgets import Button, Input, Label

from auditor.tui.safe_text import safe_text
from auditor.tui.screens.form import FormScreen

if TYPE_CHECKING:
    from auditor.providers.registry import Access
    from auditor.store import RegisteredProvider


@dataclass(frozen=True)
class Filled:
    """What was filled in: who, where and how to get in, and at what price an hour."""

    name: str
    access: Access
    price: float | None


class ProviderForm(FormScreen[Filled]):
    """Asks for name, endpoint, token, fingerprint and price; shows problems while the user types.

    Args:
        provider: who is changed; None registers another.
        known: names that are taken.
    """

    HELP = """The name identifies the provider in job files. The endpoint is its address: local:cpu, local:cuda:N, \
unix:PATH or https://host:port. For an agent at https://host:port also type the path of the file that holds its \
token, and the fingerprint that it printed. The price per hour is optional. Enter goes to the next field and \
finally saves; Escape cancels, after a question if something was filled in."""
    ASKS = True

    def __init__(self, provider: RegisteredProvider | None, known: Sequence[str]) -> None:
        super().__init__()
        self._provider = provider
        self._known = known

    def fields(self) -> list[Widget]:
        """Name, endpoint, what it takes to get in, and price."""
        provider = self._provider
        price = "" if provider is None or provider.price_per_hour is None else f"{provider.price_per_hour:g}"
        return [
            Label("Name"),
            Input(
                provider.name if provider else self._free_name(), id="name", compact=True, disabled=provider is not None
            ),
            Label("Endpoint"),
            Input(provider.endpoint if provider else "local:cpu", id="endpoint", compact=True),
            Label("File with the agent's token", classes="remote"),
            Input((provider and provider.token_file) or "", id="token", compact=True, classes="remote"),
            Label("Fingerprint of its certificate", classes="remote"),
            Input((provider and provider.fingerprint) or "", id="fingerprint", compact=True, classes="remote"),
            Label("Dollars per hour (optional)"),
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

    @property
    def _is_remote(self) -> bool:
        """Whether the endpoint, as far as it is typed, is one behind a host and a port."""
        return self.query_one("#endpoint", Input).value.startswith("http")

    def _check(self) -> bool:
        for widget in self.query(".remote"):
            widget.display = self._is_remote
        try:
            self._filled()
        except ValueError as error:
            self.tell(safe_text(error, 300))
            self.query_one("#save", Button).disabled = True
            return False
        self.tell(Text("Complete.", style="dim"))
        self.query_one("#save", Button).disabled = False
        return True

    def _filled(self) -> Filled:
        from auditor.providers.registry import check_access, check_name

        fields = ("#name", "#endpoint", "#token", "#fingerprint", "#price")
        name, endpoint, token, fingerprint, price = (self.query_one(field, Input).value for field in fields)
        if not name:
            raise ValueError("type a name")
        if self._provider is None and name in self._known:
            raise ValueError(f"{name} is already registered; e changes it")
        entry = (token or None, fingerprint or None) if self._is_remote else (None, None)
        return Filled(check_name(name), check_access(endpoint, *entry), _price(price))


def _price(text: str) -> float | None:
    if not text.strip():
        return None
    try:
        price = float(text)
    except ValueError:
        price = math.nan
    if not 0 <= price < math.inf:
        raise ValueError(f"{text!r} is not a price; type dollars, such as 2.5, or leave it empty")
    return price

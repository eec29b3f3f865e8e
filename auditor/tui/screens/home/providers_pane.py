"""The registered providers: sort, add, edit, test, remove."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Button, DataTable, Static

from auditor.tui.safe_text import safe_text
from auditor.tui.screens.home.pane import HomePane
from auditor.tui.signs import signs
from auditor.tui.widgets.sortable_table import Row, SortableTable

if TYPE_CHECKING:
    from auditor.providers.probe import Probe
    from auditor.report.overview import ProviderRecord
    from auditor.store import RegisteredProvider, Store

NOBODY = """No providers are registered. Press a to add one. local:cpu is this machine; unix:PATH is an agent, started \
with `auditor agent`. A job file names a registered provider as its endpoint."""


@dataclass(frozen=True)
class Condition:
    """What is known of a provider now.

    Attributes:
        state: `unknown`, `testing`, `reachable`, `busy` or `unreachable`.
        probe: what it answered, once it did.
        reason: why it is unreachable.
    """

    state: str = "unknown"
    probe: Probe | None = None
    reason: str = ""


class ProvidersPane(HomePane):
    """The table of providers, and what can be done with them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "add", "Add", tooltip="Register a provider"),
        Binding("e", "edit", "Edit", tooltip="Change the provider under the cursor"),
        Binding("t", "test", "Test", tooltip="Connect to the provider under the cursor"),
        Binding("T", "test_all", "Test all", show=False, tooltip="Connect to every provider"),
        Binding("d,delete", "remove", "Remove", tooltip="Remove the provider under the cursor"),
    ]

    class Read(Message):
        """The registry was read."""

        def __init__(
            self, providers: list[RegisteredProvider], records: dict[str, ProviderRecord], busy: frozenset[str]
        ) -> None:
            super().__init__()
            self.providers = providers
            self.records = records
            self.busy = busy

    def __init__(self) -> None:
        super().__init__()
        self._latest: ProvidersPane.Read | None = None
        self._conditions: dict[str, Condition] = {}

    def compose(self) -> Iterable[Widget]:
        """The buttons and the table."""
        with Horizontal(classes="bar"):
            yield Button("Add (a)", id="add-provider", compact=True)
            yield Button("Test (t)", id="test-provider", compact=True)
            yield Button("Edit (e)", id="edit-provider", compact=True)
            yield Button("Remove (d)", id="remove-provider", compact=True)
        yield Static(NOBODY, id="nobody", markup=False)
        headings = ("name", "state", "endpoint", "device", "round trip", "$/hour", "checked", "flagged")
        yield SortableTable(*headings, empty="", id="providers")

    def reload(self) -> None:
        """Read the registry and what past runs say."""
        self._read()

    @work(thread=True, exclusive=True, group="read", exit_on_error=False)
    def _read(self) -> None:
        from auditor.report.overview import provider_records
        from auditor.store import Store

        with Store(self.auditor.folder) as store:
            self.post_message(self.Read(store.providers(), provider_records(store), _busy(store)))

    def on_providers_pane_read(self, message: Read) -> None:
        """Show them."""
        self._latest = message
        self.set_class(not message.providers, "-empty")
        self._draw()
        self.screen.refresh_bindings()

    def _draw(self) -> None:
        if self._latest is not None:
            rows = [self._row(provider) for provider in self._latest.providers]
            self.query_one("#providers", SortableTable).show(rows)

    def _row(self, provider: RegisteredProvider) -> Row:
        assert self._latest is not None
        condition = self._conditions.get(provider.name, Condition())
        state = "busy" if provider.name in self._latest.busy and condition.state != "testing" else condition.state
        probe, price = condition.probe, provider.price_per_hour
        record = self._latest.records.get(provider.name)
        checked, flagged = (record.sub_runs_checked, record.flagged) if record is not None else (0, 0)
        words = f"{signs().verdicts[state]} {state}" + (f": {condition.reason}" if condition.reason else "")
        return Row(
            key=provider.name,
            cells=(
                safe_text(provider.name, 24),
                safe_text(words, 60),
                safe_text(provider.endpoint, 40),
                safe_text("–" if probe is None else probe.device, 24),
                Text("–" if probe is None else f"{1000 * probe.seconds:.1f} ms"),
                Text("–" if price is None else f"{price:.2f}"),
                Text(str(checked)),
                Text(str(flagged)),
            ),
            sort=(
                provider.name,
                state,
                provider.endpoint,
                probe and probe.device,
                probe and probe.seconds,
                price,
                checked,
                flagged,
            ),
        )

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Without providers one can only be added, and that only once it is known which names are taken."""
        if action == "add":
            return self._latest is not None
        some = self._latest is not None and bool(self._latest.providers)
        return action not in ("edit", "test", "test_all", "remove") or some

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """The buttons do what the keys do."""
        event.stop()
        match event.button.id:
            case "add-provider":
                self.action_add()
            case "test-provider":
                self.action_test()
            case "edit-provider":
                self.action_edit()
            case _:
                self.action_remove()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Enter on a provider edits it."""
        event.stop()
        self.action_edit()

    @property
    def _selected(self) -> RegisteredProvider | None:
        name = self.query_one("#providers", SortableTable).selected
        known = self._latest.providers if self._latest is not None else []
        return next((provider for provider in known if provider.name == name), None)

    @work(exit_on_error=False)
    async def action_add(self) -> None:
        """Register a provider."""
        if self._latest is not None:
            await self._edit(None)

    @work(exit_on_error=False)
    async def action_edit(self) -> None:
        """Change the provider under the cursor."""
        if self._selected is not None:
            await self._edit(self._selected)

    async def _edit(self, provider: RegisteredProvider | None) -> None:
        from auditor.tui.screens.provider_form import ProviderForm

        assert self._latest is not None
        known = [provider.name for provider in self._latest.providers]
        filled = await self.app.push_screen_wait(ProviderForm(provider, known))
        if filled is None:
            return
        access = filled.access
        await self.auditor.in_store(
            lambda store: store.register_provider(
                filled.name,
                access.endpoint,
                filled.price,
                token_file=access.token_file,
                fingerprint=access.fingerprint,
            )
        )
        self._conditions.pop(filled.name, None)
        self.reload()
        self.query_one("#providers").focus()

    @work(exit_on_error=False)
    async def action_remove(self) -> None:
        """Forget the provider under the cursor, after asking."""
        from auditor.tui.screens.confirm import ConfirmScreen

        provider = self._selected
        if provider is None:
            return
        question = f"Remove {provider.name} from the registry? Runs that used it stay as they are."
        if await self.app.push_screen_wait(ConfirmScreen(question, "Remove")):
            await self.auditor.in_store(lambda store: store.remove_provider(provider.name))
            self.reload()

    def action_test(self) -> None:
        """Connect to the provider under the cursor."""
        if self._selected is not None:
            self._test([self._selected])

    def action_test_all(self) -> None:
        """Connect to every provider, one after the other."""
        if self._latest is not None:
            self._test(self._latest.providers)

    @work(group="test", exit_on_error=False)
    async def _test(self, providers: list[RegisteredProvider]) -> None:
        from auditor.providers.errors import ProviderError
        from auditor.providers.known_key import other_key
        from auditor.providers.probe import probe

        for provider in providers:
            self._conditions[provider.name] = Condition("testing")
            self._draw()
            try:
                found = await probe(provider.where)
            except ProviderError as error:
                self._conditions[provider.name] = Condition("unreachable", reason=str(error))
            else:
                words = other_key(provider.signing_key, found.signing_key)
                state = "reachable" if words is None else "unreachable"
                self._conditions[provider.name] = Condition(state, found, words or "")
                if not provider.where.ours and provider.signing_key is None and found.signing_key is not None:
                    await self._pin(provider, found.signing_key)
            self._draw()

    async def _pin(self, provider: RegisteredProvider, key: str) -> None:
        """Keep the first signing key that a provider shows."""
        endpoint, fingerprint = provider.endpoint, provider.fingerprint
        await self.auditor.in_store(lambda store: store.pin_signing_key(endpoint, fingerprint, key))


def _busy(store: Store) -> frozenset[str]:
    """Who takes part in a run that goes on."""
    from auditor.audit.stored_job import stored_job
    from auditor.store import DamagedRun

    names: set[str] = set()
    for run in store.runs():
        if store.is_running(run.id):
            with suppress(DamagedRun):
                names |= {provider.name for provider in stored_job(run).providers}
    return frozenset(names)

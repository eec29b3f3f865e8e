"""Composing a job in a form; what comes out is the text of a job file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Label, Select, SelectionList, Static
from textual.widgets.selection_list import Selection

from auditor.tui.safe_text import safe_text
from auditor.tui.screens.base import AuditorScreen
from auditor.tui.screens.form_kinds import form_kinds, task_lines
from auditor.tui.widgets.key_bar import KeyBar
from auditor.tui.widgets.lines import READING

FIELDS = {
    "name": ("Name", "my job"),
    "dataset": ("Dataset", "digits"),
    "model": ("Model", "resnet8"),
    "steps": ("Training steps", "400"),
    "batch_size": ("Batch size", "64"),
    "sub_run_steps": ("Steps in a sub-run, k", "40"),
    "replicated": ("Replicated sub-runs, m", "4"),
    "metrics": ("Metrics", "update, zest"),
    "false_alarm_rate": ("False alarm rate", "0.001"),
}
"""The form's fields: their labels and initial values."""


class ComposeScreen(AuditorScreen):
    """Asks for what a job needs, and shows its problems at once."""

    HELP = """A form for the common parts of a job. Space selects registered providers; the first one selected is the \
primary. If none is selected, the job uses four local providers. The next screen shows the plan and the job file, \
where you can change everything. Escape there comes back to the form as it was."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back"),
        Binding("ctrl+j,f2", "go_on", "Next", key_display="f2", tooltip="Show the job file and its plan"),
    ]

    def __init__(self) -> None:
        super().__init__()
        self._kept_text: str | None = None
        self._filled = False

    def compose(self) -> ComposeResult:
        """The fields."""
        yield Static(" Compose a job", id="title", markup=False)
        with VerticalScroll(id="form", can_focus=False), Grid(id="fields"):
            for field, (label, value) in FIELDS.items():
                if field == "dataset":
                    yield Label("Kind of task")
                    kinds = [(kind, kind) for kind in form_kinds()]
                    yield Select(kinds, value="vision", allow_blank=False, id="kind", compact=True)
                yield Label(label, id=f"{field}-label")
                yield Input(value, id=field, compact=True)
            yield Label("Training seeds")
            yield Select(
                [("shared by all providers", "shared"), ("each provider's own", "own")],
                value="shared",
                allow_blank=False,
                id="seeds",
                compact=True,
            )
            yield Label("Providers, the primary first")
            yield SelectionList[str](id="chosen", compact=True)
            yield Label("")
            yield Static(READING, id="registry", markup=False)
        yield Static("", classes="trouble", id="form-trouble", markup=False)
        with Horizontal(classes="bar"):
            yield Button("Show the plan (f2)", id="go-on", variant="primary", compact=True)
        yield KeyBar()

    def on_mount(self) -> None:
        """Begin with the name."""
        self.query_one("#name").focus()
        self._kept_text = self._text
        self._fill()

    @work(exit_on_error=False)
    async def _fill(self) -> None:
        registered = await self.in_store(lambda store: store.providers())
        names = [provider.name for provider in registered]
        untouched = self._text == self._kept_text
        self.query_one("#registry", Static).update(
            "Space selects." if names else "None is registered, so that the job uses four local providers."
        )
        self.query_one(SelectionList).add_options([Selection(Content(safe_text(n, 40).plain), n, True) for n in names])
        self._filled = True
        if untouched:
            self._kept_text = self._text
        self._check()

    def on_input_changed(self) -> None:
        """Say what is wrong at once."""
        self._check()

    def on_select_changed(self, event: Select.Changed) -> None:
        """Likewise. With another kind of task a dataset and a model that came with the form make way for its own."""
        if event.select.id == "kind":
            self._suit(str(event.value))
        self._check()

    def _suit(self, kind: str) -> None:
        kinds = form_kinds()
        for place, field in enumerate(("dataset", "model")):
            self.query_one(f"#{field}-label", Label).update(kinds[kind].labels[place])
            box = self.query_one(f"#{field}", Input)
            if box.value in [other.values[place] for other in kinds.values()]:
                box.value = kinds[kind].values[place]
        metrics = self.query_one("#metrics", Input)
        if metrics.value in [other.metrics for other in kinds.values()]:
            metrics.value = kinds[kind].metrics
        for name in ("batch_size", "batch_size-label"):
            self.query_one(f"#{name}").display = kinds[kind].batches

    def on_selection_list_selected_changed(self) -> None:
        """Likewise."""
        self._check()

    def on_input_submitted(self) -> None:
        """Go to the next field."""
        self.focus_next()

    def on_button_pressed(self) -> None:
        """Go on."""
        self.action_go_on()

    @property
    def _text(self) -> str:
        values = {field: self.query_one(f"#{field}", Input).value for field in FIELDS}
        chosen = {select: str(self.query_one(f"#{select}", Select).value) for select in ("kind", "seeds")}
        return job_text(values | chosen, self.query_one(SelectionList).selected)

    def _check(self) -> bool:
        from auditor.job import JobError, parse_job

        try:
            job = parse_job(self._text, source="form")
        except JobError as error:
            problems = "; ".join(f"{problem.key}: {problem.message}" for problem in error.problems)
            self.query_one("#form-trouble", Static).update(safe_text(problems, 400))
            return False
        words = f"Complete: {job.sub_runs} sub-runs, {job.participants} providers."
        self.query_one("#form-trouble", Static).update(safe_text(words))
        return True

    def action_go_on(self) -> None:
        """Show the job file and its plan."""
        from auditor.tui.screens.job import JobScreen

        if not self._filled:
            return  # a text without the registered providers would be another job
        text = self._text

        def kept(saved: bool | None) -> None:
            if saved:
                self._kept_text = text

        self.app.push_screen(JobScreen(text, None, form=True), kept)

    @property
    def unsaved(self) -> str | None:
        """What would be lost by leaving, as a question; None if nothing."""
        if self._kept_text is None or self._text == self._kept_text:
            return None
        return "What you filled in is neither saved nor started. Leave the form?"

    @work(exclusive=True, group="leave", exit_on_error=False)
    async def action_leave(self) -> None:
        """Go back; nothing is lost without a question."""
        from auditor.tui.screens.confirm import ConfirmScreen

        question = self.unsaved
        if question is None or await self.app.push_screen_wait(ConfirmScreen(question, "Leave")):
            self.dismiss()


def job_text(values: dict[str, str], providers: Sequence[str]) -> str:
    """The text of a job file from what the form holds; wrong values are kept, so that errors can name them."""
    metrics = [name.strip() for name in values["metrics"].split(",") if name.strip()]
    lines = [
        f"name = {_string(values['name'])}",
        "",
        *task_lines(values["kind"], values["dataset"], values["model"]),
        "",
        "[training]",
        f"steps = {_number(values['steps'])}",
        *([f"batch_size = {_number(values['batch_size'])}"] if form_kinds()[values["kind"]].batches else []),
        "",
        "[audit]",
        f"sub_run_steps = {_number(values['sub_run_steps'])}",
        f"replicated = {_number(values['replicated'])}",
        f"seeds = {_string(values['seeds'])}",
        f"metrics = [{', '.join(map(_string, metrics))}]",
        f"false_alarm_rate = {_number(values['false_alarm_rate'])}",
    ]
    named = [(name, name) for name in providers] or [(f"local-{index}", "local:cpu") for index in range(1, 5)]
    for index, (name, endpoint) in enumerate(named):
        lines += ["", "[[providers]]", f"name = {_string(name)}", f"endpoint = {_string(endpoint)}"]
        lines += ["primary = true"] if index == 0 else []
    return "\n".join(lines) + "\n"


def _string(text: str) -> str:
    """A TOML string; JSON's escapes are TOML's."""
    return json.dumps(text, ensure_ascii=False)


def _number(text: str) -> str:
    """A number as it is; anything else as a string, which the job's validation then names."""
    try:
        float(text)
    except ValueError:
        return _string(text)
    return text.strip()

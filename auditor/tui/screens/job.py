"""A job file with its plan: read, mend, save, start."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Button, OptionList, Static, TextArea
from textual.widgets.option_list import Option

from auditor.store import Store
from auditor.tui.safe_text import safe_text
from auditor.tui.sample_jobs import job_name
from auditor.tui.screens.base import AuditorScreen
from auditor.tui.signs import UNICODE, signs
from auditor.tui.widgets.catch_chart import CatchChart, CatchLegend
from auditor.tui.widgets.key_bar import KeyBar
from auditor.tui.widgets.lines import READING
from auditor.tui.widgets.panes import Pane, Panes
from auditor.tui.widgets.plan_view import Checked, PlanView

if TYPE_CHECKING:
    from auditor.job.task import Task
    from auditor.tasks.survey import FirstLook


class JobEditor(TextArea):
    """The text of the job file. It takes keys only after the person has entered it."""

    HELP = """The job file. e or a click enters the editor, and Escape leaves it. Until then the keys are those of the \
screen. Problems are listed below as you type. Enter or a click on a problem goes to its line."""
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Leave the editor", priority=True)]

    def __init__(self, text: str) -> None:
        super().__init__(text, show_line_numbers=True, soft_wrap=False, read_only=True)

    def enter(self) -> None:
        """Take keys as text from now on."""
        self.read_only = False
        self.focus()
        self._say()

    def action_leave(self) -> None:
        """Give the keys back to the screen."""
        self._rest()
        self.screen.query_one(PlanView).focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What was not entered cannot be left."""
        return action != "leave" or not self.read_only

    def on_click(self) -> None:
        """A click enters it."""
        self.enter()

    def on_blur(self) -> None:
        """Whoever comes back by a key that leads to this pane has not entered it."""
        if self.app.app_focus:  # else the person is in another window, and comes back
            self._rest()

    def _rest(self) -> None:
        self.read_only = True
        self._say()

    def _say(self) -> None:
        pane = next((node for node in self.ancestors if isinstance(node, Pane)), None)
        if pane is not None:
            pane.border_title = "Job file (e to edit)" if self.read_only else "Job file (editing; Escape leaves)"
        self.screen.refresh_bindings()


class JobScreen(AuditorScreen):
    """A job before it starts.

    Args:
        text: TOML.
        path: where it was read from or saved; None for one that is only composed.
        form: whether the form that made it is below, and keeps what was filled in. The screen gives whether the text
            was saved or started.
    """

    HELP = "A job: its file, its problems, its plan, and the probability of catching a malicious provider."
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", "Back"),
        Binding("s", "start", "Start", tooltip="Start the audit in a separate process and watch it"),
        Binding("y", "copy", "Copy command", tooltip="Copy the command that starts it without the interface"),
        Binding("e", "edit", "Edit", tooltip="Change the text; Escape leaves the editor"),
        Binding("w,ctrl+s", "save", "Save", tooltip="Save the text as a job file"),
        Binding("1", "pane(0)", "Go to the plan", show=False),
        Binding("2", "pane(1)", "Go to the file", show=False),
        Binding("3", "pane(2)", "Go to the chart", show=False),
    ]

    class Read(Message):
        """The text was checked."""

        def __init__(self, checked: Checked) -> None:
            super().__init__()
            self.checked = checked

    def __init__(self, text: str, path: Path | None, *, form: bool = False) -> None:
        super().__init__()
        self._text = text
        self._path = path
        self._form_text = text if form else None
        self._started_text: str | None = None
        self._saved_text = text if path is not None else None
        self._checked: Checked | None = None
        self._seen: tuple[tuple[Task, ...], tuple[FirstLook, ...]] | None = None
        self._starting = False

    @property
    def _source(self) -> str:
        return "composed" if self._path is None else str(self._path)

    def compose(self) -> ComposeResult:
        """The title, the panes, the keys."""
        yield Static("", id="title", markup=False)
        with Horizontal(classes="bar"):
            yield Button("Start (s)", id="start", variant="primary", compact=True)
            yield Button("Copy command (y)", id="copy", compact=True)
            yield Button("Save (w)", id="save", compact=True)
        yield Panes(
            Pane("Plan", PlanView(), id="plan-pane"),
            Pane(
                "Job file (e to edit)",
                Vertical(JobEditor(self._text), OptionList()),
                id="file-pane",
            ),
            Pane("Catch probability", CatchLegend(), CatchChart(), id="chart-pane"),
        )
        yield KeyBar()

    def on_mount(self) -> None:
        """Read the text."""
        self.query_one(CatchChart).display = signs() is UNICODE
        self.query_one(PlanView).focus()
        where = "composed" if self._path is None else job_name(self._path)
        self.query_one("#title", Static).update(safe_text(f" {READING}  {where}", 300, "bold"))
        self._check(self._text)

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Read it again."""
        self._text = event.text_area.text
        self._check(self._text)

    @work(thread=True, exclusive=True, group="check", exit_on_error=False)
    def _check(self, text: str) -> None:
        from auditor.job import JobError, parse_job
        from auditor.job.evolution import first_training
        from auditor.planning.choice import choose
        from auditor.planning.measured_power import known_power, read_measurements
        from auditor.providers.registry import resolve_providers

        folder = Path.cwd() if self._path is None else self._path.resolve().parent
        try:
            job = parse_job(text, source=self._source, folder=folder)
            with Store(self.auditor.folder) as store:
                job = resolve_providers(job, store.providers(), source=self._source, text=text)
            first = first_training(job)
            known = known_power(first, read_measurements())
            checked = Checked(job, known.plan(first), choose(first), known, ())
        except JobError as error:
            checked = Checked(None, None, None, None, tuple(error.problems))
        if text == self._text and checked.job is None:
            self.post_message(self.Read(checked))
        elif text == self._text:
            self._look_at_data(text, checked)

    def _look_at_data(self, text: str, checked: Checked) -> None:
        """Show the plan, and once more with what a look at the data finds, which may take a while."""
        from auditor.job.evolution import own_tasks
        from auditor.tasks.survey import first_looks

        assert checked.job is not None
        seen, tasks = self._seen, (checked.job.task, *own_tasks(checked.job))
        if seen is None or seen[0] != tasks:
            self.post_message(self.Read(checked))
            seen = self._seen = tasks, first_looks(checked.job)
        if text == self._text:
            self.post_message(self.Read(replace(checked, data=seen[1])))

    def on_job_screen_read(self, message: Read) -> None:
        """Show the plan, or the problems at their lines."""
        first = self._checked is None
        checked = self._checked = message.checked
        where = "composed" if self._path is None else job_name(self._path)
        title = f" {checked.job.name if checked.job else 'A job with problems'}  {where}"
        changed = "" if self._text == self._saved_text else " (not saved)"
        self.query_one("#title", Static).update(safe_text(title + changed, 300, "bold"))
        self.query_one(PlanView).show(checked)
        self.query_one(CatchChart).show(checked.job, checked.plan)
        self.query_one("#start", Button).disabled = checked.job is None or self._starting
        problems = self.query_one(OptionList)
        problems.display = bool(checked.problems)
        problems.clear_options()
        for problem in checked.problems:
            problems.add_option(Option(_described(problem.describe("line"))))
        if first and checked.problems:
            self.query_one(Panes).go_to(1)
            self.call_after_refresh(self._go_to_problem, 0)  # the editor has its size by then, and can scroll there
        self.refresh_bindings()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Go to the line of the problem, to mend it."""
        self._go_to_problem(event.option_index)
        self.query_one(JobEditor).enter()

    def _go_to_problem(self, index: int) -> None:
        if self._checked is not None and index < len(self._checked.problems):
            editor = self.query_one(JobEditor)
            line = min((self._checked.problems[index].line or 1) - 1, editor.document.line_count - 1)
            editor.move_cursor((line, 0), center=True)
            editor.select_line(line)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """The buttons do what the keys do."""
        event.stop()
        match event.button.id:
            case "start":
                self.action_start()
            case "copy":
                self.action_copy()
            case _:
                self.action_save()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A job with problems cannot be started."""
        startable = self._checked is not None and self._checked.job is not None and not self._starting
        return action != "start" or startable

    def action_pane(self, index: int) -> None:
        """Go to a pane."""
        self.query_one(Panes).go_to(index)

    def action_edit(self) -> None:
        """Change the text."""
        self.query_one(Panes).go_to(1)
        self.query_one(JobEditor).enter()

    @work(group="start", exit_on_error=False)
    async def action_start(self) -> None:
        """Start it."""
        if self._checked is None or self._checked.job is None or self._starting:
            return
        self._say_starting(True)
        try:
            text = self._text
            await self.auditor.start(self._checked.job, self._source)
            self._started_text = text  # the run keeps the job
        finally:
            self._say_starting(False)

    def _say_starting(self, starting: bool) -> None:
        """Show that the start was taken, so that nobody starts twice."""
        self._starting = starting
        button = self.query_one("#start", Button)
        button.label = "Starting…" if starting else "Start (s)"
        button.disabled = starting or self._checked is None or self._checked.job is None
        self.refresh_bindings()

    @property
    def unsaved(self) -> str | None:
        """What would be lost by leaving, as a question; None if nothing."""
        if self._text in (self._saved_text, self._form_text, self._started_text):
            return None
        where = "The changes to the text are" if self._form_text or self._path else "The job is"
        return f"{where} not saved. Leave without saving?"

    @work(exclusive=True, group="leave", exit_on_error=False)
    async def action_leave(self) -> None:
        """Go back; nothing is lost without a question."""
        from auditor.tui.screens.confirm import ConfirmScreen

        question = self.unsaved
        if question is None or await self.app.push_screen_wait(ConfirmScreen(question, "Leave")):
            self.dismiss(self._text in (self._saved_text, self._started_text))

    def action_copy(self) -> None:
        """Copy the headless command."""
        if self._path is None or self._text != self._saved_text:
            self.say("Save the job first (w); the command needs a file to read.", error=True)
            return
        command = f"auditor run {shlex.quote(job_name(self._path))}"
        self.app.copy_to_clipboard(command)
        self.say(f"Copied: {command}")

    @work(exit_on_error=False)
    async def action_save(self) -> None:
        """Save the text."""
        from auditor.tui.screens.ask_path import AskPathScreen

        path = self._path or Path.cwd() / "job.toml"
        text = self._text
        saved = await self.app.push_screen_wait(AskPathScreen("Save the job file as", path, text, own=self._path))
        if saved is not None:
            self._path, self._saved_text = saved, text
            self._check(text)


def _described(words: str) -> Text:
    return safe_text(words.replace("line:", "line ", 1), 400)

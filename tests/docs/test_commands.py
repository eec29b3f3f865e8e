"""Every command in README and in the documents works: it is carried out, or at least parsed where that cannot be."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import ROOT, Auditor
from tests.docs.blocks import Block, blocks, pages, prose, save_files
from tests.docs.not_run import ELSEWHERE, FOLLOWS, OTHER_PROGRAMS, SHORTENED
from tests.docs.reference.commands import Command, commands
from tests.warm_python import interpreter

SHELL = re.compile(r"[|;><$]|^\w+=\S")
"""What only a shell understands."""

KNOWN = {command.words: command for command in commands()}
INLINE = re.compile(r"(?<!`)`(auditor(?: [^`]+)?)`(?!`)")
GENERATED = ROOT / "docs" / "reference" / "commands.md"


def lines(block: Block) -> Iterator[str]:
    """The commands of a block, without comments, each part of `a && b` by itself."""
    for line in block.text.splitlines():
        for part in re.sub(r"\s+#.*$", "", line).split(" && "):
            if part.strip() and not part.lstrip().startswith("#"):
                yield part.strip()


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def shell_blocks(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.language == "sh"]


def journeys() -> list[list[Path]]:
    """The pages with commands, each with those that follow it."""
    found = [page for page in pages() if any(map(runnable, shell_blocks(page)))]
    return [
        [page, *(follower for follower in found if FOLLOWS.get(name(follower)) == name(page))]
        for page in found
        if name(page) not in FOLLOWS
    ]


def runnable(block: Block) -> bool:
    """Whether a test carries out at least one command of a block."""
    return any(line not in ELSEWHERE and line.split()[0] not in OTHER_PROGRAMS for line in lines(block))


def parsed(text: str) -> tuple[Command, list[str]]:
    """The command that a text is, and its options; fails where there is none, or an option is none of its."""
    words = shlex.split(text)
    longest = max(
        (known for known in KNOWN if tuple(words[: len(known)]) == known),
        key=len,
    )
    command = KNOWN[longest]
    options = [word.partition("=")[0] for word in words[len(longest) :] if word.startswith("--")]
    known = {spelling for parameter in command.parameters for spelling in parameter.names} | {"--help"}
    assert set(options) <= known, f"{text}: it has no {', '.join(sorted(set(options) - known))}"
    rest = [word for word in words[len(longest) :] if not word.startswith("--")]
    if longest == ("auditor",) and rest:
        groups = {known[1] for known in KNOWN if len(known) > 2}
        assert rest[0] in groups, f"{text}: there is no such command"
        assert len(rest) == 1, f"{text}: there is no such command"
    return command, options


@pytest.fixture
def shell(tmp_path: Path) -> Path:
    """A folder with an `auditor` for a shell."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "auditor").write_text(f'#!/bin/sh\nexec "{interpreter()}" -m auditor "$@"\n')
    (folder / "auditor").chmod(0o755)
    return folder


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("journey", journeys(), ids=lambda journey: name(journey[0]))
def test_commands_do_what_the_page_says(journey: list[Path], auditor: Auditor, shell: Path) -> None:
    for path, changes in SHORTENED.items():
        text = (ROOT / path).read_text(encoding="utf-8")
        for long, short in changes.items():
            assert long in text
            text = text.replace(long, short)
        (auditor.folder / path).parent.mkdir(exist_ok=True)
        (auditor.folder / path).write_text(text, encoding="utf-8")
    running: list[subprocess.Popen[str]] = []
    try:
        for block in (block for page in journey for block in _begun(page, auditor)):
            if "background" in block.attributes:
                running.append(_background(block, auditor))
            elif SHELL.search(block.text):
                _in_a_shell(block, auditor, shell)
            else:
                _one_by_one(block, auditor)
    finally:
        for process in running:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)


def _begun(page: Path, auditor: Auditor) -> list[Block]:
    """The blocks to carry out, once the files of the page are saved."""
    save_files(page, auditor.folder)
    return list(filter(runnable, shell_blocks(page)))


def _one_by_one(block: Block, auditor: Auditor) -> None:
    """Carry out each command in this process; all but the last must end with 0."""
    run = [line for line in lines(block) if line not in ELSEWHERE and line.split()[0] not in OTHER_PROGRAMS]
    for index, line in enumerate(run):
        program, *arguments = shlex.split(line)
        assert program == "auditor", f"{block}: {line}"
        expected = int(block.attributes.get("exit", "0")) if index == len(run) - 1 else 0
        done = auditor.here(*arguments)
        assert done.code == expected, f"{block}: {line} ended with {done.code}\n{done.stdout}{done.stderr}"


def _in_a_shell(block: Block, auditor: Auditor, shell: Path) -> None:
    """Carry out a block as a script, where it needs a shell."""
    script = f'export PATH="{shell}:$PATH"\n{block.text}'
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=auditor.folder,
        env=auditor.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    expected = int(block.attributes.get("exit", "0"))
    assert done.returncode == expected, f"{block}: ended with {done.returncode}\n{done.stdout}{done.stderr}"


def _background(block: Block, auditor: Auditor) -> subprocess.Popen[str]:
    (line,) = lines(block)
    process = auditor.start(*shlex.split(line)[1:])
    assert process.stderr is not None
    said = process.stderr.readline()
    assert "listens on" in said, f"{block}: {said}{process.stderr.read()}"
    return process


@pytest.mark.parametrize("page", pages(), ids=name)
def test_commands_parse_and_are_fenced(page: Path) -> None:
    for block in shell_blocks(page):
        for line in lines(block):
            if line.startswith("auditor"):
                parsed(line.partition(" > ")[0])
            elif line.startswith("nohup auditor"):
                parsed(line.removeprefix("nohup ").removesuffix(" &"))
            elif not SHELL.search(block.text):
                assert line.split()[0] in OTHER_PROGRAMS or line in ELSEWHERE, f"{block}: {line}"
    for inline in INLINE.findall(prose(page)):
        parsed(inline.replace("\\|", "|"))
    if page != GENERATED:
        indented = [line for line in prose(page).splitlines() if re.match(r"(?: {4}|\t)\S", line)]
        listed = [line for line in indented if re.match(r"\s+(?:auditor|pip|python3?) ", line)]
        assert not listed, f"{page}: put commands between fences: {listed}"


def test_what_is_not_run_is_in_some_document() -> None:
    every = {line for page in pages() for block in shell_blocks(page) for line in lines(block)}
    assert ELSEWHERE.keys() <= every, f"no document has {ELSEWHERE.keys() - every}"
    programs = {line.split()[0] for line in every}
    assert OTHER_PROGRAMS.keys() <= programs, f"no document has {OTHER_PROGRAMS.keys() - programs}"

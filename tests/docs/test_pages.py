"""What the documents hold besides commands: job files that load, links that lead somewhere, a README that is short."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from auditor.experiments.evolving.specification import load_study
from auditor.experiments.specification import load_benchmark
from auditor.job import parse_job
from auditor.plugins.catalogue import Catalogue
from tests.command import ROOT
from tests.docs.blocks import Block, blocks, pages, prose, save_files

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CRUTCHES = re.compile(r"\bso many\b|\bwhoever\b|\ballowed (?:is|are)\b", re.IGNORECASE)
"""Turns of phrase that readers have to read twice."""

FRAGMENT = {
    "task": {"dataset": "digits"},
    "providers": [
        {"name": "aurora", "endpoint": "local:cpu", "primary": True},
        {"name": "borealis", "endpoint": "local:cpu"},
        {"name": "cirrus", "endpoint": "local:cpu"},
    ],
}
"""A job that a fragment becomes a part of."""


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def toml_blocks() -> list[Block]:
    return [block for page in pages() for block in blocks(page) if block.language == "toml"]


@pytest.mark.parametrize("block", toml_blocks(), ids=str)
def test_toml_loads(block: Block, tmp_path: Path) -> None:
    save_files(block.page, tmp_path)
    read = tomllib.loads(block.text)
    fragment = block.attributes.get("fragment")
    if "benchmark" in block.attributes:
        benchmark, _ = load_benchmark(tmp_path / block.attributes["title"])
        assert benchmark.judged > 0
    elif "study" in block.attributes:
        assert load_study(tmp_path / block.attributes["title"]).study.instances > 0
    elif fragment == "pyproject":
        assert list(read) == ["project"]
    else:
        assert fragment is not None or "title" in block.attributes, f"{block}: a fragment must say so"
        text = block.text if fragment is None else _whole(fragment, read)
        job = parse_job(text, source=str(block), folder=tmp_path)
        plugins = Catalogue(job.plugins)
        for provider in job.providers:
            if provider.attack is not None:
                plugins.create_attack({"name": provider.attack.name, **provider.attack.options})
        if fragment != "plugin":
            for use in job.metrics:
                plugins.create("metrics", use.name, use.options)


def _whole(fragment: str, read: dict[str, Any]) -> str:
    """A job with a fragment in the place where it belongs."""
    if fragment == "plugin":
        read = {"audit": read}
    elif fragment == "providers":
        others = [one for one in FRAGMENT["providers"] if one["name"] != read["providers"][0]["name"]]  # type: ignore[index]
        read = {"providers": [*read["providers"], *others]}
    # The file of noise is made by a command of the page.
    audit = {key: value for key, value in read.get("audit", {}).items() if key != "noise"}
    return _toml({**FRAGMENT, **read, "audit": audit})


def _toml(tables: dict[str, Any]) -> str:
    lines = []
    for key, value in tables.items():
        for table in value if isinstance(value, list) else [value]:
            lines.append(f"[[{key}]]" if isinstance(value, list) else f"[{key}]")
            lines += [f"{inner} = {_value(item)}" for inner, item in table.items()]
    return "\n".join(lines) + "\n"


def _value(item: Any) -> str:
    if isinstance(item, bool):
        return str(item).lower()
    if isinstance(item, dict):
        return "{ " + ", ".join(f"{key} = {_value(inner)}" for key, inner in item.items()) + " }"
    if isinstance(item, list):
        return f"[{', '.join(map(_value, item))}]"
    return f'"{item}"' if isinstance(item, str) else str(item)


@pytest.mark.parametrize("page", [*pages(), ROOT / "docs/results.md", ROOT / "docs/attacks.md"], ids=name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(prose(page)):
        path, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", path):
            continue
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{name(page)} links to {target}"
        if anchor:
            assert anchor in _anchors(file), f"{name(page)} links to {target}"


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_is_short_and_gives_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) < 120
    assert "pip install -e . && auditor run sample_jobs/quickstart.toml" in text
    assert "pip install -e '.[dev]' && pytest" in text


@pytest.mark.parametrize("page", pages(), ids=name)
def test_pages_are_in_plain_words(page: Path) -> None:
    found = CRUTCHES.findall(prose(page))
    assert not found, f"{name(page)}: {found}"


def test_every_page_can_be_reached_from_the_readme() -> None:
    seen, waiting = set[Path](), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page in seen or not page.is_file() or page.suffix != ".md":
            continue
        seen.add(page)
        waiting += [(page.parent / target.partition("#")[0]).resolve() for target in LINK.findall(prose(page))]
    assert {name(page) for page in pages()} - {name(page) for page in seen} == set()


def test_no_table_is_in_two_places() -> None:
    """A row of a table stands on one page only."""
    rows: dict[str, str] = {}
    for page in pages():
        for row in set(re.findall(r"^\|.*[a-z]{4}.*\|$", prose(page), re.MULTILINE)):
            if len(row) > 60:
                assert row not in rows, f"{name(page)} and {rows[row]}: {row}"
                rows[row] = name(page)

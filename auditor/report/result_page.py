"""What every page of results is made of: one self-contained HTML file, its tables, and its figures beside it."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:75em;margin:2em auto;padding:0 1em}"
    "table{border-collapse:collapse;font-size:13px;font-variant-numeric:tabular-nums}"
    "td,th{padding:.2em .6em;text-align:right;border-bottom:1px solid #ccc}"
    "td:first-child,th:first-child{text-align:left}figure{margin:1em 0}code{font-size:12px}"
    "@media(prefers-color-scheme:dark){body{background:#161616;color:#ddd}svg{background:#fff}}"
)


def write_result_page(path: Path, name: str, parts: Iterable[str]) -> Path:
    """Write a page; returns its path.

    Args:
        path: where to.
        name: the title, not yet escaped.
        parts: what it holds, as HTML.
    """
    body = "\n".join((f"<h1>{html.escape(name)}</h1>", *parts))
    page = f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(name)}</title>'
    path.write_text(f"{page}<style>{STYLE}</style>{body}</html>\n", encoding="utf-8")
    return path


def write_figures(folder: Path, figures: Mapping[str, str]) -> list[str]:
    """Write each figure as SVG into a folder that is made if it is not there; returns them as HTML.

    Args:
        folder: where to.
        figures: the drawings, by a name that a file can have.
    """
    folder.mkdir(exist_ok=True)
    for label, drawing in figures.items():
        (folder / f"{label}.svg").write_text(drawing, encoding="utf-8")
    return [f'<figure id="{label}">{drawing}</figure>' for label, drawing in figures.items()]


def html_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of text."""
    head = "".join(f"<th>{html.escape(heading)}</th>" for heading in headings)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"

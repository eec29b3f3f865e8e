"""Write the generated pages of `docs/reference/`."""

from __future__ import annotations

from tests.docs.reference.pages import FOLDER, pages

if __name__ == "__main__":
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")

"""How much memory something takes."""

from __future__ import annotations

import threading
from pathlib import Path


class Memory:
    """The highest RssAnon of this process, in bytes, while it is watched; only Linux tells it.

    Args:
        mapped: whether what is mapped from files counts, too.
    """

    def __init__(self, *, mapped: bool = False) -> None:
        self._fields = ("RssAnon", "RssFile") if mapped else ("RssAnon",)
        self.before = self._now()
        self.most = self.before
        self._over = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Memory:
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watcher.join()

    def _watch(self) -> None:
        while not self._over.wait(0.005):
            self.most = max(self.most, self._now())

    def _now(self) -> int:
        lines = Path("/proc/self/status").read_text().splitlines()
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith(self._fields))

    @property
    def grown(self) -> int:
        """How much more it was than before."""
        return self.most - self.before

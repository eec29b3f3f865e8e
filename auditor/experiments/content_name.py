"""Files that are named after all that determines what they hold."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def content_name(content: Mapping[str, Any]) -> str:
    """A name of 32 hexadecimal digits, equal for equal content.

    Args:
        content: what JSON can hold; other values are written as text.
    """
    text = json.dumps(content, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]

"""A sign for each verdict, so that colour alone distinguishes none. It imports nothing, so that any screen can."""

from __future__ import annotations

SIGNS = {"consistent": "✓", "flagged": "✗", "inconclusive": "?", "unreachable": "…"}

ASCII_SIGNS = {"consistent": "+", "flagged": "x", "inconclusive": "?", "unreachable": "~"}
"""For terminals that show ASCII alone."""

"""Cells of a CSV file that a spreadsheet must not take for a formula."""

from __future__ import annotations

from typing import Any

_BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_cell(value: Any) -> Any:
    """A text that a spreadsheet would compute gets a leading apostrophe; everything else is as it was."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_BEGINS_FORMULA) else value

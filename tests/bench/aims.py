"""What a figure is held against."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Aim:
    """``is_met`` speaks of the sizes this run had; the aims are meant for the default ones on two idle cores."""

    name: str
    wanted: str
    found: str
    is_met: bool


def at_most(name: str, value: float, limit: float, form: str) -> Aim:
    """``form`` as ``str.format`` takes it, for value and limit."""
    return Aim(name, f"at most {form.format(limit)}", form.format(value), value <= limit)

"""A job's progress snapshot in words, for command lines and pages alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobs.progress import percent_of


@dataclass(frozen=True, slots=True)
class Seen:
    """``phase`` is what is at work right now; ``percent`` is None when nobody can tell."""

    phase: str
    percent: int | None
    words: str


def read_progress(kind: str, snapshot: Mapping[str, Any]) -> Seen:
    """``score`` names the phase at work under ``phase``; its values stand beside that."""
    return Seen(
        phase=str(snapshot.get("phase") or kind),
        percent=percent_of(dict(snapshot)),
        words=_servers(snapshot) or str(snapshot.get("message") or ""),
    )


def _servers(snapshot: Mapping[str, Any]) -> str:
    total = snapshot.get("total_servers")
    if not isinstance(total, int) or not total:
        return ""
    words = f"{snapshot.get('completed_servers', 0)} of {total} servers, {snapshot.get('total_toots', 0)} toots"
    current = snapshot.get("current_server")
    return f"{words}, now {current}" if current else words

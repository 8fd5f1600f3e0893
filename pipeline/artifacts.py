"""The files of an event: written by a phase, remembered with size, hash and origin."""

from __future__ import annotations

from typing import Any

from common import VERSION
from common.files import WrittenFile
from events.models import Event
from pipeline import paths
from pipeline.models import Artifact


def remember_file(
    event: Event, kind: str, written: WrittenFile, *, description: str = "", parameters: dict[str, Any] | None = None
) -> Artifact:
    """Note a file just written; writing the same path again replaces the note."""
    artifact, _ = Artifact.objects.update_or_create(
        event=event,
        path=paths.below_data(written.path),
        defaults={
            "kind": kind,
            "size": written.size,
            "sha256": written.sha256,
            "description": description,
            "parameters": parameters or {},
            "code_version": VERSION,
        },
    )
    return artifact


def find_artifact(event: Event, kind: str) -> Artifact | None:
    """The newest file of that kind whose file is still there."""
    for artifact in event.artifacts.filter(kind=kind).order_by("-updated_at"):
        if (paths.data_dir() / artifact.path).is_file():
            return artifact
    return None

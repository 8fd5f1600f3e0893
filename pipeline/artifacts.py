"""The files of an event: written by a phase, remembered with size, hash and origin."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from common import VERSION
from common.files import WrittenFile
from events.models import Event
from pipeline import paths
from pipeline.models import Artifact

_TOLD_ANEW = ["kind", "size", "sha256", "description", "parameters", "code_version", "updated_at"]


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


def remember_files(event: Event, kind: str, files: Sequence[tuple[WrittenFile, dict[str, Any]]]) -> None:
    """The same for many files of a kind at once, each with its parameters."""
    rows = [
        Artifact(
            event=event,
            path=paths.below_data(written.path),
            kind=kind,
            size=written.size,
            sha256=written.sha256,
            parameters=parameters,
            code_version=VERSION,
        )
        for written, parameters in files
    ]
    Artifact.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["event", "path"], update_fields=_TOLD_ANEW, batch_size=100
    )


def find_artifact(event: Event, kind: str) -> Artifact | None:
    """The newest file of that kind whose file is still there."""
    for artifact in event.artifacts.filter(kind=kind).order_by("-updated_at"):
        if (paths.data_dir() / artifact.path).is_file():
            return artifact
    return None

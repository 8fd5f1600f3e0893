"""Which files of an event leave the house, and under which type."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from events.models import Event
from pipeline import paths
from pipeline.models import Artifact

CONTENT_TYPES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".svg": "image/svg+xml",
    ".md": "text/markdown; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".json": "application/json",
}
# Journals hold everybody's toots, those of people who asked to be left out as well: hosts only.
HOST_KINDS = frozenset({"journal"})
# These name authors and servers, so they stay in the house when somebody in them has opted out since.
NAMING_KINDS = frozenset({"page", "analysis", "fetch-report", "posts"})

DOWNLOADS = {
    "graph": "Toots per minute, picture",
    "graph-dark": "Toots per minute, dark picture",
    "graph-svg": "Toots per minute, scalable",
    "graph-text": "Toots per minute, in words",
    "wordcloud": "Word cloud, picture",
    "wordcloud-dark": "Word cloud, dark picture",
    "wordcloud-text": "Word cloud, in words",
    "analysis": "All numbers",
    "fetch-report": "What each server did",
    "page": "Blog page",
}


@dataclass(frozen=True, slots=True)
class PublicFile:
    """A file as pages show it: ``version`` changes with its content, ``label`` is empty when it is no download."""

    name: str
    kind: str
    label: str
    size: int
    version: str
    description: str

    @property
    def suffix(self) -> str:
        return PurePosixPath(self.name).suffix.removeprefix(".").upper()


def list_public_files(artifacts: list[Artifact], *, is_withholding: bool) -> dict[str, PublicFile]:
    """The newest file of each kind that may be shown, by kind."""
    newest = sorted(artifacts, key=lambda artifact: artifact.updated_at)
    return {
        artifact.kind: _public_file(artifact)
        for artifact in newest
        if artifact.kind not in HOST_KINDS
        and content_type(artifact)
        and not (is_withholding and artifact.kind in NAMING_KINDS)
    }


def find_by_name(event: Event, name: str) -> Artifact | None:
    """The event's file of exactly that name; the name is compared, never opened."""
    if not name or not name.isprintable() or "/" in name or "\\" in name:
        return None
    candidates = event.artifacts.filter(path__endswith=f"/{name}")
    return next((artifact for artifact in candidates if file_name(artifact) == name), None)


def file_name(artifact: Artifact) -> str:
    return PurePosixPath(artifact.path).name


def content_type(artifact: Artifact) -> str | None:
    return CONTENT_TYPES.get(PurePosixPath(artifact.path).suffix.lower())


def stored_path(artifact: Artifact) -> Path | None:
    """Where the file lies, or None when it is gone or its note leads out of the data folder."""
    root = paths.data_dir().resolve()
    path = (root / artifact.path).resolve()
    return path if path.is_relative_to(root) and path.is_file() else None


def _public_file(artifact: Artifact) -> PublicFile:
    return PublicFile(
        name=file_name(artifact),
        kind=artifact.kind,
        label=DOWNLOADS.get(artifact.kind, ""),
        size=artifact.size,
        version=artifact.sha256[:12],
        description=artifact.description,
    )

"""The fetch of an event undone: toots, crawls, journals and report; what later phases made stays until they run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction

from events.models import Event
from pipeline import paths
from pipeline.models import Artifact, Sighting

if TYPE_CHECKING:
    from jobs.context import JobContext

_KINDS = ("journal", "fetch-report")


def run(ctx: JobContext) -> dict[str, Any]:
    """The job kind ``reset``; as a job it keeps every other one of the event away meanwhile."""
    event = ctx.event
    artifacts = list(event.artifacts.filter(kind__in=_KINDS).order_by("path"))
    toots = _forget(event, artifacts)
    deleted = [{"path": artifact.path, "size": artifact.size} for artifact in artifacts if _unlink(artifact)]
    ctx.say(f"Forgot {toots:,} toots and deleted {len(deleted)} files.")
    return {"toots": toots, "files_deleted": deleted, "total_size": sum(file["size"] for file in deleted)}


@transaction.atomic
def _forget(event: Event, artifacts: list[Artifact]) -> int:
    count = event.toots.count()
    Sighting.objects.filter(visit__crawl__event=event).delete()
    event.toots.all().delete()
    event.crawls.all().delete()
    Artifact.objects.filter(pk__in=[artifact.pk for artifact in artifacts]).delete()
    return count


def _unlink(artifact: Artifact) -> bool:
    path = paths.data_dir() / artifact.path
    was_there = path.is_file()
    path.unlink(missing_ok=True)
    return was_there

"""What the demo does besides scoring: a login, and telling what came of it."""

from __future__ import annotations

import secrets
import textwrap
from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.urls import reverse

from events.models import Event
from jobs.models import Job
from pipeline import paths
from pipeline.models import Visit

USERNAME = "demo"
_JOURNAL = "journal"


def renew_login() -> str:
    """A new password for the demo's login, which is made if need be; nobody has to remember the last one."""
    users = get_user_model()
    password = secrets.token_urlsafe(9)
    user = users.objects.filter(username=USERNAME).first() or users(username=USERNAME)
    user.is_staff = user.is_superuser = user.is_active = True
    user.set_password(password)
    user.save()
    return password


def tell_findings(event: Event, job: Job) -> Iterator[str]:
    """What was found, who answered, what was liked most, which files there are, what was there before; as lines."""
    results, fetched = event.analysis.results, _result_of(job, "fetch")
    toots, authors, servers = (results[key] for key in ("total_toots", "unique_ids", "total_servers"))
    yield f"Found: {toots} toots by {authors} authors on {servers} servers."
    yield from _tell_servers(event)
    yield from _tell_top_toot(results)
    yield from _tell_files(event)
    yield from _tell_reuse(job, fetched)


def page_paths(event: Event) -> tuple[str, str]:
    """Below the site's address: the event's public results, and its page backstage."""
    return reverse("pipeline:event", args=[event.slug]), reverse("admin:events_event_change", args=[event.pk])


def _tell_servers(event: Event) -> Iterator[str]:
    outcomes = Counter(event.crawls.latest("id").visits.order_by().values_list("outcome", flat=True))
    yield f"Servers asked: {outcomes.total()}"
    for outcome, count in outcomes.most_common():
        yield f"  {count:3}  {Visit.Outcome(outcome).label}"


def _tell_top_toot(results: dict[str, Any]) -> Iterator[str]:
    if not results["max_boosts"]:
        return
    top = results["max_boosts"][0]
    yield f"Most boosted: {top['display_name']}, {top['boosts']} boosts, {top['favourites']} favourites"
    yield from textwrap.wrap(top["text"], 100, initial_indent="  “", subsequent_indent="   ")
    yield f"  {top['url']}"


def _tell_files(event: Event) -> Iterator[str]:
    artifacts = list(event.artifacts.order_by("path"))
    yield f"Files in {paths.event_dir(event)}:"
    for artifact in artifacts:
        if artifact.kind != _JOURNAL:
            yield f"  {_size(artifact.size):>9}  {artifact.path.rpartition('/')[2]}"
    journals = [artifact.size for artifact in artifacts if artifact.kind == _JOURNAL]
    if journals:
        yield f"  {_size(sum(journals)):>9}  {len(journals)} journals, one for each server that showed something"


def _tell_reuse(job: Job, fetched: dict[str, Any]) -> Iterator[str]:
    reused = []
    if fetched.get("reused_toots"):
        reused.append(f"{fetched['reused_toots']} toots ({fetched['new_toots']} new)")
    if _result_of(job, "analyse").get("cached"):
        reused.append("the analysis")
    if _result_of(job, "poster").get("kept"):
        reused.append("the poster")
    if reused:
        yield f"Reused from an earlier run: {', '.join(reused)}."


def _result_of(job: Job, phase: str) -> dict[str, Any]:
    result = job.result if isinstance(job.result, dict) else {}
    return dict(result.get("phases", {}).get(phase, {}))


def _size(size: int) -> str:
    return f"{size} B" if size < 1000 else f"{size / 1000:,.0f} kB" if size < 1_000_000 else f"{size / 1e6:,.1f} MB"

"""``forget``: every toot and trace of an author goes, and nothing of theirs is stored again.

What they wrote is deleted, what was made of it (journals, numbers, pictures, page, draft) is made anew without it,
what cannot be made anew is emptied. What others wrote stays as they wrote it, mentions included.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.core.cache import cache
from django.db import transaction
from django.db.models import Q, QuerySet

from common.errors import ConfigurationError
from common.times import now_utc
from events.models import Event, MastodonAccount, OptOut, normalise_target
from jobs.models import Job, ServerTurn
from pipeline.core.traces import Traces
from pipeline.crawl.coordinator import robots_key
from pipeline.forgetting import rewriting, threads
from pipeline.models import ServerFacts, Toot, Visit


@dataclass(frozen=True, slots=True)
class Forgotten:
    """``still_public``: addresses of toots of ours that show theirs, which only their server can delete."""

    target: str
    toots: int
    events: tuple[str, ...]
    rewritten: tuple[str, ...] = ()
    still_public: tuple[str, ...] = ()
    troubles: tuple[str, ...] = ()


def find(target: str) -> Forgotten:
    """What ``forget`` would erase."""
    target = normalise_target(target)
    events = _find_events(_find_traces(target))
    return Forgotten(target, _toots_of(target).count(), tuple(event.slug for event in events))


def forget(target: str, *, reason: str = "", say: Callable[[str], None] = lambda text: None) -> Forgotten:
    """Erase them. ConfigurationError for a target that is none, for a home server, and while an event is worked on.

    Safe to repeat; a run that was cut short is completed by the next one.
    """
    target = normalise_target(target)
    _refuse_own_server(target)
    traces = _find_traces(target)
    events = _find_events(traces)
    _opt_out(target, reason)
    _refuse_while_at_work(events)
    count = _delete(target)
    still_public: list[str] = []
    rewritten: list[str] = []
    troubles: list[str] = []
    for event in events:
        say(f"Making {event.slug} anew without them.")
        still_public += threads.erase(event, traces)
        done, trouble = rewriting.rewrite(event, traces)
        rewritten += done
        troubles += trouble
    _scrub_jobs(traces)
    count += _delete(target)  # what a crawl stored that had begun before the opt-out was there
    return Forgotten(
        target,
        count,
        tuple(event.slug for event in events),
        tuple(rewritten),
        tuple(still_public),
        tuple(troubles),
    )


def _toots_of(target: str) -> QuerySet[Toot]:
    if "@" not in target:
        return Toot.objects.filter(Q(origin=target) | Q(author_handle__iendswith=f"@{target}"))
    _, server = target.rsplit("@", 1)
    handles = Toot.objects.filter(author_handle__iendswith=f"@{server}").order_by().values_list("author_handle")
    # Folded here: databases differ in what they take for the same letter.
    same = [handle for (handle,) in handles.distinct() if handle.casefold() == target]
    return Toot.objects.filter(author_handle__in=same)


def _find_traces(target: str) -> Traces:
    rows = list(_toots_of(target).values_list("author_handle", "author_name", "author_url", "uri", "url"))
    addresses = {address for row in rows for address in row[2:] if address}
    return Traces(
        target,
        handles=frozenset(row[0] for row in rows),
        addresses=frozenset(addresses),
        names=frozenset(row[1] for row in rows if len(row[1]) > 2),
    )


def _find_events(traces: Traces) -> list[Event]:
    """Events that hold toots of theirs, or where an earlier run left something to do."""
    holding = set(_toots_of(traces.target).order_by().values_list("event", flat=True).distinct())
    visited = Visit.objects.filter(server=traces.target).values_list("crawl__event", flat=True)
    naming = {
        event.pk
        for event in Event.objects.select_related("analysis").exclude(pk__in=holding)
        if rewriting.names_them(event, traces) or threads.names_them(event, traces)
    }
    return list(Event.objects.filter(pk__in=holding | set(visited) | naming).order_by("start", "pk"))


def _refuse_own_server(target: str) -> None:
    if MastodonAccount.objects.filter(server=target).exists():
        raise ConfigurationError(
            f"{target} is a server of our own accounts",
            user_message=f"{target} is the server of an account of yours; name one author, or remove the account.",
        )


def _refuse_while_at_work(events: list[Event]) -> None:
    job = Job.objects.filter(event__in=events, status__in=Job.ACTIVE).select_related("event").first()
    if job is not None and job.event is not None:
        raise ConfigurationError(
            f"job {job.pk} is at work on {job.event.slug}",
            user_message=f"{job.event.slug} is being worked on (job {job.pk}). Nothing new of theirs is stored from "
            "now on; when that job has ended, or was cancelled, say forget again to erase the rest.",
        )


def _opt_out(target: str, reason: str) -> None:
    opt_out, _ = OptOut.objects.get_or_create(target=target, defaults={"reason": reason})
    OptOut.objects.filter(pk=opt_out.pk).update(
        erased_at=opt_out.erased_at or now_utc(), reason=reason or opt_out.reason
    )


def _delete(target: str) -> int:
    with transaction.atomic():
        count = _toots_of(target).count()
        _toots_of(target).delete()
        if "@" not in target:
            Visit.objects.filter(server=target).delete()
            ServerFacts.objects.filter(server=target).delete()
            ServerTurn.objects.filter(server=target).delete()
            cache.delete(robots_key(target))
    return count


def _scrub_jobs(traces: Traces) -> None:
    """Results, progress and errors of jobs may quote: a preview of the thread does."""
    for job in Job.objects.exclude(status__in=Job.ACTIVE).order_by("pk").iterator(chunk_size=200):
        if traces.is_in([job.result, job.progress, job.error, job.params, job.subject]):
            Job.objects.filter(pk=job.pk).update(
                result=traces.scrub(job.result),
                progress=traces.scrub(job.progress),
                params=traces.scrub(job.params),
                error=traces.scrub(job.error),
                subject=traces.scrub(job.subject),
            )

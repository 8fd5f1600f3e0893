"""A scored event whose account is on a posting server of the test, and short ways to draft, approve and send."""

from __future__ import annotations

from typing import Any

from events.models import Event, MastodonAccount
from jobs.context import JobContext
from pipeline.models import Thread, ThreadToot
from pipeline.phases import post
from pipeline.tests.scored_event import make_scored
from pipeline.thread import approval, ledger, removal, send
from tests.remote.posting import TOKEN, PostingServer

ROLES = ["opening", "author", "boosts", "favourites", "replies", "graph", "wordcloud"]


class Lines:
    """A listener that keeps what was said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def progress(self, snapshot: dict[str, Any]) -> None:
        """Only the lines matter."""

    def line(self, text: str) -> None:
        self.said.append(text)


def prepare(make_event: Any, server: PostingServer, settings: Any, **values: Any) -> Event:
    """Scored, with an account on the server; its origin has no address, so the re-check finds nothing out."""
    settings.MASTOSCORE_PRIVATE_HOSTS = [server.name]
    settings.MASTOSCORE_RETRY_PAUSES = [0.01, 0.02, 0.03]
    account = MastodonAccount.objects.create(server=server.name, username="host", token=TOKEN)
    event = make_scored(make_event(home_account=account, **values))
    event.thread.all().delete()
    return event


def context(event: Event, kind: str = "send", *, asked_by: Any = None, **params: Any) -> JobContext:
    given = params if asked_by is not None else {ledger.BY_COMMAND: True, **params}
    ctx = JobContext.detached(kind, event=Event.objects.get(pk=event.pk), params=given, listener=Lines())
    ctx.job.asked_by = asked_by
    return ctx


def draft(event: Event) -> list[ThreadToot]:
    post.run(context(event, "post"))
    return list(event.thread.order_by("position"))


def draft_and_approve(event: Event) -> list[ThreadToot]:
    rows = draft(event)
    approval.approve(event)
    return rows


def send_now(event: Event, **options: Any) -> dict[str, Any]:
    return send.run(context(event, **options))


def delete_now(event: Event, **options: Any) -> dict[str, Any]:
    return removal.run(context(event, "delete_thread", **options))


def states(event: Event) -> list[str]:
    return list(event.thread.order_by("position").values_list("state", flat=True))


def thread_of(event: Event) -> Thread:
    return Thread.objects.get(event=event)


def assert_complete(event: Any, server: PostingServer) -> None:
    """Exactly one complete thread, as the ledger says."""
    rows = list(event.thread.order_by("position"))
    assert server.thread() == [row.posted_text for row in rows]
    assert [row.remote_id for row in rows] == sorted(server.statuses, key=int)
    assert {row.state for row in rows} == {"sent"}
    assert thread_of(event).state == "sent"

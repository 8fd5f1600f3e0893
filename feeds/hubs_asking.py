"""Asking hubs: to subscribe, to renew, to leave. By the clock, in threads, one request at a time per hub.

A row says that it was asked before the request goes out, as a hub may call back while it runs; and when to ask again
if nothing comes of it. So a job that dies half-way costs a pause, never a second secret.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from common.errors import RemoteError
from common.http import Gate, policy_from_settings
from common.times import now_utc
from feeds import hubs, hubs_news
from feeds.hubs import State
from feeds.models import Feed, HubSubscription, Source
from jobs.context import JobContext
from jobs.services import AlreadyActive, enqueue

JOB_KEY = "ask_hubs"
MOST_AT_ONCE = 500
SLICE_SECONDS = 50.0
_THREADS = 8
_TOTAL_SECONDS = 15.0
_MAX_BYTES = 100_000
_RENEWAL_WAIT = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Errand:
    """``subscribe`` or ``unsubscribe`` for a topic at a hub; ``feed_id`` None: the feed is gone."""

    mode: str
    hub_url: str
    topic_url: str
    key: str
    secret: str = ""
    feed_id: int | None = None

    @property
    def form(self) -> dict[str, str]:
        form = {"hub.mode": self.mode, "hub.topic": self.topic_url, "hub.callback": hubs.callback_address(self.key)}
        if self.mode == "subscribe":
            form |= {"hub.secret": self.secret, "hub.lease_seconds": str(hubs.LEASE_SECONDS)}
        return form


# --- the clock ------------------------------------------------------------------------------------------------------
def queue_asking() -> int:
    """The plan of every few minutes. Returns how many jobs were queued: none when there is nothing to ask."""
    hubs_news.queue_news()  # should the job for it have been lost
    now = now_utc()
    if not (_lapsed(now).exists() or _unwanted().exists() or _to_ask(now).exists()):
        return 0
    try:
        enqueue("ask_hubs", exclusive_key=JOB_KEY)
    except AlreadyActive:
        return 0
    return 1


def ask_hubs(ctx: JobContext) -> dict[str, Any]:
    """The job: what has run out is polled again, what nobody wants is left, what is due is asked for."""
    now = now_utc()
    lapsed = list(_lapsed(now).values_list("feed_id", flat=True))
    HubSubscription.objects.filter(pk__in=lapsed).update(state=State.ASKED, told_at=None, due_at=now)
    hubs.poll_soon(lapsed, now)
    errands = [*_leave(now), *_begin(now)]
    refused = run_errands(ctx, errands)
    for errand, sentence in refused:
        if errand.mode == "subscribe" and errand.feed_id is not None:
            HubSubscription.objects.filter(pk=errand.feed_id).update(last_error=sentence[:500])
    return {"asked": len(errands), "failed": len(refused), "lapsed": len(lapsed)}


def leave_hubs(ctx: JobContext) -> dict[str, Any]:
    """The job for feeds that are gone. A hub that does not listen stops by itself, when the lease ends."""
    errands = []
    for row in ctx.params["subscriptions"]:
        hubs.remember(row["key"], row["topic"])
        errands.append(Errand("unsubscribe", row["hub"], row["topic"], row["key"]))
    refused = run_errands(ctx, errands) if hubs.is_reachable() else []
    return {"asked": len(errands), "failed": len(refused)}


# --- what is to be done ---------------------------------------------------------------------------------------------
def _lapsed(now: datetime) -> QuerySet[HubSubscription]:
    return HubSubscription.objects.filter(state=State.ACTIVE, ends_at__lte=now)


def _wanted() -> QuerySet[Feed]:
    """Feeds that somebody reads and that name a hub; none while hubs cannot reach us."""
    readers = Source.objects.filter(feed=OuterRef("pk"), active=True)
    feeds = Feed.objects.filter(Exists(readers), is_gone=False).exclude(hub_url="").exclude(topic_url="")
    return feeds if hubs.is_reachable() else feeds.none()


def _unwanted() -> QuerySet[HubSubscription]:
    living = HubSubscription.objects.filter(state__in=[State.ASKED, State.ACTIVE])
    return living.exclude(feed__in=_wanted().values("pk"))


def _to_ask(now: datetime) -> QuerySet[Feed]:
    moved = ~Q(hub_subscription__hub_url=F("hub_url")) | ~Q(hub_subscription__topic_url=F("topic_url"))
    is_due = Q(hub_subscription__isnull=True) | Q(hub_subscription__state=State.ENDED) | moved
    return _wanted().filter(is_due | Q(hub_subscription__due_at__lte=now))


def _leave(now: datetime) -> list[Errand]:
    rows = list(_unwanted().select_related("feed").defer("secret")[:MOST_AT_ONCE])
    HubSubscription.objects.filter(pk__in=[row.pk for row in rows]).update(
        state=State.ENDED, ends_at=None, told_at=None, due_at=now
    )
    hubs.poll_soon([row.feed_id for row in rows], now)
    if not hubs.is_reachable():  # nothing could be said of where we are
        return []
    return [Errand("unsubscribe", row.hub_url, row.topic_url, row.key) for row in rows]


def _begin(now: datetime) -> list[Errand]:
    """Rows made or brought up to date for what is going to be asked."""
    feeds = _to_ask(now).select_related("hub_subscription").defer("etag", "last_modified")
    errands: list[Errand] = []
    for feed in feeds[:MOST_AT_ONCE]:
        row: HubSubscription | None = getattr(feed, "hub_subscription", None)
        if row is not None and (row.hub_url, row.topic_url) != (feed.hub_url, feed.topic_url):
            errands += _part(row)
            row = None
        is_kept = row is not None and row.state in (State.ASKED, State.ACTIVE) and hubs.secret_of(row)
        errands.append(_ask_again(row, now) if row is not None and is_kept else _ask_anew(feed, now))
    return errands


def _part(row: HubSubscription) -> list[Errand]:
    """The feed has another hub or another name there: what the former one sends under the former key is refused."""
    if row.state not in (State.ASKED, State.ACTIVE):
        return []
    hubs.remember(row.key, row.topic_url)
    return [Errand("unsubscribe", row.hub_url, row.topic_url, row.key)]


def _ask_anew(feed: Feed, now: datetime) -> Errand:
    key, secret = hubs.new_key(), hubs.new_key()
    values = {
        "hub_url": feed.hub_url,
        "topic_url": feed.topic_url,
        "key": key,
        "secret": secret,
        "state": State.ASKED,
        "asked_at": now,
        "due_at": now + hubs.retry_wait(0),
        "ends_at": None,
        "told_at": None,
        "failures": 0,
        "last_error": "",
    }
    HubSubscription.objects.update_or_create(feed=feed, defaults=values)
    return Errand("subscribe", feed.hub_url, feed.topic_url, key, secret, feed.pk)


def _ask_again(row: HubSubscription, now: datetime) -> Errand:
    """With the key and the secret of before, so that an answer to an earlier asking counts too.

    To renew, or as nothing came of it. What is active stays so until its lease ends.
    """
    is_renewal = row.state == State.ACTIVE
    failures = row.failures + 1
    wait = min(hubs.retry_wait(failures), _RENEWAL_WAIT) if is_renewal else hubs.retry_wait(failures)
    error = row.last_error or ("" if is_renewal else "The hub did not come back to confirm.")
    HubSubscription.objects.filter(pk=row.pk).update(
        asked_at=now, due_at=now + wait, failures=failures, last_error=error
    )
    return Errand("subscribe", row.hub_url, row.topic_url, row.key, hubs.secret_of(row), row.pk)


# --- on the way -----------------------------------------------------------------------------------------------------
def run_errands(ctx: JobContext, errands: Iterable[Errand]) -> list[tuple[Errand, str]]:
    """Ask; returns those that came to nothing, with why. A hub that does not answer is not asked again this time."""
    by_hub: dict[str, list[Errand]] = {}
    for errand in errands:
        by_hub.setdefault(urlsplit(errand.hub_url).netloc, []).append(errand)
    if not by_hub:
        return []
    give_up_at = time.monotonic() + SLICE_SECONDS
    policy = replace(policy_from_settings(), total_seconds=_TOTAL_SECONDS, max_bytes=_MAX_BYTES)
    with Gate(policy) as gate, ctx.on_stop(gate.abort), ThreadPoolExecutor(min(_THREADS, len(by_hub))) as pool:
        answers = list(pool.map(lambda row: _ask_hub(gate, row, give_up_at), by_hub.values()))
    ctx.check_cancelled()
    return [refusal for refusals in answers for refusal in refusals]


def _ask_hub(gate: Gate, errands: Sequence[Errand], give_up_at: float) -> list[tuple[Errand, str]]:
    """All errands at one hub, in a thread that touches no database."""
    refused: list[tuple[Errand, str]] = []
    trouble = ""
    for errand in errands:
        if trouble or time.monotonic() > give_up_at:
            refused.append((errand, trouble or "There was no time left to ask the hub."))
            continue
        try:
            answer = gate.post(errand.hub_url, data=errand.form)
        except RemoteError as error:
            trouble = error.user_message
            refused.append((errand, trouble))
            continue
        if not 200 <= answer.status_code < 300:
            refused.append((errand, f"The hub answered with status {answer.status_code}."))
    return refused

"""The page behind an entry, for sources whose feeds give a taste only: fetched, the article cut out, sanitised, kept.

Shared by all who read the entry, like the entry itself; whether it is shown is the source's choice (``content_of``).
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Length

from common.confined import Confined, WorkFailed
from common.errors import RemoteError
from common.http import Answer, Gate
from common.robots import RobotsRules, fetch_robots
from common.times import now_utc
from feeds.addresses import address_or_empty, host_of
from feeds.article_text import make_payload
from feeds.content import content_of as content_of
from feeds.models import Article, Entry, Post, Source
from feeds.retrieval import open_gate
from feeds.rounds import Round
from feeds.sanitising import sanitise
from feeds.texts import to_text
from jobs.context import JobContext
from jobs.services import AlreadyActive, enqueue

JOB_KEY = "fetch_articles"
MAX_PAGES = 200
SLICE_SECONDS = 50.0
# Tries of one page, and how long it is left alone after each.
MAX_TRIES = 3
PAUSES = (timedelta(minutes=15), timedelta(hours=3))
_NEW = timedelta(days=7)
_MAX_TEXT_CHARS = 200_000
_ROBOTS_SECONDS = 24 * 3600
_FINAL = (400, 401, 402, 403, 404, 405, 406, 410, 451)
_ACCEPT = "text/html, application/xhtml+xml;q=0.9, */*;q=0.1"
# A page that says much less than the feed did shows a notice, not the article.
_LEAST_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page to fetch; ``feed_chars`` is how much text the feed gave of it."""

    entry_id: int
    url: str
    feed_chars: int


@dataclass(frozen=True, slots=True)
class Page:
    """What came of it: an article, or a sentence that says why there is none. ``is_final``: do not try again."""

    url: str = ""
    content: str = ""
    text: str = ""
    error: str = ""
    is_final: bool = False


# --- one, now -------------------------------------------------------------------------------------------------------
def fetch_article(found: Post | Entry) -> Article:
    """Fetch the page of a post because somebody asks for it now, however often it was tried, and keep what it says.

    Without content, ``last_error`` says why in a sentence. Takes half a minute at most; not for use in a transaction.
    """
    entry = found.entry if isinstance(found, Post) else found
    with open_gate() as gate, _reader() as extract:
        page = read_page(gate, extract, _wanted(entry.pk, entry.url, entry.content))
    store_page(entry.pk, page, now_utc())
    return Article.objects.get(entry=entry.pk)


def read_page(gate: Gate, extract: Confined, wanted: Wanted) -> Page:
    """Fetch, cut out, sanitise. Touches no database and raises nothing that a page may be at fault for."""
    url = address_or_empty(wanted.url)
    if not url:
        return Page(error="This post has no address that could be fetched.", is_final=True)
    try:
        answer = gate.get(url, headers={"Accept": _ACCEPT})
    except RemoteError as error:
        return Page(error=error.user_message, is_final=error.permanent)
    if answer.status_code != 200:
        return Page(
            error=f"The page answered with status {answer.status_code}.", is_final=answer.status_code in _FINAL
        )
    return _read_answer(extract, answer, wanted)


def _read_answer(extract: Confined, answer: Answer, wanted: Wanted) -> Page:
    content_type = answer.headers.get("content-type", "")
    try:
        made = extract(make_payload(answer.body, url=answer.url, content_type=content_type))
    except WorkFailed:
        return Page(error="The page is too complicated to find the article in it.", is_final=True)
    content = sanitise(made.decode("utf-8", "replace"), base_url=answer.url)
    text = to_text(content)[:_MAX_TEXT_CHARS]
    if not text.strip():
        return Page(error="There is no article on this page that could be read.", is_final=True)
    if len(text) < _LEAST_SHARE * wanted.feed_chars:
        return Page(error="The page shows less of the article than the feed does.", is_final=True)
    return Page(url=answer.url[:2000], content=content, text=text)


def store_page(entry_id: int, page: Page, now: datetime) -> None:
    """Write it down. An article that is there stays when the page cannot be had this time."""
    before = Article.objects.filter(entry=entry_id).first()
    values: dict[str, Any] = {"tried_at": now, "last_error": page.error[:500]}
    if page.content:
        values |= {"url": page.url, "content": page.content, "text": page.text, "failures": 0}
    else:
        values["failures"] = MAX_TRIES if page.is_final else (before.failures if before else 0) + 1
    with contextlib.suppress(IntegrityError), transaction.atomic():  # the entry may be gone meanwhile
        Article.objects.update_or_create(entry_id=entry_id, defaults=values)
        if page.content:
            # What can be read can be found: the index stands over this column.
            shorter = Entry.objects.annotate(chars=Length("text")).filter(pk=entry_id, chars__lt=len(page.text))
            Entry.objects.filter(pk__in=shorter.values("pk")).update(text=page.text)


# --- the new ones, in the background --------------------------------------------------------------------------------
def due_entries(now: datetime) -> QuerySet[Entry]:
    """Entries of the last days, unread in a source that wants full texts, whose page is not known or has changed."""
    sources = Source.objects.filter(wants_full_text=True, active=True)
    posts = Post.objects.filter(
        entry=OuterRef("pk"), source__in=sources, is_read=False, created_at__gte=now - _NEW, duplicate_of=None
    )
    is_due = Q(article__isnull=True)
    for failures, pause in enumerate(PAUSES, start=1):
        is_due |= Q(article__content="", article__failures=failures, article__tried_at__lt=now - pause)
    # Some feeds change their entries all the time, so at most once a day.
    is_due |= Q(article__tried_at__lt=F("updated_at")) & Q(article__tried_at__lt=now - timedelta(days=1))
    # By source first: that is few rows, and the two indexes of posts serve it.
    near = Post.objects.filter(source__in=sources, is_read=False, created_at__gte=now - _NEW).values("entry")
    return Entry.objects.filter(is_due, Exists(posts), pk__in=near, is_purged=False).exclude(url="").order_by("-pk")


def queue_articles() -> int:
    """The plan of every minute. Returns how many jobs were queued."""
    if not due_entries(now_utc()).exists():
        return 0
    try:
        enqueue("fetch_articles", exclusive_key=JOB_KEY)
    except AlreadyActive:
        return 0
    return 1


def fetch_articles(ctx: JobContext) -> dict[str, Any]:
    """The job: pages of new posts, the newest first, a part of what is due. Minds robots.txt, as no person asks."""
    rows = due_entries(now_utc()).values_list("pk", "url", "content")[:MAX_PAGES]
    wanted = [_wanted(*row) for row in rows]
    hosts = {_host_of(item) for item in wanted}
    known = cache.get_many([_robots_key(host) for host in hosts])
    rules: dict[str, RobotsRules] = {host: known[key] for host in hosts if (key := _robots_key(host)) in known}
    fresh = set(hosts) - set(rules)
    found: list[int] = []

    def store(item: Wanted, page: Page) -> None:
        store_page(item.entry_id, page, now_utc())
        found.extend([item.entry_id] if page.content else [])

    with open_gate() as gate, ctx.on_stop(gate.abort), _reader() as extract:
        ask = partial(_read_politely, gate, extract, rules)
        visit = Round(ctx, gate, ask=ask, store=store, seconds=SLICE_SECONDS)
        tried = visit.run((_host_of(item), item) for item in wanted)
    cache.set_many({_robots_key(host): rules[host] for host in fresh & set(rules)}, _ROBOTS_SECONDS)
    return {"tried": tried, "found": len(found)}


def _read_politely(gate: Gate, extract: Confined, rules: dict[str, RobotsRules], wanted: Wanted) -> Page:
    """Runs in threads, but for each host in one at a time."""
    host = _host_of(wanted)
    try:
        if host and host not in rules:
            # As the page itself is asked: many sites that feeds link to have no certificate.
            rules[host] = fetch_robots(gate, host, base_url=f"{urlsplit(wanted.url).scheme.lower()}://{host}")
    except RemoteError as error:
        return Page(error=error.user_message, is_final=error.permanent)
    parts = urlsplit(wanted.url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if host and not rules[host].allows(path):
        return Page(error="The site asks programs not to fetch this page (robots.txt).", is_final=True)
    return read_page(gate, extract, wanted)


def _wanted(entry_id: int, url: str, content: str) -> Wanted:
    return Wanted(entry_id, url, len(to_text(content)))


def _host_of(wanted: Wanted) -> str:
    return host_of(address_or_empty(wanted.url))


def _robots_key(host: str) -> str:
    return f"page-robots:{host}"


def _reader() -> Confined:
    return Confined("feeds.article_text:extract_article", max_megabytes=1_000, max_seconds=10)

"""What the tests of the managing pages share: a signed-in client, and what a page says."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

from django.test import Client

from common.times import now_utc
from feeds.categories import find_or_create_category
from feeds.models import Entry, Feed, Post, Source

ROOT = "/reader/manage"


class Manager:
    """A user's browser without JavaScript; ``dialog`` asks as the dialog does."""

    def __init__(self, user: Any, *, enforce_csrf_checks: bool = False) -> None:
        self.user = user
        self.client = Client(enforce_csrf_checks=enforce_csrf_checks)
        self.client.force_login(user)

    def get(self, path: str, *, status: int = 200, **query: Any) -> str:
        answer = self.client.get(f"{ROOT}{path}", query)
        assert answer.status_code == status, (path, answer.status_code)
        return words(answer)

    def post(self, path: str, *, status: int = 302, **data: Any) -> str:
        """What the page says; after a redirect, that of the page it leads to."""
        answer = self.client.post(f"{ROOT}{path}", data)
        assert answer.status_code == status, (path, answer.status_code, words(answer)[:600])
        if status != 302:
            return words(answer)
        followed = self.client.get(answer["Location"])
        assert followed.status_code == 200, answer["Location"]
        return words(followed)

    def dialog(self, path: str, *, status: int = 200, data: dict[str, Any] | None = None) -> Any:
        headers = {"HX-Request": "true"}
        address = f"{ROOT}{path}"
        answer: Any = self.client.get(address, headers=headers)
        if data is not None:
            answer = self.client.post(address, data, headers=headers)
        assert answer.status_code == status, (path, answer.status_code, words(answer)[:600])
        return answer


def words(answer: Any) -> str:
    """The text of a page on one line; what fields hold as ``[value]``."""
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", answer.content.decode(), flags=re.DOTALL)
    text = re.sub(r"<input[^>]*\bvalue=\"([^\"]*)\"[^>]*>", r" [\1] ", text)
    text = re.sub(r"</?(?:strong|bdi|b|span|small)\b[^>]*>", "", text)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", text))).strip()


def make_sources(user: Any, count: int, *, category: str = "Blogs", posts: int = 2) -> list[Source]:
    """Sources with posts, each second post read, without asking anybody."""
    now = now_utc()
    drawer, _ = find_or_create_category(user, category)
    start = Feed.objects.count()
    feeds = Feed.objects.bulk_create(
        [
            Feed(
                url=f"https://blog{number}.example/feed",
                host=f"blog{number}.example",
                next_due_at=now + timedelta(hours=1),
                attempted_at=now,
                fetched_at=now,
                body_hash="x",
            )
            for number in range(start, start + count)
        ]
    )
    sources = Source.objects.bulk_create(
        [Source(user=user, feed=feed, category=drawer, name=f"Blog {feed.host[4:-8]}") for feed in feeds]
    )
    for source in sources:
        make_posts(source, posts)
    return sources


def make_posts(source: Source, count: int, *, days_ago: int = 0) -> list[Post]:
    """Every second of them is read; each is an hour older than the one before."""
    now = now_utc() - timedelta(days=days_ago)
    start = Entry.objects.filter(feed=source.feed_id).count()
    entries = Entry.objects.bulk_create(
        [
            Entry(
                feed_id=source.feed_id,
                uid=f"guid:{number}",
                title=f"Post {number}",
                published_at=now - timedelta(hours=number),
                content_hash="x",
                created_at=now,
                seen_at=now,
            )
            for number in range(start, start + count)
        ]
    )
    return Post.objects.bulk_create(
        [
            Post(
                user_id=source.user_id,
                source=source,
                entry=entry,
                is_read=number % 2 == 1,
                posted_at=entry.published_at,
                created_at=now,
            )
            for number, entry in enumerate(entries)
        ]
    )

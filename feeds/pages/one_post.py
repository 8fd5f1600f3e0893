"""One post as its page shows it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from feeds.api.shapes import time_ago
from feeds.content import content_of
from feeds.duplicates import also_in
from feeds.icons import icon_address
from feeds.models import Post, SavedPost, SavingService, Source
from feeds.pages.choice import Choice
from feeds.pages.listing import UNTITLED
from feeds.saving import services_of

ARCHIVE = "https://archive.is/newest/"
_WEB = ("http://", "https://")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
_KINDS = {
    "audio": (".mp3", ".m4a", ".ogg", ".oga", ".opus", ".wav", ".flac"),
    "video": (".mp4", ".m4v", ".webm", ".mov"),
    "image": (".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif"),
}


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a post. ``kind`` is audio, video, image or file."""

    url: str
    kind: str
    media_type: str
    name: str
    length: int | None


@dataclass(frozen=True, slots=True)
class ShownPost:
    post: Post
    title: str
    url: str
    address: str
    archive_href: str
    list_href: str
    source_href: str
    icon: str
    ago: str
    content: str
    language: str
    also_in: list[Source]
    service: SavingService | None
    is_saved: bool
    attachments: list[Attachment] = field(default_factory=list)


def read_post(post: Post, chosen: Choice, now: datetime, *, content: str = "") -> ShownPost:
    """``content`` instead of the post's own."""
    entry = post.entry
    content = content or content_of(post)
    language = post.source.feed.language
    service = next(iter(services_of(post.user)), None)
    url = entry.url if entry.url.startswith(_WEB) else ""
    return ShownPost(
        post=post,
        title=entry.title or UNTITLED,
        url=url,
        address=short_address(url),
        archive_href=ARCHIVE + url if url else "",
        list_href=chosen.list_href(),
        source_href=Choice(source_id=post.source_id).list_href(),
        icon=icon_address(post.source.feed),
        ago=time_ago(post.posted_at, now),
        content=content,
        language=language if _LANGUAGE.fullmatch(language) else "",
        also_in=also_in(post),
        service=service,
        is_saved=service is not None and SavedPost.objects.filter(post=post, service=service, last_error="").exists(),
        attachments=list(attachments_of(entry.enclosures, content)),
    )


def short_address(url: str) -> str:
    """Host and path, without what only trackers read."""
    parts = urlsplit(url)
    return (parts.hostname or "").removeprefix("www.") + parts.path.rstrip("/")


def attachments_of(enclosures: Any, content: str) -> Iterable[Attachment]:
    """Those on the web that are not in the text already."""
    for enclosure in enclosures if isinstance(enclosures, list) else []:
        url = str(enclosure.get("url", ""))
        if not url.startswith(_WEB) or url in content:
            continue
        media_type, path = str(enclosure.get("media_type", "")), urlsplit(url).path
        yield Attachment(
            url, _kind(media_type, path), media_type, path.rsplit("/", 1)[-1] or url, enclosure.get("length")
        )


def _kind(media_type: str, path: str) -> str:
    kind = media_type.partition("/")[0].lower()
    if kind in _KINDS:
        return kind
    return next((name for name, endings in _KINDS.items() if path.lower().endswith(endings)), "file")

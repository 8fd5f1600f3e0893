"""Phrases that a user does not want to read about: posts that hold one arrive marked as read."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from common.errors import ConfigurationError
from common.text import clean_line
from feeds.errors import FeedsError
from feeds.models import Mute, Post, Source

MAX_CHARS = 200


class InvalidMute(FeedsError, ConfigurationError):
    """The phrase is empty, too long, or muted already."""


def add_mute(user: Any, phrase: str, *, source: Source | None, in_text: bool, now: datetime) -> tuple[Mute, int]:
    """Mute a phrase from now on, and mark unread posts that hold it as read; returns the mute and how many."""
    phrase = clean_line(phrase)
    if not phrase or len(phrase) > MAX_CHARS:
        raise InvalidMute(f"A muted phrase has 1 to {MAX_CHARS} characters.")
    try:
        with transaction.atomic():
            mute = Mute.objects.create(user=user, source=source, phrase=phrase, in_text=in_text)
            return mute, _silence(mute, now)
    except IntegrityError:
        raise InvalidMute("This phrase is muted already.") from None


def is_muted(mutes: Iterable[Mute], source_id: int, title: str, text: str) -> bool:
    """Whether one of a user's mutes is about such a post; letters are compared without their case."""
    title, text = title.casefold(), text.casefold()
    return any(
        mute.phrase.casefold() in title or (mute.in_text and mute.phrase.casefold() in text)
        for mute in mutes
        if mute.source_id in (None, source_id)
    )


def _silence(mute: Mute, now: datetime) -> int:
    holds = Q(entry__title__icontains=mute.phrase)
    if mute.in_text:
        holds |= Q(entry__text__icontains=mute.phrase)
    posts = Post.objects.filter(holds, user_id=mute.user_id, is_read=False)
    if mute.source_id is not None:
        posts = posts.filter(source_id=mute.source_id)
    return Post.objects.filter(pk__in=posts.values("pk")).update(is_read=True, read_at=now)

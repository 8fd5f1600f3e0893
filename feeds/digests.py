"""Summaries of posts, and of quotes in them, by the built-in summariser; kept for the content they were made of."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from common.times import now_utc
from feeds import texts
from feeds.errors import FeedsError
from feeds.models import Digest, Post
from jobs import services
from jobs.context import JobContext
from jobs.models import Job

MAX_SENTENCES = 10
DIRECT_SENTENCES = 2
JOB_SENTENCES = 3
MAX_QUOTE_CHARS = 12_000
MIN_QUOTE_WORDS = 75
_QUOTE_SENTENCES = 2


class NothingToSummarise(FeedsError):
    """There is no sentence in it."""


def clamp_sentences(value: Any) -> int:
    """The number wanted, 1 to 10; 2 for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 4:
        value = int(value)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and 1 <= value <= MAX_SENTENCES else DIRECT_SENTENCES


def summarise(post: Post, sentences: int, now: datetime) -> Digest:
    """The post's most telling sentences; NothingToSummarise if it has none."""
    entry = post.entry
    text = texts.to_text(entry.content)
    content_hash = hashlib.sha256(f"{entry.title}\n{text}".encode()).hexdigest()
    digest, _ = _kept(post, Digest.Kind.SUMMARY, sentences, content_hash, text, entry.title, now)
    return digest


def normalise_quote(quote: str) -> str:
    """Without tags, white space collapsed: what it is recognised by."""
    return " ".join(texts.to_text(quote).split())


def explain_quote(post: Post, quote: str, now: datetime) -> tuple[Digest, bool]:
    """What a normalised quote says in short, and whether it was known already."""
    content_hash = hashlib.sha1(quote.encode(), usedforsecurity=False).hexdigest()
    return _kept(post, Digest.Kind.QUOTE, _QUOTE_SENTENCES, content_hash, quote, post.entry.title, now)


def _kept(
    post: Post, kind: str, sentences: int, content_hash: str, text: str, title: str, now: datetime
) -> tuple[Digest, bool]:
    key = {"post": post, "kind": kind, "sentences": sentences, "content_hash": content_hash}
    found = Digest.objects.filter(**key).first()
    if found is not None:
        return found, True
    from feeds.summaries import summarise as shorten  # numpy: 20 MB that only summaries need

    summary = shorten(text, sentences=sentences, title=title)
    if not summary:
        raise NothingToSummarise("There is no text in this post that could be summarised.")
    Digest.objects.bulk_create([Digest(**key, text=summary, created_at=now)], ignore_conflicts=True)
    return Digest.objects.get(**key), False


# --- as a job -------------------------------------------------------------------------------------------------------
def cache_key(post_id: int, sentences: int) -> str:
    """What clients ask for a summary's state by; it means something for the asking user only."""
    return f"summary_post_{post_id}_{sentences}"


def queue_summary(post: Post, sentences: int, *, asked_by: Any) -> Job:
    """The job, or the one that does the same already."""
    key = cache_key(post.pk, sentences)
    try:
        return services.enqueue(
            "summarise",
            subject=key,
            params={"post_id": post.pk, "sentences": sentences},
            exclusive_key=key,
            asked_by=asked_by,
        )
    except services.AlreadyActive as error:
        return error.job


def find_summary_job(user: Any, key: str) -> Job | None:
    """The user's latest job under that key."""
    return Job.objects.filter(kind="summarise", subject=key, asked_by=user).order_by("-pk").first()


def summarise_post(ctx: JobContext) -> dict[str, Any]:
    """The job. A post that is gone meanwhile is an error for its reader."""
    post = Post.objects.select_related("entry").filter(pk=ctx.params["post_id"]).first()
    if post is None:
        raise NothingToSummarise("This post has been removed.")
    digest = summarise(post, int(ctx.params["sentences"]), now_utc())
    return {"post_id": post.pk, "digest_id": digest.pk, "sentences": digest.sentences}

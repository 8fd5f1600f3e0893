"""Summaries of posts, and explanations of quotes in them; kept for the content they were made of.

Made by the summary service of the settings, or by the built-in summariser when there is none. When the service fails,
its reader is told so: a summary made in another way than expected would look like the expected one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.conf import settings

from common.errors import RemoteError
from common.http import Gate
from common.times import now_utc
from feeds import chat, prompts, spending, texts
from feeds.content import content_of
from feeds.errors import FeedsError, SummaryUnavailable
from feeds.measures import measure
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
_LONGEST_PAUSE = 120.0


class NothingToSummarise(FeedsError):
    """There is no sentence in it."""


def clamp_sentences(value: Any) -> int:
    """The number wanted, 1 to 10; 2 for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 4:
        value = int(value)
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return value if is_number and 1 <= value <= MAX_SENTENCES else DIRECT_SENTENCES


def summarise(post: Post, sentences: int, now: datetime, *, ctx: JobContext | None = None) -> Digest:
    """The post in at most so many sentences, as plain text; paragraphs and points (``•``) stand on their own lines.

    NothingToSummarise when there is no text, SummaryUnavailable when the service does not give one. With ``ctx``, the
    service is asked again when it fails in passing.
    """
    markup = content_of(post)
    title, text = post.entry.title, texts.to_text(markup)
    is_asked = chat.is_configured()
    maker = f"{chat.name_of_model()}\n" if is_asked else ""
    content_hash = hashlib.sha256(f"{maker}{title}\n{text}".encode("utf-8", "replace")).hexdigest()

    def make() -> str:
        if not is_asked:
            return _built_in(text, sentences, title)
        most = settings.SUMMARY_MAX_INPUT_CHARS
        prompt = prompts.summary_prompt(title, text, measure(markup), sentences, max_chars=most)
        return _asked(prompt, sentences, ctx) if text.strip() else ""

    digest, _ = _kept(post, Digest.Kind.SUMMARY, sentences, content_hash, make, now)
    return digest


def normalise_quote(quote: str) -> str:
    """Without tags, white space collapsed: what it is recognised by."""
    return " ".join(texts.to_text(quote).split())


def explain_quote(post: Post, quote: str, now: datetime) -> tuple[Digest, bool]:
    """What a normalised quote says in short, and whether it was known already. Raises as ``summarise`` does."""
    content_hash = hashlib.sha1(quote.encode("utf-8", "replace"), usedforsecurity=False).hexdigest()
    title = post.entry.title

    def make() -> str:
        if not chat.is_configured():
            return _built_in(quote, _QUOTE_SENTENCES, title)
        return _asked(prompts.quote_prompt(title, quote, max_chars=settings.SUMMARY_MAX_INPUT_CHARS), None, None)

    return _kept(post, Digest.Kind.QUOTE, _QUOTE_SENTENCES, content_hash, make, now)


def _kept(
    post: Post, kind: str, sentences: int, content_hash: str, make: Callable[[], str], now: datetime
) -> tuple[Digest, bool]:
    key = {"post": post, "kind": kind, "sentences": sentences, "content_hash": content_hash}
    found = Digest.objects.filter(**key).first()
    if found is not None:
        return found, True
    summary = _known_elsewhere(post, key) or make()
    if not summary:
        raise NothingToSummarise("There is no text in this post that could be summarised.")
    Digest.objects.bulk_create([Digest(**key, text=summary, created_at=now)], ignore_conflicts=True)
    return Digest.objects.get(**key), False


def _known_elsewhere(post: Post, key: dict[str, Any]) -> str:
    """The same made for another reader of the same entry: nobody pays twice."""
    same = {**key, "post__entry": post.entry_id}
    del same["post"]
    return Digest.objects.filter(**same).values_list("text", flat=True).first() or ""


def _built_in(text: str, sentences: int, title: str) -> str:
    from feeds.summaries import summarise as shorten  # numpy: 20 MB that only summaries need

    return shorten(text, sentences=sentences, title=title)


# --- by the service -------------------------------------------------------------------------------------------------
def _asked(prompt: prompts.Prompt, sentences: int | None, ctx: JobContext | None) -> str:
    """One call or, in a job, a few."""
    prompt = replace(prompt, max_tokens=min(prompt.max_tokens, settings.SUMMARY_MAX_OUTPUT_TOKENS))
    pauses: list[float] = list(settings.SUMMARY_RETRY_PAUSES) if ctx is not None else []
    for pause in [*pauses, None]:
        try:
            reply = _ask_once(prompt, ctx)
        except SummaryUnavailable as error:
            wait = max(pause or 0.0, error.retry_after or 0.0)
            if ctx is None or pause is None or error.permanent or wait > _LONGEST_PAUSE:
                raise
            ctx.wait(wait)
        else:
            return prompts.tidy_answer(reply.text, was_cut=reply.was_cut, sentences=sentences)
    raise AssertionError("unreachable: the last try returns or raises")


def _ask_once(prompt: prompts.Prompt, ctx: JobContext | None) -> chat.Reply:
    reserved = spending.reserve(prompt.input_tokens, prompt.max_tokens, now_utc())
    try:
        with Gate(chat.chat_policy()) as gate, ctx.on_stop(gate.abort) if ctx else nullcontext():
            reply = chat.ask(gate, prompt)
    except RemoteError as error:
        if error.status_code is not None:  # turned away; without an answer, nobody knows what was done
            spending.give_back(reserved)
        if ctx is not None:
            ctx.check_cancelled()
        raise SummaryUnavailable(
            str(error),
            user_message=error.user_message,
            permanent=error.permanent,
            retry_after=error.retry_after,
        ) from error
    spending.settle(reserved, reply.input_tokens, reply.output_tokens)
    return reply


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
    post = Post.objects.select_related("entry__article", "source").filter(pk=ctx.params["post_id"]).first()
    if post is None:
        raise NothingToSummarise("This post has been removed.")
    digest = summarise(post, int(ctx.params["sentences"]), now_utc(), ctx=ctx)
    return {"post_id": post.pk, "digest_id": digest.pk, "sentences": digest.sentences}

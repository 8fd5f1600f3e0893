"""Numbers and pictures -> the thread as a draft in the ledger. Sends nothing."""

from __future__ import annotations

import base64
from dataclasses import replace
from io import BytesIO
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from PIL import Image

from common.errors import ConfigurationError, RemoteError
from common.http import Gate, policy_from_settings
from common.mastodon import MastodonServer
from events.models import Event, MastodonAccount
from pipeline import paths
from pipeline.artifacts import find_artifact
from pipeline.core.post import Picture, PlannedToot, ThreadFacts, ThreadLimits, plan_thread
from pipeline.core.thread_preview import FORMATS, Preview, render_thread
from pipeline.models import ThreadToot
from pipeline.servers_report import find_reported_crawl
from pipeline.shown import Shown, load_shown

if TYPE_CHECKING:
    from jobs.context import JobContext

_LIMITS_SECONDS = 12
_PREVIEW_WIDTH = 900


def run(ctx: JobContext) -> dict[str, Any]:
    """Make the draft, or make it anew. ``dry_run`` adds a ``preview`` in ``format`` ``html`` (default) or ``text``.

    ConfigurationError when a toot of the thread is out already, or on its way.
    """
    event = ctx.event
    format = str(ctx.params.get("format") or "html")
    if format not in FORMATS:
        raise ConfigurationError(f"“{format}” is no format of a preview; use html or text.")
    refuse_if_posted(event)
    shown = load_shown(ctx)
    limits = find_limits(ctx, is_offline=bool(ctx.params.get("mock")))
    ctx.check_cancelled()
    toots = plan_thread(read_thread_facts(event, shown), limits)
    store_draft(event, toots)
    ctx.say(f"Drafted a thread of {len(toots)} toots ({limits.told_by}); nothing was sent.")
    result = {
        "toots": len(toots),
        "roles": [toot.role for toot in toots],
        "limits": {
            "max_characters": limits.max_characters,
            "characters_per_url": limits.characters_per_url,
            "description_limit": limits.description_limit,
            "told_by": limits.told_by,
        },
        "files": [],
    }
    if ctx.params.get("dry_run"):
        result |= {"preview": show_thread(event, toots, limits, format), "format": format}
    return result


def refuse_if_posted(event: Event) -> None:
    if event.thread.filter(state__in=(ThreadToot.State.SENT, ThreadToot.State.SENDING)).exists():
        raise ConfigurationError(f"The thread of {event.slug} is already posted; its draft stays as it was sent.")


def store_draft(event: Event, toots: list[PlannedToot]) -> None:
    """The ledger's rows replaced by these, unless one was sent meanwhile."""
    rows = [
        ThreadToot(
            event=event,
            position=position,
            role=toot.role,
            text=toot.text,
            media=[{"path": picture.path, "description": picture.description} for picture in toot.media],
        )
        for position, toot in enumerate(toots, 1)
    ]
    with transaction.atomic():
        Event.objects.select_for_update().get(pk=event.pk)  # sender and planner take turns
        refuse_if_posted(event)
        event.thread.all().delete()
        ThreadToot.objects.bulk_create(rows)


def find_limits(ctx: JobContext, *, is_offline: bool = False) -> ThreadLimits:
    """What the account's server takes, as it says itself; Mastodon's usual limits when it cannot be asked."""
    account = ctx.event.thread_account
    if account is None:
        return ThreadLimits(told_by="Mastodon's usual limits, as the event has no account")
    if is_offline or _is_practice(ctx.event):
        return ThreadLimits(told_by="Mastodon's usual limits, as this is practice")
    policy = replace(policy_from_settings(), total_seconds=_LIMITS_SECONDS, connect_seconds=_LIMITS_SECONDS / 2)
    with Gate(policy) as gate, ctx.on_stop(gate.abort):
        try:
            told = MastodonServer(gate, account.server, token=account.token).instance_limits()
        except RemoteError as error:
            ctx.check_cancelled()
            ctx.say(f"The limits of {account.server} could not be read: {error.user_message}")
            return ThreadLimits(told_by=f"Mastodon's usual limits, as {account.server} could not be asked")
    return ThreadLimits(
        told.max_characters,
        told.characters_per_url,
        told.description_limit,
        told_by=f"limits of {account.server}",
    )


def read_thread_facts(event: Event, shown: Shown) -> ThreadFacts:
    results = shown.results
    site = settings.MASTOSCORE_BLOG_URL
    return ThreadFacts(
        opening=(str(results["preamble"]), str(results["num_toots"])),
        hashtag=event.hashtag,
        rankings=shown.rankings,
        most_active=shown.most_active,
        graph=_picture(event, "graph"),
        wordcloud=_picture(event, "wordcloud"),
        blog_link=f"{site}/{event.slug}/" if site else "",
        is_mentioning=event.tag_users,
    )


def show_thread(event: Event, toots: list[PlannedToot], limits: ThreadLimits, format: str) -> str:
    preview = Preview(
        title=event.title,
        author=_author(event, event.thread_account),
        note=f"Kept to {limits.told_by}.",
        limits=limits,
    )
    return render_thread(toots, format, preview, _picture_as_data)


def _is_practice(event: Event) -> bool:
    crawl = find_reported_crawl(event)
    return event.fetch_dry_run or (crawl is not None and crawl.is_mock)


def _author(event: Event, account: MastodonAccount | None) -> str:
    return event.bot_username or (str(account) if account is not None else "no account yet")


def _picture(event: Event, kind: str) -> Picture | None:
    artifact = find_artifact(event, kind)
    return Picture(artifact.path, artifact.description) if artifact is not None else None


def _picture_as_data(path: str) -> str:
    """The picture, made smaller, as a data URI: a preview is one file, and is kept in the job's result."""
    with Image.open(paths.data_dir() / path) as picture:
        small = picture.convert("RGB")
    small.thumbnail((_PREVIEW_WIDTH, _PREVIEW_WIDTH), Image.Resampling.LANCZOS)
    buffer = BytesIO()
    small.save(buffer, "WEBP", quality=82)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"

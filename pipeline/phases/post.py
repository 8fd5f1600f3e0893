"""Numbers and pictures -> the thread as a draft in the ledger; sent at once only when asked for."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import TYPE_CHECKING, Any

from PIL import Image

from common.errors import ConfigurationError
from events.models import Event, MastodonAccount
from pipeline import paths
from pipeline.core.post import PlannedToot, ThreadLimits
from pipeline.core.thread_preview import FORMATS, Preview, render_thread
from pipeline.thread import approval, ledger
from pipeline.thread.plan import make_draft
from pipeline.thread.send import send_thread

if TYPE_CHECKING:
    from jobs.context import JobContext

_PREVIEW_WIDTH = 900


def run(ctx: JobContext) -> dict[str, Any]:
    """Make the draft, or make it anew. ``dry_run`` adds a ``preview`` in ``format`` ``html`` (default) or ``text``.

    ``send``: whoever asked approves what is drafted, and it is sent; of a thread that is partly out, the rest is.
    ConfigurationError when a toot of the thread is out already, or on its way.
    """
    event = ctx.event
    format = str(ctx.params.get("format") or "html")
    if format not in FORMATS:
        raise ConfigurationError(f"“{format}” is no format of a preview; use html or text.")
    if ctx.params.get("send"):
        return _draft_and_send(ctx)
    toots, limits = make_draft(ctx, is_offline=bool(ctx.params.get("mock")))
    is_approved = ledger.find_thread(event).state == ledger.State.APPROVED
    ctx.say(
        f"Drafted a thread of {len(toots)} toots ({limits.told_by}); "
        f"{'it is approved by itself, as the event says' if is_approved else 'nothing was sent'}."
    )
    result = {
        "toots": len(toots),
        "roles": [toot.role for toot in toots],
        "limits": ledger.write_limits(limits),
        "is_approved": is_approved,
        "files": [],
    }
    if ctx.params.get("dry_run"):
        result |= {"preview": show_thread(event, toots, limits, format), "format": format}
    return result


def _draft_and_send(ctx: JobContext) -> dict[str, Any]:
    """For clients that know no drafts: what is edited, approved or partly out already is sent as it is."""
    event, by = ctx.event, ctx.job.asked_by
    ledger.require_right_of(ctx.job)
    state, rows = ledger.find_thread(event).state, ledger.rows_of(event)
    has_own_words = state == ledger.State.DRAFT and rows.filter(is_edited=True).exists()
    is_free = state == ledger.State.DELETED or (state == ledger.State.DRAFT and not ledger.has_begun(event))
    if is_free and not has_own_words:
        make_draft(ctx)
    approval.approve(event, by)
    return send_thread(ctx)


def show_thread(event: Event, toots: list[PlannedToot], limits: ThreadLimits, format: str) -> str:
    preview = Preview(
        title=event.title,
        author=_author(event, event.thread_account),
        note=f"Kept to {limits.told_by}.",
        limits=limits,
    )
    return render_thread(toots, format, preview, _picture_as_data)


def _author(event: Event, account: MastodonAccount | None) -> str:
    return event.bot_username or (str(account) if account is not None else "no account yet")


def _picture_as_data(path: str) -> str:
    """The picture, made smaller, as a data URI: a preview is one file, and is kept in the job's result."""
    with Image.open(paths.data_dir() / path) as picture:
        small = picture.convert("RGB")
    small.thumbnail((_PREVIEW_WIDTH, _PREVIEW_WIDTH), Image.Resampling.LANCZOS)
    buffer = BytesIO()
    small.save(buffer, "WEBP", quality=82)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"

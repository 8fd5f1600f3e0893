"""What others read of a thread that is out: the file of addresses, the blog page, a summary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone

from common.errors import MastoscoreError
from common.files import write_json
from common.times import format_z
from events.models import Event
from jobs.context import JobContext as Context
from pipeline import paths
from pipeline.artifacts import find_artifact, remember_file
from pipeline.models import Thread, ThreadToot
from pipeline.phases import blog
from pipeline.thread import ledger
from pipeline.thread.ledger import RowState, State

if TYPE_CHECKING:
    from jobs.context import JobContext


def finish(ctx: JobContext) -> list[str]:
    """Write file and page, then close the thread: in this order, so that a run cut short here is done again."""
    files = [write_posts(ctx.event), *renew_page(ctx)]
    Thread.objects.filter(event=ctx.event, state=State.SENDING).update(
        state=State.SENT, sent_at=timezone.now(), error=""
    )
    return files


def write_posts(event: Event) -> str:
    """``data-<hashtag>-posts.json``: the toots that are out, in order; its path below the data folder."""
    artifact = remember_file(event, "posts", write_json(paths.posts(event), list_posts(event)))
    return artifact.path


def list_posts(event: Event) -> list[dict[str, Any]]:
    """The toots that are out, in order, as the file has them."""
    return [_as_post(row) for row in ledger.rows_of(event).filter(state=RowState.SENT)]


def renew_page(ctx: JobContext) -> list[str]:
    """The blog page with the thread's addresses, where there is a page; a page that cannot be written is told of."""
    page = find_artifact(ctx.event, "page")
    if page is None:
        return []
    params = {"tags": page.parameters.get("tags") or [], "copy_files": bool(page.parameters.get("copied"))}
    try:
        result = blog.run(Context(ctx.job, ctx.control, ctx.listener, params=params))
    except MastoscoreError as error:
        ctx.say(f"The blog page could not be renewed: {error.user_message}")
        return []
    return list(result["files"])


def summarise(event: Event) -> dict[str, Any]:
    """How many toots are out, of how many, and the address of the first."""
    rows = list(ledger.rows_of(event))
    out = [row for row in rows if row.state == RowState.SENT]
    return {
        "sent": len(out),
        "total": len(rows),
        "in_doubt": sum(row.state == RowState.SENDING for row in rows),
        "url": out[0].url if out else "",
        "urls": [row.url for row in out],
    }


def _as_post(row: ThreadToot) -> dict[str, Any]:
    return {
        "position": row.position,
        "role": row.role,
        "id": row.remote_id,
        "url": row.url,
        "text": row.posted_text,
        "sent_at": format_z(row.sent_at) if row.sent_at is not None else None,
    }

"""A thread taken back: newest toot first, each noted when it is gone; what was said stays in the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone

from common.errors import MastoscoreError
from common.http import Gate, policy_from_settings
from common.mastodon_posting import PostingClient
from events.models import Event
from pipeline.core.wording import count_of
from pipeline.models import Thread, ThreadToot
from pipeline.thread import after, ledger, notes
from pipeline.thread.account import OwnAccount, set_row
from pipeline.thread.courier import Courier
from pipeline.thread.ledger import RowState, State, ThreadTrouble
from pipeline.thread.outbox import Outbox
from pipeline.thread.sender_account import NoAccount, identify

if TYPE_CHECKING:
    from jobs.context import JobContext


def run(ctx: JobContext) -> dict[str, Any]:
    """The job kind ``delete_thread``. Deleting again goes on where it stopped."""
    ledger.require_right_of(ctx.job)
    event = ctx.event
    thread = require_out(event)
    account = thread.account or event.thread_account  # a new draft has none yet, and may have old tries to look for
    if account is None or not account.token:
        raise NoAccount(f"The account that posted the thread of {event.slug} is not connected any more.")
    try:
        with Gate(policy_from_settings()) as gate:
            outbox = Outbox(ctx, gate, PostingClient(gate, account.server, token=account.token))
            me = identify(outbox, account)
            Thread.objects.filter(pk=thread.pk).update(state=State.DELETING, error="")
            deleted = _delete_rows(ctx, outbox, Courier(outbox, event, OwnAccount(outbox, event, me.account_id)))
    except MastoscoreError as error:
        Thread.objects.filter(pk=thread.pk).update(error=error.user_message)
        raise
    files = [after.write_posts(event), *after.renew_page(ctx)]
    Thread.objects.filter(pk=thread.pk).update(state=State.DELETED, deleted_at=timezone.now(), error="")
    ctx.say(f"Deleted {count_of(deleted, 'toot')} from {account.server}.")
    return {"deleted": deleted, "files": files}


def require_out(event: Event) -> Thread:
    """The thread; ThreadTrouble if nothing of it is out, nor may be."""
    thread = ledger.find_thread(event)
    is_in_doubt = notes.may_be_elsewhere(event)
    if thread.state != State.DELETING and not ledger.has_begun(event) and not is_in_doubt:
        raise ThreadTrouble(f"Nothing of the thread of {event.slug} is posted, so there is nothing to delete.")
    return thread


def _delete_rows(ctx: JobContext, outbox: Outbox, courier: Courier) -> int:
    rows = list(ledger.rows_of(ctx.event))
    parents = ["", *(row.remote_id for row in rows)]
    deleted = 0
    for done, (row, parent) in enumerate(reversed(list(zip(rows, parents, strict=False)))):
        ctx.check_cancelled()
        ctx.progress(done=done, total=len(rows), message=f"toot {row.position} of {len(rows)}")
        if notes.is_in_doubt(row) and not courier.settle(row, parent):
            set_row(row, state=RowState.PLANNED, idempotency_key="")
        courier.account.clear_strays(row)
        courier.account.clear_former(row, parent)
        if row.state == RowState.SENT:
            outbox.ask(lambda id=row.remote_id: outbox.client.delete_status(id))  # type: ignore[misc]
            ThreadToot.objects.filter(pk=row.pk).update(state=RowState.DELETED, deleted_at=timezone.now())
            deleted += 1
    # Everything was looked for, so nothing is left to be remembered.
    ledger.rows_of(ctx.event).update(former=[])
    ctx.progress(done=len(rows), total=len(rows), message="all are gone")
    return deleted

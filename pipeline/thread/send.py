"""A thread sent: row by row, each at most once, whatever happened before and whatever happens now.

The order of things is the whole trick. Before a request the row says ``sending``, with its idempotency key. After the
answer, what came back is read again from the server, and only then the row says ``sent``. A row found in ``sending``
is looked for on the account before anything else is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone

from common.errors import MastoscoreError
from common.http import Gate, policy_from_settings
from common.mastodon_posting import PostingClient
from jobs.context import JobCancelled
from pipeline.core.wording import count_of
from pipeline.models import Thread
from pipeline.thread import after, approval, ledger
from pipeline.thread.account import OwnAccount
from pipeline.thread.courier import UNSEEN, Courier
from pipeline.thread.edit import check_thread
from pipeline.thread.frozen import find_change
from pipeline.thread.ledger import AlreadyPosted, NotApproved, RowState, State, ThreadTrouble
from pipeline.thread.outbox import Outbox
from pipeline.thread.plan import ask_limits
from pipeline.thread.recheck import ChangedSinceApproval, recheck_thread
from pipeline.thread.sender_account import choose_sender, identify

if TYPE_CHECKING:
    from jobs.context import JobContext


def run(ctx: JobContext) -> dict[str, Any]:
    """The job kind ``send``: the approved thread goes out, or the rest of one that is partly out."""
    ledger.require_right_of(ctx.job)
    return send_thread(ctx)


def send_thread(ctx: JobContext) -> dict[str, Any]:
    """Send what is not out yet; answers addresses and counts.

    Raises NotApproved, AlreadyPosted, NotReadyError (no draft), NoAccount and its kin, ThreadTrouble (changed by the
    re-check), and RemoteError. The ledger tells what is out at any moment; sending again goes on from there.
    """
    event = ctx.event
    thread = require_sendable(event)
    account = choose_sender(event, thread)
    _require_as_approved(event, thread, account)
    try:
        with Gate(policy_from_settings()) as gate:
            outbox = Outbox(ctx, gate, PostingClient(gate, account.server, token=account.token))
            me = identify(outbox, account)
            _keep_to_limits(outbox, event)
            ctx.say(f"Signed in as {me.name}; looking again at what the thread shows.")
            recheck_thread(ctx, gate, outbox, thread)
            _begin(event, account)
            account_there = OwnAccount(outbox, event, me.account_id)
            account_there.mark()
            _deliver(ctx, Courier(outbox, event, account_there))
    except MastoscoreError as error:
        Thread.objects.filter(event=event).update(error=error.user_message)
        _tell_what_is_out(ctx)
        raise
    except JobCancelled:
        _tell_what_is_out(ctx)
        raise
    files = after.finish(ctx)
    result = {**after.summarise(event), "files": files}
    ctx.say(f"Posted: {count_of(result['sent'], 'toot')} by {me.name}. {result['url']}".strip())
    return result


def _deliver(ctx: JobContext, courier: Courier) -> None:
    rows = ledger.require_rows(ctx.event)
    parent = ""
    for done, row in enumerate(rows):
        out = ledger.count_out(ctx.event)
        ctx.keep_partial(after.summarise(ctx.event))
        ctx.progress(done=out, total=len(rows), message=f"toot {done + 1} of {len(rows)}: {row.role}")
        if row.state != RowState.SENT:
            ctx.check_cancelled()
            courier.deliver(row, parent)
        elif row.note == UNSEEN:
            courier.verify(row, parent)
        parent = row.remote_id
    courier.account.remove_twins()
    ctx.progress(done=len(rows), total=len(rows), message="all toots are out")


def require_sendable(event: Any) -> Thread:
    """The thread, if it may be sent now; NotReadyError (no draft), NotApproved, AlreadyPosted."""
    thread = ledger.find_thread(event)
    ledger.require_rows(event)
    if thread.state in (State.SENT, State.DELETING):
        ledger.refuse_if_out(thread, event)
    if thread.state == State.DELETED:
        raise AlreadyPosted(f"The thread of {event.slug} was posted and deleted; run post for a new draft.")
    if thread.state == State.DRAFT:
        changed = " Something in it changed since; look at it again." if thread.changes else ""
        raise NotApproved(f"The thread of {event.slug} is not approved yet.{changed}")
    return thread


def _require_as_approved(event: Any, thread: Thread, account: Any) -> None:
    """ChangedSinceApproval, and a draft again, when pictures or account are not those that were approved."""
    change = find_change(event, thread, account)
    if not change:
        return
    with ledger.locked(event) as locked:
        sentence = f"The thread of {event.slug} was not sent: {change}. Look at it and approve it again."
        approval.back_to_draft(locked, error=sentence)
    raise ChangedSinceApproval(sentence)


def _keep_to_limits(outbox: Outbox, event: Any) -> None:
    """What the server takes today; ThreadTrouble names the first toot, not out yet, that is too long."""
    limits = outbox.ask(lambda: ask_limits(outbox.client))
    Thread.objects.filter(event=event).update(limits=ledger.write_limits(limits))
    check_thread([row for row in ledger.rows_of(event) if row.state in (RowState.PLANNED, RowState.FAILED)], limits)


def _begin(event: Any, account: Any) -> None:
    """From here on something may be out."""
    with ledger.locked(event) as thread:
        if thread.state not in (State.APPROVED, State.SENDING):
            raise ThreadTrouble(f"The thread of {event.slug} was changed meanwhile; nothing more was sent.")
        Thread.objects.filter(pk=thread.pk).update(
            state=State.SENDING, account=account, started_at=thread.started_at or timezone.now(), error=""
        )


def _tell_what_is_out(ctx: JobContext) -> None:
    """The ledger in words, and in the file that others read; the job's own error says why it stopped."""
    summary = after.summarise(ctx.event)
    ctx.keep_partial(summary)
    if summary["sent"]:
        after.write_posts(ctx.event)
        ctx.say(f"{summary['sent']} of {count_of(summary['total'], 'toot')} are out: {summary['url']}")

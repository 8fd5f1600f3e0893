"""The draft made, or made anew: current numbers, the event's texts, the limits of the server that will get it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from common.addresses import is_private_host, parse_address
from common.errors import RemoteError
from common.http import Gate, policy_from_settings
from common.http_targets import find_target
from common.mastodon import MastodonServer
from common.times import format_z
from events.models import Event
from pipeline.core.post import PlannedToot, ThreadLimits, plan_thread
from pipeline.models import Thread, ThreadToot
from pipeline.servers_report import find_reported_crawl
from pipeline.shown import load_shown
from pipeline.thread import approval, ledger, notes
from pipeline.thread.ledger import State, ThreadTrouble
from pipeline.thread.texts import read_thread_facts, writer_for

if TYPE_CHECKING:
    from jobs.context import JobContext

_LIMITS_SECONDS = 12


def make_draft(ctx: JobContext, *, is_offline: bool = False) -> tuple[list[PlannedToot], ThreadLimits]:
    """Replace the event's draft, approved by itself where the event says so.

    Raises NotReadyError before the analysis, AlreadyPosted, and ThreadTrouble when the thread is approved.
    """
    event = ctx.event
    refuse_if_frozen(event)
    shown = load_shown(ctx)
    limits = find_limits(ctx, is_offline=is_offline)
    ctx.check_cancelled()
    toots = plan_thread(read_thread_facts(event, shown), limits, writer_for(event))
    thread = store_draft(event, toots, limits)
    if _approves_itself(event) and _may_approve(ctx.job.asked_by):
        try:
            approval.approve(event, how=approval.AUTO, revision=thread.revision)
        except ledger.ChangedMeanwhile:
            ctx.say("Somebody changed the draft the moment it was made, so it waits for a person.")
    return toots, limits


def refuse_if_frozen(event: Event) -> None:
    _refuse(Thread.objects.filter(event=event).first() or Thread(event=event), event)


def refuse_if_edited(event: Event) -> None:
    """ThreadTrouble when a person's words would be lost by making the draft anew."""
    if ledger.rows_of(event).filter(is_edited=True).exists():
        raise ThreadTrouble(
            f"The draft of {event.slug} was edited by hand, so it stays as it is; run post to make it anew."
        )


def store_draft(event: Event, toots: list[PlannedToot], limits: ThreadLimits) -> Thread:
    """The ledger's rows replaced by these; those of a deleted thread are kept in its history."""
    with ledger.locked(event) as thread:
        _refuse(thread, event)
        history = thread.history
        if thread.state == State.DELETED:
            history = [*history, _remember(thread, list(ledger.rows_of(event)))]
        left_behind = notes.notes_of(thread, ledger.rows_of(event))
        ledger.rows_of(event).delete()
        rows = ThreadToot.objects.bulk_create(ledger.make_rows(event, toots))
        notes.hand_on(left_behind, rows[0])
        ledger.bump(
            thread,
            state=State.DRAFT,
            history=history,
            account=None,
            visibility=event.post_visibility,
            language=event.post_language,
            content_warning=event.post_content_warning,
            limits=ledger.write_limits(limits),
            mark=thread.mark if left_behind else {},
            frozen={},
            changes=[],
            error="",
            approved_by=None,
            approved_how="",
            approved_at=None,
            started_at=None,
            sent_at=None,
            deleted_at=None,
            planned_at=timezone.now(),
        )
        return thread


def find_limits(ctx: JobContext, *, is_offline: bool = False) -> ThreadLimits:
    """What the account's server takes, as it says itself; Mastodon's usual limits when it cannot be asked."""
    account = ctx.event.thread_account
    if account is None:
        return ThreadLimits(told_by="Mastodon's usual limits, as the event has no account")
    posting = ctx.event.posting_account  # in practice the home server is bundled, and may be gone by now
    if is_offline or (is_practice(ctx.event) and not (posting and may_rehearse_on(posting.server))):
        return ThreadLimits(told_by="Mastodon's usual limits, as this is practice")
    policy = replace(policy_from_settings(), total_seconds=_LIMITS_SECONDS, connect_seconds=_LIMITS_SECONDS / 2)
    with Gate(policy) as gate, ctx.on_stop(gate.abort):
        try:
            return ask_limits(MastodonServer(gate, account.server, token=account.token))
        except RemoteError as error:
            ctx.check_cancelled()
            ctx.say(f"The limits of {account.server} could not be read: {error.user_message}")
            return ThreadLimits(told_by=f"Mastodon's usual limits, as {account.server} could not be asked")


def ask_limits(server: MastodonServer) -> ThreadLimits:
    told = server.instance_limits()
    return ThreadLimits(
        told.max_characters, told.characters_per_url, told.description_limit, told_by=f"limits of {server.server}"
    )


def is_practice(event: Event) -> bool:
    """The numbers come from the bundled fediverse."""
    crawl = find_reported_crawl(event)
    return event.fetch_dry_run or (crawl is not None and crawl.is_mock)


def may_rehearse_on(server: str) -> bool:
    """Practice goes to servers of our own machines at most."""
    hosts = policy_from_settings().private_hosts
    target = find_target(f"http://{server}", hosts)
    address = parse_address(target.host)
    return address is not None and is_private_host(address, target.port, hosts)


def _approves_itself(event: Event) -> bool:
    """By the settings that the draft was made with, and by those of now; see ``events.guarding``."""
    return event.post_auto_approve and Event.objects.filter(pk=event.pk, post_auto_approve=True).exists()


def _may_approve(user: Any) -> bool:
    """A schedule may, and who may post; a draft that somebody else asked for waits for a person."""
    return user is None or user.has_perm(ledger.PERMISSION)


def _refuse(thread: Thread, event: Event) -> None:
    ledger.refuse_if_out(thread, event)
    if thread.state in (State.APPROVED, State.SENDING):
        raise ThreadTrouble(f"The thread of {event.slug} is approved; withdraw the approval to make its draft anew.")


def _remember(thread: Thread, rows: list[ThreadToot]) -> dict[str, Any]:
    def moment(value: Any) -> str | None:
        return format_z(value) if value is not None else None

    return {
        "account": str(thread.account or ""),
        "sent_at": moment(thread.sent_at),
        "deleted_at": moment(thread.deleted_at),
        "toots": [
            {
                "position": row.position,
                "role": row.role,
                "text": row.posted_text or row.text,
                "id": row.remote_id,
                "url": row.url,
                "sent_at": moment(row.sent_at),
                "deleted_at": moment(row.deleted_at),
            }
            for row in rows
            if row.remote_id
        ],
    }

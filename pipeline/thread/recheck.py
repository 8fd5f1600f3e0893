"""Right before sending: is every toot that the thread shows still there, public, unchanged, and its author willing?

What is not makes way for the next in rank. The toots the thread rests on are looked up at their origin; the numbers
are worked out anew when something changed, and only the rows that showed it are written anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from django.utils import timezone

from common.http import Gate
from common.mastodon_lookup import Finding, Standing
from common.times import format_z
from events.models import Event
from pipeline.core.post import PlannedToot, plan_thread
from pipeline.core.wording import count_of
from pipeline.models import Thread, ThreadToot, Toot
from pipeline.results_page import Consent
from pipeline.shown import load_shown
from pipeline.thread import approval, ledger, notes
from pipeline.thread.ledger import RowState, ThreadTrouble
from pipeline.thread.lookup import look_up_all
from pipeline.thread.outbox import Outbox
from pipeline.thread.plan import is_practice
from pipeline.thread.texts import read_thread_facts, writer_for
from pipeline.toots import load_opt_outs

if TYPE_CHECKING:
    from jobs.context import JobContext

_MAX_ROUNDS = 6
_OPEN = (RowState.PLANNED, RowState.FAILED)


class ChangedSinceApproval(ThreadTrouble):
    """The draft is not what was approved any more; the message says what changed."""


@dataclass
class _Report:
    """``changes``: sentences; ``lost_words``: positions where a person's words had to go."""

    changes: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    lost_words: list[int] = field(default_factory=list)


def recheck_thread(ctx: JobContext, gate: Gate, outbox: Outbox, thread: Thread) -> None:
    """Bring what is not out yet up to date. ChangedSinceApproval when that needs another approval."""
    event = ctx.event
    if is_practice(event):
        return
    report, checked = _Report(), set[str]()
    for _ in range(_MAX_ROUNDS):  # whoever moved up is looked up as well
        uris = {uri for row in _open_rows(event) for uri in row.sources} - checked
        if not uris:
            break
        checked |= uris
        findings = look_up_all(ctx, gate, outbox, list(event.toots.filter(uri__in=uris)))
        edited = _store(event, findings, report)
        _renew_rows(ctx, _affected(event, uris), edited, report)
    _record(event, report)
    for sentence in [*report.notes, *report.changes]:
        ctx.say(sentence)
    _ask_again_if_needed(event, thread, report)


def _open_rows(event: Event) -> list[ThreadToot]:
    return list(ledger.rows_of(event).filter(state__in=_OPEN))


# --- what was found -------------------------------------------------------------------------------------------------
def _store(event: Event, findings: Mapping[str, Finding], report: _Report) -> set[str]:
    """Bring the stored toots up to date; the uris of those whose text is another now."""
    edited = set()
    unknown: dict[str, int] = {}
    for toot in event.toots.filter(uri__in=findings):
        finding = findings[toot.uri]
        if finding.standing is Standing.UNKNOWN:
            unknown[finding.detail] = unknown.get(finding.detail, 0) + 1
            continue
        if finding.toot is not None and _update(toot, finding):
            edited.add(toot.uri)
        toot.withdrawn = "" if finding.standing is Standing.SHOWN else finding.standing.value
        toot.save()
    for detail, count in unknown.items():
        report.notes.append(f"{count_of(count, 'toot')} could not be looked up again: {detail}")
    return edited


def _update(toot: Toot, finding: Finding) -> bool:
    """Text and wishes as they are now; whether the text changed."""
    now = finding.toot
    assert now is not None  # noqa: S101 - told apart by the caller
    toot.author_wishes = " ".join(now.author.wishes)
    if now.author.is_discoverable is not None:
        toot.author_is_discoverable = now.author.is_discoverable
    if now.author.is_indexable is not None:
        toot.author_is_indexable = now.author.is_indexable
    before = (toot.text, toot.spoiler_text)
    toot.html, toot.text, toot.spoiler_text = now.html, now.text, now.spoiler_text
    toot.edited_at = now.edited_at or toot.edited_at
    return before != (toot.text, toot.spoiler_text)


def _affected(event: Event, uris: Iterable[str]) -> dict[str, str]:
    """Toots that may not be shown any more, with the reason."""
    consent = Consent(load_opt_outs(), is_stricter=event.consent == Event.Consent.STRICT)
    toots = {toot.uri: toot for toot in event.toots.filter(uri__in=list(uris))}
    reasons = {}
    for uri in uris:
        toot = toots.get(uri)
        if toot is None:
            reasons[uri] = f"The toot {uri} is not stored any more."
        elif not consent.allows(toot.author_handle, toot):
            reasons[uri] = f"{toot.author_handle} asked not to be shown."
        elif toot.withdrawn:
            reasons[uri] = f"The toot {toot.url} of {toot.author_handle} is {toot.withdrawn}."
    return reasons


# --- rows written anew ----------------------------------------------------------------------------------------------
def _renew_rows(ctx: JobContext, affected: Mapping[str, str], edited: set[str], report: _Report) -> None:
    event = ctx.event
    roles = {row.role for row in _open_rows(event) if _is_hit(event, row, affected, edited)}
    if not roles:
        return
    rows = list(ledger.rows_of(event))
    already = {
        role: [uri for row in rows if row.role == role and row.state not in _OPEN for uri in row.sources]
        for role in roles
    }
    thread = ledger.find_thread(event)
    planned = plan_thread(
        read_thread_facts(event, load_shown(ctx)), ledger.read_limits(thread), writer_for(event), already=already
    )
    for role in roles:
        old = [row for row in rows if row.role == role and row.state in _OPEN]
        new = [toot for toot in planned if toot.role == role]
        if [(row.text, list(row.sources)) for row in old] == [(toot.text, list(toot.sources)) for toot in new]:
            continue
        reasons = {
            affected[uri] for row in old for uri in row.sources if uri in affected and _counts(event, row, uri)
        }
        outcome = "the next in rank took the place" if new else "nobody is left to show, so the toot is left out"
        report.changes += [f"{reason} In “{role}” {outcome}." for reason in sorted(reasons)]
        if not reasons:
            report.changes.append(f"A toot shown in “{role}” was edited; the text was brought up to date.")
        report.lost_words += [row.position for row in old if row.is_edited]
        _replace(event, role, new)


def _is_hit(event: Event, row: ThreadToot, affected: Mapping[str, str], edited: set[str]) -> bool:
    if any(uri in affected and _counts(event, row, uri) for uri in row.sources):
        return True
    return not row.is_edited and not edited.isdisjoint(row.sources)


def _counts(event: Event, row: ThreadToot, uri: str) -> bool:
    """The most active author is named whatever became of the one toot, unless they asked not to be."""
    if row.role != "author":
        return True
    toot = event.toots.filter(uri=uri).first()
    consent = Consent(load_opt_outs(), is_stricter=event.consent == Event.Consent.STRICT)
    return toot is None or not consent.allows(toot.author_handle, toot)


def _replace(event: Event, role: str, new: list[PlannedToot]) -> None:
    """The role's open rows by these, where the first of them stood."""
    with ledger.locked(event) as thread:
        rows = list(ledger.rows_of(event))
        old = [row for row in rows if row.role == role and row.state in _OPEN]
        at, left_behind = rows.index(old[0]), notes.notes_of(thread, old)
        ThreadToot.objects.filter(pk__in=[row.pk for row in old]).delete()
        made = ThreadToot.objects.bulk_create(ledger.make_rows(event, new, first=20_000))
        kept = [row for row in rows if row not in old]
        if heirs := [*made, *kept]:
            notes.hand_on(left_behind, heirs[0])
        ledger.renumber([*kept[:at], *made, *kept[at:]])
        ledger.bump(thread)


# --- who has to know ------------------------------------------------------------------------------------------------
def _record(event: Event, report: _Report) -> None:
    if not report.changes and not report.notes:
        return
    now = format_z(timezone.now())
    told = [{"at": now, "text": text, "is_change": True} for text in report.changes]
    told += [{"at": now, "text": text, "is_change": False} for text in report.notes]
    with ledger.locked(event) as thread:
        Thread.objects.filter(pk=thread.pk).update(changes=[*thread.changes, *told][-100:])


def _ask_again_if_needed(event: Event, thread: Thread, report: _Report) -> None:
    if not report.changes:
        return
    # Switched off since it approved itself: then its texts may be of somebody who may not post.
    is_free = event.post_allow_changes or (thread.approved_how == approval.AUTO and event.post_auto_approve)
    if is_free and not report.lost_words:
        return
    with ledger.locked(event) as locked:
        approval.back_to_draft(locked)
    words = f" Your own words in toot {report.lost_words[0]} had to go." if report.lost_words else ""
    raise ChangedSinceApproval(
        f"The thread of {event.slug} changed since it was approved, so it was not sent: {' '.join(report.changes)}"
        f"{words} Look at it and approve it again."
    )

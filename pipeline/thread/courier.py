"""One toot brought to the server and seen to be there, once. What its states mean is told in ``ThreadToot``."""

from __future__ import annotations

import uuid

from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from common.errors import RemoteError
from common.http import AddressNotAllowed
from common.mastodon_errors import RateLimited
from common.mastodon_posting import NewStatus, OwnStatus
from events.models import Event
from pipeline.models import Thread, ThreadToot
from pipeline.thread import ledger, pictures
from pipeline.thread.ledger import RowState, State, ThreadTrouble
from pipeline.thread.outbox import Outbox
from pipeline.thread.reconcile import WIDTH, Found, Mark, Wanted, find_sent, list_own, take_mark

# Looks at the account before a toot whose answer was lost counts as not stored; a slow server may still be at it.
_LOOKS = 3


class SendTrouble(ThreadTrouble):
    """A toot that did not get there; the message says what is known of it."""


class Courier:
    def __init__(self, outbox: Outbox, event: Event, account_id: str) -> None:
        self.outbox = outbox
        self.event = event
        self.account_id = account_id

    def mark_account(self) -> None:
        """Note what is on the account, before anything is sent: none of that is ever taken for a toot of ours."""
        thread = Thread.objects.get(event=self.event)
        if thread.mark and ledger.rows_of(self.event).filter(attempts__gt=0).exists():
            return
        mark = take_mark(self.outbox, self.account_id)
        Thread.objects.filter(pk=thread.pk).update(mark=mark.as_json())

    def deliver(self, row: ThreadToot, parent: str) -> None:
        """Bring the row to ``sent``; ``parent`` is the id of the toot it answers, "" for the first.

        Raises SendTrouble or a RemoteError; the row then says whether something may be out.
        """
        self.clear_strays(row)
        self.clear_former(row, parent)
        if row.attempts and row.idempotency_key and self.settle(row, parent):
            return
        media_ids = self._put_up(row)
        thread = Thread.objects.get(event=self.event)
        status = NewStatus(
            text=row.text,
            visibility=thread.visibility,
            reply_to=parent,
            media_ids=media_ids,
            language=thread.language,
            content_warning=thread.content_warning,
        )
        answer = self._publish(row, status)
        with self.outbox.finishing():
            self._check(row, answer, status)

    def remove_twins(self) -> None:
        """Last look: of toots that were sent more than once in doubt, only one may stay."""
        rows = list(ledger.rows_of(self.event))
        for before, row in zip([None, *rows], rows, strict=False):
            self.clear_former(row, before.remote_id if before else "")
            if row.attempts > 1 and row.tried_at is not None:
                twins = self._look(row, before.remote_id if before else "")
                self._remove(row, [*twins.others, *([twins.ours] if twins.ours else [])])

    # --- sending ---------------------------------------------------------------------------------------------------
    def _publish(self, row: ThreadToot, status: NewStatus) -> OwnStatus:
        """Send until there is an answer, or until the toot is found on the account."""
        pauses = iter(self.outbox.pauses)
        while True:
            self.outbox.obey()
            self._claim(row)
            try:
                return self.outbox.client.publish(status, key=row.idempotency_key)
            except RateLimited as error:
                self._set(row, state=RowState.PLANNED)  # said no before looking at it
                pause = next(pauses, None)
                if pause is None:
                    raise
                self.outbox.wait_after(error, pause)
            except RemoteError as error:
                if _is_refusal(error):
                    raise self._refused(row, error, status.reply_to) from error
                trouble = error
                found = self._look_patiently(row, status.reply_to)
                if found is not None:
                    return found
                pause = next(pauses, None)
                if pause is None:
                    raise SendTrouble(
                        str(trouble),
                        user_message=f"{trouble.user_message} Whether toot {row.position} got there is not known; "
                        "send again, and it is looked for first.",
                    ) from trouble
                self.outbox.wait_after(trouble, pause)

    def _claim(self, row: ThreadToot) -> None:
        """The row is ours to send, and the key is stored before the request; once sent off it keeps both."""
        key = row.idempotency_key or uuid.uuid4().hex
        count = (
            ThreadToot.objects.filter(pk=row.pk, event__thread_record__state=State.SENDING)
            .exclude(state__in=(RowState.SENT, RowState.DELETED))
            .update(
                state=RowState.SENDING,
                idempotency_key=key,
                attempts=F("attempts") + 1,
                tried_at=Coalesce(F("tried_at"), timezone.now()),
                posted_text=row.text,
                error="",
            )
        )
        if not count:
            raise ThreadTrouble(f"The thread of {self.event.slug} was changed meanwhile; nothing more was sent.")
        row.refresh_from_db()

    def _put_up(self, row: ThreadToot) -> list[str]:
        try:
            return pictures.put_up(self.outbox, row)
        except ThreadTrouble as error:
            self._set(row, state=RowState.FAILED, error=error.user_message)
            raise

    def _refused(self, row: ThreadToot, error: RemoteError, parent: str) -> SendTrouble:
        sentence = _why_refused(self.outbox.server, error, row.position)
        if parent and error.status_code in (404, 410, 422) and self._is_gone(parent):
            sentence = (
                f"Toot {row.position - 1} of the thread is not on {self.outbox.server} any more, so there is nothing "
                "to answer; delete the thread and post it anew."
            )
        if row.media and error.status_code == 422:
            pictures.forget(row)
        self._set(row, state=RowState.FAILED, error=sentence)
        return SendTrouble(str(error), user_message=sentence)

    def _is_gone(self, id: str) -> bool:
        return self.outbox.ask(lambda: self.outbox.client.read_status(id)) is None

    # --- making sure -----------------------------------------------------------------------------------------------
    def _check(self, row: ThreadToot, answer: OwnStatus, status: NewStatus) -> None:
        """Believe what the server has, not what it answered; a toot that came out wrong is taken back."""
        stored = self._read_back(row, answer, status.reply_to)
        trouble = _find_trouble(row, stored, status)
        if trouble:
            self._take_back(row, stored, trouble)
        note = row.note
        if stored.visibility and stored.visibility != status.visibility:
            note = f"{self.outbox.server} made it {stored.visibility} instead of {status.visibility}."
        self._confirm(row, stored, note)

    def _read_back(self, row: ThreadToot, answer: OwnStatus, parent: str) -> OwnStatus:
        for number in range(_LOOKS):
            if number:
                self.outbox.pause(self._pause(number), is_limit=False)
            stored = self.outbox.ask(lambda: self.outbox.client.read_status(answer.id))
            if stored is not None:
                return stored
        found = self._look(row, parent).ours
        if found is not None:
            return found
        sentence = f"{self.outbox.server} said that it took toot {row.position}, but does not have it."
        former = [*row.former, ledger.remember_try(row, answer.id)]
        self._set(row, state=RowState.FAILED, error=sentence, idempotency_key=uuid.uuid4().hex, former=former)
        raise SendTrouble(sentence)

    def _take_back(self, row: ThreadToot, stored: OwnStatus, trouble: str) -> None:
        """Remove a toot that came out wrong; if that fails it is kept in mind."""
        self._set(
            row,
            state=RowState.FAILED,
            error=trouble,
            idempotency_key=uuid.uuid4().hex,  # under the old one we would get the removed toot again
            strays=[*row.strays, {"id": stored.id, "url": stored.url}],
        )
        if row.media:
            pictures.forget(row)
        try:
            self.clear_strays(row)
        except RemoteError as error:
            raise SendTrouble(f"{trouble} It could not be removed ({stored.url}): {error.user_message}") from error
        raise SendTrouble(f"{trouble} It was removed again.")

    def settle(self, row: ThreadToot, parent: str) -> bool:
        """Whether the row turns out to be on the account already."""
        found = self._look_patiently(row, parent)
        if found is None:
            return False
        self._confirm(row, found, row.note)
        self.outbox.ctx.say(f"Toot {row.position} was out already.")
        return True

    def _look_patiently(self, row: ThreadToot, parent: str) -> OwnStatus | None:
        unsure: list[OwnStatus] = []
        for number in range(_LOOKS):
            if number:
                self.outbox.pause(self._pause(number), is_limit=False)
            found = self._look(row, parent)
            if found.others:
                self._remove(row, found.others)
            if found.ours is not None:
                return found.ours
            unsure = found.unsure
        if unsure:
            raise SendTrouble(
                f"Whether toot {row.position} got there is not known, and {unsure[0].url or 'a toot of the account'} "
                "says the same without being quite what was sent. Look at it, delete it if it is not to stay, and "
                "send again."
            )
        return None

    def _look(self, row: ThreadToot, parent: str, text: str = "") -> Found:
        thread = Thread.objects.get(event=self.event)
        mark = Mark.read(thread.mark)
        if mark is None:
            raise SendTrouble(
                f"What was on the account before the thread is not known, so whether toot {row.position} got there "
                f"cannot be told. Look at the account on {self.outbox.server}."
            )
        # Toots of other threads may say the same words; those are accounted for.
        others = ThreadToot.objects.exclude(pk=row.pk).exclude(remote_id="")
        known = set(others.values_list("remote_id", flat=True)) | {row.remote_id} - {""}
        statuses = list_own(self.outbox, self.account_id, mark, parent=parent)
        wanted = Wanted(
            text=text or row.posted_text or row.text,
            parent=parent,
            visibility=thread.visibility,
            content_warning=thread.content_warning,
            media=len(row.media),
        )
        return find_sent(statuses, wanted, mark, known=known)

    def _confirm(self, row: ThreadToot, stored: OwnStatus, note: str) -> None:
        self._set(
            row,
            state=RowState.SENT,
            remote_id=stored.id,
            url=stored.url,
            sent_at=stored.created_at or timezone.now(),
            error="",
            note=note,
        )

    # --- cleaning up -----------------------------------------------------------------------------------------------
    def _remove(self, row: ThreadToot, copies: list[OwnStatus]) -> None:
        if not copies:
            return
        new = [{"id": copy.id, "url": copy.url} for copy in copies]
        self._set(row, strays=[*row.strays, *new], note=f"A copy of it had gone astray on {self.outbox.server}.")
        self.clear_strays(row)

    def clear_strays(self, row: ThreadToot) -> None:
        for stray in list(row.strays):
            self.outbox.ask(lambda id=stray["id"]: self.outbox.client.delete_status(id))  # type: ignore[misc]
            self._set(row, strays=[other for other in row.strays if other["id"] != stray["id"]])

    def clear_former(self, row: ThreadToot, parent: str) -> None:
        """Remove earlier tries of the row that turned up after all."""
        for former in row.former:
            if former["id"] and self.outbox.ask(lambda id=former["id"]: self.outbox.client.read_status(id)):  # type: ignore[misc]
                self._set(row, strays=[*row.strays, {"id": former["id"], "url": ""}])
                self.clear_strays(row)
            if former["text"]:
                found = self._look(row, parent, former["text"])
                self._remove(row, [*found.others, *([found.ours] if found.ours else [])])

    def _set(self, row: ThreadToot, **values: object) -> None:
        ThreadToot.objects.filter(pk=row.pk).update(**values)
        for name, value in values.items():
            setattr(row, name, value)

    def _pause(self, number: int) -> float:
        pauses = self.outbox.pauses
        return pauses[min(number - 1, len(pauses) - 1)] if pauses else 0.0


def _is_refusal(error: RemoteError) -> bool:
    """The server read the request and said no, or was never asked: nothing is out."""
    status = error.status_code
    return isinstance(error, AddressNotAllowed) or (
        status is not None and 400 <= status < 500 and status not in (408, 425)
    )


def _why_refused(server: str, error: RemoteError, position: int) -> str:
    if error.status_code == 401:
        return f"{server} does not accept the token any more; connect the account again, then send again to go on."
    if error.status_code == 403:
        return f"{server} does not let this token post (no scope write:statuses?); connect the account again."
    reason = str(error).partition(": ")[2].rstrip(".") or f"it answered {error.status_code}"
    return f"{server} does not take toot {position}: {reason}."


def _find_trouble(row: ThreadToot, stored: OwnStatus, status: NewStatus) -> str:
    """What is wrong with the toot as it came out; "" if nothing."""
    if stored.reply_to != status.reply_to:
        return f"Toot {row.position} came out as a thread of its own instead of as an answer to the toot before it."
    if row.text and not stored.html.strip():
        return f"Toot {row.position} came out empty."
    if len(stored.media) < len(status.media_ids):
        return f"Toot {row.position} came out without its picture."
    if WIDTH.get(stored.visibility, 0) > WIDTH.get(status.visibility, 3):
        return f"Toot {row.position} came out as {stored.visibility}, though {status.visibility} was asked for."
    return ""

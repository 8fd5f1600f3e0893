"""One toot brought to the server and seen to be there, once. What its states mean is told in ``ThreadToot``."""

from __future__ import annotations

import uuid
from contextlib import suppress

from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from common.errors import MastoscoreError, RemoteError
from common.http import AddressNotAllowed
from common.mastodon_errors import RateLimited
from common.mastodon_posting import NewStatus, OwnStatus
from events.models import Event
from jobs.context import JobCancelled, JobReleased, JobStopped
from pipeline.models import Thread, ThreadToot
from pipeline.thread import notes, pictures
from pipeline.thread.account import OwnAccount, SendTrouble, set_row
from pipeline.thread.ledger import RowState, State, ThreadTrouble
from pipeline.thread.outbox import Outbox
from pipeline.thread.reconcile import WIDTH

# The note of a toot that its server said it took, when there was no time to read it back.
UNSEEN = "Its server took it; it is read back with the next run."
# Looks at the account before a toot whose answer was lost counts as not stored; a slow server may still be at it.
_LOOKS = 3


class Courier:
    def __init__(self, outbox: Outbox, event: Event, account: OwnAccount) -> None:
        self.outbox = outbox
        self.event = event
        self.account = account
        self._answer: OwnStatus | None = None

    def deliver(self, row: ThreadToot, parent: str) -> None:
        """Bring the row to ``sent``; ``parent`` is the id of the toot it answers, "" for the first.

        Raises SendTrouble or a RemoteError; the row then says whether something may be out. A job that is stopped
        meanwhile leaves it in doubt only if its server does not even answer whether the toot is there.
        """
        self._answer = None
        try:
            self._deliver(row, parent)
        except (JobCancelled, JobReleased):
            self._make_definite(row, parent)
            raise

    def _deliver(self, row: ThreadToot, parent: str) -> None:
        self.account.clear_strays(row)
        self.account.clear_former(row, parent)
        if row.attempts and row.idempotency_key and self.settle(row, parent):
            return
        media_ids = self._put_up(row)
        status = self._new_status(row, parent, media_ids)
        self._answer = self._publish(row, status)
        with self.outbox.finishing():
            self._check(row, self._answer, status)

    def verify(self, row: ThreadToot, parent: str) -> None:
        """See with own eyes a toot that is known by the server's answer alone."""
        ids = [str(entry.get("id", "")) for entry in row.media]
        self._check(row, _as_answer(row), self._new_status(row, parent, ids))

    def _new_status(self, row: ThreadToot, parent: str, media_ids: list[str]) -> NewStatus:
        thread = Thread.objects.get(event=self.event)
        return NewStatus(
            text=row.text,
            visibility=thread.visibility,
            reply_to=parent,
            media_ids=media_ids,
            language=thread.language,
            content_warning=thread.content_warning,
        )

    def _make_definite(self, row: ThreadToot, parent: str) -> None:
        """The job has to end while the toot is on its way: say what is known of it, or find out in a few seconds."""
        if row.state != RowState.SENDING:
            return
        if self._answer is not None:
            trouble = _find_trouble(row, self._answer, self._new_status(row, parent, [""] * len(row.media)))
            if trouble:
                self._note_trouble(row, self._answer, trouble)
            else:
                self._confirm(row, self._answer, UNSEEN)
            return
        with suppress(MastoscoreError, JobStopped), self.outbox.last_look():
            found = self.account.look(row, parent)
            if found.ours is not None:
                self._confirm(row, found.ours, row.note)
            elif not found.others and not found.unsure:
                set_row(row, state=RowState.PLANNED)  # with its key, so it is looked for again before it is sent

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
                set_row(row, state=RowState.PLANNED)  # said no before looking at it
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
            set_row(row, state=RowState.FAILED, error=error.user_message)
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
        set_row(row, state=RowState.FAILED, error=sentence)
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
        note = "" if row.note == UNSEEN else row.note
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
        found = self.account.look(row, parent).ours
        if found is not None:
            return found
        sentence = f"{self.outbox.server} said that it took toot {row.position}, but does not have it."
        former = [*row.former, notes.remember_try(Thread.objects.get(event=self.event), row, answer.id)]
        set_row(row, state=RowState.FAILED, error=sentence, idempotency_key=uuid.uuid4().hex, former=former)
        raise SendTrouble(sentence)

    def _take_back(self, row: ThreadToot, stored: OwnStatus, trouble: str) -> None:
        """Remove a toot that came out wrong; if that fails it is kept in mind."""
        self._note_trouble(row, stored, trouble)
        try:
            self.account.clear_strays(row)
        except RemoteError as error:
            raise SendTrouble(f"{trouble} It could not be removed ({stored.url}): {error.user_message}") from error
        raise SendTrouble(f"{trouble} It was removed again.")

    def _note_trouble(self, row: ThreadToot, stored: OwnStatus, trouble: str) -> None:
        set_row(
            row,
            state=RowState.FAILED,
            error=trouble,
            idempotency_key=uuid.uuid4().hex,  # under the old one we would get the removed toot again
            strays=[*row.strays, {"id": stored.id, "url": stored.url}],
        )
        if row.media:
            pictures.forget(row)

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
            found = self.account.look(row, parent)
            if found.others:
                self.account.remove(row, found.others)
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

    def _confirm(self, row: ThreadToot, stored: OwnStatus, note: str) -> None:
        set_row(
            row,
            state=RowState.SENT,
            remote_id=stored.id,
            url=stored.url,
            sent_at=stored.created_at or timezone.now(),
            error="",
            note=note,
        )

    def _pause(self, number: int) -> float:
        pauses = self.outbox.pauses
        return pauses[min(number - 1, len(pauses) - 1)] if pauses else 0.0


def _as_answer(row: ThreadToot) -> OwnStatus:
    return OwnStatus(row.remote_id, row.url, "", "", "", row.sent_at, ())


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

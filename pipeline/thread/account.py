"""What of a thread is on the account: looked for row by row, and removed where it went astray."""

from __future__ import annotations

from common.mastodon_posting import OwnStatus
from events.models import Event
from pipeline.models import Thread, ThreadToot
from pipeline.thread import ledger, notes
from pipeline.thread.ledger import ThreadTrouble
from pipeline.thread.outbox import Outbox
from pipeline.thread.reconcile import Found, Mark, Wanted, find_sent, list_own, take_mark


class SendTrouble(ThreadTrouble):
    """A toot that did not get there; the message says what is known of it."""


class OwnAccount:
    def __init__(self, outbox: Outbox, event: Event, account_id: str) -> None:
        self.outbox = outbox
        self.event = event
        self.account_id = account_id

    def mark(self) -> None:
        """Note what is on the account, before anything is sent: none of that is ever taken for a toot of ours."""
        thread = Thread.objects.get(event=self.event)
        was_tried = ledger.rows_of(self.event).filter(attempts__gt=0).exists() or notes.may_be_elsewhere(self.event)
        if thread.mark and was_tried:
            return
        mark = take_mark(self.outbox, self.account_id)
        Thread.objects.filter(pk=thread.pk).update(mark=mark.as_json())

    def look(self, row: ThreadToot, parent: str) -> Found:
        """The row's toot, as an answer to ``parent``."""
        thread = Thread.objects.get(event=self.event)
        wanted = Wanted(
            text=row.posted_text or row.text,
            parent=parent,
            visibility=thread.visibility,
            content_warning=thread.content_warning,
            media=len(row.media),
        )
        return self._search(thread, row, wanted)

    def _search(self, thread: Thread, row: ThreadToot, wanted: Wanted) -> Found:
        mark = Mark.read(thread.mark)
        if mark is None:
            raise SendTrouble(
                f"What was on the account before the thread is not known, so whether toot {row.position} got there "
                f"cannot be told. Look at the account on {self.outbox.server}."
            )
        # Toots of other threads may say the same words; those are accounted for.
        others = ThreadToot.objects.exclude(pk=row.pk).exclude(remote_id="")
        known = set(others.values_list("remote_id", flat=True)) | {row.remote_id} - {""}
        statuses = list_own(self.outbox, self.account_id, mark, parent=wanted.parent)
        return find_sent(statuses, wanted, mark, known=known)

    # --- cleaning up -----------------------------------------------------------------------------------------------
    def remove(self, row: ThreadToot, copies: list[OwnStatus]) -> None:
        if not copies:
            return
        new = [{"id": copy.id, "url": copy.url} for copy in copies]
        set_row(row, strays=[*row.strays, *new], note=f"A copy of it had gone astray on {self.outbox.server}.")
        self.clear_strays(row)

    def clear_strays(self, row: ThreadToot) -> None:
        for stray in list(row.strays):
            self.outbox.ask(lambda id=stray["id"]: self.outbox.client.delete_status(id))  # type: ignore[misc]
            set_row(row, strays=[other for other in row.strays if other["id"] != stray["id"]])

    def clear_former(self, row: ThreadToot, parent: str) -> None:
        """Remove earlier tries that turned up after all, of the row or of rows that are gone."""
        thread = Thread.objects.get(event=self.event)
        for former in row.former:
            if former["id"] and self.outbox.ask(lambda id=former["id"]: self.outbox.client.read_status(id)):  # type: ignore[misc]
                set_row(row, strays=[*row.strays, {"id": former["id"], "url": ""}])
                self.clear_strays(row)
            wanted = notes.wanted_of(former, row, thread, parent)
            if wanted.text or wanted.said:
                found = self._search(thread, row, wanted)
                self.remove(row, [*found.others, *([found.ours] if found.ours else [])])

    def remove_twins(self) -> None:
        """Last look: of toots that were sent more than once in doubt, only one may stay."""
        rows = list(ledger.rows_of(self.event))
        for before, row in zip([None, *rows], rows, strict=False):
            parent = before.remote_id if before else ""
            self.clear_former(row, parent)
            if row.attempts > 1 and row.tried_at is not None:
                twins = self.look(row, parent)
                self.remove(row, [*twins.others, *([twins.ours] if twins.ours else [])])


def set_row(row: ThreadToot, **values: object) -> None:
    ThreadToot.objects.filter(pk=row.pk).update(**values)
    for name, value in values.items():
        setattr(row, name, value)

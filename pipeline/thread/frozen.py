"""What an approval holds fast besides the words: the account and the very bytes of the pictures."""

from __future__ import annotations

import hashlib
from typing import Any

from events.models import Event, MastodonAccount
from pipeline import paths
from pipeline.models import Thread, ThreadToot
from pipeline.thread import ledger
from pipeline.thread.ledger import RowState


def freeze(event: Event, rows: list[ThreadToot], before: dict[str, Any]) -> dict[str, Any]:
    """What is approved now; pictures that are others than ``before`` are handed to the server anew."""
    hashes = {entry["path"]: hash_picture(entry["path"]) for row in rows for entry in row.media}
    known = before.get("pictures", {})
    for row in rows:
        stale = [
            entry for entry in row.media if entry.get("id") and known.get(entry["path"]) != hashes[entry["path"]]
        ]
        if stale and row.state != RowState.SENT:
            for entry in stale:
                entry.pop("id")
            row.save(update_fields=["media"])
    return {"account": name_account(event.thread_account), "pictures": hashes}


def find_change(event: Event, thread: Thread, account: MastodonAccount) -> str:
    """A sentence about what is not as it was approved; "" if all is. A picture that is gone is told of later."""
    if not thread.frozen:
        return ""
    approved = thread.frozen["account"]
    if approved not in (name_account(account), account.server):
        return f"it was approved for {approved or 'no account'}, and the event is set to {account} now"
    for row in ledger.rows_of(event).exclude(state__in=(RowState.SENT, RowState.DELETED)):
        for entry in row.media:
            now = hash_picture(entry["path"])
            if now and now != thread.frozen["pictures"].get(entry["path"]):
                return f"the picture of toot {row.position} was drawn anew"
    return ""


def name_account(account: MastodonAccount | None) -> str:
    return str(account) if account is not None else ""


def hash_picture(path: str) -> str:
    """ "" for a picture that cannot be read."""
    try:
        return hashlib.sha256((paths.data_dir() / path).read_bytes()).hexdigest()
    except OSError:
        return ""

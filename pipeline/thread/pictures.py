"""The pictures of a toot on the server: uploaded, waited for, their words set and seen to be there."""

from __future__ import annotations

import hashlib
import mimetypes
import time
from typing import Any

from django.conf import settings

from common.errors import RemoteError
from common.http import TooLarge
from common.mastodon_errors import RemoteRefused, ServerFault
from common.mastodon_posting import OwnMedia
from pipeline import paths
from pipeline.models import ThreadToot
from pipeline.thread import ledger
from pipeline.thread.ledger import ThreadTrouble
from pipeline.thread.outbox import Outbox

_FIRST_POLL_SECONDS = 0.5
_LONGEST_POLL_SECONDS = 5.0
# Unposted pictures are thrown away by servers after a day or so; after an hour we hand them over again.
_SPEAKS_OF_PICTURE = (400, 413, 415, 422)


class PictureTrouble(ThreadTrouble):
    """A picture that the server does not get or does not take."""


def put_up(outbox: Outbox, row: ThreadToot) -> list[str]:
    """The ids of the row's pictures on the server, ready to be posted; each is in the ledger as soon as it is known.

    Pictures that an earlier run handed over are used again if the server still has them.
    """
    ids = []
    for entry in row.media:
        media = _find_again(outbox, entry) or _upload(outbox, row, entry)
        media = _wait_until_ready(outbox, row, media)
        _see_words(outbox, row, media, entry["description"])
        ids.append(media.id)
    return ids


def forget(row: ThreadToot) -> None:
    """The next run hands the pictures over anew."""
    for entry in row.media:
        entry.pop("id", None)
    row.save(update_fields=["media"])


def _find_again(outbox: Outbox, entry: dict[str, Any]) -> OwnMedia | None:
    if not entry.get("id"):
        return None
    try:
        return outbox.ask(lambda: outbox.client.read_media(entry["id"]))
    except RemoteRefused as error:
        if error.status_code in (401, 403):
            raise
        return None  # it could not be worked on then; perhaps it can be now


def _upload(outbox: Outbox, row: ThreadToot, entry: dict[str, Any]) -> OwnMedia:
    path = paths.data_dir() / entry["path"]
    try:
        content = path.read_bytes()
    except OSError as error:
        gone = f"The picture {path.name} of toot {row.position} is gone; draw it again."
        raise PictureTrouble(f"cannot read {path.name}", user_message=gone) from error
    approved = ledger.find_thread(row.event).frozen.get("pictures")
    if approved is not None and hashlib.sha256(content).hexdigest() != approved.get(entry["path"]):
        raise PictureTrouble(
            f"The picture of toot {row.position} was drawn anew since the thread was approved; send again to see "
            "what is to be approved."
        )
    content_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    try:
        media = outbox.ask(lambda: outbox.client.upload(path.name, content, content_type, entry["description"]))
    except (RemoteError, TooLarge) as error:
        if error.status_code in _SPEAKS_OF_PICTURE or isinstance(error, ServerFault):
            raise _not_taken(outbox, row, error) from error
        raise
    entry["id"] = media.id
    row.save(update_fields=["media"])
    return media


def _wait_until_ready(outbox: Outbox, row: ThreadToot, media: OwnMedia) -> OwnMedia:
    deadline = time.monotonic() + settings.MASTOSCORE_MEDIA_SECONDS
    pause = _FIRST_POLL_SECONDS
    while not media.is_ready:
        if time.monotonic() > deadline:
            raise PictureTrouble(
                f"{outbox.server} is still working on media {media.id}",
                user_message=f"{outbox.server} is still working on the picture of toot {row.position} after "
                f"{settings.MASTOSCORE_MEDIA_SECONDS:.0f} seconds; send again later, nothing is lost.",
            )
        outbox.ctx.wait(min(pause, settings.MASTOSCORE_MEDIA_SECONDS))
        pause = min(pause * 1.5, _LONGEST_POLL_SECONDS)
        try:
            seen = outbox.ask(lambda id=media.id: outbox.client.read_media(id))  # type: ignore[misc]
        except RemoteRefused as error:
            if error.status_code != 422:
                raise
            forget(row)
            raise _not_taken(outbox, row, error) from error
        if seen is None:  # some servers say 404 of pictures that are fine; the toot will show it
            return media
        media = seen
    return media


def _see_words(outbox: Outbox, row: ThreadToot, media: OwnMedia, words: str) -> None:
    """Set the alternative text again if the server does not show it; note it if it never does."""
    if _same(media.description, words):
        return
    try:
        described = outbox.ask(lambda: outbox.client.describe_media(media.id, words))
    except RemoteRefused as error:
        if error.status_code in (401, 403):
            raise
        described = None
    if described is None or not _same(described.description, words):
        row.note = f"{outbox.server} does not confirm the alternative text of the picture."
        row.save(update_fields=["note"])


def _same(left: str, right: str) -> bool:
    return left.split() == right.split()


def _not_taken(outbox: Outbox, row: ThreadToot, error: RemoteError) -> PictureTrouble:
    return PictureTrouble(
        str(error),
        user_message=f"{outbox.server} does not take the picture of toot {row.position} "
        f"(it answered {error.status_code}). The toots before it are out; send again to go on.",
    )

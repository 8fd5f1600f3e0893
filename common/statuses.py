"""A status as servers send it: of its JSON only what is read, and nothing of it understood yet. Pure.

Two thirds of a page are cards, pictures, mentions and numbers of accounts that nobody here looks at. They are passed
over while the JSON is read, which takes half the time and memory of making objects of everything.
``common.toots`` makes toots of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec

from common.json_reading import read_json

_T = TypeVar("_T", bound=msgspec.Struct)


# Without gc: there are no circles in JSON, and the collector need not look for any.
class _Field(msgspec.Struct, gc=False):
    name: Any = None
    value: Any = None


class _Named(msgspec.Struct, gc=False):
    name: Any = None


class _Counted(msgspec.Struct, gc=False):
    """Something of which only the number matters."""


class Account(msgspec.Struct, gc=False):
    """An account by https://docs.joinmastodon.org/entities/Account/; values are of whatever type they came in."""

    acct: Any = None
    username: Any = None
    display_name: Any = None
    url: Any = None
    uri: Any = None
    note: Any = None
    fields: list[_Field] | None = None
    bot: Any = None
    noindex: Any = None
    discoverable: Any = None
    indexable: Any = None


class Status(msgspec.Struct, gc=False):
    """A status by https://docs.joinmastodon.org/entities/Status/; values are of whatever type they came in."""

    id: Any = None
    uri: Any = None
    url: Any = None
    account: Account | None = None
    created_at: Any = None
    edited_at: Any = None
    visibility: Any = None
    reblog: Any = None
    content: Any = None
    spoiler_text: Any = None
    language: Any = None
    tags: list[_Named] | None = None
    media_attachments: list[_Counted] | None = None
    in_reply_to_id: Any = None
    reblogs_count: Any = None
    favourites_count: Any = None
    replies_count: Any = None


_decoder = msgspec.json.Decoder(list[Status])


def read_statuses(body: bytes) -> Sequence[Status | None] | None:
    """The rows of a page, None for each that is no object; None when it is no list. NotJson if it is no JSON."""
    try:
        return _decoder.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass  # something in it is not what it should be: the forgiving way
    rows = read_json(body)
    return [as_status(row) for row in rows] if isinstance(rows, list) else None


def as_status(raw: object) -> Status | None:
    """The same of a status that is read already; parts of the wrong type are taken for missing."""
    if not isinstance(raw, dict):
        return None
    status = _filled(Status, raw)
    account, tags, media = raw.get("account"), raw.get("tags"), raw.get("media_attachments")
    status.account = _as_account(account) if isinstance(account, dict) else None
    # Hashtags are texts on some servers.
    names = [row.get("name") if isinstance(row, dict) else row for row in tags] if isinstance(tags, list) else None
    status.tags = [_Named(name) for name in names] if names is not None else None
    status.media_attachments = [_Counted()] * len(media) if isinstance(media, list) else None
    return status


def _as_account(raw: dict[str, Any]) -> Account:
    account, fields = _filled(Account, raw), raw.get("fields")
    rows = [row for row in fields if isinstance(row, dict)] if isinstance(fields, list) else None
    account.fields = [_filled(_Field, row) for row in rows] if rows is not None else None
    return account


def _filled(kind: type[_T], raw: dict[str, Any]) -> _T:
    return kind(**{name: raw[name] for name in kind.__struct_fields__ if name in raw})

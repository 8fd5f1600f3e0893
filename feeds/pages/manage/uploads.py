"""An OPML file between its preview and its import: kept an hour in the shared cache, one per user."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache

from feeds.transfer import MAX_BYTES

KEEP_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Upload:
    """``digest`` of the content: the page carries it, so that what is imported is what was shown."""

    name: str
    body: bytes
    digest: str


def keep_upload(user: Any, name: str, body: bytes) -> Upload:
    upload = Upload(name[:200], body, hashlib.sha256(body).hexdigest())
    cache.set(_key(user), (upload.name, zlib.compress(body, 1), upload.digest), KEEP_SECONDS)
    return upload


def find_upload(user: Any, digest: str) -> Upload | None:
    """The user's file with that digest, if it is still kept."""
    found = cache.get(_key(user))
    if found is None or found[2] != digest:
        return None
    name, packed, _ = found
    return Upload(name, zlib.decompressobj().decompress(packed, MAX_BYTES), digest)


def forget_upload(user: Any) -> None:
    cache.delete(_key(user))


def _key(user: Any) -> str:
    return f"reader:opml:{user.pk}"

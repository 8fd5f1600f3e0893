"""Local ids and addresses of toots as different kinds of server make them. Pure."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from datetime import datetime

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_LOW_BITS = 0xFFFF
_SMALLEST_DECIMAL, _MOST_DECIMAL = 1, 20


@dataclass(frozen=True, slots=True)
class IdMaker:
    """Makes the ids of one server. ``kind``: ``snowflake``, ``ulid``, ``flake`` or ``hex``.

    ``place(moment, number)`` orders the rows of a server, whatever its ids look like; ``number`` is a toot's own,
    below 65536.
    """

    kind: str
    salt: int

    def place(self, moment: datetime, number: int) -> int:
        milliseconds = max(0, round(moment.timestamp() * 1000))
        return (milliseconds << 16) | ((number * 31 + self.salt * 137) & _LOW_BITS)

    def local_id(self, moment: datetime, number: int) -> str:
        place = self.place(moment, number)
        if self.kind == "ulid":
            return _digits((place >> 16 << 80) | ((place & _LOW_BITS) << 64) | self.salt, _CROCKFORD, 26)
        if self.kind == "flake":
            return _digits((place >> 16 << 64) | (self.salt << 16) | (place & _LOW_BITS), _BASE62, 18)
        if self.kind == "hex":
            return hashlib.blake2b(f"{self.salt}:{place}".encode(), digest_size=12).hexdigest()
        return str(place)

    def can_read(self, max_id: str) -> bool:
        """Whether a ``max_id`` has the form of this server's ids."""
        if self.kind == "snowflake":
            return max_id.isascii() and max_id.isdigit() and _SMALLEST_DECIMAL <= len(max_id) <= _MOST_DECIMAL
        if self.kind == "ulid":
            return len(max_id) == 26 and all(letter in _CROCKFORD for letter in max_id)
        return False  # flake and hex: only an id that stands in the list is known

    def is_below(self, local_id: str, max_id: str) -> bool:
        """Whether an id of ours is older than one that ``can_read`` accepted."""
        if self.kind == "snowflake":
            return int(local_id) < int(max_id)
        return local_id < max_id


def addresses(software: str, server: str, username: str, local_id: str) -> tuple[str, str]:
    """``uri`` and ``url`` of a toot at its origin."""
    base = f"http://{server}"
    if software in ("akkoma", "pleroma"):
        return (
            f"{base}/objects/{uuid.uuid5(uuid.NAMESPACE_URL, f'{username}/{local_id}')}",
            f"{base}/notice/{local_id}",
        )
    if software == "misskey":
        return f"{base}/notes/{local_id}", f"{base}/notes/{local_id}"
    if software == "snac":
        return f"{base}/{username}/p/{local_id}", f"{base}/{username}/p/{local_id}"
    if software == "gotosocial":
        return f"{base}/users/{username}/statuses/{local_id}", f"{base}/@{username}/statuses/{local_id}"
    return f"{base}/users/{username}/statuses/{local_id}", f"{base}/@{username}/{local_id}"


def _digits(number: int, alphabet: str, length: int) -> str:
    base, digits = len(alphabet), []
    for _ in range(length):
        number, digit = divmod(number, base)
        digits.append(alphabet[digit])
    return "".join(reversed(digits))

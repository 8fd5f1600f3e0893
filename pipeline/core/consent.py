"""Whose toots may be quoted, named and linked. Pure.

Explicit wishes always count: markers in the profile, the account's own ``noindex``, an opt-out kept here. Strict
consent asks for the account's ``discoverable`` and ``indexable`` as well.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OptOuts:
    """Case-folded handles ``user@server`` and names of whole servers."""

    handles: frozenset[str] = frozenset()
    servers: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.handles or self.servers)

    def cover(self, handle: str) -> bool:
        folded = handle.casefold()
        return folded in self.handles or folded.rpartition("@")[2] in self.servers


def is_quotable(
    handle: str,
    *,
    wishes: str | tuple[str, ...],
    is_discoverable: bool | None,
    is_indexable: bool | None,
    opt_outs: OptOuts,
    is_strict: bool,
) -> bool:
    """Whether the author lets us quote, name and link them.

    ``wishes``: markers found in the profile, as a tuple or space separated. Under strict consent a flag that the
    server never mentioned counts as no.
    """
    if wishes or opt_outs.cover(handle):
        return False
    return not is_strict or (is_discoverable is True and is_indexable is True)

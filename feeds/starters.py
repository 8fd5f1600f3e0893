"""A few feeds for who has none yet, in the OPML file beside this module: real, open, and alive for many years."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from feeds import refresh
from feeds.transfer import MERGE, Imported, Listing, import_listing, read_listing

_FILE = Path(__file__).with_name("starters.opml")


@cache
def starters() -> Listing:
    """What is suggested, by category in the order of the file."""
    return read_listing(_FILE.read_bytes())


def subscribe_to_starters(user: Any, urls: Collection[str], now: datetime) -> Imported:
    """Subscribe to those of the suggested feeds; other addresses are passed over. Nothing waits for the network: a
    job asks the feeds."""
    chosen = Listing(tuple(listed for listed in starters().feeds if listed.url in urls), ())
    done = import_listing(user, chosen, MERGE, now)
    if done.sources_created:
        refresh.queue_due(asked_by=user)
    return done

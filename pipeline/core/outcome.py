"""How a visit to a server can come out. Pure, as those who walk servers know nothing of a database."""

from __future__ import annotations

from enum import StrEnum


class Outcome(StrEnum):
    """As stored with the visit; ``pipeline.models.Visit.Outcome`` says each in words."""

    COMPLETE = "complete"
    REACHED_MAX = "reached_max"
    LOCAL_ONLY = "local_only"
    NOT_PAGED = "not_paged"
    FEED_ONLY = "feed_only"
    REACHED_CAP = "reached_cap"
    MOVED = "moved"
    REFUSED = "refused"
    ROBOTS = "robots"
    NOT_MASTODON = "not_mastodon"
    BAD_ANSWER = "bad_answer"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"
    NOT_ALLOWED = "not_allowed"
    CANCELLED = "cancelled"

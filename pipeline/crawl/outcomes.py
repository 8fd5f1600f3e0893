"""How a walk ended, in words a host understands."""

from __future__ import annotations

from common.errors import RemoteError
from common.http_errors import (
    AddressNotAllowed,
    InvalidAnswer,
    LeadsElsewhere,
    TimedOut,
    TooLarge,
    TooManyRedirects,
    Unreachable,
)
from common.mastodon import NotFound, RateLimited, RemoteRefused, ServerFault
from common.servers import normalise_server
from pipeline.core.fetch import Aim, Cursor, End, Stage, View
from pipeline.core.outcome import Outcome
from pipeline.crawl.messages import Ending
from pipeline.crawl.meter import CapReached

GOOD_OUTCOMES = (Outcome.COMPLETE, Outcome.REACHED_MAX, Outcome.LOCAL_ONLY, Outcome.NOT_PAGED)

# The first class that fits decides.
_ERRORS: tuple[tuple[type[RemoteError], Outcome, str], ...] = (
    (RemoteRefused, Outcome.REFUSED, "{server} does not let strangers read hashtags."),
    (
        NotFound,
        Outcome.NOT_MASTODON,
        "{server} does not offer hashtags through the Mastodon API, or nobody there knows this one.",
    ),
    (RateLimited, Outcome.RATE_LIMITED, "{server} asked us to come back later, more often than we could wait."),
    (ServerFault, Outcome.SERVER_ERROR, "{server} has a fault of its own{status}."),
    (TimedOut, Outcome.TIMED_OUT, "{server} took too long to answer."),
    (Unreachable, Outcome.UNREACHABLE, "{server} could not be reached."),
    (AddressNotAllowed, Outcome.NOT_ALLOWED, "{server} has an address that we do not contact."),
    (TooLarge, Outcome.BAD_ANSWER, "{server} sent more than we read of one answer."),
    (TooManyRedirects, Outcome.BAD_ANSWER, "{server} sent us from one address to the next."),
    (InvalidAnswer, Outcome.BAD_ANSWER, "{server} sent something that is no list of toots."),
    (RemoteError, Outcome.BAD_ANSWER, "{server} gave an answer that makes no sense here{status}."),
)
_SEEN_BEFORE = " What it had shown until then counts."


def is_good(outcome: str) -> bool:
    return outcome in GOOD_OUTCOMES


def ending_of_error(error: RemoteError, server: str, cursor: Cursor, *, is_home: bool = False) -> Ending:
    """What becomes of a visit when asking failed for good."""
    if cursor.stage is not Stage.FIRST:
        return _ending_of_extra(error, server)
    if cursor.view is View.FEED:
        return Ending(Outcome.REFUSED, f"{server} does not let strangers read hashtags.")
    if cursor.has_pages and isinstance(error, NotFound) and error.speaks_api:
        return Ending(Outcome.COMPLETE, f"{server} answered completely.")
    if is_home and isinstance(error, NotFound) and error.speaks_api:
        # GoToSocial says so of a hashtag that nobody used; elsewhere it may just as well be another API.
        return Ending(Outcome.COMPLETE, f"{server} knows no toot with this hashtag.")
    if is_home and isinstance(error, RemoteRefused):
        return Ending(Outcome.REFUSED, f"{server} did not let us read hashtags, not even as the home account.")
    if isinstance(error, CapReached):
        return Ending(Outcome.REACHED_CAP, f"{server} was not asked to the end: {error.user_message}{_seen(cursor)}")
    if isinstance(error, LeadsElsewhere):
        text = f"{server} sends us on to {error.onward}, which is asked under its own name.{_seen(cursor)}"
        return Ending(Outcome.MOVED, text, normalise_server(error.onward) or "")
    outcome, sentence = next((outcome, text) for kind, outcome, text in _ERRORS if isinstance(error, kind))
    status = f" (HTTP status {error.status_code})" if error.status_code else ""
    return Ending(outcome, sentence.format(server=server, status=status) + (_SEEN_BEFORE if cursor.counted else ""))


def ending_of_walk(end: End, server: str, cursor: Cursor, aim: Aim) -> Ending:
    """What becomes of a visit when the walk came to its end."""
    match end:
        case End.REACHED_MAX:
            return Ending(
                Outcome.REACHED_MAX,
                f"{server} has more toots than are taken from one server for this event ({aim.max_toots}).",
            )
        case End.ENDLESS:
            return Ending(
                Outcome.BAD_ANSWER, f"{server} sent page after page without coming to an end.{_seen(cursor)}"
            )
        case End.UNREADABLE:
            return Ending(Outcome.BAD_ANSWER, f"{server} sent lists without readable toots.{_seen(cursor)}")
        case End.WINDOW_PASSED | End.NO_MORE | End.STUCK:
            return _ending_of_answer(end, server, cursor)


def _ending_of_answer(end: End, server: str, cursor: Cursor) -> Ending:
    stuck = " It showed the same toots again instead of older ones, which may be missing." if cursor.is_stuck else ""
    if cursor.view is View.FEED:
        return _ending_of_feed(server, cursor)
    if cursor.stage is not Stage.FIRST:
        return Ending(Outcome.COMPLETE, f"{server} showed all its own toots, and some of others.")
    if cursor.view is View.LOCAL and View.WHOLE not in cursor.refused.split():
        return Ending(Outcome.COMPLETE, f"{server} showed all its own toots; it was not asked for more.{stuck}")
    if cursor.view is View.LOCAL:
        text = f"{server} does not let strangers read hashtags; it showed only its own toots.{stuck}"
        return Ending(Outcome.LOCAL_ONLY, text)
    if stuck:
        return Ending(Outcome.NOT_PAGED, f"{server} answered.{stuck}")
    return Ending(Outcome.COMPLETE, f"{server} answered completely.")


def _ending_of_feed(server: str, cursor: Cursor) -> Ending:
    if not cursor.counted:
        return Ending(Outcome.REFUSED, f"{server} does not let strangers read hashtags; its feed shows nothing here.")
    text = f"{server} does not let strangers read hashtags; toots of its own are known from its feed, without counts."
    return Ending(Outcome.FEED_ONLY, text)


def _ending_of_extra(error: RemoteError, server: str) -> Ending:
    """A quick crawl asked for more, in vain: what the server had shown before is not touched by that."""
    if isinstance(error, RemoteRefused):
        return Ending(Outcome.LOCAL_ONLY, f"{server} does not let strangers read hashtags; it showed its own toots.")
    return Ending(Outcome.COMPLETE, f"{server} showed all its own toots, and failed when asked for more.")


def ending_of_robots(server: str) -> Ending:
    return Ending(Outcome.ROBOTS, f"{server} asks robots like us to stay away (robots.txt).")


def ending_of_patience(server: str, cursor: Cursor, minutes: int) -> Ending:
    return Ending(Outcome.TIMED_OUT, f"{server} was not done after {minutes} minutes.{_seen(cursor)}")


def _seen(cursor: Cursor) -> str:
    return _SEEN_BEFORE if cursor.counted else ""

"""The options of an INI file: where each may stand, and how its text becomes a value and text again. Pure.

An option belongs to a field: the name of a field of ``events.models.Event``, or one of ``home_server``,
``home_username``, ``posting_server``, ``posting_username``, ``series_slug``. Ranges and choices are the model's.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from common.errors import ConfigurationError
from common.servers import parse_server
from common.times import format_duration, parse_duration, zone

MAIN = "mastoscore"
PHASE_SECTIONS = ("fetch", "analyse", "graph", "wordcloud", "blog", "post")
KNOWN_SECTIONS = (MAIN, *PHASE_SECTIONS)

# Read by other programs that share these files; kept and written again without a word.
UNUSED_OPTIONS = frozenset({"cred_file", "journaldir", "journalfile"})

# Several options make one value: see events.ini.
START_OPTIONS = ("event_start", "event_year", "event_month", "event_day")

Place = tuple[str, str]  # section, option


@dataclass(frozen=True, slots=True)
class Option:
    """One option. ``places``: where it is looked for, first come first served; ``home`` is where it is written.

    ``read`` raises ConfigurationError with the rest of a sentence that names the value. ``is_ours``: unknown to
    the programs the format comes from, so a file that does not mention it leaves an event's value as it is.
    """

    field: str
    home: Place
    places: tuple[Place, ...]
    read: Callable[[str], Any]
    write: Callable[[Any], str]
    is_ours: bool = False
    is_list: bool = False
    is_left_out_when_empty: bool = False


def read_boolean(text: str) -> bool:
    folded = text.casefold()
    if folded in ("yes", "true", "on", "1"):
        return True
    if folded in ("no", "false", "off", "0"):
        return False
    raise ConfigurationError("is neither yes nor no")


def read_whole_number(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,12}", text):
        raise ConfigurationError("is not a whole number")
    return int(text)


def read_number(text: str) -> Decimal:
    try:
        if not re.fullmatch(r"[+-]?[0-9.]{1,20}", text):
            raise InvalidOperation
        return Decimal(text)
    except InvalidOperation as error:
        raise ConfigurationError("is not a number") from error


def read_duration(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except ConfigurationError as error:
        raise ConfigurationError("is not a duration above zero of the form H:MM:SS") from error


def read_delay(text: str) -> timedelta:
    """A duration that may be zero."""
    return timedelta(0) if re.fullmatch(r"0+:00(:00)?", text) else read_duration(text)


def read_zone(text: str) -> str:
    try:
        zone(text)
    except ConfigurationError as error:
        raise ConfigurationError("is not a time zone; use a name like Europe/Berlin") from error
    return text


def read_server(text: str) -> str:
    if not text:
        return ""
    try:
        return parse_server(text)
    except ConfigurationError as error:
        raise ConfigurationError("is not the address of a server") from error


def read_text(text: str) -> str:
    return text


def read_word(text: str) -> str:
    """One of a few words; which ones, the model knows."""
    return text.casefold()


def write_boolean(value: bool) -> str:
    return "yes" if value else "no"


def write_number(value: Any) -> str:
    """As few digits as it takes: ``1``, ``1.5``."""
    return f"{Decimal(str(value)).normalize():f}"


def write_server(server: str) -> str:
    """The address: plain http for addresses of private networks, where there are no certificates."""
    if not server:
        return ""
    host = server.rpartition(":")[0] if re.search(r":[0-9]+$", server.rpartition("]")[2]) else server
    try:
        is_private = ipaddress.ip_address(host.strip("[]")).is_private
    except ValueError:
        is_private = False
    return f"{'http' if is_private else 'https'}://{server}"


def _general(name: str, field: str, read: Any = read_text, write: Any = str, **more: Any) -> Option:
    """An option of the whole event: in the main section, or in any phase's."""
    home = (MAIN, name)
    return Option(field, home, (home, *((section, name) for section in PHASE_SECTIONS)), read, write, **more)


def _formerly_analyse(name: str, field: str, read: Any = read_text, write: Any = str) -> Option:
    """As ``_general``; older files give it under [analyse], and there it says otherwise than the main section."""
    places = [("analyse", name), (MAIN, name)]
    places += [(section, name) for section in PHASE_SECTIONS if section != "analyse"]
    return Option(field, (MAIN, name), tuple(places), read, write)


def _phase(
    section: str,
    name: str,
    field: str,
    read: Any = read_text,
    write: Any = str,
    *,
    also: tuple[str, ...] = (),
    elsewhere: tuple[Place, ...] = (),
    **more: Any,
) -> Option:
    """An option of one phase: in its section, else in the main one; ``also``: older names."""
    names = (name, *also)
    places = (*((section, n) for n in names), *elsewhere, *((MAIN, n) for n in names))
    return Option(field, (section, name), places, read, write, **more)


def _address(section: str, field: str, *, elsewhere: tuple[str, ...] = (), **more: Any) -> Option:
    """The address of a server; the one in [post] is another account's, not the event's home."""
    home = (section, "api_base_url")
    places = (home, *((other, "api_base_url") for other in elsewhere))
    return Option(field, home, places, read_server, write_server, **more)


def _username(section: str, field: str) -> Option:
    """Which account on that server, where several are known."""
    home = (section, "account")
    return Option(field, home, (home,), read_text, str, is_left_out_when_empty=True)


OPTIONS: tuple[Option, ...] = (
    _address(MAIN, "home_server", elsewhere=tuple(name for name in PHASE_SECTIONS if name != "post")),
    _username(MAIN, "home_username"),
    _formerly_analyse("botusername", "bot_username"),
    _general("hashtag", "hashtag"),
    _general("more_hashtags", "more_hashtags", is_ours=True, is_list=True),
    _general("excluded_hashtags", "excluded_hashtags", is_ours=True, is_list=True),
    _formerly_analyse("top_n", "top_n", read_whole_number),
    _formerly_analyse("timezone", "timezone", read_zone),
    _general("event_title", "event_title"),
    _general("episode_title", "episode_title"),
    _general("event_duration", "duration", read_duration, format_duration),
    _general("hours_margin", "hours_margin", read_number, write_number),
    _general("slug", "slug", is_ours=True),
    _general("series", "series_slug", is_ours=True),
    _general("published", "is_published", read_boolean, write_boolean, is_ours=True),
    _general("autoscore", "autoscore", read_boolean, write_boolean, is_ours=True),
    _general("autoscore_delay", "autoscore_delay", read_delay, format_duration, is_ours=True),
    _phase("fetch", "max", "max_toots", read_whole_number),
    _phase("fetch", "mode", "fetch_mode", read_word, is_ours=True),
    _phase("fetch", "dry_run", "fetch_dry_run", read_boolean, write_boolean),
    _phase("analyse", "consent", "consent", read_word, is_ours=True),
    _phase("analyse", "leave_out_bots", "leave_out_bots", read_boolean, write_boolean, is_ours=True),
    _phase("graph", "graph_title", "graph_title"),
    _phase("graph", "start_label", "start_label", also=("start_time",)),
    _phase("graph", "end_label", "end_label", also=("end_time",)),
    _phase("wordcloud", "graph_title", "wordcloud_title"),
    _phase("wordcloud", "font", "wordcloud_font", also=("fonts",), is_list=True),
    _phase("wordcloud", "size_x", "wordcloud_width", read_whole_number),
    _phase("wordcloud", "size_y", "wordcloud_height", read_whole_number),
    _phase("wordcloud", "hashtag_fix", "hashtag_fix", read_word),
    _phase("wordcloud", "stop_words", "stop_words", is_list=True),
    _phase("blog", "tags", "blog_tags", is_ours=True, is_list=True),
    _phase("blog", "categories", "blog_categories", is_ours=True, is_list=True),
    _address("post", "posting_server", is_left_out_when_empty=True),
    _username("post", "posting_username"),
    _phase("post", "dry_run", "post_dry_run", read_boolean, write_boolean),
    _phase("post", "visibility", "post_visibility", read_word, is_ours=True),
    _phase("post", "language", "post_language", is_ours=True),
    _phase("post", "content_warning", "post_content_warning", is_ours=True),
    _phase("post", "auto_approve", "post_auto_approve", read_boolean, write_boolean, is_ours=True),
    _phase("post", "allow_changes", "post_allow_changes", read_boolean, write_boolean, is_ours=True),
    _phase("post", "tag_users", "tag_users", read_boolean, write_boolean, elsewhere=(("analyse", "tag_users"),)),
)

START_PLACES: tuple[Place, ...] = tuple((section, name) for name in START_OPTIONS for section in KNOWN_SECTIONS)
BY_FIELD: dict[str, Option] = {option.field: option for option in OPTIONS}
PLACES: frozenset[Place] = frozenset({*START_PLACES, *(place for option in OPTIONS for place in option.places)})
LIST_PLACES: frozenset[Place] = frozenset(place for option in OPTIONS if option.is_list for place in option.places)
# Places where a value would speak louder than the one written at home, or which home itself is.
LOUD_PLACES: frozenset[Place] = frozenset(
    place for option in OPTIONS for place in option.places[: option.places.index(option.home) + 1]
) | frozenset((MAIN, name) for name in START_OPTIONS)

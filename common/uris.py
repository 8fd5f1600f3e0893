"""What names a toot across servers, and which addresses may stand in a link. Pure."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import quote

from common.servers import normalise_server
from common.text import clean_line

MAX_ADDRESS_CHARS = 1000
# Many servers show the same toots, so what was made of an address of usual length is remembered for a while.
_MOST_REMEMBERED = 4096
_REMEMBERED_CHARS = 300

_WEB_ADDRESS = re.compile(r"(https?)://([^/?#\s]+)([^\s]*)", re.IGNORECASE)
# RFC 4151; Mastodon named toots so until 2017: tag:mastodon.cloud,2017-04-14:objectId=625276:objectType=Status
_TAG_URI = re.compile(r"tag:([^,:/\s]+)(,[\d-]+:[^\s]+)", re.IGNORECASE)
_UNSAFE_IN_LINK = re.compile(r"""[<>"'`\\^{|}]""")
_MASTODON_PAGE = re.compile(r"/@([^/@?#]+)/(\d+)/?")
_USER_IN_URI = re.compile(r"/(?:users/|@|p/|u/)([^/@?#]+)(?:[/@]|$)")

find_server = lru_cache(maxsize=8192)(normalise_server)


def identify(uri: object) -> tuple[str, str] | None:
    """The one spelling of a toot's uri, and the server it names as the origin; None if it names none.

    The server is spelt as everywhere else (lower case, no default port, no trailing dot). A toot is the same under
    http and https, so a named host always gets ``https``; hosts that are IP addresses (loopback servers, which speak
    http) keep the scheme they were sent with. Path, query and fragment stay as they are.
    """
    if not isinstance(uri, str) or len(uri) > MAX_ADDRESS_CHARS:
        return None
    return _known_identity(uri) if len(uri) <= _REMEMBERED_CHARS else _identify(uri)


def _identify(uri: str) -> tuple[str, str] | None:
    text = clean_line(uri)
    if match := _WEB_ADDRESS.fullmatch(text):
        server = find_server(match[2].rpartition("@")[2])
        if server is None:
            return None
        scheme = match[1].lower() if _is_ip_address(server) else "https"
        spelt = f"{scheme}://{server}{match[3]}"
    elif match := _TAG_URI.fullmatch(text):
        server = find_server(match[1])
        spelt = f"tag:{server}{match[2]}"
    else:
        return None
    return (spelt, server) if server is not None and len(spelt) <= MAX_ADDRESS_CHARS else None


_known_identity = lru_cache(maxsize=_MOST_REMEMBERED)(_identify)


def identify_by_page(url: str) -> tuple[str, str] | None:
    """The same for a toot whose server sends no uri, by its page: of a Mastodon page the uri is known."""
    found = identify(url)
    if found is None:
        return None
    spelt, server = found
    base, path = spelt[: spelt.index(server) + len(server)], spelt[spelt.index(server) + len(server) :]
    if match := _MASTODON_PAGE.fullmatch(path):
        return f"{base}/users/{match[1]}/statuses/{match[2]}", server
    return found


def web_address(url: object) -> str:
    """An http(s) address fit for a link (no user, space, quote or bracket in it), or "" if it is none."""
    if not isinstance(url, str) or len(url) > MAX_ADDRESS_CHARS:
        return ""
    return _known_address(url) if len(url) <= _REMEMBERED_CHARS else _clean_address(url)


def _clean_address(url: str) -> str:
    text = clean_line(url)
    match = _WEB_ADDRESS.fullmatch(text)
    if match is None or find_server(match[2]) is None:
        return ""
    safe = _UNSAFE_IN_LINK.sub(lambda found: quote(found[0], safe=""), text)
    return safe if len(safe) <= MAX_ADDRESS_CHARS else ""


_known_address = lru_cache(maxsize=_MOST_REMEMBERED)(_clean_address)


def user_in_uri(uri: str) -> str:
    """The user that the usual forms of a uri name (``/users/NAME/...``, ``/@NAME/...``, ``/p/NAME/...``), or ""."""
    match = _WEB_ADDRESS.fullmatch(uri)
    found = _USER_IN_URI.match(match[3]) if match else None
    return "" if found is None or found[1].isdigit() else found[1]


def user_in_page(url: str) -> str:
    """The user whose profile page this is, by its last part (``/@NAME``, ``/users/NAME``, ``/NAME``), or ""."""
    match = _WEB_ADDRESS.fullmatch(url)
    path = re.split(r"[?#]", match[3])[0] if match else ""
    name = path.rstrip("/").rpartition("/")[2].removeprefix("@").partition("@")[0]
    return "" if name.isdigit() else name


def _is_ip_address(server: str) -> bool:
    # No name ends in digits, see normalise_server.
    return server.startswith("[") or server.partition(":")[0].rpartition(".")[2].isdigit()

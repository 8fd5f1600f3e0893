"""Requests as they go over the wire: address with its parameters, headers that may be sent, body.

What is plain goes out as it is. For all else ``requests`` knows how to spell it, and is imported only then: that
takes 40 ms of processor, in each process of a crawl.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from common.http_errors import InvalidAnswer
from common.http_targets import Target

# Page after page is asked for at the same address, so those of usual length are remembered for a while.
_MOST_REMEMBERED = 1024
_REMEMBERED_CHARS = 300
_PLAIN_ADDRESS = re.compile(r"https?://[a-z0-9][a-z0-9.:-]*/[A-Za-z0-9/._~-]*")
_PLAIN_NAME, _PLAIN_VALUE = re.compile(r"[A-Za-z][A-Za-z0-9-]*"), re.compile(r"[!-~][ -~]*")


@dataclass(frozen=True, slots=True)
class Prepared:
    """One request, ready to be sent to the server of ``url``."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: Any = None


def prepare(
    method: str,
    target: Target,
    headers: Mapping[str, str],
    *,
    params: Mapping[str, Any] | None = None,
    data: Any = None,
    files: Any = None,
) -> Prepared:
    """The request for a target; InvalidAnswer when it cannot be asked so. ``requests`` encodes bodies and files."""
    try:
        if method in ("GET", "HEAD") and data is None and files is None:
            _check_headers(headers)
            spell = _known_spelling if len(target.url) <= _REMEMBERED_CHARS else _spelt
            return Prepared(method, _with_params(spell(target.url), params), headers)
        from requests import Request

        request = Request(method, target.url, headers=headers, params=params, data=data, files=files).prepare()
        return Prepared(method, str(request.url), request.headers, request.body)
    except OSError as error:  # of which those of requests are made
        kind = type(error).__name__
    # Outside of the except block, as the cause quotes the header it dislikes, which may be the token.
    raise InvalidAnswer(
        f"cannot ask {target.server}: {kind}",
        server=target.server,
        user_message=f"{target.server} cannot be asked in this way.",
    )


def _check_headers(headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        if not (_PLAIN_NAME.fullmatch(name) and _PLAIN_VALUE.fullmatch(value)):
            from requests.utils import check_header_validity

            check_header_validity((name, value))


def _spelt(url: str) -> str:
    """The address as requests would send it: host as ``xn--``, quoted where needed."""
    if _PLAIN_ADDRESS.fullmatch(url):
        return url
    from requests import Request

    return str(Request("GET", url).prepare().url)


_known_spelling = lru_cache(maxsize=_MOST_REMEMBERED)(_spelt)


def _with_params(url: str, params: Mapping[str, Any] | None) -> str:
    given = {name: value for name, value in (params or {}).items() if value is not None}
    if not given:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(given, doseq=True)}"

"""Requests as they go over the wire: address with its parameters, headers that may be sent, body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

import requests
from requests.utils import check_header_validity

from common.http_errors import InvalidAnswer
from common.http_targets import Target

# Page after page is asked for at the same address, so those of usual length are remembered for a while.
_MOST_REMEMBERED = 1024
_REMEMBERED_CHARS = 300


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
            for header in headers.items():
                check_header_validity(header)
            spell = _known_spelling if len(target.url) <= _REMEMBERED_CHARS else _spelt
            return Prepared(method, _with_params(spell(target.url), params), headers)
        request = requests.Request(
            method, target.url, headers=headers, params=params, data=data, files=files
        ).prepare()
        return Prepared(method, str(request.url), request.headers, request.body)
    except requests.RequestException as error:
        kind = type(error).__name__
    # Outside of the except block, as the cause quotes the header it dislikes, which may be the token.
    raise InvalidAnswer(
        f"cannot ask {target.server}: {kind}",
        server=target.server,
        user_message=f"{target.server} cannot be asked in this way.",
    )


def _spelt(url: str) -> str:
    """The address as requests would send it: host as ``xn--``, quoted where needed."""
    return str(requests.Request("GET", url).prepare().url)


_known_spelling = lru_cache(maxsize=_MOST_REMEMBERED)(_spelt)


def _with_params(url: str, params: Mapping[str, Any] | None) -> str:
    given = {name: value for name, value in (params or {}).items() if value is not None}
    if not given:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode(given, doseq=True)}"

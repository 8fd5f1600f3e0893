"""JSON of strangers: fast where it is right, forgiving where only a string in it is broken. Pure."""

from __future__ import annotations

import json
from typing import Any

import orjson


class NotJson(ValueError):
    """The bytes are no JSON at all."""


def read_json(body: bytes) -> Any:
    """The value; NotJson if there is none or it nests deeper than Python can follow.

    One half of a surrogate pair or one wrong byte in one string would make orjson refuse the whole page, so a second
    reader has a look at what it refuses.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass  # the forgiving way below
    try:
        return json.loads(body.decode("utf-8-sig", "replace"))
    except RecursionError:
        raise NotJson("nested too deeply") from None
    except ValueError:
        raise NotJson("empty" if not body.strip() else "not JSON") from None

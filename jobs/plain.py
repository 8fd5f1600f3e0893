"""Values as the database can keep them in a JSON column."""

from __future__ import annotations

import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder


def plain_json(value: Any) -> Any:
    """The value as plain JSON types; dates as ISO 8601.

    PostgreSQL refuses zero characters and lone surrogates, which servers do send: the former are dropped, the latter
    become ``?``. Raises TypeError or ValueError for what JSON cannot hold (sets, NaN).
    """
    return _clean(json.loads(json.dumps(value, cls=DjangoJSONEncoder, allow_nan=False)))


def plain_text(text: str) -> str:
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return plain_text(value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {plain_text(key): _clean(item) for key, item in value.items()}
    return value

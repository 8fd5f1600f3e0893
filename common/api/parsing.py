"""Input of strangers: JSON and forms that no database, encoder or stack can choke on.

Not JSON, too deep, or a number beyond 64 bits: 400. A null character or half a surrogate pair in a text: 422.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from typing import IO, Any

from django.http import QueryDict
from django.utils.http import parse_header_parameters
from rest_framework import parsers
from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.request import Request

from common.api.problems import NO_FIELD, Problem, invalid

MAX_DEPTH = 32
MAX_INTEGER = 2**63 - 1

_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_NOT_TEXT = "Null characters and halves of surrogate pairs are not allowed."
_NUMBER_TOO_LARGE = "The body holds a number that is too large."


class StrictJsonParser(parsers.JSONParser):
    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> Any:
        _check_charset(media_type)
        value = _load(stream.read())
        check_texts(_walk(value))
        return value


class StrictFormParser(parsers.FormParser):
    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> Any:
        _check_charset(media_type)
        form = super().parse(stream, media_type, parser_context)
        check_query(form)
        return form


class StrictMultiPartParser(parsers.MultiPartParser):
    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> Any:
        _check_charset(media_type)
        parsed = super().parse(stream, media_type, parser_context)
        check_query(parsed.data)
        return parsed


def json_object(request: Request) -> dict[str, Any]:
    """The body as a dict, also when it came as a form; Problem 400 when it is JSON of another kind."""
    if isinstance(request.data, QueryDict):
        return request.data.dict()
    if not isinstance(request.data, dict):
        raise Problem(400, "The body must be a JSON object.")
    return request.data


def check_query(query: QueryDict) -> None:
    """Problem 422 when a parameter or form field holds what is no text."""
    check_texts((name, text) for name, texts in query.lists() for text in (name, *texts) if isinstance(text, str))


def check_texts(texts: Iterable[tuple[str, str]]) -> None:
    """``texts``: (where it stands, the text)."""
    for field, text in texts:
        if not is_text(text):
            raise invalid(field if field and is_text(field) else NO_FIELD, _NOT_TEXT)


def is_text(text: str) -> bool:
    """Whether every database and every encoder takes it."""
    return not _NO_TEXT.search(text)


def _load(body: bytes) -> Any:
    try:
        return json.loads(
            body.decode("utf-8-sig"),
            parse_int=_read_integer,
            parse_float=_read_float,
            parse_constant=_refuse_constant,
        )
    except RecursionError:
        raise ParseError("The body is nested too deeply.") from None
    except ValueError:  # UnicodeDecodeError is one
        raise ParseError("The body is not valid JSON.") from None


def _read_integer(digits: str) -> int:
    if len(digits) > 20 or abs(number := int(digits)) > MAX_INTEGER:
        raise ParseError(_NUMBER_TOO_LARGE)
    return number


def _read_float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ParseError(_NUMBER_TOO_LARGE)
    return number


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _walk(value: Any) -> Iterator[tuple[str, str]]:
    """Every text in the value with the path to it (``toots.0.text``), keys too. ParseError below ``MAX_DEPTH``."""
    waiting: list[tuple[str, int, Any]] = [("", 0, value)]
    while waiting:
        path, depth, item = waiting.pop()
        if depth > MAX_DEPTH:
            raise ParseError("The body is nested too deeply.")
        if isinstance(item, str):
            yield path, item
        elif isinstance(item, dict):
            yield from ((path, key) for key in item)
            waiting.extend((f"{path}.{key}".lstrip("."), depth + 1, below) for key, below in item.items())
        elif isinstance(item, list):
            waiting.extend((f"{path}.{place}".lstrip("."), depth + 1, below) for place, below in enumerate(item))


def _check_charset(media_type: str | None) -> None:
    """JSON is UTF-8 (RFC 8259), and so are our forms; a codec by any other name is not even looked up."""
    _, parameters = parse_header_parameters(media_type or "")
    if parameters.get("charset", "utf-8").lower() not in ("utf-8", "utf8", "us-ascii", "ascii"):
        raise UnsupportedMediaType(media_type or "")

"""What apps send: fields in the address, in a form, or some in each; the same field many times."""

from __future__ import annotations

from typing import IO, Any
from urllib.parse import parse_qsl

from django.http import QueryDict
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from common.api.parsing import check_query
from common.api.problems import Problem

MAX_FIELDS = 10_100


class LongFormParser(BaseParser):
    """A form with thousands of fields: apps name every post that they mean. The site bounds the bytes."""

    media_type = "application/x-www-form-urlencoded"

    def parse(self, stream: IO[Any], media_type: str | None = None, parser_context: Any = None) -> QueryDict:
        body: bytes = stream.read()
        try:
            pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=MAX_FIELDS)
        except UnicodeDecodeError:
            raise ParseError("The form is not UTF-8.") from None
        except ValueError:
            raise Problem(413, f"The form is too long: at most {MAX_FIELDS} fields are read.") from None
        form = QueryDict(mutable=True)
        for name, value in pairs:
            form.appendlist(name, value)
        check_query(form)
        return form


class Asked:
    """The fields of a call, wherever they stand; those of the form come first."""

    def __init__(self, request: Request) -> None:
        form = request.data if isinstance(request.data, QueryDict) else QueryDict()
        self._parts = (form, request.query_params)

    def __contains__(self, name: str) -> bool:
        return any(name in part for part in self._parts)

    def all(self, name: str) -> list[str]:
        return [value for part in self._parts for value in part.getlist(name)]

    def one(self, name: str, default: str = "") -> str:
        """The first that is not empty, trimmed."""
        return next((value.strip() for value in self.all(name) if value.strip()), default)

    def whole(self, name: str, default: int) -> int:
        """A number from zero; Problem 400 if it is none."""
        text = self.one(name)
        if not text:
            return default
        if not (text.isascii() and text.isdigit() and len(text) <= 18):
            raise Problem(400, f"{name} must be a whole number from zero.")
        return int(text)

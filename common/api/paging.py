"""Lists in pages: never more than a bound, links that keep the rest of the query, one envelope.

``{"data": […], "links": {…}, "meta": {…}}``
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.db.models import Field, Model, Q, QuerySet
from django.template import loader
from django.utils.encoding import force_str
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from common.api.parsing import MAX_INTEGER, is_text
from common.api.problems import invalid

_WHOLE_NUMBER = "This must be a whole number above zero."


def read_positive(request: Request, name: str, default: int) -> int:
    """The parameter as a number above zero; Problem 422 if it is none."""
    text = request.query_params.get(name)
    if text is None or text == "":
        return default
    if not (text.isascii() and text.isdigit() and len(text) <= 18 and int(text) > 0):
        raise invalid(name, _WHOLE_NUMBER)
    return int(text)


class NumberedPages(BasePagination):
    """``?page=2&per_page=50``. A page beyond the last is empty."""

    page_size = 50
    max_page_size = 200
    display_page_controls = False
    template = "rest_framework/pagination/previous_and_next.html"

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.request = request
        self.number = read_positive(request, "page", 1)
        self.size = min(read_positive(request, "per_page", self.page_size), self.max_page_size)
        self.total = queryset.count() if isinstance(queryset, QuerySet) else len(queryset)
        self.last = max(1, -(-self.total // self.size))
        first = (self.number - 1) * self.size
        self.rows = list(queryset[first : first + self.size]) if self.number <= self.last else []
        self.display_page_controls = self.last > 1
        return self.rows

    def get_paginated_response(self, data: Any) -> Response:
        first = (self.number - 1) * self.size + 1
        links = {
            "first": self._link(1),
            "last": self._link(self.last),
            "prev": self._link(min(self.number - 1, self.last)) if self.number > 1 else None,
            "next": self._link(self.number + 1) if self.number < self.last else None,
        }
        meta = {
            "current_page": self.number,
            "from": first if self.rows else None,
            "last_page": self.last,
            "per_page": self.size,
            "to": first + len(self.rows) - 1 if self.rows else None,
            "total": self.total,
        }
        return Response({"data": data, "links": links, "meta": meta})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        count = {"type": "integer", "minimum": 0}
        place = {"type": ["integer", "null"], "minimum": 1}
        links = _object({"first": link, "last": link, "prev": link, "next": link})
        meta = _object(
            {"current_page": count, "from": place, "last_page": count, "per_page": count, "to": place, "total": count}
        )
        return _object({"data": schema, "links": links, "meta": meta})

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            _parameter("page", "Which page, from 1. Beyond the last one the list is empty."),
            _size_parameter(self.page_size, self.max_page_size),
        ]

    def get_results(self, data: Any) -> Any:
        return data["data"]

    def to_html(self) -> str:
        return _controls(
            self.template,
            self._link(self.number - 1) if self.number > 1 else None,
            self._link(self.number + 1) if self.number < self.last else None,
        )

    def _link(self, number: int) -> str:
        return force_str(replace_query_param(self.request.build_absolute_uri(), "page", number))


class LargePages(NumberedPages):
    """For short lists whose clients never turn a page."""

    page_size = 500
    max_page_size = 500


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: behind the row with these values, or before it."""

    value: Any
    pk: int
    is_backward: bool

    def encode(self) -> str:
        value = self.value.isoformat() if hasattr(self.value, "isoformat") else str(self.value)
        text = json.dumps(["p" if self.is_backward else "n", value, self.pk])
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, field: Field[Any, Any]) -> Self:
        """Problem 422 for anything that ``encode`` did not make for a list in this order."""
        try:
            padded = text.encode("ascii") + b"=" * (-len(text) % 4)
            direction, value, pk = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
            is_sane = direction in ("n", "p") and type(pk) is int and 0 <= pk <= MAX_INTEGER
            if not (is_sane and isinstance(value, str) and is_text(value)):
                raise ValueError("not one of our cursors")
            return cls(field.to_python(value), pk, direction == "p")
        except (ValueError, TypeError, ValidationError, RecursionError, binascii.Error) as error:
            raise invalid("cursor", "This is not a cursor of this list.") from error


class CursorPages(BasePagination):
    """``?cursor=…&per_page=100`` for lists of any length: no count, no offset, nothing twice or left out.

    The order is that of the queryset: its first field, then the primary key in the same direction. That field must
    be one of the model that is never null, and should have an index.
    """

    page_size = 100
    max_page_size = 1000
    display_page_controls = False
    template = "rest_framework/pagination/previous_and_next.html"

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        self.request = request
        self.size = min(read_positive(request, "per_page", self.page_size), self.max_page_size)
        self.field, is_descending = _order_of(queryset)
        cursor = request.query_params.get("cursor", "")
        self.place = Place.decode(cursor, self.field) if cursor else None
        is_backward = self.place is not None and self.place.is_backward
        rows = self.find_rows(queryset, is_descending=is_descending != is_backward)
        has_more = len(rows) > self.size
        rows = rows[: self.size]
        self.rows = rows[::-1] if is_backward else rows
        self.has_previous = has_more if is_backward else self.place is not None
        self.has_next = is_backward or has_more
        self.display_page_controls = self.has_previous or self.has_next
        return self.rows

    def get_paginated_response(self, data: Any) -> Response:
        links = {"prev": self._previous(), "next": self._next()}
        return Response({"data": data, "links": links, "meta": {"per_page": self.size}})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        meta = _object({"per_page": {"type": "integer", "minimum": 1}})
        return _object({"data": schema, "links": _object({"prev": link, "next": link}), "meta": meta})

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        cursor = _parameter("cursor", "Where to go on: from `links.next` or `links.prev` of a page.", "string")
        return [cursor, _size_parameter(self.page_size, self.max_page_size)]

    def get_results(self, data: Any) -> Any:
        return data["data"]

    def to_html(self) -> str:
        return _controls(self.template, self._previous(), self._next())

    def find_rows(self, queryset: QuerySet[Any], *, is_descending: bool) -> list[Any]:
        """One row more than the page holds, if there is one."""
        return list(self.beyond_cursor(queryset, is_descending=is_descending)[: self.size + 1])

    def beyond_cursor(self, queryset: QuerySet[Any], *, is_descending: bool) -> QuerySet[Any]:
        """The rows from the cursor on, in order."""
        place = self.place
        name, sign, beyond = self.field.name, "-" if is_descending else "", "lt" if is_descending else "gt"
        if place is not None:
            # The first condition alone would do; it is there because an index can be used for it.
            reached = Q(**{f"{name}__{beyond}e": place.value})
            after = Q(**{f"{name}__{beyond}": place.value}) | Q(**{name: place.value, f"pk__{beyond}": place.pk})
            queryset = queryset.filter(reached & after)
        return queryset.order_by(f"{sign}{name}", f"{sign}pk")

    def _previous(self) -> str | None:
        if not self.has_previous:
            return None
        return self._link(self.rows[0], is_backward=True) if self.rows else self._without_cursor()

    def _next(self) -> str | None:
        if not self.has_next:
            return None
        return self._link(self.rows[-1], is_backward=False) if self.rows else self._without_cursor()

    def _link(self, row: Model, *, is_backward: bool) -> str:
        place = Place(getattr(row, self.field.attname), row.pk, is_backward)
        address = self.request.build_absolute_uri()
        return force_str(replace_query_param(address, "cursor", place.encode()))

    def _without_cursor(self) -> str:
        """The way out of an empty page: to the beginning."""
        return force_str(remove_query_param(self.request.build_absolute_uri(), "cursor"))


def _order_of(queryset: QuerySet[Any]) -> tuple[Field[Any, Any], bool]:
    """The model's field that the list is ordered by, and whether it goes down."""
    options = queryset.model._meta
    given = [*queryset.query.order_by, *(options.ordering or ()), "pk"][0]
    name = str(given).lstrip("-")
    field = options.pk if name == "pk" else options.get_field(name)
    return field, str(given).startswith("-")


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": list(properties), "properties": properties}


def _parameter(name: str, description: str, kind: str = "integer") -> dict[str, Any]:
    schema: dict[str, Any] = {"type": kind}
    if kind == "integer":
        schema.update(minimum=1, maximum=10**18 - 1)
    return {"name": name, "required": False, "in": "query", "description": description, "schema": schema}


def _size_parameter(usual: int, most: int) -> dict[str, Any]:
    parameter = _parameter("per_page", f"Rows on a page, at most {most}; more are cut down to that.")
    parameter["schema"]["default"] = usual
    return parameter


def _controls(template: str, previous: str | None, following: str | None) -> str:
    return loader.get_template(template).render({"previous_url": previous, "next_url": following})

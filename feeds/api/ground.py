"""What the views of the reader share: the user's rows by number, envelopes, pages."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.paging import LargePages, NumberedPages
from common.api.problems import Problem
from common.api.views import ApiViewSet

Row = TypeVar("Row", bound=Model)


class PostPages(NumberedPages):
    page_size = 15
    max_page_size = 200


class ReaderViewSet(ApiViewSet):
    """Everything is the user's own; another's number is as unknown as one that never was."""

    pagination_class: type[NumberedPages] = LargePages
    filter_backends: list[Any] = []
    lookup_value_regex = "[^/]+"


def find_own(rows: QuerySet[Row], user: Any, number: str | int) -> Row:
    """The user's row of that number; else 404 in the words that clients know."""
    text = str(number)
    found = None
    if text.isascii() and text.isdigit() and len(text) <= 18:
        found = rows.filter(user=user, pk=int(text)).first()
    if found is None:
        raise Problem(404, f"No query results for model [App\\Models\\{rows.model.__name__}] {text[:50]}")
    return found


def own_or_none(rows: QuerySet[Row], user: Any, number: int | None) -> Row | None:
    return None if number is None else rows.filter(user=user, pk=number).first()


def said(message: str, data: Any = None, *, status: int = 200) -> Response:
    """``{"message", "data"}``; without ``data`` when it is None."""
    return Response({"message": message, **({} if data is None else {"data": data})}, status=status)


def user_of(request: Request) -> Any:
    """Whoever calls is signed in: the access of every view here says so."""
    return request.user

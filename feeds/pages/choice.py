"""Which posts a list shows, as its address says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from django.urls import reverse

from feeds.posts import PostFilter

MAX_QUERY_CHARS = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
SHOWN = {"unread": False, "all": None, "read": True}


@dataclass(frozen=True, slots=True)
class Place:
    """A post's place in time; lists go on behind it. In an address: ``microseconds-id``."""

    posted_at: datetime
    pk: int

    def __str__(self) -> str:
        return f"{(self.posted_at - _EPOCH) // _MICROSECOND}-{self.pk}"

    @classmethod
    def parse(cls, text: str) -> Place | None:
        moment, _, number = text.partition("-")
        pk = read_number(number)
        if pk is None or not (moment.isascii() and moment.isdigit() and len(moment) <= 17):
            return None
        try:
            return cls(_EPOCH + int(moment) * _MICROSECOND, pk)
        except OverflowError:
            return None


@dataclass(frozen=True, slots=True)
class Choice:
    """``show`` is unread, read or all; empty: unread, and everything when there are words to search for."""

    source_id: int | None = None
    category_id: int | None = None
    show: str = ""
    words: str = ""

    @classmethod
    def parse(cls, values: Mapping[str, str]) -> Choice:
        """Whatever makes no sense is left out."""
        show = values.get("show", "")
        return cls(
            source_id=read_number(values.get("source", "")),
            category_id=read_number(values.get("category", "")),
            show=show if show in SHOWN else "",
            words=" ".join(values.get("q", "").replace("\0", "").split())[:MAX_QUERY_CHARS],
        )

    @property
    def shown(self) -> str:
        return self.show or ("all" if self.words else "unread")

    def showing(self, show: str) -> Choice:
        """The same with other read marks; what is shown anyway is not said."""
        usual = "all" if self.words else "unread"
        return replace(self, show="" if show == usual else show)

    def as_filter(self) -> PostFilter:
        return PostFilter(
            source_id=self.source_id, category_id=self.category_id, is_read=SHOWN[self.shown], search=self.words
        )

    def query(self, **more: object) -> str:
        """With the question mark, or empty."""
        values = {"source": self.source_id, "category": self.category_id, "show": self.show, "q": self.words, **more}
        text = urlencode({name: value for name, value in values.items() if value})
        return f"?{text}" if text else ""

    def list_href(self, **more: object) -> str:
        return reverse("reader") + self.query(**more)


def read_number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None

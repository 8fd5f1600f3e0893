"""Further parts of the benchmark. One joins by a row in ``MORE`` and figures that have the shape of ``PartFigures``.

Table, JSON, aims and mistakes of the run take it in from there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from tests.bench.aims import Aim
from tests.bench.api import measure_api
from tests.bench.feeds import measure_feeds
from tests.bench.installation import Workshop
from tests.bench.reader import measure_reader

if TYPE_CHECKING:
    from tests.bench.options import Options


class PartFigures(Protocol):
    """``mistakes``: sentences; any fails the run. ``rows``: label and text, below ``title`` in the table."""

    @property
    def title(self) -> str: ...

    @property
    def mistakes(self) -> Sequence[str]: ...

    def rows(self) -> Sequence[tuple[str, str]]: ...

    def aims(self) -> Sequence[Aim]: ...

    def as_dict(self) -> dict[str, Any]: ...


MORE: dict[str, Callable[[Options, Workshop], PartFigures]] = {
    "api": lambda options, workshop: measure_api(
        options.api_events, options.api_toots, workshop, calls=options.api_calls
    ),
    "feeds": lambda options, workshop: measure_feeds(options.feeds, workshop),
    "reader": lambda options, workshop: measure_reader(options.reader_posts, options.reader_calls, workshop),
}

"""How a crawl goes about it, as the settings say."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from pipeline.crawl.meter import Caps
from pipeline.crawl.walker import Manners


@dataclass(frozen=True, slots=True)
class Terms:
    """``home_token`` goes to the home server and to nobody else. ``helpers``: most other workers to be asked in.

    ``threads``: servers asked at a time. ``outposts``: processes that walk most of them, once there are many.
    """

    threads: int
    max_servers: int
    manners: Manners
    caps: Caps
    home_token: str = ""
    helpers: int = 0
    outposts: int = 0


def terms_from_settings(manners: Manners | None = None, *, home_token: str = "", has_help: bool = False) -> Terms:
    """The site's terms; ``manners`` replace those of the settings."""
    return Terms(
        threads=settings.MASTOSCORE_FETCH_THREADS,
        max_servers=settings.MASTOSCORE_MAX_SERVERS,
        manners=manners or Manners(retry_pauses=tuple(settings.MASTOSCORE_RETRY_PAUSES)),
        caps=caps_from_settings(),
        home_token=home_token,
        helpers=settings.MASTOSCORE_FETCH_HELPERS if has_help else 0,
        outposts=settings.MASTOSCORE_FETCH_PROCESSES,
    )


def caps_from_settings() -> Caps:
    return Caps(
        server_requests=settings.MASTOSCORE_MAX_REQUESTS_PER_SERVER,
        server_bytes=settings.MASTOSCORE_MAX_MB_PER_SERVER * 1_000_000,
        crawl_requests=settings.MASTOSCORE_MAX_REQUESTS,
        crawl_bytes=settings.MASTOSCORE_MAX_MB * 1_000_000,
    )

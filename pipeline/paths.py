"""Every name under the data folder, one function each. Names are part of the contract with users' own scripts."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from common.files import safe_name
from events.models import Event


def data_dir() -> Path:
    return Path(settings.DATA_DIR)


def event_dir(event: Event) -> Path:
    """``data/YYYY/MM/DD`` of the event's local date."""
    return data_dir() / f"{event.local_date:%Y}" / f"{event.local_date:%m}" / f"{event.local_date:%d}"


def journal(event: Event, server: str) -> Path:
    return event_dir(event) / f"{_hashtag(event)}-{safe_name(server)}.json"


def fetch_report(event: Event) -> Path:
    return event_dir(event) / f"data-{_hashtag(event)}-fetch.json"


def analysis(event: Event) -> Path:
    return event_dir(event) / f"data-{_hashtag(event)}-analysis.json"


def posts(event: Event) -> Path:
    return event_dir(event) / f"data-{_hashtag(event)}-posts.json"


def graph(event: Event, variant: str = "", suffix: str = "png") -> Path:
    """``<hashtag>-YYYYMMDD.png``; ``variant`` ``dark`` stands before the suffix."""
    return event_dir(event) / f"{_hashtag(event)}-{event.local_date:%Y%m%d}{_variant(variant)}.{suffix}"


def wordcloud(event: Event, variant: str = "", suffix: str = "png") -> Path:
    """``wordcloud-<hashtag>-YYYYMMDD-<hashtag_fix>.png``."""
    stem = f"wordcloud-{_hashtag(event)}-{event.local_date:%Y%m%d}-{safe_name(event.hashtag_fix)}"
    return event_dir(event) / f"{stem}{_variant(variant)}.{suffix}"


def blog_page(event: Event) -> Path:
    """``index.md``; with the hashtag in its name when an older event has the same day."""
    return event_dir(event) / f"index{_second_of_day(event)}.md"


def poster(event: Event) -> Path:
    """``thumb.jpg``; with the hashtag in its name when an older event has the same day."""
    return event_dir(event) / f"thumb{_second_of_day(event)}.jpg"


def below_data(path: Path) -> str:
    """The path as kept in the database: below the data folder, with forward slashes."""
    return path.relative_to(data_dir()).as_posix()


def _hashtag(event: Event) -> str:
    return safe_name(event.hashtag)


def _second_of_day(event: Event) -> str:
    """Names without a hashtag belong to the first event of a day, so that two never overwrite each other's files."""
    older = Event.objects.filter(local_date=event.local_date, pk__lt=event.pk) if event.pk else Event.objects.none()
    return f"-{_hashtag(event)}" if older.exists() else ""


def _variant(variant: str) -> str:
    return f"-{variant}" if variant else ""

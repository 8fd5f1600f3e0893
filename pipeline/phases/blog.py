"""Numbers and pictures -> the blog page, in the data folder and, if asked, in the Hugo site."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings

from common.errors import ConfigurationError
from common.files import safe_name, write_bytes, write_text
from common.times import format_duration, now_utc, zone
from events.models import Event
from pipeline import paths
from pipeline.artifacts import find_artifact, remember_file
from pipeline.core.blog import PageFacts, PagePicture, split_words, unique_words, write_page
from pipeline.core.method import describe_method
from pipeline.core.toml import Value
from pipeline.method_facts import load_method_facts
from pipeline.models import Artifact, ThreadToot
from pipeline.results_page import busiest_minute
from pipeline.shown import Shown, load_shown

if TYPE_CHECKING:
    from jobs.context import JobContext

_PICTURES = ("graph", "wordcloud", "poster")


def run(ctx: JobContext) -> dict[str, Any]:
    """``tags``: a list of more tags; ``copy_files``: put page and pictures into the Hugo site as well."""
    event = ctx.event
    tags = _read_tags(ctx.params.get("tags"))
    bundle = find_bundle(event) if ctx.params.get("copy_files") else None
    shown = load_shown(ctx)
    ctx.check_cancelled()
    pictures = {kind: find_artifact(event, kind) for kind in _PICTURES}
    text = write_page(read_page_facts(event, shown, pictures, tags))
    before = find_artifact(event, "page")
    copied_before = before.parameters.get("copied", []) if before is not None else []
    ctx.check_cancelled()
    written = write_text(paths.blog_page(event), text)
    copied = copied_before
    if bundle is not None:
        copied = copy_bundle(bundle, text, [picture for picture in pictures.values() if picture], copied_before)
    page = remember_file(event, "page", written, parameters={"tags": tags, "copied": copied})
    ctx.say(f"Wrote {written.path.name}" + (f" and copied it with {len(copied) - 1} pictures." if bundle else "."))
    return {
        "copied": [f"{event.slug}/{name}" for name in copied] if bundle else [],
        "tags": list(unique_words([event.hashtag, *split_words(event.blog_tags), *tags])),
        "files": [page.path],
    }


def find_bundle(event: Event) -> Path:
    """The event's folder in the Hugo site; ConfigurationError when there is no site to copy to."""
    if not settings.MASTOSCORE_BLOG_DIR:
        raise ConfigurationError(
            "No folder of a Hugo site is configured to copy the page to; set MASTOSCORE_BLOG_DIR."
        )
    site = Path(settings.MASTOSCORE_BLOG_DIR).expanduser()
    if not site.is_dir():
        raise ConfigurationError(
            f"{site} is no folder", user_message="The folder named by MASTOSCORE_BLOG_DIR does not exist."
        )
    if safe_name(event.slug) != event.slug:
        raise ConfigurationError(f"“{event.slug}” cannot be the name of a folder.")
    return site / event.slug


def copy_bundle(bundle: Path, text: str, pictures: Iterable[Artifact], copied_before: Iterable[str]) -> list[str]:
    """Write the page bundle, the page last; remove what an earlier run copied and this one did not. Names copied."""
    names = []
    for picture in pictures:
        source = paths.data_dir() / picture.path
        names.append(write_bytes(bundle / source.name, source.read_bytes()).path.name)
    names.append(write_text(bundle / "index.md", text).path.name)
    for stale in {str(name) for name in copied_before} - set(names):
        if safe_name(stale) == stale:
            (bundle / stale).unlink(missing_ok=True)
    return names


def read_page_facts(
    event: Event, shown: Shown, pictures: dict[str, Artifact | None], tags: Iterable[str] = ()
) -> PageFacts:
    results = shown.results
    sent = event.thread.filter(state=ThreadToot.State.SENT).exclude(url="").order_by("position")
    return PageFacts(
        title=event.title,
        date=min(event.start, now_utc()).astimezone(zone(event.timezone)),
        zone=zone(event.timezone),
        is_draft=False,
        tags=unique_words([event.hashtag, *split_words(event.blog_tags), *tags]),
        categories=unique_words(split_words(event.blog_categories)),
        params=_numbers(event, results),
        summary=(str(results["num_toots"]),),
        rankings=shown.rankings,
        most_active=shown.most_active,
        method=tuple(describe_method(load_method_facts(event, results))),
        thread=tuple(sent.values_list("url", flat=True)),
        graph=_picture(pictures["graph"]),
        wordcloud=_picture(pictures["wordcloud"]),
        poster=_picture(pictures["poster"]),
    )


def _numbers(event: Event, results: dict[str, Any]) -> dict[str, Value]:
    """The event's numbers for the site's templates; what is not known is not there."""
    busiest = busiest_minute(results)
    numbers: dict[str, Value | None] = {
        "slug": event.slug,
        "hashtag": event.hashtag,
        "event": event.event_title,
        "episode": event.episode_title or None,
        "start": event.local_start,
        "duration": format_duration(event.duration),
        "timezone": event.timezone,
        "toots": results["total_toots"],
        "toots_during": results["toots_during"],
        "authors": results["unique_ids"],
        "first_timers": results["first_timers"],
        "servers": results["total_servers"],
        "boosts": results["boosts"],
        "favourites": results["favourites"],
        "replies": results["replies"],
        "media": results["media"],
        "busiest_minute": busiest[0].astimezone(zone(event.timezone)) if busiest else None,
        "busiest_minute_toots": busiest[1] if busiest else None,
        "left_out_authors": results["left_out"]["authors"],
        "generated": results["generated"],
    }
    return {name: value for name, value in numbers.items() if value is not None}


def _picture(artifact: Artifact | None) -> PagePicture | None:
    return PagePicture(Path(artifact.path).name, artifact.description) if artifact is not None else None


def _read_tags(value: Any) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(tag, str) and len(tag) <= 100 for tag in value):
        raise ConfigurationError("Tags are a list of words of at most 100 characters.")
    return list(unique_words(value))

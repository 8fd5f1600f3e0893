"""An event with toots, servers, numbers and files, made through the real analysis on rows of our own."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from common.files import write_bytes, write_json, write_text
from events.models import Event
from jobs.context import JobContext
from pipeline import paths
from pipeline.artifacts import remember_file
from pipeline.models import Crawl, ThreadToot, Toot, Visit
from pipeline.phases.analyse import load_current_analysis

PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)


def add_toot(event: Event, number: int, **values: Any) -> Toot:
    author = values.get("author_handle", f"user{number}@origin.example")
    defaults: dict[str, Any] = {
        "uri": f"https://origin.example/users/u/statuses/{number}",
        "url": f"https://origin.example/@u/{number}",
        "origin": "origin.example",
        "author_handle": author,
        "author_name": f"User {number}",
        "author_url": f"https://origin.example/@user{number}",
        "created_at": event.start + timedelta(minutes=number % 80),
        "text": f"Toot number {number} #monsterdon",
        "language": "en",
        "boosts": number,
        "favourites": 2 * number,
        "replies": number % 3,
        "is_authoritative": True,
    }
    return Toot.objects.create(event=event, **{**defaults, **values})


def add_crawl(event: Event, outcomes: dict[str, str]) -> Crawl:
    """A finished crawl; ``outcomes`` by server."""
    crawl = Crawl.objects.create(
        event=event,
        state=Crawl.State.COMPLETE,
        home_server="home.example",
        hashtag=event.hashtag,
        window_start=event.window.start,
        window_end=event.window.end,
        max_toots=2000,
        finished_at=event.window.end,
    )
    for server, outcome in outcomes.items():
        state = Visit.State.DONE if outcome == Visit.Outcome.COMPLETE else Visit.State.FAILED
        Visit.objects.create(
            crawl=crawl, server=server, outcome=outcome, state=state, requests=3, received_bytes=2048, seconds=1.5
        )
    return crawl


def analyse(event: Event) -> dict[str, Any]:
    return load_current_analysis(JobContext.detached("analyse", event=event)).results


def add_pictures(event: Event) -> None:
    for kind, path in (("graph", paths.graph(event)), ("graph-dark", paths.graph(event, "dark"))):
        remember_file(event, kind, write_bytes(path, PIXEL), description=f"{kind} in words")
    remember_file(event, "wordcloud", write_bytes(paths.wordcloud(event), PIXEL), description="words in words")
    remember_file(event, "graph-text", write_text(paths.graph(event, suffix="txt"), "in words"))
    remember_file(event, "page", write_text(paths.blog_page(event), "+++\n+++\n"))
    remember_file(event, "journal", write_json(paths.journal(event, "home.example"), []))


def add_thread(event: Event, size: int = 2) -> list[ThreadToot]:
    return [
        ThreadToot.objects.create(event=event, position=position, role="opening", text=f"Part {position} of it")
        for position in range(size)
    ]


def make_scored(event: Event, *, toots: int = 8) -> Event:
    """Everything at once; the event is read anew, as a request would."""
    for number in range(1, toots + 1):
        add_toot(event, number)
    add_crawl(event, {"home.example": "complete", "closed.example": "refused", "slow.example": "timed_out"})
    analyse(event)
    add_pictures(event)
    add_thread(event)
    return Event.objects.get(pk=event.pk)

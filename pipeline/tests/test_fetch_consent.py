"""Wishes of authors, from the profile as a server shows it to what may be shown of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from events.models import Event, OptOut
from jobs.context import JobContext
from pipeline import paths
from pipeline.models import Toot
from pipeline.phases import analyse, blog
from pipeline.tests.fetch_help import allow, event_at_noon, run_fetch
from pipeline.toots import iterate_scored_toots
from tests.remote.fediverse import Fediverse, RemoteServer

pytestmark = pytest.mark.django_db

MARKERS = ("nobot", "nobots", "noindex", "nomastoscore")


@pytest.fixture
def fediverse() -> Iterator[Fediverse]:
    with Fediverse() as servers:
        yield servers


@pytest.fixture
def home(fediverse: Fediverse) -> RemoteServer:
    return fediverse.add()


@pytest.fixture
def origin(fediverse: Fediverse, home: RemoteServer) -> RemoteServer:
    """Where everybody writes; the home server shows bare copies, without anything of the profiles."""
    return fediverse.add()


@pytest.fixture
def fetch(settings: Any, make_event: Any, fediverse: Fediverse, home: RemoteServer, origin: RemoteServer) -> Any:
    def fetch_event(**values: Any) -> Event:
        bare = {"note": "", "fields": []}
        for status in origin.statuses:
            account = {key: status["account"][key] for key in ("id", "username", "acct", "display_name", "url")}
            home.show(status, account={**account, **bare})
        event = event_at_noon(make_event, home, **values)
        allow(settings, fediverse)
        run_fetch(event)
        return event

    return fetch_event


def write(origin: RemoteServer, user: str, number: int, **account: Any) -> None:
    origin.toot(number, number, user=user, favourites_count=number, account=account)


def quotable(event: Event) -> set[str]:
    return {toot.author.partition("@")[0] for toot in iterate_scored_toots(event) if toot.is_quotable}


@pytest.mark.parametrize(
    ("account", "wishes"),
    [
        *(({"note": f"<p>Films! #{marker}</p>"}, marker) for marker in MARKERS),
        ({"note": "<p>#NoBot</p>"}, "nobot"),
        ({"note": '<p><a href="https://a.example/tags/nobots">#<span>nobots</span></a></p>'}, "nobots"),
        ({"display_name": "Ada #nomastoscore"}, "nomastoscore"),
        ({"fields": [{"name": "robots", "value": "#noindex please"}]}, "noindex"),
        ({"fields": [{"name": "#nobot", "value": "yes"}]}, "nobot"),
        ({"noindex": True}, "account-noindex"),
        ({"note": "<p>#nobot #noindex</p>", "noindex": True}, "account-noindex nobot noindex"),
    ],
)
def test_explicit_wish_is_kept_with_the_author_and_honoured(
    fetch: Any, origin: RemoteServer, account: dict[str, Any], wishes: str
) -> None:
    write(origin, "shy", 1, **account)
    write(origin, "open", 2)

    event = fetch()

    kept = Toot.objects.get(author_handle__startswith="shy@")
    assert kept.author_wishes == wishes
    assert Toot.objects.get(author_handle__startswith="open@").author_wishes == ""
    assert quotable(event) == {"open"}


def test_shy_author_is_in_the_totals_and_nowhere_else(fetch: Any, origin: RemoteServer) -> None:
    write(origin, "shy", 90, note="<p>#nobots</p>")
    write(origin, "open", 2)
    event = fetch()

    results = analyse.run(JobContext.detached("analyse", event=event))
    blog.run(JobContext.detached("blog", event=Event.objects.get()))

    assert (results["toots"], results["authors"], results["left_out"]["authors"]) == (2, 2, 1)
    event = Event.objects.select_related("analysis").get()
    assert "shy" not in str(event.analysis.results)
    for artifact in event.artifacts.filter(kind__in=("page", "analysis")):
        assert "shy" not in (paths.data_dir() / artifact.path).read_text()


@pytest.mark.parametrize(
    ("flags", "is_shown"),
    [
        ({"discoverable": True, "indexable": True}, True),
        ({"discoverable": True, "indexable": False}, False),
        ({"discoverable": False, "indexable": True}, False),
        ({"discoverable": True}, False),
        ({"discoverable": None, "indexable": None}, False),
        ({}, False),
    ],
)
def test_strict_consent_asks_for_discoverable_and_indexable(
    fetch: Any, origin: RemoteServer, flags: dict[str, Any], is_shown: bool
) -> None:
    write(origin, "ada", 1, **flags)

    event = fetch(consent=Event.Consent.STRICT)

    toot = Toot.objects.get()
    assert (toot.author_is_discoverable, toot.author_is_indexable) == (
        flags.get("discoverable"),
        flags.get("indexable"),
    )
    assert ("ada" in quotable(event)) is is_shown
    event.consent = Event.Consent.EXPLICIT
    assert quotable(event) == {"ada"}


def test_bots_are_known_as_such_and_left_out_where_the_event_says_so(fetch: Any, origin: RemoteServer) -> None:
    write(origin, "robot", 1, bot=True)
    write(origin, "ada", 2)

    event = fetch(leave_out_bots=True)

    assert Toot.objects.get(author_is_bot=True).author_handle.startswith("robot@")
    results = analyse.run(JobContext.detached("analyse", event=event))
    assert (results["toots"], results["left_out"]["bots"]) == (1, 1)


@pytest.mark.parametrize("target", ["{user}@{server}", "@{user}@{server}", "{server}"])
def test_opt_out_kept_here_counts_without_any_word_in_the_profile(
    fetch: Any, origin: RemoteServer, target: str
) -> None:
    write(origin, "Shy", 1)
    event = fetch()
    assert quotable(event) == {"Shy"}

    OptOut.objects.create(target=target.format(user="SHY", server=origin.name))

    assert quotable(event) == set()
    assert Toot.objects.count() == 1


def test_wish_that_the_origin_no_longer_shows_is_gone_with_the_next_fetch(
    fetch: Any, origin: RemoteServer, home: RemoteServer, settings: Any, fediverse: Fediverse
) -> None:
    write(origin, "ada", 1, note="<p>#nobot</p>")
    event = fetch()
    assert quotable(event) == set()
    origin.statuses[0]["account"]["note"] = ""

    run_fetch(event)

    assert quotable(event) == {"ada"}

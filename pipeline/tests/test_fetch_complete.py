"""A crawl that misses nothing: over real HTTP, server by server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from email.utils import format_datetime
from io import StringIO
from typing import Any

import orjson
import pytest
from django.core.cache import cache
from django.core.management import call_command

from common.errors import ConfigurationError
from common.times import now_utc, parse_moment
from pipeline.models import Crawl, ServerFacts, Toot
from pipeline.tests.fetch_help import allow, event_at_noon, outcomes, picture, run_fetch, visit_of
from pipeline.toots import find_counted_toots
from tests.remote.fediverse import Asked, Fediverse, RemoteServer, Reply, Status, always, closed_to_strangers

pytestmark = pytest.mark.django_db

SEARCH = "/api/notes/search-by-tag"
REFUSED = Reply({"error": "This method requires an authenticated user"}, 401)


@pytest.fixture
def fediverse(settings: Any) -> Iterator[Fediverse]:
    with Fediverse() as servers:
        yield servers


@pytest.fixture
def home(fediverse: Fediverse) -> RemoteServer:
    return fediverse.add()


@pytest.fixture
def event(make_event: Any, home: RemoteServer) -> Any:
    return event_at_noon(make_event, home)


@pytest.fixture
def fetch_all(settings: Any, fediverse: Fediverse, event: Any) -> Callable[..., dict[str, Any]]:
    def fetch_event(**params: Any) -> dict[str, Any]:
        allow(settings, fediverse)
        return run_fetch(event, **params)

    return fetch_event


def runs_software(server: RemoteServer, name: str) -> None:
    href = f"http://{server.name}/nodeinfo/2.1"
    links = [{"rel": "http://nodeinfo.diaspora.software/ns/schema/2.1", "href": href}]
    server.others["/.well-known/nodeinfo"] = always(lambda: Reply({"links": links}))
    server.others["/nodeinfo/2.1"] = always(lambda: Reply({"software": {"name": name, "version": "1"}}))


def as_note(status: Status, server: RemoteServer) -> dict[str, Any]:
    is_own = status["uri"].startswith(f"http://{server.name}/")
    user = status["account"]["username"]
    return {
        "id": status["id"],
        "createdAt": status["created_at"],
        "text": "note #monsterdon",
        "user": {"username": user, "host": None if is_own else status["uri"].split("/")[2]},
        "visibility": status["visibility"],
        "renoteCount": status["reblogs_count"],
        "repliesCount": status["replies_count"],
        "reactions": {"❤": status["favourites_count"]},
        "tags": ["monsterdon"],
        **({} if is_own else {"uri": status["uri"]}),
    }


def speak_misskey(server: RemoteServer, page_rows: int = 40) -> None:
    def search(asked: Asked) -> Reply:
        wanted = orjson.loads(asked.body)
        rows = sorted(server.statuses, key=lambda status: int(status["id"]), reverse=True)
        rows = [row for row in rows if int(row["id"]) < int(wanted.get("untilId", 10**30))]
        return Reply([as_note(row, server) for row in rows[:page_rows]])

    server.script = always(lambda: Reply(b"<html>not here</html>", 404))
    server.others[SEARCH] = search
    runs_software(server, "misskey")


def offer_feed(server: RemoteServer, *statuses: Status) -> None:
    items = "".join(
        f"<item><guid isPermaLink='true'>{status['url']}</guid><link>{status['url']}</link>"
        f"<pubDate>{format_datetime(parse_moment(status['created_at']))}</pubDate>"  # type: ignore[arg-type]
        "<description>&lt;p&gt;from the feed #monsterdon&lt;/p&gt;</description>"
        "<category>monsterdon</category></item>"
        for status in statuses
    )
    xml = f"<?xml version='1.0'?><rss version='2.0'><channel><title>t</title>{items}</channel></rss>"
    server.others["/tags/monsterdon.rss"] = always(
        lambda: Reply(xml.encode(), headers={"Content-Type": "application/rss+xml"})
    )


def numbers(event: Any) -> set[str]:
    return {toot.uri.rpartition("/")[2] for toot in find_counted_toots(event)}


# Discovery


def test_servers_named_by_rows_that_do_not_count_are_visited_too(
    fetch_all: Any, fediverse: Fediverse, home: RemoteServer, event: Any
) -> None:
    early, beyond_max, private, other_tag = (fediverse.add() for _ in range(4))
    for number, server in enumerate((early, beyond_max, private, other_tag)):
        server.toot(number, 30)
    event.max_toots = 3
    event.save()
    for number in range(3):
        home.toot(100 + number, 60 + number)
    home.show(beyond_max.statuses[0])
    home.show(early.toot(50, -120))
    home.show(private.statuses[0], visibility="private")
    home.show(other_tag.statuses[0], tags=[{"name": "cats"}], content="<p>cats</p>")

    fetch_all()

    assert set(outcomes(Crawl.objects.get())) == {home.name, early.name, beyond_max.name}
    assert {toot.origin for toot in Toot.objects.all()} == {home.name, early.name, beyond_max.name}


# Hashtags


def test_any_of_the_hashtags_counts_and_none_of_the_excluded(
    fetch_all: Any, fediverse: Fediverse, home: RemoteServer, event: Any
) -> None:
    event.more_hashtags, event.excluded_hashtags = "blobfest", "spoilers"
    event.save()
    other = fediverse.add()
    serve_by_hashtag(home, other)
    home.toot(1, 0)
    home.toot(2, 1, tags=[{"name": "blobfest"}], content="<p>#blobfest</p>")
    home.toot(3, 2, tags=[{"name": "monsterdon"}, {"name": "BlobFest"}])
    home.toot(4, 3, tags=[{"name": "monsterdon"}, {"name": "spoilers"}])
    home.show(other.toot(5, 4, tags=[{"name": "blobfest"}], content="<p>#blobfest</p>"))

    result = fetch_all()

    assert numbers(event) == {"1", "2", "3", "5"}
    assert result["toots"] == 4
    assert (visit_of(home).toots, visit_of(home).outcome) == (4, "complete")
    assert {asked.path.rpartition("/")[2] for asked in other.pages_asked} == {"monsterdon", "blobfest"}
    assert Crawl.objects.get().hashtags == ("monsterdon", "blobfest")


def test_toots_leave_the_results_with_a_hashtag_that_the_event_gives_up(
    fetch_all: Any, home: RemoteServer, event: Any
) -> None:
    event.more_hashtags = "blobfest"
    event.save()
    serve_by_hashtag(home)
    home.toot(1, 0)
    home.toot(2, 1, tags=[{"name": "blobfest"}], content="<p>#blobfest</p>")
    fetch_all()
    assert numbers(event) == {"1", "2"}

    event.more_hashtags = ""
    assert numbers(event) == {"1"}
    event.more_hashtags, event.excluded_hashtags = "blobfest", "blobfest2"
    assert numbers(event) == {"1", "2"}


def test_most_toots_per_server_counts_a_toot_with_two_hashtags_once(
    fetch_all: Any, home: RemoteServer, event: Any
) -> None:
    event.more_hashtags, event.max_toots = "blobfest", 4
    event.save()
    serve_by_hashtag(home)
    for number in range(3):
        home.toot(number, number, tags=[{"name": "monsterdon"}, {"name": "blobfest"}])
    home.toot(9, 9, tags=[{"name": "blobfest"}], content="<p>#blobfest</p>")

    fetch_all()

    assert numbers(event) == {"0", "1", "2", "9"}


def test_hashtag_that_a_server_never_saw_does_not_hide_the_others(
    fetch_all: Any, fediverse: Fediverse, home: RemoteServer, event: Any
) -> None:
    event.more_hashtags = "blobfest"
    event.save()
    other = fediverse.add()
    home.show(other.toot(1, 0, tags=[{"name": "blobfest"}, {"name": "monsterdon"}]))
    missing = Reply({"error": "Not Found: tag not found"}, 404)
    other.script = lambda asked: missing if asked.path.endswith("/monsterdon") else None

    fetch_all()

    assert (visit_of(other).outcome, visit_of(other).toots) == ("complete", 1)


def serve_by_hashtag(*servers: RemoteServer) -> None:
    """Timelines of these servers show only toots with the hashtag asked for."""

    def script_of(server: RemoteServer) -> Callable[[Asked], Reply]:
        def answer(asked: Asked) -> Reply:
            tag = asked.path.rpartition("/")[2]
            rows = server.page(asked)
            return Reply([row for row in rows if tag in [each["name"].casefold() for each in row["tags"]]])

        return answer

    for server in servers:
        server.script = script_of(server)


# Closed servers


def test_closed_server_is_known_from_its_feed_without_counts(
    fetch_all: Any, fediverse: Fediverse, home: RemoteServer, event: Any
) -> None:
    closed = fediverse.add(script=always(lambda: REFUSED))
    seen, unseen = closed.toot(1, 0, favourites_count=50), closed.toot(2, 5, favourites_count=60)
    home.show(seen, favourites_count=7)
    early = closed.toot(3, -300)
    offer_feed(closed, seen, unseen, early, home.toot(4, 9))

    result = fetch_all()

    assert numbers(event) == {"1", "2", "4"}
    only_feed = Toot.objects.get(uri=unseen["uri"])
    assert (only_feed.favourites, only_feed.is_authoritative, only_feed.is_bare) == (0, False, True)
    assert (only_feed.author_handle, only_feed.text) == (f"ada@{closed.name}", "from the feed #monsterdon")
    both = Toot.objects.get(uri=seen["uri"])
    assert (both.favourites, both.text, both.is_bare) == (7, "toot 1 #monsterdon", False)
    assert picture(event)[seen["uri"]][-1] == {home.name, closed.name}
    assert (visit_of(closed).outcome, visit_of(closed).toots) == ("feed_only", 2)
    assert result["refused"] == 1
    views = [(asked.path, asked.is_local) for asked in closed.asked if "nodeinfo" not in asked.path]
    assert views[1:] == [
        ("/api/v1/timelines/tag/monsterdon", False),
        ("/api/v1/timelines/tag/monsterdon", True),
        ("/tags/monsterdon.rss", False),
    ]


@pytest.mark.parametrize(
    "feed", [Reply(b"", 404), Reply(b"<html>hi</html>"), Reply(b"\xff\x00"), Reply(b"", 500), None]
)
def test_closed_server_without_a_feed_stays_closed(
    fetch_all: Any, fediverse: Fediverse, home: RemoteServer, feed: Reply | None
) -> None:
    closed = fediverse.add(script=always(lambda: REFUSED))
    home.show(closed.toot(1, 0))
    if feed is None:
        offer_feed(closed)
    else:
        closed.others["/tags/monsterdon.rss"] = always(lambda: feed)

    fetch_all()

    assert visit_of(closed).outcome == "refused"
    assert "does not let strangers read hashtags" in visit_of(closed).detail


def test_robots_no_to_the_feed_is_obeyed(fetch_all: Any, fediverse: Fediverse, home: RemoteServer) -> None:
    closed = fediverse.add(script=always(lambda: REFUSED), robots="User-agent: *\nDisallow: /tags/\n")
    home.show(closed.toot(1, 0))
    offer_feed(closed, closed.statuses[0])

    fetch_all()

    assert visit_of(closed).outcome == "refused"
    assert "/tags/monsterdon.rss" not in {asked.path for asked in closed.asked}


def test_feed_that_names_toots_otherwise_makes_no_second_toot(
    fetch_all: Any, fediverse: Fediverse, home: RemoteServer, event: Any
) -> None:
    closed = fediverse.add(script=always(lambda: REFUSED))
    toot = closed.toot(1, 0, uri=f"http://{closed.name}/ap/users/116/statuses/1")
    home.show(toot)
    offer_feed(closed, toot)

    fetch_all()

    assert list(picture(event)) == [toot["uri"]]
    assert picture(event)[toot["uri"]][-1] == {home.name, closed.name}


# The Misskey family


def test_misskey_server_is_asked_through_its_own_search(
    fetch_all: Any, fediverse: Fediverse, home: RemoteServer, event: Any
) -> None:
    misskey, hidden = fediverse.add(), fediverse.add()
    for number in range(7):
        misskey.toot(number, number, favourites_count=number, reblogs_count=1, uri=f"http://{misskey.name}/notes/x")
        misskey.statuses[-1]["uri"] = f"http://{misskey.name}/notes/{misskey.statuses[-1]['id']}"
    home.show(misskey.statuses[0], favourites_count=99)
    misskey.toot(8, 8, visibility="home")
    misskey.show(hidden.toot(9, 9))
    speak_misskey(misskey, page_rows=3)

    fetch_all()

    assert (visit_of(misskey).outcome, visit_of(misskey).toots) == ("complete", 8)
    first = Toot.objects.get(uri=misskey.statuses[0]["uri"])
    assert (first.favourites, first.boosts, first.is_authoritative) == (0, 1, True)
    assert first.author_handle == f"ada@{misskey.name}"
    assert visit_of(hidden).outcome == "complete"
    assert ServerFacts.objects.get().software == "misskey"


def test_what_a_server_speaks_is_asked_once_a_month(fetch_all: Any, fediverse: Fediverse, home: RemoteServer) -> None:
    misskey, dead = fediverse.add(), fediverse.add(script=always(lambda: Reply(b"<html>parked</html>")))
    misskey.toot(1, 0)
    home.show(misskey.statuses[0], dead.toot(2, 1))
    speak_misskey(misskey)

    def asked_for(server: RemoteServer, what: str) -> int:
        return sum(what in asked.path for asked in server.asked)

    fetch_all()
    fetch_all()
    assert (asked_for(misskey, "nodeinfo"), len(misskey.pages_asked), asked_for(misskey, SEARCH)) == (2, 1, 4)
    assert (asked_for(dead, "nodeinfo"), len(dead.pages_asked)) == (1, 2)
    assert not asked_for(home, "nodeinfo")

    ServerFacts.objects.update(asked_at=now_utc() - timedelta(days=31))
    fetch_all()
    assert (asked_for(misskey, "nodeinfo"), asked_for(dead, "nodeinfo")) == (4, 2)


# Stragglers


def test_toot_gone_from_its_origin_leaves_the_results_and_comes_back_with_it(
    fetch_all: Any, fediverse: Fediverse, home: RemoteServer, event: Any
) -> None:
    other = fediverse.add()
    for number in range(8):
        home.show(other.toot(number, number))
    fetch_all()
    gone = other.statuses.pop(3)
    del other.posts["3"]

    result = fetch_all()

    assert (result["toots"], result["gone"], result["missing"]) == (7, 1, 1)
    assert gone["uri"] not in {toot.uri for toot in find_counted_toots(event)}
    assert Toot.objects.get(uri=gone["uri"]).gone_at is not None
    assert "/api/v1/statuses/3" in {asked.path for asked in other.asked}

    other.statuses.append(gone)
    again = fetch_all()
    assert (again["toots"], again["returned"]) == (8, 1)


def test_toot_that_is_only_missing_from_the_list_stays(
    fetch_all: Any, fediverse: Fediverse, home: RemoteServer, event: Any
) -> None:
    other = fediverse.add()
    for number in range(6):
        home.show(other.toot(number, number))
    fetch_all()
    other.statuses.pop(3)

    result = fetch_all()

    assert (result["toots"], result["gone"], result["missing"]) == (6, 0, 1)


def test_toot_whose_author_took_the_hashtag_out_leaves_the_results(
    fetch_all: Any, fediverse: Fediverse, home: RemoteServer, event: Any
) -> None:
    other = fediverse.add()
    for number in range(6):
        home.show(other.toot(number, number))
    fetch_all()
    changed = other.statuses.pop(3)
    other.posts["3"] = {**changed, "tags": [], "content": "<p>never mind</p>"}

    result = fetch_all()

    assert (result["toots"], result["gone"]) == (5, 0)


def test_implausible_loss_takes_nothing_out_and_is_said(
    fetch_all: Any, fediverse: Fediverse, home: RemoteServer, event: Any
) -> None:
    other = fediverse.add()
    for number in range(10):
        home.show(other.toot(number, number))
    fetch_all()
    other.statuses, other.posts = other.statuses[:2], {}
    asked_before = len(other.asked)

    result = fetch_all()

    assert (result["toots"], result["gone"], result["missing"], result["implausible_loss"]) == (10, 0, 8, True)
    assert not [asked for asked in other.asked[asked_before:] if "statuses" in asked.path]
    assert Crawl.objects.latest("id").summary["implausible_loss"]


@pytest.mark.parametrize("trouble", ["refuses", "fails", "stops at max", "repeats", "half open"])
def test_view_that_is_not_complete_proves_nothing(
    fetch_all: Any, fediverse: Fediverse, home: RemoteServer, event: Any, trouble: str
) -> None:
    other = fediverse.add()
    for number in range(6):
        home.show(other.toot(number, number))
    fetch_all()
    other.statuses.pop(3)
    other.posts = {}
    other.script = {
        "refuses": always(lambda: REFUSED),
        "fails": always(lambda: Reply(b"", 500)),
        "stops at max": None,
        "repeats": lambda asked: Reply(other.statuses[:3]),
        "half open": closed_to_strangers(),
    }[trouble]
    if trouble == "stops at max":
        event.max_toots = 5
        event.save()

    result = fetch_all()

    assert result["missing"] == (1 if trouble == "half open" else 0)


# Coverage


def test_coverage_hints_at_toots_of_closed_servers_that_nobody_showed(
    fetch_all: Any, fediverse: Fediverse, home: RemoteServer, event: Any
) -> None:
    closed, *others = [fediverse.add(script=always(lambda: REFUSED)), *(fediverse.add() for _ in range(5))]
    for number, server in enumerate(others):
        home.show(server.toot(number, number))
    for number in range(100, 130):
        others[number % 5].show(closed.toot(number, 20))
    for number in range(130, 140):
        for server in others[:2]:
            server.show(closed.toot(number, 30) if server is others[0] else closed.statuses[-1])

    fetch_all()

    coverage = Crawl.objects.get().summary["coverage"]
    assert coverage["not_shown_by_origin"] == 40
    assert coverage["estimated_unseen"] == round(5 / 6 * 30 * 29 / (2 * 11))
    assert coverage["unseen_low"] < coverage["estimated_unseen"] < coverage["unseen_high"]
    assert coverage["refused_share"] == round(1 / 7, 4)


# Quick


def test_quick_fetch_asks_for_own_toots_first_and_finds_hidden_servers(
    fetch_all: Any, fediverse: Fediverse, home: RemoteServer, event: Any
) -> None:
    servers = [fediverse.add() for _ in range(8)]
    lonely, hidden = fediverse.add(), fediverse.add()
    for number, server in enumerate([*servers, lonely]):
        for toot in range(5):
            status = server.toot(100 * number + toot, 10 * toot)
            home.show(status)
            if server is not lonely:
                for witness in servers:
                    if witness is not server:
                        witness.show(status)
    for toot in range(5):
        lonely.show(hidden.toot(9000 + toot, 5 + toot))

    result = fetch_all(mode="quick")

    assert result["toots"] == 50
    assert visit_of(hidden).toots == 5
    assert set(outcomes(Crawl.objects.get()).values()) == {"complete"}
    assert all(server.pages_asked[0].is_local for server in [*servers, lonely, hidden])
    assert not home.pages_asked[0].is_local
    whole_views = sum(not asked.is_local for server in servers for asked in server.pages_asked)
    assert whole_views <= len(servers)
    assert all(toot.is_authoritative for toot in Toot.objects.all())


def test_quick_fetch_of_half_open_servers_takes_the_half_that_is_open(
    fetch_all: Any, fediverse: Fediverse, home: RemoteServer, event: Any
) -> None:
    local_closed = fediverse.add(script=lambda asked: REFUSED if asked.is_local else None)
    remote_closed, closed = fediverse.add(script=closed_to_strangers()), fediverse.add(script=always(lambda: REFUSED))
    for number, server in enumerate((local_closed, remote_closed, closed)):
        home.show(server.toot(number, number))
        server.toot(10 + number, 20)

    fetch_all(mode="quick")

    assert numbers(event) == {"0", "1", "2", "10", "11"}
    found = outcomes(Crawl.objects.get())
    assert (found[local_closed.name], found[closed.name]) == ("complete", "refused")
    # Whether it was asked for more is a matter of chance.
    is_asked_for_more = not all(asked.is_local for asked in remote_closed.pages_asked)
    assert found[remote_closed.name] == ("local_only" if is_asked_for_more else "complete")


@pytest.mark.django_db(transaction=True)
def test_mode_of_the_command_goes_before_that_of_the_event(
    settings: Any, fediverse: Fediverse, home: RemoteServer, event: Any
) -> None:
    home.toot(1, 0)
    allow(settings, fediverse)
    event.fetch_mode = "quick"
    event.save()

    call_command("fetch", event.slug, "--mode", "thorough", stdout=StringIO())
    call_command("fetch", event.slug, stdout=StringIO())

    assert [crawl.mode for crawl in Crawl.objects.order_by("id")] == ["thorough", "quick"]


def test_mode_that_does_not_exist_is_refused(fetch_all: Any) -> None:
    with pytest.raises(ConfigurationError, match="no mode"):
        fetch_all(mode="lazy")
    assert not Crawl.objects.exists()
    cache.clear()

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from common.errors import ConfigurationError
from pipeline.crawl.coordinator import HomeServerFailed
from pipeline.models import Crawl, Toot, Visit
from pipeline.phases import fetch
from pipeline.tests.fetch_help import allow, event_at_noon, make_context, outcomes, picture, run_fetch, visit_of
from tests.remote.fediverse import NOON, Fediverse, RemoteServer, Reply, always, closed_to_strangers, fail_first, uris

pytestmark = pytest.mark.django_db


@pytest.fixture
def fediverse() -> Iterator[Fediverse]:
    with Fediverse() as servers:
        yield servers


@pytest.fixture
def home(fediverse: Fediverse) -> RemoteServer:
    return fediverse.add()


@pytest.fixture
def event(make_event: Any, home: RemoteServer) -> Any:
    return event_at_noon(make_event, home)


@pytest.fixture
def fetch_all(settings: Any, fediverse: Fediverse, event: Any) -> Any:
    def fetch_event(**params: Any) -> dict[str, Any]:
        allow(settings, fediverse)
        return run_fetch(event, **params)

    return fetch_event


def test_crawl_follows_toots_from_server_to_server(
    fetch_all: Any, fediverse: Fediverse, home: RemoteServer, event: Any
) -> None:
    second, third = fediverse.add(), fediverse.add()
    home.toot(1, 0)
    home.show(second.toot(2, 10))
    second.show(third.toot(3, 20))
    third.toot(4, 30)
    third.toot(5, 400)

    result = fetch_all()

    assert set(picture(event)) == uris(home.statuses) | uris(second.statuses) | uris(third.statuses[:2])
    assert {uri: facts[-1] for uri, facts in picture(event).items()} == {
        home.statuses[0]["uri"]: {home.name},
        second.statuses[0]["uri"]: {home.name, second.name},
        third.statuses[0]["uri"]: {second.name, third.name},
        third.statuses[1]["uri"]: {third.name},
    }
    assert (result["toots"], result["new_toots"], result["servers"], result["answered"]) == (4, 4, 3, 3)
    assert set(outcomes(Crawl.objects.get()).values()) == {"complete"}
    assert Crawl.objects.get().state == Crawl.State.COMPLETE


def test_origin_decides_about_its_toots_and_nobody_about_others(
    fetch_all: Any, fediverse: Fediverse, home: RemoteServer, event: Any
) -> None:
    origin, liar, closed = fediverse.add(), fediverse.add(), fediverse.add(script=always(lambda: Reply(status=401)))
    said = origin.toot(1, 0, favourites_count=3)
    home.show(said, favourites_count=2)
    liar.show(said, favourites_count=999, content="<p>lies #monsterdon</p>")
    home.show(liar.toot(2, 5))
    unseen = closed.toot(3, 10)
    home.show(unseen, favourites_count=4, reblogs_count=1)
    liar.show(unseen, favourites_count=1, reblogs_count=6)

    fetch_all()

    toot = Toot.objects.get(uri=said["uri"])
    assert (toot.favourites, toot.text, toot.is_authoritative) == (3, "toot 1 #monsterdon", True)
    toot = Toot.objects.get(uri=unseen["uri"])
    assert (toot.favourites, toot.boosts, toot.is_authoritative) == (4, 6, False)


def test_toots_that_do_not_count_are_passed_over(fetch_all: Any, home: RemoteServer, event: Any) -> None:
    home.toot(1, 0)
    home.toot(2, 1, visibility="unlisted")
    home.toot(3, 2, visibility="direct")
    home.toot(4, 3, tags=[{"name": "blobfest"}], content="<p>other</p>")
    home.toot(5, -61)
    home.toot(6, 150)
    home.toot(7, 149, tags=[{"name": "MonsterDon"}])
    home.statuses.append({"id": home.statuses[0]["id"] + "0", "nonsense": True})

    fetch_all()

    assert {uri.rpartition("/")[2] for uri in picture(event)} == {"1", "7"}
    assert (visit_of(home).toots, visit_of(home).passed_over) == (2, 6)


def test_home_is_asked_as_its_user_and_nobody_else_sees_the_token(
    fetch_all: Any, fediverse: Fediverse, home: RemoteServer
) -> None:
    other = fediverse.add()
    home.show(other.toot(1, 0))

    fetch_all()

    assert {asked.headers["authorization"] for asked in home.asked} == {"Bearer home-secret"}
    assert other.asked
    assert not any("authorization" in asked.headers or "home-secret" in str(asked) for asked in other.asked)
    assert all(asked.headers["user-agent"].startswith("Mastoscore/") for asked in home.asked + other.asked)


def test_closed_server_is_asked_once_for_its_own_toots(
    fetch_all: Any, fediverse: Fediverse, home: RemoteServer
) -> None:
    half_open = fediverse.add(script=closed_to_strangers(422))
    home.show(half_open.toot(1, 0))
    half_open.toot(2, 1)
    half_open.show(home.toot(3, 2))

    fetch_all()

    visit = visit_of(half_open)
    assert (visit.outcome, visit.toots, visit.state) == ("local_only", 2, "done")
    assert visit.detail == (f"{half_open.name} does not let strangers read hashtags; it showed only its own toots.")
    assert [asked.is_local for asked in half_open.pages_asked][:2] == [False, True]


@pytest.mark.parametrize(
    ("reply", "outcome", "times_asked"),
    [
        (Reply({"error": "no"}, 401), "refused", 2),
        (Reply({"error": "no"}, 403), "refused", 2),
        (Reply(b"", 404), "not_mastodon", 1),
        (Reply(b"", 410), "not_mastodon", 1),
        (Reply({"error": "slow down"}, 429), "rate_limited", 3),
        (Reply(b"<html>oops</html>", 500), "server_error", 3),
        (Reply(b"", 503), "server_error", 3),
        (Reply(b"<html>a parked domain</html>"), "bad_answer", 1),
        (Reply({"error": "what?"}), "bad_answer", 1),
        (Reply(b'[{"id": "1", '), "bad_answer", 1),
        (Reply(hang_up=True), "unreachable", 3),
        (Reply(b"", 302, {"Location": "http://127.66.6.6/"}), "not_allowed", 1),
        (Reply([]), "complete", 1),
    ],
)
def test_each_failure_is_an_outcome_and_the_crawl_goes_on(
    fetch_all: Any, fediverse: Fediverse, home: RemoteServer, reply: Reply, outcome: str, times_asked: int
) -> None:
    troubled, fine = fediverse.add(script=always(lambda: reply)), fediverse.add()
    home.show(troubled.toot(1, 0), fine.toot(2, 1))

    result = fetch_all()

    visit = visit_of(troubled)
    assert visit.outcome == outcome
    assert visit.state == ("done" if outcome == "complete" else "failed")
    assert visit.detail.startswith(troubled.name) and visit.detail.endswith(".")
    if outcome != "unreachable":  # a lost connection is tried once more by the gate itself
        assert len(troubled.pages_asked) == times_asked
    assert (visit_of(fine).outcome, result["toots"]) == ("complete", 2)


@pytest.mark.parametrize(
    "reply",
    [Reply(b"", 500), Reply(b"", 503, {"Retry-After": "0"}), Reply({"error": "later"}, 429), Reply(hang_up=True)],
)
def test_failure_in_passing_is_overcome(
    fetch_all: Any, fediverse: Fediverse, home: RemoteServer, event: Any, reply: Reply
) -> None:
    shaky = fediverse.add(script=fail_first(2, lambda: reply))
    home.show(shaky.toot(1, 0))
    shaky.toot(2, 1)

    fetch_all()

    assert visit_of(shaky).outcome == "complete"
    assert len(picture(event)) == 2


def test_server_that_names_too_long_a_wait_is_left_at_once(
    fetch_all: Any, fediverse: Fediverse, home: RemoteServer
) -> None:
    busy = fediverse.add(script=always(lambda: Reply({}, 429, {"Retry-After": "3600"})))
    home.show(busy.toot(1, 0))

    fetch_all()

    assert visit_of(busy).outcome == "rate_limited"
    assert len(busy.pages_asked) == 1


def test_robots_no_is_obeyed_remembered_and_does_not_bind_home(
    fetch_all: Any, fediverse: Fediverse, home: RemoteServer
) -> None:
    home.robots = "User-agent: *\nDisallow: /\n"
    shy = fediverse.add(robots="User-agent: Mastoscore\nDisallow: /api/\n")
    home.show(shy.toot(1, 0))

    fetch_all()
    fetch_all()

    assert (visit_of(shy).outcome, visit_of(shy).robots) == ("robots", "forbidden")
    assert [asked.path for asked in shy.asked] == ["/robots.txt"]
    assert "/robots.txt" not in {asked.path for asked in home.asked}


def test_address_that_is_not_allowed_is_not_contacted(fetch_all: Any, home: RemoteServer) -> None:
    home.toot(1, 0, uri="http://127.66.6.6/users/x/statuses/1")

    fetch_all()

    assert Visit.objects.get(server="127.66.6.6").outcome == "not_allowed"


def test_one_request_at_a_time_per_server(fetch_all: Any, fediverse: Fediverse, home: RemoteServer) -> None:
    others = [fediverse.add(page_rows=4) for _ in range(6)]
    for server in fediverse.servers:
        server.latency_seconds = 0.01
    for number, server in enumerate(others):
        home.show(*(server.toot(100 * number + toot, toot) for toot in range(12)))

    fetch_all()

    assert {server.most_in_flight for server in fediverse.servers} == {1}
    assert {visit.toots for visit in Visit.objects.filter(is_home=False)} == {12}


def test_many_pages_come_in_whole_and_each_is_asked_for_once(fetch_all: Any, home: RemoteServer, event: Any) -> None:
    home.page_rows = 7
    for number in range(120):
        home.toot(number, number)
    for number in range(60):
        home.toot(1000 + number, -61 - number)

    fetch_all()

    assert len(picture(event)) == 120
    asked = [asked.query.get("max_id") for asked in home.pages_asked]
    assert len(asked) == len(set(asked)) == 120 // 7 + 2


def test_walk_jumps_over_newer_toots(fetch_all: Any, home: RemoteServer, event: Any) -> None:
    for number in range(400):
        home.toot(number, 200 + number)
    home.toot(1000, 5)

    fetch_all()

    assert len(picture(event)) == 1
    assert len(home.pages_asked) == 3


def test_server_that_fails_on_the_jump_is_paged_through(fetch_all: Any, home: RemoteServer, event: Any) -> None:
    for number in range(60):
        home.toot(number, 200 + number)
    home.toot(1000, 5)
    home.script = lambda asked: Reply(b"", 500) if asked.number == 2 else None

    fetch_all()

    assert len(picture(event)) == 1
    assert visit_of(home).outcome == "complete"


def test_most_toots_per_server_is_kept(fetch_all: Any, home: RemoteServer, event: Any) -> None:
    for number in range(100):
        home.toot(number, number)
    event.max_toots = 50
    event.save()

    fetch_all()

    assert (visit_of(home).outcome, visit_of(home).toots, len(picture(event))) == ("reached_max", 50, 50)


def test_servers_beyond_the_cap_are_left_out_and_counted(fetch_all: Any, settings: Any, home: RemoteServer) -> None:
    settings.MASTOSCORE_MAX_SERVERS = 3
    for number in range(10):
        home.toot(number, number, uri=f"http://127.77.0.{number}/users/x/statuses/1")

    result = fetch_all()

    assert (result["servers"], result["left_out_servers"], result["toots"]) == (3, 8, 10)
    assert Crawl.objects.get().summary["left_out_servers"] == 8


def test_consent_signals_are_kept_with_the_author(fetch_all: Any, home: RemoteServer) -> None:
    home.toot(1, 0, account={"note": "<p>I like films. #nobot</p>", "discoverable": False, "indexable": True})

    fetch_all()

    toot = Toot.objects.get()
    assert (toot.author_wishes, toot.author_is_discoverable, toot.author_is_indexable) == ("nobot", False, True)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply({"error": "The access token is invalid"}, 401), "not even as the home account"),
        (Reply(b"", 404), "does not offer hashtags"),
        (Reply(hang_up=True), "could not be reached"),
    ],
)
def test_dead_home_server_is_one_sentence_and_earlier_results_stay(
    fetch_all: Any, home: RemoteServer, event: Any, reply: Reply, words: str
) -> None:
    home.toot(1, 0)
    fetch_all()
    before = picture(event)
    home.script = always(lambda: reply)

    with pytest.raises(HomeServerFailed) as failure:
        fetch_all()

    assert home.name in failure.value.user_message and words in failure.value.user_message
    assert "home-secret" not in failure.value.user_message
    assert picture(event) == before
    assert [crawl.state for crawl in Crawl.objects.order_by("id")] == ["complete", "failed"]


def test_event_without_home_account_says_what_to_set(event: Any) -> None:
    event.home_account = None
    event.save()

    with pytest.raises(ConfigurationError, match="home account") as failure:
        run_fetch(event)

    assert "api_base_url" in failure.value.user_message
    assert not Crawl.objects.exists()


def test_second_fetch_adds_stragglers_and_refreshes_counts(
    fetch_all: Any, fediverse: Fediverse, home: RemoteServer, event: Any
) -> None:
    other = fediverse.add()
    first = other.toot(1, 0, favourites_count=9)
    home.show(first)
    home.toot(2, 5)
    fetch_all()
    other.statuses = [{**first, "favourites_count": 7}]
    home.statuses = [status for status in home.statuses if status["uri"] == first["uri"]]
    home.toot(3, 6)

    result = fetch_all()

    assert (result["toots"], result["new_toots"], result["reused_toots"]) == (3, 1, 1)
    assert Toot.objects.get(uri=first["uri"]).favourites == 7
    assert Crawl.objects.count() == 2


def test_progress_tells_what_the_contract_names(
    settings: Any, fediverse: Fediverse, home: RemoteServer, event: Any
) -> None:
    broken = fediverse.add(script=always(lambda: Reply(b"", 404)))
    home.show(broken.toot(1, 0))
    allow(settings, fediverse)
    context = make_context(event)

    fetch.run(context)

    last = context.listener.snapshots[-1]  # type: ignore[union-attr]
    assert {key: last[key] for key in ("servers_todo", "servers_done", "servers_fail", "total_servers")} == {
        "servers_todo": 0,
        "servers_done": 1,
        "servers_fail": 1,
        "total_servers": 2,
    }
    assert (last["completed_servers"], last["progress_percent"]) == (2, 100)
    assert (last["total_toots"], last["max_toots"]) == (1, 2000)
    assert last["current_server"] in {home.name, broken.name}
    assert last["server_status"] == {
        home.name: {"state": "done", "toots": 1},
        broken.name: {"state": "failed", "toots": 0},
    }


def test_event_before_its_time_is_fetched_like_any_other(fetch_all: Any, home: RemoteServer, event: Any) -> None:
    event.start = NOON.replace(year=2031)
    event.save()
    home.toot(1, 0)

    assert fetch_all()["toots"] == 0


def test_server_is_given_the_time_it_asks_for(fetch_all: Any, fediverse: Fediverse, home: RemoteServer) -> None:
    tired = fediverse.add(script=fail_first(1, lambda: Reply({}, 429, {"Retry-After": "1"})), page_rows=2)
    home.show(tired.toot(1, 0))

    fetch_all()

    first, second, *_ = tired.pages_asked
    assert second.at - first.at >= 1
    assert visit_of(tired).outcome == "complete"


def test_crawl_slows_down_before_a_server_has_to_say_so(
    fetch_all: Any, fediverse: Fediverse, home: RemoteServer
) -> None:
    strict = fediverse.add(page_rows=1)
    home.show(strict.toot(1, 0))
    strict.toot(2, 1)
    used_up = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1"}
    strict.script = lambda asked: Reply(strict.page(asked), headers=used_up if asked.number == 1 else {})

    fetch_all()

    first, second, *_ = strict.pages_asked
    assert second.at - first.at >= 0.9
    assert visit_of(strict).toots == 2


def test_home_that_never_heard_of_the_hashtag_is_no_failure(fetch_all: Any, home: RemoteServer) -> None:
    home.script = always(lambda: Reply({"error": "Not Found: tag not found"}, 404))

    assert fetch_all()["toots"] == 0
    assert visit_of(home).outcome == "complete"

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.db import connection
from django.test import RequestFactory
from rest_framework.test import APIClient

from common.api.access import Scope
from mastoscore_site.api_rates import Allowance, count_call
from mastoscore_site.cache import SharedDatabaseCache
from mastoscore_site.client_address import client_address, client_key

pytestmark = [pytest.mark.django_db, pytest.mark.urls("mastoscore_site.tests.api_urls")]
MakeUser = Callable[..., User]
MakeCaller = Callable[..., APIClient]
NOON = datetime(2026, 3, 1, 12, 0, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def small_allowances(settings: Any, fresh_allowances: None) -> None:
    settings.API_RATES = {"general": 4, "jobs": 3, "metrics": 5, "summaries": 2}


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def limits(answer: Any) -> tuple[int, int, int]:
    return tuple(int(answer[f"X-RateLimit-{name}"]) for name in ("Limit", "Remaining", "Reset"))  # type: ignore[return-value]


# --- windows --------------------------------------------------------------------------------------------------------
def test_allowance_is_used_up_call_by_call(root: APIClient, clock: time_machine.Traveller) -> None:
    reset = int(NOON.timestamp()) + 60
    for left in (3, 2, 1, 0):
        answer = root.get("/api/v1/me")
        assert answer.status_code == 200
        assert limits(answer) == (4, left, reset)
        assert "Retry-After" not in answer
        clock.shift(1)
    answer = root.get("/api/v1/me")
    assert answer.status_code == 429
    assert answer.json() == {"message": "Too Many Attempts."}
    assert limits(answer) == (4, 0, reset)
    assert answer["Retry-After"] == "56"


def test_window_begins_with_its_first_call_and_lasts_a_minute(root: APIClient, clock: time_machine.Traveller) -> None:
    for _ in range(4):
        root.get("/api/v1/me")
    clock.shift(59)  # the clock's minute is another one by now
    assert root.get("/api/v1/me").status_code == 429
    clock.shift(1)
    answer = root.get("/api/v1/me")
    assert answer.status_code == 200
    assert limits(answer) == (4, 3, int(NOON.timestamp()) + 120)


def test_waiting_as_told_helps(root: APIClient, clock: time_machine.Traveller) -> None:
    answers = [root.get("/api/v1/me") for _ in range(5)]
    clock.shift(int(answers[-1]["Retry-After"]))
    assert root.get("/api/v1/me").status_code == 200


def test_refused_calls_do_not_make_the_window_longer(root: APIClient, clock: time_machine.Traveller) -> None:
    for _ in range(30):
        root.get("/api/v1/me")
        clock.shift(2)
    assert root.get("/api/v1/me").status_code == 200


def test_many_windows_in_a_row_have_their_own_counts(clock: time_machine.Traveller) -> None:
    for _ in range(200):
        count = [count_call("general", "user:1").is_exceeded for _ in range(5)]
        assert count == [False, False, False, False, True]
        clock.shift(60)


@pytest.mark.parametrize("step", [7, 13, 29, 31])
def test_no_window_of_a_minute_lets_more_through(step: int, clock: time_machine.Traveller) -> None:
    begins: list[float] = []
    for _ in range(120):
        allowance = count_call("summaries", "user:1")
        if not allowance.is_exceeded and allowance.remaining == 1:
            begins.append(allowance.reset_at)
        clock.shift(step)
    assert len(begins) > 10
    assert all(later - earlier >= 60 for earlier, later in pairwise(begins))


# --- who and what ---------------------------------------------------------------------------------------------------
def test_scopes_have_allowances_of_their_own(root: APIClient, make_event: Any) -> None:
    make_event()
    fetch = "/api/v1/things/monsterdon-20260222/fetch"
    assert [root.get("/api/v1/echo").status_code for _ in range(3)] == [200, 200, 429]
    assert limits(root.get("/api/v1/echo"))[:2] == (2, 0)
    assert [root.post(fetch).status_code for _ in range(4)] == [202, 202, 202, 429]
    assert limits(root.post(fetch))[:2] == (3, 0)
    assert limits(root.get("/api/v1/things"))[:2] == (4, 3)


def test_users_have_allowances_of_their_own_whatever_their_tokens(
    make_user: MakeUser, make_caller: MakeCaller, client: Any
) -> None:
    ines, otto = make_user("ines"), make_user("otto")
    callers = [make_caller(ines, Scope.READ), make_caller(ines, Scope.RUN)]
    assert [callers[turn % 2].get("/api/v1/me").status_code for turn in range(5)] == [200] * 4 + [429]
    client.force_login(ines)
    assert client.get("/api/v1/me").status_code == 429
    assert make_caller(otto).get("/api/v1/me").status_code == 200


def test_strangers_are_counted_by_address(stranger: APIClient, root: APIClient) -> None:
    statuses = [stranger.get("/api/v1/me", REMOTE_ADDR="203.0.113.9").status_code for _ in range(5)]
    assert statuses == [401] * 4 + [429]
    assert stranger.get("/api/v1/me", REMOTE_ADDR="203.0.113.10").status_code == 401
    assert root.get("/api/v1/me", REMOTE_ADDR="203.0.113.9").status_code == 200


def test_guessing_tokens_uses_up_the_allowance_of_the_address(stranger: APIClient, root: APIClient) -> None:
    answers = [stranger.get("/api/v1/me", HTTP_AUTHORIZATION="Bearer x") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [401] * 4 + [429]
    assert root.get("/api/v1/me").status_code == 200


def test_allowance_is_tested_before_anything_is_looked_up(root: APIClient) -> None:
    for _ in range(4):
        assert root.get("/api/v1/things/none-such").status_code == 404
    assert root.get("/api/v1/things/none-such").status_code == 429
    assert root.post("/api/v1/things", {}).status_code == 429
    assert root.get("/api/v1/nothing").status_code == 429
    assert root.delete("/api/v1/things").status_code == 429


def test_routes_of_the_contract_say_it_in_their_shape(root: APIClient) -> None:
    for _ in range(4):
        root.post("/api/echo", {})
    answer = root.post("/api/echo", {})
    assert (answer.status_code, answer.json()) == (429, {"error": "Too Many Attempts."})
    assert int(answer["Retry-After"]) > 0


def test_scope_that_nobody_set_is_a_bug() -> None:
    with pytest.raises(ImproperlyConfigured, match="'nonsense'"):
        count_call("nonsense", "user:1")


# --- counted right --------------------------------------------------------------------------------------------------
def in_threads(count: int, times: int, work: Callable[[], Any]) -> list[Any]:
    """What the work gave, done so many times in each of so many threads at once."""
    found: list[Any] = []
    start = threading.Barrier(count)

    def run() -> None:
        try:
            start.wait()
            for _ in range(times):
                found.append(work())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.mark.django_db(transaction=True)
def test_calls_at_the_same_moment_get_no_more_than_the_allowance(settings: Any) -> None:
    settings.API_RATES = {"general": 20}
    allowances: list[Allowance] = in_threads(8, 5, lambda: count_call("general", "user:1"))
    assert len(allowances) == 40
    let_through = [allowance.remaining for allowance in allowances if not allowance.is_exceeded]
    assert sorted(let_through) == list(range(20))
    assert len({allowance.reset_at for allowance in allowances}) == 1


@pytest.mark.django_db(transaction=True)
def test_shared_cache_loses_no_count() -> None:
    cache.set("number", 0, 600)
    numbers: list[int] = in_threads(6, 10, lambda: cache.incr("number"))
    assert sorted(numbers) == list(range(1, 61))
    assert cache.get("number") == 60


def test_counting_in_the_database_does_not_make_an_entry_live_longer(clock: time_machine.Traveller) -> None:
    call_command("createcachetable", "counting_cache")
    table = SharedDatabaseCache("counting_cache", {})
    table.set("number", 5, 60)
    clock.shift(50)
    assert table.incr("number", 2) == 7
    assert table.decr("number") == 6
    clock.shift(20)
    with pytest.raises(ValueError, match="not found"):
        table.incr("number")
    with pytest.raises(ValueError, match="not found"):
        table.incr("nothing")


def test_flood_writes_nothing(root: APIClient, django_assert_max_num_queries: Any) -> None:
    for _ in range(4):
        root.get("/api/v1/me")
    with django_assert_max_num_queries(4) as seen:
        assert root.get("/api/v1/me").status_code == 429
    assert not [query for query in seen if query["sql"].startswith(("UPDATE", "INSERT", "DELETE"))]


# --- the address ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("proxies", "peer", "forwarded", "address"),
    [
        (0, "203.0.113.9", "198.51.100.1", "203.0.113.9"),
        (0, "", "198.51.100.1", None),
        (1, "10.0.0.1", "198.51.100.1", "198.51.100.1"),
        (1, "10.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        (2, "10.0.0.1", "6.6.6.6, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
        (2, "10.0.0.1", "198.51.100.1", "10.0.0.1"),
        (1, "10.0.0.1", "", "10.0.0.1"),
        (1, "10.0.0.1", "nonsense", None),
        (0, "::ffff:203.0.113.9", "", "203.0.113.9"),
        (0, "2001:db8::1", "", "2001:db8::1"),
    ],
)
def test_address_is_what_our_own_proxies_saw(
    proxies: int, peer: str, forwarded: str, address: str | None, settings: Any
) -> None:
    settings.PROXIES = proxies
    request = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=forwarded)
    found = client_address(request)
    assert (str(found) if found else None) == address


def test_hosts_of_one_ipv6_network_share_an_allowance() -> None:
    keys = {
        client_key(RequestFactory().get("/", REMOTE_ADDR=address))
        for address in ("2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:0:ffff::")
    }
    assert keys == {"2001:db8::/64"}
    assert client_key(RequestFactory().get("/", REMOTE_ADDR="")) == "unknown"

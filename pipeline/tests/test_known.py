"""What walks know of stored toots: a copy that is passed over without a look would have changed nothing."""

from __future__ import annotations

import copy as copying
import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.statuses import as_status
from common.toots import glance, parse_status, to_status
from pipeline.core.merge import MergedToot, fold, from_copy, merge, merge_standing, standing_of
from pipeline.crawl.desk import Desk
from pipeline.crawl.known import KnownToots
from pipeline.crawl.messages import Place
from pipeline.tests.toot_samples import NOON, make_author, make_copy

SERVERS = ("one.example", "two.example", "three.example")


def status_of(**values: Any) -> dict[str, Any]:
    """A status as a server sends it."""
    return {**to_status(make_copy(author=make_author(), **values)), "uri": "https://one.example/toots/1"}


_statuses = st.builds(
    lambda counts, text, edited, wishes, flag, bot: {
        **status_of(boosts=counts[0], favourites=counts[1], edited_at=edited),
        "content": f"<p>{text} #monsterdon</p>",
        "account": {
            **status_of()["account"],
            "note": f"<p>{wishes}</p>",
            "discoverable": flag,
            "bot": bot,
        },
    },
    st.tuples(st.integers(0, 3), st.integers(0, 3)),
    st.sampled_from(["a", "a", "b"]),
    st.sampled_from([None, None, NOON, NOON + timedelta(minutes=1)]),
    st.sampled_from(["", "", "#nobot", "#noindex"]),
    st.sampled_from([None, True, False]),
    st.sampled_from([True, False, 1, 0, None]),
)
_told = st.tuples(st.sampled_from(SERVERS), _statuses)


@settings(suppress_health_check=[HealthCheck.too_slow])  # a stall of the machine is not the strategy's fault
@given(st.lists(_told, min_size=1, max_size=12))
def test_copies_that_are_passed_over_would_have_changed_nothing(told: list[tuple[str, dict[str, Any]]]) -> None:
    known, stored = KnownToots(), None
    everything = []
    for server, status in told:
        seen = glance(as_status(copying.deepcopy(status)), server=server)
        whole = parse_status(status, server=server)
        assert seen is not None and whole is not None
        everything.append(from_copy(whole, 1))
        toots, passed_over = known.sort_out([seen], told_in=1)
        assert (len(toots), len(passed_over)) in ((1, 0), (0, 1))
        if toots:
            assert toots[0] == from_copy(whole, 1)
            stored = toots[0] if stored is None else merge(stored, toots[0])
            known.learn([stored.uri], [Place(5, 0, standing_of(stored))])
        else:
            assert passed_over == (5,)

    assert stored == fold(everything)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_told, min_size=1, max_size=4), _told)
def test_change_that_is_told_by_the_standing_is_that_of_a_merge(
    before: list[tuple[str, dict[str, Any]]], later: tuple[str, dict[str, Any]]
) -> None:
    stored, incoming = fold(map(merged_from, before)), merged_from(later)

    told = merge_standing(standing_of(stored), incoming)

    if told is not None:
        after, changes = told
        assert stored._replace(**changes) == merge(stored, incoming)
        assert after == standing_of(merge(stored, incoming))


def merged_from(told: tuple[str, dict[str, Any]]) -> MergedToot:
    server, status = told
    toot = parse_status(status, server=server)
    assert toot is not None
    return from_copy(toot, 1)


def test_change_by_the_origin_needs_no_look_at_the_words() -> None:
    elsewhere = from_copy(make_copy(server="two.example", favourites=1), 1)
    origin = from_copy(make_copy(favourites=3), 1)
    edited = from_copy(make_copy(text="better"), 1)

    assert merge_standing(standing_of(elsewhere), origin) == (
        standing_of(origin),
        {"is_authoritative": True, "favourites": 3},
    )
    assert merge_standing(standing_of(elsewhere), edited) == (standing_of(edited), edited._asdict())
    other_words = from_copy(make_copy(server="three.example", text="other"), 1)
    assert merge_standing(standing_of(elsewhere), other_words) is None


def test_oldest_are_forgotten_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.crawl.known.MOST_REMEMBERED", 2)
    known, place = KnownToots(), Place(1, 0, standing_of(from_copy(make_copy(), 1)))

    known.learn(["a", "b", "c"], [place, None, place])
    known.learn(["d"], [place])

    assert [known.place_of(uri) for uri in "abcd"] == [None, None, place, place]


# --- the desk -------------------------------------------------------------------------------------------------------
def test_desk_takes_one_at_a_time_and_the_smallest_rank_first() -> None:
    desk, served, most = Desk(), [], [0]
    is_open, at_work = threading.Event(), []

    def work(rank: int) -> None:
        seat = desk.seat(rank)
        seat.take()
        seat.take()  # once is enough
        at_work.append(rank)
        most[0] = max(most[0], len(at_work))
        served.append(rank)
        time.sleep(0.001)
        at_work.remove(rank)
        seat.leave()

    def hold() -> None:
        seat = desk.seat(0)
        seat.take()
        is_open.set()
        wait_for(lambda: desk.count_waiting() == 9)
        seat.leave()

    threads = [threading.Thread(target=hold)]
    threads[0].start()
    assert is_open.wait(5)
    threads += [threading.Thread(target=work, args=(rank,)) for rank in (5, 1, 9, 3, 7, 2, 8, 4, 6)]
    for thread in threads[1:]:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert served == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert most == [1]


def test_whoever_leaves_without_sitting_there_disturbs_nobody() -> None:
    desk = Desk()
    first, second = desk.seat(1), desk.seat(2)
    first.take()
    second.leave()
    waiting = threading.Thread(target=second.take)
    waiting.start()
    wait_for(lambda: desk.count_waiting() == 1)
    first.leave()
    waiting.join(10)
    first.leave()

    assert not waiting.is_alive()
    assert desk.count_waiting() == 0


def wait_for(condition: Any) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)

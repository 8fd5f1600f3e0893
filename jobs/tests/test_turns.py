from __future__ import annotations

import subprocess
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from jobs import turns
from jobs.identity import this_host
from jobs.models import ServerTurn

pytestmark = pytest.mark.django_db


def holder_of(server: str) -> str:
    return ServerTurn.objects.get(server=server).holder


def test_turn_is_given_once_until_it_is_given_back() -> None:
    assert set(turns.take(["a.example", "b.example"], "one")) == {"a.example", "b.example"}
    assert set(turns.take(["b.example", "c.example"], "two")) == {"c.example"}
    assert turns.take(["a.example"], "one") == {}

    turns.give_back({"b.example": None}, "two")
    assert holder_of("b.example") == "one"
    turns.give_back({"b.example": None}, "one")
    assert set(turns.take(["b.example"], "two")) == {"b.example"}


def test_what_a_server_asked_for_is_told_to_whoever_comes_next() -> None:
    not_before = timezone.now() + timedelta(minutes=5)
    turns.take(["a.example"], "one")
    turns.give_back({"a.example": not_before}, "one")

    assert turns.take(["a.example"], "two") == {"a.example": not_before}


def test_turn_that_is_not_renewed_goes_to_another() -> None:
    turns.take(["a.example", "b.example"], "one")
    ServerTurn.objects.filter(server="a.example").update(held_until=timezone.now() - timedelta(seconds=1))

    assert set(turns.take(["a.example", "b.example"], "two")) == {"a.example"}
    assert turns.renew("one") == {"b.example"}


def test_turns_of_dead_processes_are_free_at_once() -> None:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    turns.take(["a.example"], f"{this_host()}/{process.pid}/abcd")
    turns.take(["b.example"], "elsewhere/1/abcd")

    turns.release_dead()

    assert (holder_of("a.example"), holder_of("b.example")) == ("", "elsewhere/1/abcd")


@pytest.mark.django_db(transaction=True)
def test_turn_for_a_few_requests_waits_for_the_other_and_is_given_back() -> None:
    entered, may_go = threading.Event(), threading.Event()

    def hold() -> None:
        with turns.turn_at("a.example", wait_seconds=10):
            entered.set()
            may_go.wait(20)
        connection.close()

    other = threading.Thread(target=hold)
    other.start()
    try:
        assert entered.wait(20)
        with pytest.raises(turns.ServerBusy), turns.turn_at("a.example", wait_seconds=0):
            raise AssertionError("both have the turn")
        with turns.turn_at("b.example", wait_seconds=0):
            may_go.set()
        with turns.turn_at("a.example", wait_seconds=20):
            assert holder_of("a.example")
    finally:
        may_go.set()
        other.join()
    assert holder_of("a.example") == ""

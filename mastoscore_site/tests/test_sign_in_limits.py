"""Guessing passwords comes to an end, for whoever guesses and for nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.test import Client

from mastoscore_site.sign_in_limits import MOST_PER_ADDRESS, MOST_PER_NAME

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fresh_allowances")]

PASSWORD = "a password for tests"
DOORS = ["/login/", "/admin/login/"]


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(datetime(2026, 3, 1, 12, 0, tzinfo=UTC), tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def ines(make_user: Any, clock: time_machine.Traveller, settings: Any) -> Any:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return make_user("ines", password=PASSWORD, is_staff=True)


def knock(door: str, password: str = "wrong", name: str = "ines", address: str = "192.0.2.1") -> Any:
    return Client(REMOTE_ADDR=address).post(door, {"username": name, "password": password})


@pytest.mark.parametrize("door", DOORS)
def test_after_ten_wrong_passwords_the_right_one_has_to_wait(door: str, clock: time_machine.Traveller) -> None:
    assert [knock(door).status_code for _ in range(MOST_PER_NAME)] == [200] * MOST_PER_NAME
    refused = knock(door, PASSWORD, name="INES")
    assert (refused.status_code, refused["Retry-After"]) == (429, "900")
    assert "Try again in 15 minutes." in refused.content.decode()
    assert knock(door, PASSWORD).status_code == 429
    assert Client(REMOTE_ADDR="192.0.2.1").get(door).status_code == 200
    clock.shift(900)
    assert knock(door, PASSWORD).status_code == 302


def test_both_doors_count_together() -> None:
    codes = [knock(DOORS[number % 2]).status_code for number in range(MOST_PER_NAME + 2)]
    assert codes == [200] * MOST_PER_NAME + [429, 429]


def test_others_elsewhere_and_other_names_are_not_kept_out(make_user: Any) -> None:
    make_user("otto", password=PASSWORD)
    for _ in range(MOST_PER_NAME + 1):
        knock("/login/")
    assert knock("/login/", PASSWORD, address="192.0.2.2").status_code == 302
    assert knock("/login/", PASSWORD, name="otto").status_code == 302


def test_address_that_tries_many_names_is_refused() -> None:
    codes = [knock("/login/", name=f"guess{number}").status_code for number in range(MOST_PER_ADDRESS + 1)]
    assert codes == [200] * MOST_PER_ADDRESS + [429]
    assert knock("/login/", PASSWORD).status_code == 429


def test_who_signs_in_rightly_is_never_counted() -> None:
    assert {knock("/login/", PASSWORD).status_code for _ in range(MOST_PER_ADDRESS + 5)} == {302}
    for _ in range(2):
        assert [knock("/login/").status_code for _ in range(MOST_PER_NAME - 1)] == [200] * (MOST_PER_NAME - 1)
        assert knock("/login/", PASSWORD).status_code == 302


def test_own_account_does_not_wash_off_what_was_guessed_at_others(make_user: Any) -> None:
    codes = []
    for number in range(MOST_PER_ADDRESS + 1):
        codes.append(knock("/login/", name=f"guess{number}").status_code)
        knock("/login/", PASSWORD)
    assert codes.index(429) >= MOST_PER_ADDRESS - 1
    assert codes[-1] == 429

"""The way in for users who are not staff."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_user_who_is_not_staff_comes_to_the_tokens_and_leaves_again(client: Client, make_user: Any) -> None:
    make_user("ines", password="a password for tests")
    asked = client.get("/tokens/")
    assert asked["Location"] == "/login/?next=/tokens/"
    page = client.get(asked["Location"])
    assert (page.status_code, 'name="next" value="/tokens/"' in page.content.decode()) == (200, True)
    wrong = client.post("/login/", {"username": "ines", "password": "x"})
    assert (wrong.status_code, "api-error" in wrong.content.decode()) == (200, True)
    given = {"username": "ines", "password": "a password for tests"}
    assert client.post("/login/", {**given, "next": "https://elsewhere.example/"})["Location"] == "/tokens/"
    assert client.get("/tokens/").status_code == 200
    assert client.post("/logout/")["Location"] == "/login/"
    assert client.get("/tokens/").status_code == 302

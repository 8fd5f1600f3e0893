from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.errors import RemoteError
from common.http import Unreachable
from common.mastodon import RateLimited, ServerFault, hashtag_path
from common.robots import RobotsRules, fetch_robots, parse_robots
from common.tests.loopback import Connection, answering, open_gate, reply, serve

PATH = hashtag_path("monsterdon")

MASTODON = """# See http://www.robotstxt.org/robotstxt.html
User-agent: GPTBot
Disallow: /

User-agent: *
Disallow: /media_proxy/
Disallow: /interact/
"""


@pytest.mark.parametrize(
    ("text", "is_allowed"),
    [
        ("", True),
        (MASTODON, True),
        ("User-agent: *\nDisallow: /", False),
        ("User-agent: *\nDisallow:", True),
        ("User-agent: mastoscore\nDisallow: /\n\nUser-agent: *\nAllow: /", False),
        ("User-agent: *\nDisallow: /\n\nUser-agent: Mastoscore/2.0\nAllow: /", True),
        ("User-agent: *\nDisallow: /\nUser-agent: MASTOSCORE\nDisallow: /admin", True),
        ("User-agent: a\nUser-agent: mastoscore\nUser-agent: b\nDisallow: /api", False),
        ("User-agent: mastoscore\nAllow: /api/v1/timelines\nUser-agent: mastoscore\nDisallow: /", True),
        ("User-agent: mastoscorer\nDisallow: /", True),
        ("user-AGENT : *\r\ndisallow : /api # not for robots\r\n", False),
        ("\ufeffUser-agent: *\nDisallow: /".encode().decode("utf-8-sig"), False),
        ("User-agent: *\nDisallow: /\nAllow: /api/v1/timelines/tag/", True),
        ("User-agent: *\nAllow: /\nDisallow: /api", False),
        ("User-agent: *\nDisallow: /api\nAllow: /api", True),
        ("User-agent: *\nDisallow: /*/timelines", False),
        ("User-agent: *\nDisallow: /*.php", True),
        ("User-agent: *\nDisallow: /api$", True),
        ("User-agent: *\nDisallow: /*monsterdon$", False),
        ("User-agent: *\nDisallow: /api/*/tag/monsterdon$", False),
        ("User-agent: *\nDisallow: *", False),
        ("User-agent: *\nDisallow: api", True),
        ("User-agent: *\nDisallow: /api/v1/timelines/tag/%6Donsterdon", False),
        ("User-agent: *\nSitemap: https://a.example/x\nCrawl-delay: 10\nnonsense", True),
        ("Disallow: /", True),
        ("<!DOCTYPE html><html><body>User-agent: *</body></html>", True),
    ],
)
def test_rules_are_read_as_the_rfc_says(text: str, is_allowed: bool) -> None:
    rules = parse_robots(text)
    assert rules.allows(PATH) is is_allowed
    assert rules.verdict(PATH) == ("allowed" if is_allowed else "forbidden")
    assert rules.allows("/robots.txt")


def test_rules_may_look_at_the_query() -> None:
    rules = parse_robots("User-agent: *\nDisallow: /*max_id=")
    assert rules.allows(f"{PATH}?limit=40")
    assert not rules.allows(f"{PATH}?limit=40&max_id=5")


def test_hashtags_of_other_scripts_are_compared_by_what_they_say() -> None:
    rules = parse_robots("User-agent: *\nDisallow: /api/v1/timelines/tag/café")
    assert not rules.allows(hashtag_path("café"))
    assert rules.allows(hashtag_path("cafe"))


def test_many_stars_cost_nothing() -> None:
    rules = parse_robots("User-agent: *\nDisallow: /" + "*a" * 500 + "b")
    assert rules.allows("/" + "a" * 2000)


@given(st.text(), st.text())
def test_any_file_is_read(text: str, path: str) -> None:
    assert parse_robots(f"User-agent: *\nDisallow: {text}").verdict(f"/{path}") in ("allowed", "forbidden")
    parse_robots(text)


def fetch_from(answer: bytes) -> RobotsRules:
    with serve(answering(lambda _: answer)) as server, open_gate() as gate:
        rules = fetch_robots(gate, f"127.0.0.1:{server.port}")
        assert server.requests[0].startswith(b"GET /robots.txt HTTP/1.1\r\n")
    return rules


def test_robots_are_fetched_from_the_root() -> None:
    rules = fetch_from(reply(b"User-agent: *\nDisallow: /api\xff"))
    assert rules.allows("/") and rules.has_file
    assert fetch_from(reply(b"User-agent: *\nDisallow: /")).verdict(PATH) == "forbidden"


@pytest.mark.parametrize("status", ["404 Not Found", "401 Unauthorized", "403 Forbidden", "410 Gone"])
def test_no_file_means_no_rules(status: str) -> None:
    assert fetch_from(reply(b"User-agent: *\nDisallow: /", status=status)).verdict(PATH) == "none"


def test_endless_file_means_no_rules() -> None:
    assert fetch_from(reply(b"x" * 600_000)).verdict(PATH) == "none"


@pytest.mark.parametrize(
    ("status", "error"), [("503 Busy", ServerFault), ("500 Oh", ServerFault), ("429 Slow down", RateLimited)]
)
def test_fault_of_the_server_is_no_permission(status: str, error: type[RemoteError]) -> None:
    with pytest.raises(error) as caught:
        fetch_from(reply(status=status, headers=("Retry-After: 7",)))
    assert caught.value.retry_after == 7


def test_unreachable_server_gives_no_permission() -> None:
    def hang_up(connection: Connection) -> None:
        connection.read_request()

    with serve(hang_up) as server, open_gate() as gate, pytest.raises(Unreachable):
        fetch_robots(gate, f"127.0.0.1:{server.port}")

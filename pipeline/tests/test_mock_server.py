"""The bundled fediverse over real HTTP: every habit it promises can be met there."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
import requests
from PIL import Image

from common.errors import MastoscoreError
from pipeline.mock.server import Fediverse, start_fediverse

EVENT = ("jellynight", datetime(2026, 10, 5, tzinfo=UTC), timedelta(minutes=90), timedelta(hours=1))
FEW = 60


@pytest.fixture(scope="module")
def fediverse() -> Iterator[Fediverse]:
    with start_fediverse(*EVENT, toot_count=150) as running:
        yield running


def name_of(fediverse: Fediverse, key: str) -> str:
    return next(name for name, server in fediverse.world.servers.items() if server.behaviour.key == key)


def ask(fediverse: Fediverse, key: str, path: str = "/api/v1/timelines/tag/jellynight", **options: Any) -> Any:
    return requests.get(f"http://{name_of(fediverse, key)}{path}", timeout=10, **options)


def walk(fediverse: Fediverse, key: str, **query: Any) -> list[Any]:
    """Every row of a server, page by page, for at most 60 pages."""
    rows: list[Any] = []
    max_id: dict[str, Any] = {}
    for _ in range(60):
        page = ask(fediverse, key, params={"limit": 40, **query, **max_id}).json()
        ids = [row["id"] for row in page if isinstance(row, dict) and isinstance(row.get("id"), str)]
        rows += page
        if not ids:
            return rows
        max_id = {"max_id": ids[-1]}
    raise AssertionError(f"{key} has no end")


@pytest.mark.parametrize("key", ["home", "large", "no-replies", "flake", "short-pages", "linkless", "second-hop"])
def test_walk_by_max_id_meets_every_row_once(fediverse: Fediverse, key: str) -> None:
    server = fediverse.world.servers[name_of(fediverse, key)]
    ids = [row["id"] for row in walk(fediverse, key)]
    assert ids == [row.local_id for row in server.rows if not row.needs_token]


def test_walk_through_rubbish_comes_to_its_end(fediverse: Fediverse) -> None:
    rows = walk(fediverse, "sloppy")
    known = {row.local_id for row in fediverse.world.servers[name_of(fediverse, "sloppy")].rows if row.toot}
    assert known <= {row["id"] for row in rows if isinstance(row, dict) and "id" in row}
    assert None in rows
    assert 42 in rows
    assert any(isinstance(row, dict) and "account" in row and row["account"] is None for row in rows)


def test_home_shows_its_hosts_private_toots_to_the_host_alone(fediverse: Fediverse) -> None:
    signed_in = {"Authorization": f"Bearer {fediverse.token}"}
    options = {"params": {"limit": 40}, "headers": signed_in}
    shown = {row["visibility"] for row in ask(fediverse, "home", **options).json()}
    rows, max_id = ask(fediverse, "home", **options).json(), ""
    while rows:
        shown |= {row["visibility"] for row in rows}
        max_id = rows[-1]["id"]
        rows = ask(fediverse, "home", params={"limit": 40, "max_id": max_id}, headers=signed_in).json()
    assert shown == {"public", "private", "direct", "unlisted"}
    assert {row["visibility"] for row in walk(fediverse, "home")} == {"public"}
    assert ask(fediverse, "home", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert ask(fediverse, "large", headers=signed_in).status_code == 401


def test_credentials_are_confirmed_for_the_host_only(fediverse: Fediverse) -> None:
    path = "/api/v1/accounts/verify_credentials"
    answer = ask(fediverse, "home", path, headers={"Authorization": f"Bearer {fediverse.token}"})
    assert answer.json()["username"] == "host"
    assert ask(fediverse, "home", path).status_code == 401


def test_closed_servers_refuse_each_in_their_way(fediverse: Fediverse) -> None:
    assert ask(fediverse, "closed").status_code == 401
    assert ask(fediverse, "closed", params={"local": "true"}).status_code == 401
    assert ask(fediverse, "refusing").status_code == 422
    missing = ask(fediverse, "no-api")
    assert missing.status_code == 404
    assert isinstance(missing.json()["error"], dict)
    with pytest.raises(requests.ConnectionError):
        ask(fediverse, "down")


def test_server_of_the_misskey_family_answers_its_own_search(fediverse: Fediverse) -> None:
    name = next(name for name, server in fediverse.world.servers.items() if server.behaviour.key == "no-api")
    address = f"http://{name}/api/notes/search-by-tag"
    asked = {"tag": fediverse.world.schedule.hashtag, "limit": 5}

    first = requests.post(address, json=asked, timeout=5).json()
    second = requests.post(address, json={**asked, "untilId": first[-1]["id"]}, timeout=5).json()

    assert len(first) == 5 and second
    assert not {note["id"] for note in first} & {note["id"] for note in second}
    assert requests.post(address, json={}, timeout=5).status_code == 400


def test_closed_server_offers_its_feed(fediverse: Fediverse) -> None:
    path = f"/tags/{fediverse.world.schedule.hashtag}.rss"
    answer = ask(fediverse, "refusing", path)
    assert answer.headers["Content-Type"].startswith("application/rss+xml")
    assert "Members only, this one" in answer.text
    assert ask(fediverse, "closed", path).status_code == 404


def test_local_only_server_shows_its_own(fediverse: Fediverse) -> None:
    assert ask(fediverse, "local-only").status_code == 401
    name = name_of(fediverse, "local-only")
    rows = walk(fediverse, "local-only", local="true")
    assert rows
    assert {row["uri"].split("/")[2] for row in rows} == {name}


def test_page_instead_of_an_answer(fediverse: Fediverse) -> None:
    answer = ask(fediverse, "html")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")


def test_faults_happen_once() -> None:
    with start_fediverse(*EVENT, toot_count=FEW) as fediverse:
        limited = ask(fediverse, "limiting")
        assert (limited.status_code, limited.headers["Retry-After"]) == (429, "1")
        assert ask(fediverse, "stumbling").status_code == 500
        busy = ask(fediverse, "busy")
        assert busy.status_code == 503
        assert busy.headers["Retry-After"].startswith("1, ")
        assert busy.headers["Retry-After"].endswith("GMT")
        for key in ("limiting", "stumbling", "busy"):
            assert ask(fediverse, key).status_code == 200


def test_repeating_server_knows_one_page_only(fediverse: Fediverse) -> None:
    first = ask(fediverse, "repeating", params={"limit": 40}).json()
    again = ask(fediverse, "repeating", params={"limit": 40, "max_id": first[-1]["id"]}).json()
    assert len(first) == 40
    assert again == first


def test_foreign_max_id_brings_what_such_servers_bring(fediverse: Fediverse) -> None:
    params = {"limit": 40, "max_id": "115318456320000000"}
    assert ask(fediverse, "no-replies", params=params).status_code == 400
    assert ask(fediverse, "flake", params=params).json() == []
    assert ask(fediverse, "second-hop", params=params).json() == ask(fediverse, "second-hop").json()
    jumped = ask(fediverse, "large", params=params).json()
    assert all(int(row["id"]) < 115318456320000000 for row in jumped)


def test_limits_links_and_rate_headers_differ(fediverse: Fediverse) -> None:
    assert len(ask(fediverse, "home", params={"limit": 80}).json()) == 40
    assert len(ask(fediverse, "home").json()) == 20
    assert len(ask(fediverse, "short-pages", params={"limit": 40}).json()) == 20
    assert 'rel="next"' in ask(fediverse, "home").headers["Link"]
    assert "Link" not in ask(fediverse, "linkless").headers
    assert ask(fediverse, "home").headers["X-RateLimit-Reset"].endswith("Z")
    assert "X-RateLimit-Limit" not in ask(fediverse, "german").headers


def test_newer_than_an_id_ends_the_page_there(fediverse: Fediverse) -> None:
    first = ask(fediverse, "home", params={"limit": 10}).json()
    assert ask(fediverse, "home", params={"limit": 40, "since_id": first[4]["id"]}).json() == first[:4]


def test_robots_differ(fediverse: Fediverse) -> None:
    assert "Disallow: /\n" in ask(fediverse, "robots", "/robots.txt").text
    assert "Disallow: /media_proxy/" in ask(fediverse, "large", "/robots.txt").text
    assert ask(fediverse, "flake", "/robots.txt").status_code == 404


def test_instance_and_nodeinfo_tell_the_software(fediverse: Fediverse) -> None:
    assert ask(fediverse, "home", "/api/v2/instance").json()["configuration"]["statuses"]["max_characters"] == 500
    assert ask(fediverse, "home", "/api/v1/instance").json()["uri"] == fediverse.home
    links = ask(fediverse, "no-api", "/.well-known/nodeinfo").json()["links"]
    assert requests.get(links[0]["href"], timeout=10).json()["software"]["name"] == "misskey"


def test_one_toot_by_its_id(fediverse: Fediverse) -> None:
    row = ask(fediverse, "large").json()[0]
    assert ask(fediverse, "large", f"/api/v1/statuses/{row['id']}").json() == row
    assert ask(fediverse, "large", "/api/v1/statuses/1").status_code == 404


def test_every_url_of_a_toot_opens_as_a_page_without_scripts(fediverse: Fediverse) -> None:
    toot = next(toot for toot in fediverse.world.toots if toot.author.username == "script_bobby" and toot.raw_html)
    page = requests.get(toot.url, timeout=10)
    assert page.status_code == 200
    assert "<script>" not in page.text
    assert "onerror=" not in page.text.replace("&quot;", '"').partition("&lt;img")[0]
    for toot in fediverse.world.toots[:40]:
        server = fediverse.world.servers[toot.origin]
        is_served = server.behaviour.access not in ("down", "html", "foreign") and toot.visibility == "public"
        if is_served and any(row.toot == toot for row in server.rows):
            assert requests.get(toot.uri, timeout=10).status_code == 200, toot.uri


def test_pictures_are_pictures(fediverse: Fediverse) -> None:
    picture = ask(fediverse, "home", "/media/still-1-0.png")
    assert Image.open(BytesIO(picture.content)).size == (320, 180)


def test_answers_are_compressed_when_accepted_and_connections_kept(fediverse: Fediverse) -> None:
    with requests.Session() as session:
        address = f"http://{fediverse.home}/api/v1/timelines/tag/jellynight"
        zipped = session.get(address, timeout=10)
        plain = session.get(address, timeout=10, headers={"Accept-Encoding": "identity"})
        assert zipped.headers["Content-Encoding"] == "gzip"
        assert int(zipped.headers["Content-Length"]) < int(plain.headers["Content-Length"]) == len(plain.content)
        assert plain.json() == zipped.json()


def test_requests_are_logged_with_their_peak() -> None:
    with start_fediverse(*EVENT, toot_count=FEW, latency_seconds=0.2) as fediverse:
        log = fediverse.requests[fediverse.home]
        barrier = threading.Barrier(3)

        def ask_together() -> None:
            barrier.wait(10)
            ask(fediverse, "home", params={"limit": 3}, headers={"User-Agent": "Mastoscore/test"})

        threads = [threading.Thread(target=ask_together) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(log) == 3
        assert 1 < log.peak_in_flight <= 3
        assert log.user_agents == {"Mastoscore/test"}
        assert log[0].path == "/api/v1/timelines/tag/jellynight"
        assert log[0].query == {"limit": "3"}
        assert log[0].status == 200
        assert fediverse.requests[name_of(fediverse, "large")].peak_in_flight == 0


def test_film_database_finds_the_film_and_its_poster(fediverse: Fediverse) -> None:
    def search(**params: str) -> Any:
        return requests.get(f"{fediverse.tmdb_api_url}/search/movie", params=params, timeout=10)

    assert search(query="jelly").status_code == 401
    found = search(query="The Jelly from Outer Space", api_key="any").json()["results"]
    assert [film["release_date"][:4] for film in found] == ["1957", "1959"]
    assert found[1]["poster_path"] is None
    assert len(search(query="The Jelly from Outer Space", year="1957", api_key="any").json()["results"]) == 1
    assert search(query="a film nobody made", api_key="any").json()["results"] == []
    keywords = requests.get(
        f"{fediverse.tmdb_api_url}/movie/{found[0]['id']}/keywords",
        headers={"Authorization": "Bearer any"},
        timeout=10,
    )
    assert "lighthouse" in [keyword["name"] for keyword in keywords.json()["keywords"]]
    poster = requests.get(f"{fediverse.tmdb_image_url}/w342{found[0]['poster_path']}", timeout=10)
    image = Image.open(BytesIO(poster.content))
    assert (image.format, image.size) == ("JPEG", (342, 513))
    assert len(image.getcolors(342 * 513) or []) > 5000


def test_private_hosts_name_its_addresses_only(fediverse: Fediverse) -> None:
    assert fediverse.private_hosts == [f"127.1.0.0/24:{fediverse.port}"]


def test_one_address_with_many_ports_serves_as_well() -> None:
    with start_fediverse(*EVENT, toot_count=FEW, has_many_addresses=False) as fediverse:
        assert {name.partition(":")[0] for name in fediverse.requests} == {"127.0.0.1"}
        assert sorted(fediverse.private_hosts) == sorted(fediverse.requests)
        assert ask(fediverse, "large").status_code == 200
        with pytest.raises(requests.ConnectionError):
            ask(fediverse, "down")


def test_taken_port_is_an_error_with_a_sentence_and_leaves_nothing_open(fediverse: Fediverse) -> None:
    with pytest.raises(OSError, match="cannot be had") as caught:
        start_fediverse(*EVENT, toot_count=FEW, port=fediverse.port)
    assert isinstance(caught.value, MastoscoreError)
    assert "--port" in caught.value.user_message


def test_stop_frees_the_port_and_ends_every_thread() -> None:
    before = set(threading.enumerate())
    fediverse = start_fediverse(*EVENT, toot_count=FEW)
    port = fediverse.port
    idle = socket.create_connection(("127.1.0.1", port), timeout=10)
    idle.sendall(b"GET /api/v2/instance HTTP/1.1\r\nHost: x\r\n\r\n")
    assert idle.recv(20).startswith(b"HTTP/1.1 200")
    fediverse.stop()
    fediverse.stop()
    assert set(threading.enumerate()) <= before
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.1.0.1", port), timeout=10)
    idle.close()
    with start_fediverse(*EVENT, toot_count=FEW, port=port) as again:
        assert again.port == port


# --- the host's own toots -------------------------------------------------------------------------------------------
def test_host_posts_a_thread_that_can_be_looked_at_and_taken_back(fediverse: Fediverse) -> None:
    mine = {"headers": {"Authorization": f"Bearer {fediverse.token}"}}
    base = f"http://{fediverse.home}/api/v1"

    def post(key: str, **values: Any) -> Any:
        headers = {**mine["headers"], "Idempotency-Key": key}
        return requests.post(f"{base}/statuses", json=values, headers=headers, timeout=10)

    picture = requests.post(
        f"http://{fediverse.home}/api/v2/media",
        files={"file": ("graph.png", b"\x89PNG", "image/png")},
        data={"description": "Toots per minute – ünï"},
        timeout=10,
        **mine,
    ).json()
    assert picture["description"] == "Toots per minute – ünï"
    root = post("one", status="Here is how #jellynight went <3\n\nBye", media_ids=[picture["id"]]).json()
    assert post("one", status="again").json() == root
    reply = post("two", status="And so on", in_reply_to_id=root["id"], visibility="unlisted").json()
    assert (reply["in_reply_to_id"], reply["visibility"]) == (root["id"], "unlisted")
    assert "&lt;3" in root["content"] and root["media_attachments"] == [picture]
    own = requests.get(f"{base}/accounts/{root['account']['id']}/statuses", timeout=10, **mine).json()
    assert [toot["id"] for toot in own] == [reply["id"], root["id"]]
    below = requests.get(f"{base}/statuses/{root['id']}/context", timeout=10, **mine).json()["descendants"]
    assert [toot["id"] for toot in below] == [reply["id"]]
    page = requests.get(root["url"], timeout=10)
    assert (page.status_code, "&lt;3" in page.text, "<3" in page.text) == (200, True, False)
    for toot in (reply, root):
        assert requests.delete(f"{base}/statuses/{toot['id']}", timeout=10, **mine).status_code == 200
        assert requests.get(f"{base}/statuses/{toot['id']}", timeout=10, **mine).status_code == 404
    assert requests.get(root["url"], timeout=10).status_code == 404


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"status": " "}, 422),
        ({"status": "x" * 1001}, 422),
        ({"status": "x", "in_reply_to_id": "1"}, 404),
        ({"status": "x", "media_ids": ["1"]}, 404),
        ({"status": "x", "media_ids": 7}, 404),
        ([1], 422),
    ],
)
def test_toot_that_makes_no_sense_is_refused(fediverse: Fediverse, values: Any, status: int) -> None:
    headers = {"Authorization": f"Bearer {fediverse.token}"}
    url = f"http://{fediverse.home}/api/v1/statuses"
    assert requests.post(url, json=values, headers=headers, timeout=10).status_code == status


def test_nobody_but_the_host_posts(fediverse: Fediverse) -> None:
    for key, headers in (
        ("home", {}),
        ("home", {"Authorization": "Bearer x"}),
        ("large", {"Authorization": "Bearer x"}),
    ):
        url = f"http://{name_of(fediverse, key)}/api/v1/statuses"
        assert requests.post(url, json={"status": "x"}, headers=headers, timeout=10).status_code == 405

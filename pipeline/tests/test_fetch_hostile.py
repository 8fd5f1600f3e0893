"""One crawl through every hostile server there is: it ends, and the honest ones come out right."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import trustme

from common.tests.loopback import Connection, reply, serve
from events.models import Event, MastodonAccount
from pipeline.models import Crawl, Toot, Visit
from pipeline.tests.fetch_help import run_fetch
from tests.remote.fediverse import NOON, Fediverse, RemoteServer, make_status
from tests.remote.hostile import HOSTILE, METADATA, closed_port, plant

pytestmark = pytest.mark.django_db

MAX_SERVERS = 70
REBINDING = "rebinding.example"


@dataclass
class Scene:
    """After the crawl: the servers, by what they are, and what it came to."""

    result: dict[str, Any]
    home: RemoteServer
    honest: list[RemoteServer]
    hostile: dict[str, RemoteServer]
    liar: RemoteServer
    refused: str
    rebinding: str
    asked_of_rebinding: list[bytes]


def resolve(host: str, port: int, *args: Any, **values: Any) -> list[Any]:
    """Names of the tests have no address, but for the one that changes its mind after the first two answers."""
    if host == REBINDING:
        resolve.times += 1  # type: ignore[attr-defined]
        address = "127.0.0.1" if resolve.times <= 2 else METADATA  # type: ignore[attr-defined]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]
    raise socket.gaierror("no such name")


@pytest.fixture(scope="module")
def scene(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """The crawl is run once; every test looks at what became of it."""
    from django.test import TestCase, override_settings

    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock(), Fediverse() as fediverse:
        atomics = TestCase._enter_atomics()
        try:
            with override_settings(**limits(), DATA_DIR=tmp_path_factory.mktemp("hostile")):
                yield run_scene(fediverse, patch)
        finally:
            TestCase._rollback_atomics(atomics)


def limits() -> dict[str, Any]:
    return {
        "MASTOSCORE_RETRY_PAUSES": [0.01],
        "MASTOSCORE_READ_SECONDS": 2.0,
        "MASTOSCORE_REQUEST_SECONDS": 4.0,
        "MASTOSCORE_MAX_SERVERS": MAX_SERVERS,
        "MASTOSCORE_FETCH_THREADS": 64,
        "MASTOSCORE_FETCH_PROCESSES": 0,  # another process would not know our resolver
    }


def run_scene(fediverse: Fediverse, patch: pytest.MonkeyPatch) -> Scene:
    from django.conf import settings

    home, honest = fediverse.add(page_rows=100), [fediverse.add(page_rows=7) for _ in range(3)]
    for place, server in enumerate(honest):
        for number in range(20):
            server.toot(
                number, 10 + number + place / 10, favourites_count=number, content=f"<p>{number} #monsterdon</p>"
            )
        home.show(server.statuses[0])
    hostile = plant(fediverse, home)
    liar = plant_liar(fediverse, home, honest)
    refused = closed_port()
    home.show(make_status(refused, 1, NOON, user="bait"))
    patch.setattr(socket, "getaddrinfo", resolve)
    resolve.times = 0  # type: ignore[attr-defined]
    with serve_rebinding(patch) as (rebinding, asked):
        home.show(make_status(rebinding, 1, NOON, user="bait", uri=f"https://{rebinding}/users/bait/statuses/1"))
        settings.MASTOSCORE_PRIVATE_HOSTS = [
            *fediverse.private_hosts,
            refused,
            rebinding.replace(REBINDING, "127.0.0.1"),
        ]
        result = run_fetch(make_hostile_event(home))
    return Scene(result, home, honest, hostile, liar, refused, rebinding, asked)


def make_hostile_event(home: RemoteServer) -> Event:
    return Event.objects.create(
        slug="hostile",
        event_title="Hostile",
        hashtag="monsterdon",
        start=NOON,
        duration=timedelta(minutes=90),
        home_account=MastodonAccount.objects.create(server=home.name, token="home-secret"),
    )


def plant_liar(fediverse: Fediverse, home: RemoteServer, honest: list[RemoteServer]) -> RemoteServer:
    """Shows the toots of others with counts and texts of its own, and one that its author never wrote."""
    liar = fediverse.add()
    lies = {"favourites_count": 10**6, "reblogs_count": 10**6, "content": "<p>lies #monsterdon</p>"}
    for server in honest:
        liar.show(*server.statuses[:5], **lies, edited_at="2026-02-23T23:00:00.000Z")
    liar.show(make_status(honest[0].name, 777, NOON, **lies))
    home.show(make_status(liar.name, 1, NOON, user="bait"))
    return liar


def serve_rebinding(patch: pytest.MonkeyPatch) -> Any:
    """An https server whose name leads here at first, and to the metadata service of a cloud later."""
    import contextlib
    import json

    authority = trustme.CA()
    server_side, client_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert(REBINDING).configure_cert(server_side)
    authority.configure_trust(client_side)
    patch.setattr("common.http.shared_ssl_context", lambda: client_side)

    @contextlib.contextmanager
    def serving() -> Iterator[tuple[str, list[bytes]]]:
        def handle(connection: Connection) -> None:
            request = connection.read_request()
            name = f"{REBINDING}:{server.port}"
            toot = make_status(name, 5, NOON, uri=f"https://{name}/users/x/statuses/5")
            is_page = b"/timelines/" in request
            body = json.dumps([toot]).encode() if is_page else b""
            status = "200 OK" if is_page else "404 Not Found"
            connection.send(reply(body, status=status, headers=("Connection: close",)))

        with serve(handle, tls=server_side) as server:
            yield f"{REBINDING}:{server.port}", server.requests

    return serving()


def visit_at(name: str) -> Visit:
    return Visit.objects.get(server=name)


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: hostile.name)
def test_hostile_server_gets_its_outcome_and_its_sentence(scene: Scene, hostile: Any) -> None:
    server = scene.hostile[hostile.name]
    visit = visit_at(server.name)

    assert visit.outcome == hostile.outcome, visit.detail
    assert visit.detail.startswith(server.name) and visit.detail.endswith(".") and hostile.words in visit.detail
    assert visit.state == ("done" if hostile.outcome in ("complete", "reached_max", "not_paged") else "failed")
    if hostile.toots:
        assert Toot.objects.filter(origin=server.name, is_authoritative=True).count() == hostile.toots


def test_crawl_is_complete_and_no_visit_is_left_open(scene: Scene) -> None:
    assert Crawl.objects.get().state == Crawl.State.COMPLETE
    assert set(Visit.objects.values_list("state", flat=True)) == {"done", "failed"}


def test_honest_servers_come_out_exactly_right(scene: Scene) -> None:
    for server in scene.honest:
        own = Toot.objects.filter(origin=server.name, is_authoritative=True)
        assert {(toot.uri, toot.text, toot.favourites, toot.boosts) for toot in own} == {
            (status["uri"], f"{number} #monsterdon", number, 0) for number, status in enumerate(server.statuses)
        }
        assert visit_at(server.name).outcome == "complete"
        assert server.most_in_flight == 1


def test_liar_has_a_say_only_as_far_as_having_seen_it(scene: Scene) -> None:
    claimed = Toot.objects.filter(origin__in=[server.name for server in scene.honest], is_authoritative=False)

    assert [toot.uri.rpartition("/")[2] for toot in claimed] == ["777"]
    assert visit_at(scene.liar.name).sightings.count() == 16


def test_refused_connection_is_told_so(scene: Scene) -> None:
    visit = visit_at(scene.refused)

    assert (visit.outcome, visit.detail) == ("unreachable", f"{scene.refused} could not be reached.")


def test_name_that_resolves_to_a_private_address_later_gets_nowhere(scene: Scene) -> None:
    visit = visit_at(scene.rebinding)

    assert (visit.outcome, visit.pages) == ("not_allowed", 1)
    assert "What it had shown until then counts." in visit.detail
    assert len(scene.asked_of_rebinding) == 2


def test_one_server_in_many_spellings_is_one_server(scene: Scene) -> None:
    toots = Toot.objects.filter(origin="named.example").values_list("uri", flat=True)

    assert sorted(uri.rpartition("/")[2] for uri in toots) == ["0", "1", "2", "3", "9"]
    idn = Toot.objects.filter(origin="xn--mnchen-3ya.example").values_list("uri", flat=True)
    assert len(idn) == 3
    assert all(uri.startswith("https://xn--mnchen-3ya.example/") for uri in idn)


def test_ten_thousand_invented_hosts_are_capped_and_said_so(scene: Scene) -> None:
    invented = {f"invented-{number}.example" for number in range(10_000)}
    asked = set(Visit.objects.values_list("server", flat=True))

    assert len(asked) == MAX_SERVERS
    assert len(invented - asked) <= scene.result["left_out_servers"] < len(invented) + MAX_SERVERS


def test_duplicates_with_different_texts_become_the_one_edited_last(scene: Scene) -> None:
    toot = Toot.objects.get(origin=scene.hostile["duplicates"].name, is_authoritative=True)

    assert (toot.text, toot.sightings.filter(visit__server=toot.origin).count()) == ("edited #monsterdon", 1)


def test_scripts_stay_texts_and_no_link_runs(scene: Scene) -> None:
    toots = Toot.objects.filter(origin=scene.hostile["scripts"].name, is_authoritative=True)

    assert toots.count() == 2
    for toot in toots:
        assert all(url.startswith("http") for url in (toot.url, toot.author_url) if url)
        assert not set("<>\"'") & set(toot.author_handle)


def test_hostile_servers_were_asked_a_bounded_number_of_times(scene: Scene) -> None:
    asked = {name: len(server.asked) for name, server in scene.hostile.items()}

    # The endless one is left after the most pages a server with so many toots could have.
    assert asked.pop("endless pages") <= 310
    assert max(asked.values()) <= 12, asked
    assert all(server.most_in_flight == 1 for server in scene.hostile.values())


def test_nobody_was_sent_to_a_closed_address_or_shown_the_token(scene: Scene) -> None:
    for server in [*scene.hostile.values(), *scene.honest, scene.liar]:
        assert not any("authorization" in asked.headers for asked in server.asked)

"""The public pages: what they show, to whom, and that nothing hostile gets through."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from common.files import write_bytes
from common.links import safe_link
from events.models import Event, OptOut
from pipeline import paths
from pipeline.artifacts import remember_file
from pipeline.models import Artifact, ThreadToot, Visit
from pipeline.tests.scored_event import PIXEL, add_crawl, add_toot, analyse, make_scored

MakeEvent = Callable[..., Event]


@pytest.fixture
def scored(make_event: MakeEvent) -> Event:
    return make_scored(make_event(is_published=True))


@pytest.fixture
def host(db: None) -> Client:
    """A client signed in as staff who may view events."""
    user = User.objects.create_user("host", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_event"))
    client = Client()
    client.force_login(user)
    return client


def page_of(event: Event, suffix: str = "") -> str:
    return f"/events/{event.slug}/{suffix}"


# --- home -----------------------------------------------------------------------------------------------------------
def test_empty_home_says_what_to_do_first(client: Client, db: None) -> None:
    html = client.get("/").content.decode()
    assert "Score now" in html
    assert 'href="/admin/"' in html


def test_home_lists_published_events_newest_first(client: Client, make_event: MakeEvent, scored: Event) -> None:
    make_event(slug="older", episode_title="Older", start=scored.start - timedelta(days=7), is_published=True)
    make_event(slug="hidden", episode_title="Hidden", start=scored.start + timedelta(days=7))
    html = client.get("/").content.decode()
    assert html.index("The Blob (1958)") < html.index("Older")
    assert "Hidden" not in html
    assert "<strong>8</strong> toots by <strong>8</strong> people" in html
    assert f"{scored.slug}/files/{paths.graph(scored).name}" in html


def test_home_shows_unpublished_events_to_hosts_and_marks_them(host: Client, make_event: MakeEvent) -> None:
    make_event(episode_title="Hidden")
    html = host.get("/").content.decode()
    assert "Hidden" in html
    assert "not published" in html


def test_home_turns_pages_and_forgives_wrong_page_numbers(client: Client, make_event: MakeEvent) -> None:
    first = make_event(is_published=True)
    for week in range(1, 30):
        make_event(slug=f"week-{week}", start=first.start + timedelta(weeks=week), is_published=True)
    assert "Older events" in client.get("/").content.decode()
    assert "Newer events" in client.get("/?page=2").content.decode()
    assert client.get("/?page=nonsense").status_code == 200
    assert client.get("/?page=999").status_code == 200


# --- one event ------------------------------------------------------------------------------------------------------
def test_event_page_shows_numbers_rankings_pictures_servers_and_files(client: Client, scored: Event) -> None:
    html = client.get(page_of(scored)).content.decode()
    assert "Toot number 8 #monsterdon" in html
    assert 'href="https://origin.example/@u/8"' in html
    assert "Most boosted" in html
    assert 'alt="graph in words"' in html
    assert paths.graph(scored, "dark").name in html
    assert "3 servers were asked: 1 answered, 1 would rather not, 1 could not." in html
    assert "does not let strangers read hashtags" in html
    assert paths.blog_page(scored).name in html
    assert paths.journal(scored, "home.example").name not in html


@pytest.mark.parametrize("suffix", ["", "servers/", "files/index.md"])
def test_unpublished_event_is_not_found_by_strangers(
    client: Client, host: Client, scored: Event, suffix: str
) -> None:
    Event.objects.update(is_published=False)
    assert client.get(page_of(scored, suffix)).status_code == 404
    assert host.get(page_of(scored, suffix)).status_code == 200


def test_staff_without_permission_do_not_see_unpublished_events(client: Client, make_event: MakeEvent) -> None:
    event = make_event()
    client.force_login(User.objects.create_user("helper", is_staff=True))
    assert client.get(page_of(event)).status_code == 404


def test_event_without_any_results_has_a_page(client: Client, make_event: MakeEvent) -> None:
    event = make_event(is_published=True)
    assert "Not scored yet" in client.get(page_of(event)).content.decode()
    assert "Nothing is fetched yet" in client.get(page_of(event, "servers/")).content.decode()


def test_event_that_nobody_wrote_about_says_so(client: Client, make_event: MakeEvent) -> None:
    event = make_event(is_published=True)
    add_crawl(event, {"home.example": "complete"})
    analyse(event)
    assert "Nobody was found" in client.get(page_of(event)).content.decode()


def test_content_warning_hides_the_text_behind_it(client: Client, make_event: MakeEvent) -> None:
    event = make_event(is_published=True)
    add_toot(event, 5, spoiler_text="Ending of the film", text="He did it")
    analyse(event)
    html = client.get(page_of(event)).content.decode()
    hidden = html[html.index("<details>") : html.index("</details>")]
    assert "Ending of the film</summary>" in hidden
    assert "He did it" in hidden
    assert html.count("He did it") == 1


def test_sent_thread_is_linked(client: Client, scored: Event) -> None:
    ThreadToot.objects.filter(position=0).update(state=ThreadToot.State.SENT, url="https://home.example/@bot/1")
    assert 'href="https://home.example/@bot/1"' in client.get(page_of(scored)).content.decode()


# --- hostile input --------------------------------------------------------------------------------------------------
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'>"


def test_hostile_texts_and_names_are_shown_as_text(client: Client, make_event: MakeEvent) -> None:
    event = make_event(is_published=True, event_title=HOSTILE, episode_title=HOSTILE)
    add_toot(event, 5, text=HOSTILE, author_name=HOSTILE, spoiler_text=HOSTILE, language="<b>")
    add_toot(event, 6, text="", author_name=HOSTILE)
    crawl = add_crawl(event, {"home.example": "complete"})
    Visit.objects.filter(crawl=crawl).update(detail=HOSTILE, server=HOSTILE)
    analyse(event)
    for address in ("/", page_of(event), page_of(event, "servers/")):
        html = client.get(address).content.decode()
        assert "<script" not in html
        assert "<img src=x" not in html
        assert "&lt;script&gt;alert(1)" in html


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        " javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        "//evil.example/x",
        "/local/path",
        "https://",
        "https://good.example\\@evil.example/",
        'https://good.example/"onmouseover="alert(1)',
        "https://good.example/a\nb",
        "ftp://good.example/",
        "",
        None,
        7,
    ],
)
def test_address_that_is_no_plain_web_address_becomes_no_link(address: object) -> None:
    assert safe_link(address) == ""


@pytest.mark.parametrize(
    "address", ["https://good.example/@u/1", "http://127.1.0.3:8000/x", "https://bücher.example/ä?b=c#d"]
)
def test_plain_web_address_may_be_linked(address: str) -> None:
    assert safe_link(address) == address


def test_script_addresses_of_toots_and_authors_become_no_links(client: Client, make_event: MakeEvent) -> None:
    event = make_event(is_published=True)
    add_toot(event, 5, url="javascript:alert(1)", uri="javascript:alert(2)", author_url="javascript:alert(3)")
    analyse(event)
    html = client.get(page_of(event)).content.decode()
    assert "Toot number 5" in html
    assert "javascript:" not in html


# --- consent --------------------------------------------------------------------------------------------------------
def test_author_who_opts_out_later_vanishes_at_once(client: Client, host: Client, scored: Event) -> None:
    assert "@user8@origin.example" in client.get(page_of(scored)).content.decode()
    OptOut.objects.create(target="user8@origin.example")
    html = client.get(page_of(scored)).content.decode()
    assert "user8" not in html
    assert "Toot number 8" not in html
    assert "Toot number 7" in html
    # Files that name them stay in the house until they are written anew; hosts still get at them.
    assert "All numbers" not in html
    name = paths.analysis(scored).name
    assert client.get(page_of(scored, f"files/{name}")).status_code == 404
    assert host.get(page_of(scored, f"files/{name}")).status_code == 200


def test_event_made_strict_later_shows_only_who_agreed(client: Client, make_event: MakeEvent) -> None:
    event = make_event(is_published=True)
    add_toot(event, 5, author_is_discoverable=True, author_is_indexable=True)
    add_toot(event, 6)
    analyse(event)
    Event.objects.update(consent=Event.Consent.STRICT)
    html = client.get(page_of(event)).content.decode()
    assert "Toot number 5" in html
    assert "Toot number 6" not in html
    assert "User 6" not in html


def test_server_that_opted_out_is_not_named(client: Client, scored: Event) -> None:
    OptOut.objects.create(target="closed.example")
    html = client.get(page_of(scored, "servers/")).content.decode()
    assert "closed.example" not in html
    assert "asked not to be named" in html


# --- servers --------------------------------------------------------------------------------------------------------
def test_servers_page_lists_all_with_outcome_and_numbers(client: Client, scored: Event) -> None:
    html = client.get(page_of(scored, "servers/")).content.decode()
    for words in ("home.example", "closed.example", "took too long", "2.0\xa0KB", "9 requests"):
        assert words in html


def test_sentence_that_only_repeats_the_outcome_is_not_shown(client: Client, scored: Event) -> None:
    Visit.objects.filter(server="home.example").update(detail="home.example answered completely.")
    Visit.objects.filter(server="slow.example").update(detail="slow.example took too long, three times.")
    html = client.get(page_of(scored, "servers/")).content.decode()
    assert "home.example answered completely." not in html
    assert "slow.example took too long, three times." in html


# --- files ----------------------------------------------------------------------------------------------------------
def test_file_is_served_with_type_validators_and_no_guessing(client: Client, scored: Event) -> None:
    address = page_of(scored, f"files/{paths.graph(scored).name}")
    response = client.get(address)
    assert b"".join(response) == PIXEL
    assert response["Content-Type"] == "image/png"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]
    assert response["Last-Modified"].endswith("GMT")
    again = client.get(address, headers={"If-None-Match": response["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(address, headers={"If-Modified-Since": response["Last-Modified"]}).status_code == 304
    assert client.head(address).status_code == 200


def test_changed_file_has_another_validator(client: Client, scored: Event) -> None:
    address = page_of(scored, f"files/{paths.graph(scored).name}")
    before = client.get(address)["ETag"]
    remember_file(scored, "graph", write_bytes(paths.graph(scored), PIXEL + b"x"))
    assert client.get(address)["ETag"] != before


def test_texts_are_served_as_text(client: Client, scored: Event) -> None:
    page = client.get(page_of(scored, "files/index.md"))
    words = client.get(page_of(scored, f"files/{paths.graph(scored, suffix='txt').name}"))
    assert page["Content-Type"] == "text/markdown; charset=utf-8"
    assert words["Content-Type"] == "text/plain; charset=utf-8"


def test_journals_are_for_hosts_only(client: Client, host: Client, scored: Event) -> None:
    address = page_of(scored, f"files/{paths.journal(scored, 'home.example').name}")
    assert client.get(address).status_code == 404
    assert host.get(address).status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        "nothing.png",
        "../../../mastoscore.sqlite3",
        "..%2f..%2f..%2fsecret.key",
        "%2e%2e%2fsecret.key",
        "..%5csecret.key",
        "%2fetc%2fpasswd",
        "secret.key",
        "INDEX.MD",
        "ndex.md",
        "%",
        "_ndex.md",
        "index.md%00.png",
        "index.md%0a",
        ".",
        "..",
    ],
)
def test_name_that_is_not_exactly_one_of_the_events_files_is_not_found(
    client: Client, scored: Event, name: str, data_dir: Path
) -> None:
    (data_dir / "secret.key").write_text("secret")
    (paths.event_dir(scored) / "nothing.png").write_text("there, but nobody's artifact")
    response = client.get(page_of(scored, f"files/{name}"))
    assert response.status_code in (301, 302, 404)
    assert b"secret" not in response.content.replace(b"/secret", b"")


def test_file_of_another_event_is_not_found(client: Client, make_event: MakeEvent, scored: Event) -> None:
    other = make_event(slug="other", start=scored.start + timedelta(days=7), is_published=True)
    assert client.get(page_of(other, f"files/{paths.graph(scored).name}")).status_code == 404


def test_note_that_leads_out_of_the_data_folder_is_not_followed(
    client: Client, scored: Event, data_dir: Path
) -> None:
    (data_dir.parent / "outside.txt").write_text("outside")
    Artifact.objects.create(
        event=scored, kind="graph-text", path="../outside.txt", size=7, sha256="0" * 64, code_version="1"
    )
    (data_dir / "link.txt").symlink_to(data_dir.parent / "outside.txt")
    Artifact.objects.create(
        event=scored, kind="graph-text", path="a/link.txt", size=7, sha256="0" * 64, code_version="1"
    )
    assert client.get(page_of(scored, "files/outside.txt")).status_code == 404
    assert client.get(page_of(scored, "files/link.txt")).status_code == 404


def test_file_that_is_gone_or_of_unknown_type_is_not_found(client: Client, scored: Event) -> None:
    paths.graph(scored).unlink()
    assert client.get(page_of(scored, f"files/{paths.graph(scored).name}")).status_code == 404
    Artifact.objects.filter(kind="page").update(path="2026/02/22/page.html")
    (paths.event_dir(scored) / "page.html").write_text("<script>")
    assert client.get(page_of(scored, "files/page.html")).status_code == 404


# --- headers and cost -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("address", ["/", "/events/monsterdon-20260222/", "/events/nothing/", "/nothing"])
def test_public_pages_allow_no_foreign_and_no_inline_code(client: Client, scored: Event, address: str) -> None:
    policy = client.get(address)["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_admin_gets_what_its_scripts_need(client: Client, db: None) -> None:
    policy = client.get("/admin/login/")["Content-Security-Policy"]
    assert "'unsafe-eval'" in policy
    assert "object-src 'none'" in policy


def test_unknown_page_is_friendly_and_has_no_details(client: Client, db: None) -> None:
    response = client.get("/events/no-such-event/")
    assert response.status_code == 404
    assert "There is nothing at this address" in response.content.decode()


def test_fault_of_ours_is_a_friendly_page_without_details(
    client: Client, scored: Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(event: Event) -> None:
        raise ZeroDivisionError("a secret detail")

    monkeypatch.setattr("pipeline.views.build_event_page", fail)
    client.raise_request_exception = False
    response = client.get(page_of(scored))
    assert response.status_code == 500
    html = response.content.decode()
    assert "Something broke on our side" in html
    assert "a secret detail" not in html
    assert "default-src 'self'" in response["Content-Security-Policy"]


@pytest.mark.parametrize("address", ["/", "/events/monsterdon-20260222/", "/events/monsterdon-20260222/servers/"])
def test_pages_only_listen(client: Client, scored: Event, address: str) -> None:
    assert client.post(address).status_code == 405


def count_queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def test_pages_cost_the_same_however_much_they_show(client: Client, make_event: MakeEvent, scored: Event) -> None:
    addresses = ("/", page_of(scored), page_of(scored, "servers/"))
    few = [count_queries(client, address) for address in addresses]
    for week in range(1, 6):
        make_scored(make_event(slug=f"w{week}", start=scored.start + timedelta(weeks=week), is_published=True))
    for number in range(20, 60):
        add_toot(scored, number)
        Visit.objects.create(crawl=scored.crawls.get(), server=f"s{number}.example", outcome="complete")
    scored.top_n = 20
    scored.save()
    analyse(scored)
    assert [count_queries(client, address) for address in addresses] == few


def test_pages_work_from_numbers_of_an_older_version(client: Client, scored: Event) -> None:
    analysis: Any = scored.analysis
    keys = ("busiest_minute", "languages", "left_out", "ties_cut", "most_active_author", "first_timers")
    analysis.results = {key: value for key, value in analysis.results.items() if key not in keys}
    analysis.save()
    assert client.get(page_of(scored)).status_code == 200

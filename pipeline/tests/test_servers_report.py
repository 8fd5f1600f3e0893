from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from events.models import Event, OptOut
from pipeline.models import Crawl, Visit
from pipeline.tests.scored_event import add_crawl

pytestmark = pytest.mark.django_db

OUTCOMES = {
    "home.example": "complete",
    "shy.example": "robots",
    "slow.example": "timed_out",
    "cut.example": "reached_cap",
}


@pytest.fixture
def event(make_event: Any) -> Event:
    event: Event = make_event(is_published=True)
    crawl = add_crawl(event, OUTCOMES)
    Visit.objects.filter(server="shy.example").update(
        robots="forbidden", detail="shy.example asks robots like us to stay away (robots.txt).", received_bytes=120
    )
    caps = {"server_requests": 3000, "server_bytes": 5 * 10**8, "crawl_requests": 200_000, "crawl_bytes": 2 * 10**10}
    Crawl.objects.filter(pk=crawl.pk).update(summary={"left_out_servers": 7, "caps": caps})
    return event


def address(event: Event, suffix: str) -> str:
    return f"/events/{event.slug}/servers{suffix}"


def test_report_can_be_had_as_json(client: Client, event: Event) -> None:
    response = client.get(address(event, ".json"))

    report = response.json()
    assert response["Content-Disposition"] == f'attachment; filename="{event.slug}-servers.json"'
    assert (report["servers_asked"], report["requests"], report["left_out_servers"]) == (4, 12, 7)
    assert report["caps"]["server_requests"] == 3000
    (shy,) = [row for row in report["servers"] if row["server"] == "shy.example"]
    assert (shy["outcome"], shy["robots"], shy["requests"], shy["received_bytes"], shy["seconds"]) == (
        "robots",
        "forbidden",
        3,
        120,
        1.5,
    )


def test_report_can_be_had_as_csv(client: Client, event: Event) -> None:
    response = client.get(address(event, ".csv"))

    rows = {row["server"]: row for row in csv.DictReader(io.StringIO(response.content.decode()))}
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert rows.keys() == OUTCOMES.keys()
    assert rows["shy.example"]["detail"] == "shy.example asks robots like us to stay away (robots.txt)."
    assert (rows["slow.example"]["outcome"], rows["slow.example"]["words"]) == ("timed_out", "took too long")


def test_page_tells_limits_verdicts_and_who_found_no_room(client: Client, event: Event) -> None:
    html = client.get(address(event, "/")).content.decode()

    for words in ("forbids it", "7 more were named", "3,000 requests", "servers.json", "servers.csv"):
        assert words in html, words


@pytest.mark.parametrize("suffix", [".json", ".csv"])
def test_server_that_opted_out_is_in_the_numbers_without_its_name(client: Client, event: Event, suffix: str) -> None:
    OptOut.objects.create(target="shy.example")

    text = client.get(address(event, suffix)).content.decode()

    assert "shy.example" not in text
    assert "slow.example" in text and "forbidden" in text


@pytest.mark.parametrize("suffix", ["/", ".json", ".csv"])
def test_report_of_an_unpublished_event_is_for_hosts_only(client: Client, event: Event, suffix: str) -> None:
    Event.objects.update(is_published=False)

    assert client.get(address(event, suffix)).status_code == 404
    client.force_login(User.objects.create_superuser("host"))
    assert client.get(address(event, suffix)).status_code == 200


def test_report_of_an_event_that_was_never_fetched_is_not_there(client: Client, event: Event) -> None:
    Crawl.objects.all().delete()

    assert client.get(address(event, ".json")).status_code == 404


def test_host_reads_on_the_event_page_who_refused_and_why(client: Client, event: Event) -> None:
    client.force_login(User.objects.create_superuser("host"))
    crawl = Crawl.objects.get()
    Visit.objects.bulk_create(
        Visit(crawl=crawl, server=f"away-{number}.example", state="failed", outcome="unreachable")
        for number in range(20)
    )

    html = client.get(f"/admin/events/event/{event.pk}/change/").content.decode()

    assert "shy.example asks robots like us to stay away (robots.txt)." in html
    assert "and 11 more" in html
    assert "3,000 requests per server" in html
    assert address(event, "/") in html

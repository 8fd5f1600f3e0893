"""The reader over HTTP against the running site with its worker: subscribed, refreshed, summarised."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from tests.cluster.house import House, wait_until
from tests.remote.feed_host import FeedHost, Page, item, rss

LONG = " ".join(f"Sentence number {n} says something about frogs in the garden." for n in range(20))


def test_reader_works_over_http_with_a_worker(house: House) -> None:
    house.environment |= {"MASTOSCORE_PRIVATE_HOSTS": "127.0.0.0/8", "DJANGO_SUPERUSER_PASSWORD": "frogs in a pond"}
    made = house.manage("createsuperuser", "--noinput", "--username", "anna", "--email", "anna@example.org")
    assert made.returncode == 0, made.stderr
    made = house.manage("create_token", "anna", "--name", "test", "--scopes", "read,run")
    assert made.returncode == 0, made.stderr
    token = made.stdout.strip()
    _, address = house.start_site()

    def call(method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        url = f"{address.rstrip('/')}/api/v1{path}"
        request = urllib.request.Request(url, data=data, headers=headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    with FeedHost() as host:
        host.pages["/feed"] = Page(rss(item(1, text=f"<p>{LONG}</p>")), etag=b'"1"')
        drawer = call("POST", "/categories", {"description": "Frogs"})["data"]
        source = call("POST", "/sources", {"url": host.url(), "category_id": drawer["id"]})["data"]
        posts = call("GET", "/posts")["data"]
        assert [post["title"] for post in posts] == ["Post 1"]
        host.pages["/feed"] = Page(rss(item(1, text=f"<p>{LONG}</p>"), item(2)), etag=b'"2"')
        assert call("POST", f"/sources/{source['id']}/refresh")["data"]["status"] == "queued"
        wait_until(lambda: call("GET", "/posts")["meta"]["total"] == 2, "the second post")
        assert [asked.is_conditional for asked in host.asked] == [False, True]
        queued = call("POST", f"/jobs/posts/{posts[0]['id']}/summary", {"sentences": 2})["data"]
        path = queued["status_check_url"].removeprefix("/api/v1")
        wait_until(lambda: call("GET", path)["status"] == "completed", "the summary")
        assert call("GET", path)["data"]["summary"].count("Sentence number") == 2
        assert call("GET", "/jobs/queue-status")["data"]["system_healthy"] is True
    assert "Traceback" not in house.output()

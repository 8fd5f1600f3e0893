"""A phone and a WebSub hub at the running site with its worker: news come without a fetch, and reach the phone."""

from __future__ import annotations

import json
import urllib.request

from feeds.tests.phone import FeverApp, GoogleReaderApp
from tests.cluster.house import House, wait_until
from tests.remote.feed_host import FeedHost, Page, item, rss
from tests.remote.hub import Hub

PUBLIC = "https://reader.example"


def test_news_of_a_hub_reach_the_phone(house: House) -> None:
    house.environment |= {"MASTOSCORE_PRIVATE_HOSTS": "127.0.0.0/8", "DJANGO_SUPERUSER_PASSWORD": "frogs in a pond"}
    house.environment |= {"MASTOSCORE_SITE_URL": PUBLIC, "LOG_LEVEL": "INFO"}
    made = house.manage("createsuperuser", "--noinput", "--username", "anna", "--email", "anna@example.org")
    assert made.returncode == 0, made.stderr
    token = house.manage("create_token", "anna", "--name", "phone", "--scopes", "run").stdout.strip()
    _, address = house.start_site()
    base = address.rstrip("/")

    def post(path: str, body: object) -> dict[str, dict[str, int]]:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{base}/api/v1{path}", json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)  # type: ignore[no-any-return]

    with FeedHost() as host, Hub() as hub:
        linked = {"Link": f"<{hub.url}>; rel=hub, <{host.url()}>; rel=self"}
        host.pages["/feed"] = Page(rss(item(1)), headers=linked)
        drawer = post("/categories", {"description": "Frogs"})["data"]["id"]
        post("/sources", {"url": host.url(), "category_id": drawer})
        phone = GoogleReaderApp(f"{base}/api/greader.php", "anna", token)
        assert phone.sign_in() == 200
        phone.sync()
        assert [one["title"] for one in phone.kept.values()] == ["Post 1"]

        house.wait_for(house.enqueue("ask_hubs"), "complete")
        (form,) = hub.asked
        form["hub.callback"] = form["hub.callback"].replace(PUBLIC, base)
        assert hub.confirm(form).body == "frogs & toads <b>"
        assert hub.push(form, rss(item(2))).status == 202
        wait_until(lambda: (phone.sync(), len(phone.kept) == 2)[1], "the post that was pushed")
        assert len(host.asked) == 1

        phone.mark(list(phone.kept), read=True)
        fever = FeverApp(f"{base}/fever/", "anna", token)
        fever.sync()
        assert (len(fever.kept), fever.unread) == (2, set())
    for secret in (token, fever.key, phone.auth, form["hub.secret"]):
        assert secret not in house.output()
    assert "Traceback" not in house.output()

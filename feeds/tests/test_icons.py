"""Icons of feeds: found in the background, drawn anew, shown to who reads the feed."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from PIL import Image

from common.times import now_utc
from feeds import icons
from feeds.icon_images import make_icon
from feeds.icons import icon_address, queue_icons
from feeds.models import Feed, FeedIcon
from jobs.context import JobContext
from tests.remote.feed_host import FeedHost, Page, item, rss

from .making import ask_all, subscribe


def picture(kind: str = "PNG", size: int = 200, colour: str = "green", **options: Any) -> bytes:
    made = BytesIO()
    Image.new("RGB", (size, size), colour).save(made, kind, **options)
    return made.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "ICO", "JPEG", "GIF", "WEBP"])
def test_usual_formats_become_a_small_png(kind: str) -> None:
    with Image.open(BytesIO(make_icon(picture(kind)))) as made:
        assert (made.format, made.size) == ("PNG", (64, 64))
        red, green, blue, alpha = made.convert("RGBA").getpixel((32, 32))
        assert (red < 10, abs(green - 128) < 10, blue < 10, alpha) == (True, True, True, 255)


def test_small_ones_stay_small_and_nothing_but_pixels_stays() -> None:
    made = make_icon(picture("JPEG", 16, comment=b"hidden message"))
    assert b"hidden" not in made
    with Image.open(BytesIO(made)) as image:
        assert (image.size, image.info) == ((16, 16), {})


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html>not found</html>",
        picture()[:100],
        picture("BMP"),
        picture(size=5000),
        b"\x89PNG\r\n\x1a\n" + bytes(600_000),
        b"\x00\x00\x01\x00\xff\xff" + bytes(range(256)) * 4,
    ],
    ids=["nothing", "svg", "page", "torn", "bmp", "bomb", "huge", "nonsense"],
)
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    assert make_icon(content) == b""


def test_nothing_but_transparency_is_no_icon() -> None:
    made = BytesIO()
    Image.new("RGBA", (16, 16), (0, 0, 0, 0)).save(made, "PNG")
    assert make_icon(made.getvalue()) == b""


def run() -> dict[str, Any]:
    return icons.fetch_icons(JobContext.detached("fetch_icons"))


@pytest.fixture
def feed(anna: Any, host: FeedHost) -> Feed:
    host.pages["/feed"] = Page(rss(item(1)).replace(b"https://blog.example/<", f"{host.url('/')}<".encode()))
    source = subscribe(anna, host.url())
    ask_all()
    host.asked.clear()
    source.feed.refresh_from_db()
    assert source.feed.site_url == host.url("/")
    return source.feed


def site(*links: str) -> Page:
    return Page(f"<html><head>{''.join(links)}</head><body>x</body></html>".encode(), "text/html")


@pytest.mark.django_db
def test_icon_is_looked_for_where_feed_page_and_custom_say(host: FeedHost, feed: Feed) -> None:
    host.pages["/"] = site("<link rel=icon href=/i.svg type=image/svg+xml>", "<link rel=icon href=i.png>")
    host.pages["/i.svg"] = Page(b"<svg/>", "image/svg+xml")
    host.pages["/i.png"] = Page(picture(colour="red"), "image/png")
    host.pages["/favicon.ico"] = Page(picture("ICO", 32), "image/x-icon")
    assert queue_icons() == 1
    assert run() == {"tried": 1, "found": 1}
    assert [asked.path for asked in host.asked] == ["/", "/i.svg", "/i.png"]
    assert host.most_at_once == 1
    first = FeedIcon.objects.get()
    assert queue_icons() == 0

    FeedIcon.objects.update(tried_at=now_utc() - timedelta(days=31))
    del host.pages["/i.png"], host.pages["/"]
    assert run() == {"tried": 1, "found": 1}
    second = FeedIcon.objects.get()
    assert second.digest != first.digest

    FeedIcon.objects.update(tried_at=now_utc() - timedelta(days=31))
    host.pages["/logo"] = Page(picture("GIF", colour="blue"), "image/gif")
    Feed.objects.update(icon_url=host.url("/logo"))
    host.asked.clear()
    run()
    assert [asked.path for asked in host.asked] == ["/logo"]
    assert FeedIcon.objects.get().digest not in (first.digest, second.digest)

    FeedIcon.objects.update(tried_at=now_utc() - timedelta(days=31))
    host.pages.clear()
    assert run() == {"tried": 1, "found": 0}
    assert FeedIcon.objects.get().content  # the one that was there stays


@pytest.mark.django_db
def test_none_is_remembered_for_a_week(host: FeedHost, feed: Feed) -> None:
    host.pages["/"] = Page(b"", "text/html", headers={"Location": "http://10.0.0.1/"}, status=302)
    host.pages["/favicon.ico"] = Page(b"\x00" * 600_000)
    assert run() == {"tried": 1, "found": 0}
    assert (run()["tried"], icon_address(feed)) == (0, "")
    FeedIcon.objects.update(tried_at=now_utc() - timedelta(days=8))
    assert run()["tried"] == 1


@pytest.mark.django_db
def test_icon_is_shown_to_readers_of_the_feed_only(
    anna: Any, bert: Any, host: FeedHost, feed: Feed, client: Client
) -> None:
    host.pages["/favicon.ico"] = Page(picture("ICO", 32), "image/x-icon")
    run()
    feed.refresh_from_db()
    address = icon_address(feed)
    assert client.get(address).status_code == 302  # to the login
    client.force_login(bert)
    assert client.get(address).status_code == 404
    client.force_login(anna)
    answer = client.get(address)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/png")
    assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
    assert answer["X-Content-Type-Options"] == "nosniff"
    plain = client.get(f"/reader/icons/{feed.pk}")
    assert plain["Cache-Control"] == "private, max-age=3600"
    assert client.get(address, headers={"If-None-Match": answer["ETag"]}).status_code == 304
    for number in (feed.pk + 1, 10**30):
        assert client.get(f"/reader/icons/{number}").status_code == 404

"""``refresh_feeds`` stopped in the middle: by Ctrl-C, by ``kill -9``; what was under way is whole or not there."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator

import pytest

from tests.cluster.house import House, wait_until
from tests.remote.feed_host import FeedHost, Page, posts


@pytest.fixture
def held(house: House) -> Iterator[tuple[FeedHost, FeedHost]]:
    """One host that answers and one that does not, each with a feed of anna's."""
    house.environment |= {"MASTOSCORE_PRIVATE_HOSTS": "127.0.0.0/8"}
    with FeedHost() as quick, FeedHost() as slow:
        quick.pages["/feed"] = Page(posts(1, 2))
        slow.pages["/feed"] = Page(posts(3), hold=threading.Event())
        house.ask(do="make_reader", name="anna", scopes="read")
        path = house.data_dir / "feeds.opml"
        outlines = "".join(f"<outline type='rss' text='A' xmlUrl='{host.url()}'/>" for host in (quick, slow))
        path.write_text(f"<opml><body>{outlines}</body></opml>")
        done = house.manage("import_opml", str(path))
        assert done.returncode == 0, done.stderr
        yield quick, slow


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_refresh_goes_on_after_it_was_stopped(
    house: House, held: tuple[FeedHost, FeedHost], signum: int, code: int
) -> None:
    quick, slow = held
    process = house.start("refresh_feeds", "--all")
    wait_until(lambda: quick.asked and slow.asked, "both requests")
    wait_until(lambda: house.ask(do="reader_posts") == 2, "the posts of the quick one")
    process.send_signal(signum)
    assert process.wait(30) == code
    if signum == signal.SIGINT:
        assert "Cancelled" in house.output()
    assert house.ask(do="reader_posts") == 2
    page = slow.pages["/feed"]
    assert isinstance(page, Page) and page.hold is not None
    page.hold.set()
    again = house.manage("refresh_feeds", "--all", "--json")
    assert again.returncode == 0, again.stderr
    result = json.loads(again.stdout)
    # After a kill nobody gives the feed back that was asked: it is free again when its claim runs out.
    left = 0 if signum == signal.SIGINT else 1
    assert (result["skipped"], result["new_posts"], result["failed"]) == (left, 1 - left, 0)
    assert "Traceback" not in house.output() + again.stderr

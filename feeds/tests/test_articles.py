"""Full texts: fetched politely for sources that want them, cut out, sanitised, shown, found; what can go wrong."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext

from common.times import now_utc
from feeds import articles, posts
from feeds.article_text import extract_article, make_payload
from feeds.articles import content_of, due_entries, fetch_article, queue_articles
from feeds.markdown import post_as_markdown
from feeds.models import Article, Entry, Feed, Post, Source
from feeds.purge import purge_posts
from feeds.sources import change_source
from jobs.context import JobCancelled, JobContext, StopReason
from jobs.models import Job
from tests.remote.feed_host import FeedHost, Page, item, rss

from .api import sign_in
from .conftest import NOW
from .making import ask_all, subscribe

pytestmark = pytest.mark.django_db

PARAGRAPH = (
    "Frogs are amphibians that live near ponds, and they jump much further than anybody would expect of them. "
)
ROBOTS = "/robots.txt"


def page(extra: str = "", paragraphs: int = 6) -> Page:
    body = "".join(f"<p>{PARAGRAPH} Number {number}.</p>" for number in range(paragraphs))
    return Page(
        f"<!doctype html><html><head><title>Frogs</title></head><body><nav><a href='/'>Home of the pond</a></nav>"
        f"<article><h1>Frogs</h1>{body}{extra}</article><footer>Imprint</footer></body></html>".encode(),
        "text/html; charset=utf-8",
    )


@pytest.fixture
def fill(anna: Any, host: FeedHost) -> Callable[..., Source]:
    """A source with posts whose pages are on the host: ``fill("/a", "/b")``."""
    cache.clear()

    def fill(*paths: str, text: str = "<p>A taste.</p>", wants: bool = True) -> Source:
        items = (
            item(number, title=f"Post {path}", link=host.url(path), text=text)
            for number, path in enumerate(paths, start=1)
        )
        host.pages["/feed"] = Page(rss(*items))
        source = Source.objects.filter(user=anna).first() or subscribe(anna, host.url())
        change_source(source, {"wants_full_text": wants})
        Feed.objects.update(body_hash="")
        ask_all()
        host.asked.clear()
        return source

    return fill


def run() -> dict[str, Any]:
    return articles.fetch_articles(JobContext.detached("fetch_articles"))


def shown() -> Post:
    return posts.full_posts(Post.objects.all()).order_by("pk").first()


def later(**ago: Any) -> None:
    for article in Article.objects.all():
        Article.objects.filter(pk=article.pk).update(tried_at=article.tried_at - timedelta(**ago))


def test_new_posts_get_the_text_of_their_page_shown_and_found(anna: Any, host: FeedHost, fill: Any) -> None:
    host.pages["/frogs"] = page(
        "<script>alert(1)</script><p onclick='x()'><a href='/newts'>Newts</a> are salamanders, by the way, "
        "and <a href='javascript:x()'>nobody</a> minds that at all.</p>"
    )
    source = fill("/frogs")
    assert queue_articles() == 1
    assert queue_articles() == 0  # one is waiting
    assert run() == {"tried": 1, "found": 1}
    post = shown()
    content = content_of(post)
    assert "Number 5." in content
    assert f'href="{host.url("/newts")}"' in content
    assert not [bad for bad in ("script", "onclick", "javascript", "Imprint", "Home of") if bad in content]
    assert posts.select_posts(anna, posts.PostFilter(search="salamanders amphibians")).count() == 1
    call = sign_in(anna)
    assert call("GET", f"/posts/{post.pk}")["data"]["content"] == content
    assert call("GET", "/posts")["data"][0]["content"] == content
    assert "Number 5." in post_as_markdown(post)
    assert call("PUT", f"/sources/{source.pk}", {"wants_full_text": False})["data"]["wants_full_text"] is False
    assert content_of(shown()) == "<p>A taste.</p>"
    assert run()["tried"] == 0


def test_code_lists_and_tables_keep_their_form() -> None:
    parts = (
        "<pre><code class=python><b>def</b> f(x):\n    return x &lt; 1</code></pre>",
        f"<p>{PARAGRAPH} It is <code>x = 1</code>, <em>really</em>.</p>",
        "<ol><li>Use <code>f</code></li><li>Go</li></ol>",
        "<table><tr><th>a</th></tr><tr><td>1</td></tr></table>",
        "<pre>plain\n  text</pre>",
        f"<blockquote><p>Another said: {PARAGRAPH}</p></blockquote>",
        "<figure><img src=/frog.jpg alt='A frog'></figure>",
    )
    payload = make_payload(page("".join(parts)).body, url="https://blog.example/p/1", content_type="text/html")
    made = extract_article(payload).decode()
    for part in (
        "<pre>def f(x):\n    return x &lt; 1</pre>",
        "It is <code>x = 1</code>, <em>really</em>.",
        "<ol><li>Use <code>f</code></li><li>Go</li></ol>",
        "<tr><th>a</th></tr><tr><td>1</td></tr>",
        "<pre>plain\n  text</pre>",
        "<blockquote><p>Another said:",
        '<img src="https://blog.example/frog.jpg" alt="A frog">',
    ):
        assert part in made, part


def test_only_who_wants_full_texts_has_pages_fetched(host: FeedHost, fill: Any) -> None:
    host.pages["/frogs"] = page()
    fill("/frogs", wants=False)
    assert queue_articles() == 0
    assert run()["tried"] == 0
    Source.objects.update(wants_full_text=True)
    Post.objects.update(is_read=True)
    assert run()["tried"] == 0
    Post.objects.update(is_read=False, created_at=now_utc() - timedelta(days=30))
    assert run()["tried"] == 0
    assert host.asked == []


def test_one_request_at_a_time_per_host_and_none_while_its_feed_is_asked(host: FeedHost, fill: Any) -> None:
    paths = [f"/{number}" for number in range(6)]
    host.pages.update({path: page() for path in paths})
    fill(*paths)
    Feed.objects.update(claimed_until=now_utc() + timedelta(minutes=1))
    assert run() == {"tried": 0, "found": 0}
    assert host.asked == []
    Feed.objects.update(claimed_until=None)
    assert run() == {"tried": 6, "found": 6}
    assert host.most_at_once == 1
    assert [asked.path for asked in host.asked].count(ROBOTS) == 1
    assert Feed.objects.get().claimed_until is None


def test_round_that_is_cancelled_ends_at_once_and_leaves_nothing_behind(host: FeedHost, fill: Any) -> None:
    hold = threading.Event()
    host.pages["/frogs"] = Page(b"", "text/html", hold=hold)
    fill("/frogs")
    ctx = JobContext.detached("fetch_articles")

    def stop_when_asked() -> None:
        deadline = time.monotonic() + 20
        while not host.requests_for("/frogs") and time.monotonic() < deadline:
            time.sleep(0.01)
        ctx.control.stop(StopReason.CANCEL)

    stopper = threading.Thread(target=stop_when_asked)
    stopper.start()
    with pytest.raises(JobCancelled):
        articles.fetch_articles(ctx)
    stopper.join()
    assert not hold.is_set()  # nobody waited for the answer
    assert not Article.objects.exists()
    assert Feed.objects.get().claimed_until is None


def test_robots_file_keeps_the_program_away_but_not_the_person(host: FeedHost, fill: Any) -> None:
    host.pages["/private/frogs"] = page()
    host.pages[ROBOTS] = Page(b"User-agent: *\nDisallow: /private/", "text/plain")
    fill("/private/frogs")
    assert run() == {"tried": 1, "found": 0}
    assert host.requests_for("/private/frogs") == []
    assert "robots.txt" in Article.objects.get().last_error
    assert queue_articles() == 0
    assert "Number 5." in fetch_article(shown()).content


@pytest.mark.parametrize(
    ("answer", "sentence", "tries"),
    [
        (Page(b"gone", "text/html", 404), "status 404", 1),
        (Page(b"busy", "text/html", 503), "status 503", 3),
        (Page(b"%PDF-1.7 \x00\x01", "application/pdf"), "no article", 1),
        (Page(b"", "text/html"), "no article", 1),
        (Page(b"<html><body><p>Log in</p></body></html>", "text/html"), "less of the article", 1),
        (Page(b"<div>" * 50_000 + b"x", "text/html"), "no article", 1),
        (Page(b"x" * 6_000_000, "text/html"), "larger answer", 1),
        (Page(b"", headers={"Location": "http://10.0.0.1/"}, status=302), "do not contact", 1),
    ],
    ids=["404", "503", "pdf", "empty", "notice", "deep", "huge", "private"],
)
def test_page_without_an_article_is_a_sentence_and_tried_a_few_times(
    answer: Page, sentence: str, tries: int, host: FeedHost, fill: Any
) -> None:
    host.pages["/frogs"] = answer
    fill("/frogs", text=f"<p>{PARAGRAPH}</p>")
    for _ in range(5):
        run()
        later(hours=4)
    article = Article.objects.get()
    assert sentence in article.last_error
    assert (article.content, article.failures) == ("", 3)
    assert len(host.requests_for("/frogs")) == tries
    assert PARAGRAPH.strip() in content_of(shown())


def test_next_try_waits_longer(host: FeedHost, fill: Any) -> None:
    fill("/frogs")
    host.pages["/frogs"] = Page(b"", "text/html", 500)
    run()
    assert not due_entries(now_utc()).exists()
    assert due_entries(now_utc() + timedelta(minutes=16)).exists()
    later(minutes=16)
    run()
    assert not due_entries(now_utc() + timedelta(minutes=16)).exists()
    assert due_entries(now_utc() + timedelta(hours=4)).exists()


def test_edited_entry_has_its_page_read_again_at_most_once_a_day(anna: Any, host: FeedHost, fill: Any) -> None:
    host.pages["/frogs"] = page()
    fill("/frogs")
    run()
    host.pages["/frogs"] = page("<p>An addition on salamanders, which are quite another thing altogether.</p>")
    fill("/frogs", text="<p>Another taste.</p>")
    assert Entry.objects.get().updated_at is not None
    assert run()["tried"] == 0
    assert posts.select_posts(anna, posts.PostFilter(search="amphibians")).count() == 1
    Article.objects.update(tried_at=now_utc() - timedelta(days=2))
    assert run() == {"tried": 1, "found": 1}
    assert "salamanders" in content_of(shown())
    host.pages["/frogs"] = Page(b"", "text/html", 500)
    assert "500" in fetch_article(shown()).last_error
    assert "salamanders" in content_of(shown())  # what is there stays


def test_api_fetches_one_on_demand_and_says_why_not(anna: Any, bert: Any, host: FeedHost, fill: Any) -> None:
    host.pages["/frogs"] = page()
    fill("/frogs", wants=False)
    call, post = sign_in(anna), shown()
    made = call("POST", f"/posts/{post.pk}/full-text")
    assert "Number 5." in made["data"]["content"]
    assert made["data"]["url"] == host.url("/frogs")
    Article.objects.all().delete()
    host.pages["/frogs"] = Page(b"", "text/html", 403)
    assert call("POST", f"/posts/{post.pk}/full-text", status=502)["error"] == "The page answered with status 403."
    sign_in(bert)("POST", f"/posts/{post.pk}/full-text", status=404)


def test_lists_with_full_texts_cost_the_same(anna: Any, host: FeedHost, fill: Any) -> None:
    paths = [f"/{number}" for number in range(8)]
    host.pages.update({path: page() for path in paths})
    fill(*paths)
    run()
    counts = []
    for size in (1, 8):
        with CaptureQueriesContext(connection) as queries:
            rows = posts.PostList(posts.select_posts(anna, posts.PostFilter()))[:size]
            assert all("Number 5." in content_of(post) for post in rows)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_text_goes_when_its_entry_is_emptied(host: FeedHost, fill: Any) -> None:
    host.pages["/frogs"] = page()
    fill("/frogs")
    run()
    Post.objects.all().delete()
    Entry.objects.update(created_at=NOW - timedelta(days=60))
    purge_posts(JobContext.detached("purge_posts"))
    assert not Article.objects.exists()
    assert Entry.objects.get().text == ""


def test_plan_queues_one_job(host: FeedHost, fill: Any) -> None:
    fill("/frogs")
    queue_articles()
    assert Job.objects.get().kind == "fetch_articles"

"""The reading page as the server sends it: whose, what, how many queries, and what plain forms do."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from feeds.models import Post, ReaderOptions, SavedPost, SavingService
from feeds.pages import shelf
from feeds.pages.choice import Choice, Place
from feeds.players import PLAYER_HOSTS, player_url
from jobs.models import Job
from tests.remote.feed_host import FeedHost, Page

from .conftest import NOW
from .shelves import make_posts, make_source

pytestmark = pytest.mark.django_db
FETCH = {"X-Requested-With": "fetch"}


@pytest.fixture
def page(anna: Any) -> Client:
    client = Client()
    client.force_login(anna)
    return client


def titles(answer: Any) -> list[str]:
    return re.findall(r'class="row-link"><bdi>(.*?)</bdi>', answer.content.decode())


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


# --- who ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("path", ["", "posts/1", "posts/1/markdown"])
def test_who_is_not_signed_in_is_led_to_the_door(path: str) -> None:
    answer = Client().get(f"/reader/{path}")
    assert answer.status_code == 302
    assert answer["Location"].startswith("/login/?next=/reader/")


def test_without_sources_the_welcome_comes_first(page: Client) -> None:
    assert page.get("/reader/")["Location"] == "/reader/manage/welcome"


def test_others_posts_sources_and_categories_are_unknown(page: Client, anna: Any, bert: Any) -> None:
    make_source(anna, "Own")
    theirs = make_source(bert, "Theirs", category="Secret")
    post = make_posts(theirs, 1)[0]
    paths = [f"posts/{post.pk}", f"posts/{post.pk}?part=post", f"posts/{post.pk}/markdown"]
    paths += [
        f"?source={theirs.pk}",
        f"?category={theirs.category_id}",
        f"?source={theirs.pk}&part=rows",
        f"posts/{9**30}",
    ]
    assert {path: page.get(f"/reader/{path}").status_code for path in paths} == dict.fromkeys(paths, 404)
    actions: list[tuple[str, dict[str, Any]]] = [
        ("mark", {"ids": post.pk, "read": 1}),
        ("mark-all", {"source": theirs.pk}),
        ("mark-all", {"category": theirs.category_id}),
        *((f"posts/{post.pk}/{name}", {"quote": "word " * 80}) for name in ("summary", "quote", "save", "full-text")),
    ]
    assert [page.post(f"/reader/{path}", values).status_code for path, values in actions] == [404] * len(actions)
    assert not Post.objects.get(pk=post.pk).is_read


def test_marking_everything_leaves_others_posts_alone(page: Client, anna: Any, bert: Any) -> None:
    make_posts(make_source(anna, "Own"), 2)
    make_posts(make_source(bert, "Theirs"), 2)
    page.post("/reader/mark-all")
    assert Post.objects.filter(is_read=True).count() == Post.objects.filter(user=anna).count() == 2


# --- what -----------------------------------------------------------------------------------------------------------
def test_unread_posts_come_oldest_first_or_newest_first_as_chosen(page: Client, anna: Any) -> None:
    source = make_source(anna, "Own")
    make_posts(source, 3)
    make_posts(source, 1, first=9, is_read=True)
    assert titles(page.get("/reader/")) == ["Post 1", "Post 2", "Post 3"]
    ReaderOptions.objects.create(user=anna, newest_first=True)
    assert titles(page.get("/reader/")) == ["Post 3", "Post 2", "Post 1"]
    assert titles(page.get("/reader/?show=all")) == ["Post 9", "Post 3", "Post 2", "Post 1"]
    assert titles(page.get("/reader/?show=read")) == ["Post 9"]


def test_source_and_category_narrow_the_list_and_say_so(page: Client, anna: Any) -> None:
    frogs, toads = make_source(anna, "Frogs"), make_source(anna, "Toads", category="Amphibians")
    make_posts(frogs, 1)
    make_posts(toads, 1, first=2)
    by_source = page.get(f"/reader/?source={frogs.pk}")
    assert titles(by_source) == ["Post 1"]
    assert "Posts by <bdi>Frogs</bdi>" in text_of(by_source)
    by_category = page.get(f"/reader/?category={toads.category_id}")
    assert titles(by_category) == ["Post 2"]
    assert "Posts in <bdi>Amphibians</bdi>" in text_of(by_category)


@pytest.mark.parametrize("newest_first", [False, True])
def test_parts_of_the_list_follow_each_other_without_gap_or_repetition(
    page: Client, anna: Any, newest_first: bool
) -> None:
    ReaderOptions.objects.create(user=anna, newest_first=newest_first)
    posts = make_posts(make_source(anna, "Own"), 95)
    Post.objects.filter(pk__in=[post.pk for post in posts[30:60]]).update(posted_at=NOW)  # many at one moment
    found, href = [], "/reader/?part=rows"
    while href:
        answer = page.get(href)
        found += re.findall(r'data-id="(\d+)"', text_of(answer))
        more = re.search(r'hx-get="([^"]+)"', text_of(answer))
        href = more[1].replace("&amp;", "&") if more else ""
    sign = "-" if newest_first else ""
    wanted = Post.objects.order_by(f"{sign}posted_at", f"{sign}id").values_list("pk", flat=True)
    assert list(map(int, found)) == list(wanted)


def test_search_looks_at_read_posts_too_and_escapes_what_was_typed(page: Client, anna: Any) -> None:
    source = make_source(anna, "Own")
    make_posts(source, 1, text="rain of frogs")
    make_posts(source, 1, first=2, is_read=True, text="frogs and rain")
    make_posts(source, 1, first=3, text="sun")
    assert titles(page.get("/reader/", {"q": "rain frogs"})) == ["Post 1", "Post 2"]
    assert titles(page.get("/reader/", {"q": '"rain of frogs"'})) == ["Post 1"]
    nothing = text_of(page.get("/reader/", {"q": "<script>alert(1)</script>"}))
    assert "No post holds these words" in nothing
    assert "<script>alert" not in nothing


def test_nonsense_in_the_address_is_left_out(page: Client, anna: Any) -> None:
    make_posts(make_source(anna, "Own"), 1)
    for query in (
        "source=x",
        "show=never",
        "after=x-y",
        "after=9" * 30,
        "after=99999999999999999-1",
        "q=%00",
        "undo=x",
    ):
        assert page.get(f"/reader/?{query}").status_code == 200, query


def test_large_shelf_lists_only_sources_in_which_something_waits(
    page: Client, anna: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_posts(make_source(anna, "Busy"), 1)
    for number in range(3):
        make_source(anna, f"Quiet {number}")
    assert "Quiet 1" in text_of(page.get("/reader/"))
    monkeypatch.setattr(shelf, "LARGE", 3)
    text = text_of(page.get("/reader/"))
    assert "Busy" in text
    assert "Quiet 1" not in text
    assert "3 without unread posts" in text


def test_place_survives_the_way_through_an_address() -> None:
    place = Place(NOW + timedelta(microseconds=7), 12)
    assert Place.parse(str(place)) == place
    assert Choice.parse({"q": " a  b ", "source": "3"}).query(after=place) == f"?source=3&q=a+b&after={place}"


def test_post_has_a_page_and_a_part_of_its_own(page: Client, anna: Any) -> None:
    files = [
        {"url": "https://blog.example/a.mp3", "media_type": "audio/mpeg", "length": 5},
        {"url": "javascript:alert(1)", "media_type": "audio/mpeg", "length": None},
    ]
    post = make_posts(make_source(anna, "Own"), 1, title="Tom & <b>Jerry</b>", enclosures=files)[0]
    whole, part = (text_of(page.get(f"/reader/posts/{post.pk}{query}")) for query in ("", "?part=post"))
    assert "<html" in whole
    assert "<html" not in part
    for text in (whole, part):
        assert "<p>Text of post 1.</p>" in text
        assert "Tom &amp; &lt;b&gt;Jerry&lt;/b&gt;" in text
        assert '<audio src="https://blog.example/a.mp3" controls preload="none">' in text
        assert "javascript:" not in text
        assert f"https://archive.is/newest/{post.entry.url}" in text


def test_number_of_queries_does_not_grow(page: Client, anna: Any) -> None:
    first = make_source(anna, "First")
    post = make_posts(first, 2)[0]
    paths = ("/reader/", "/reader/?part=rows", f"/reader/posts/{post.pk}", f"/reader/posts/{post.pk}?part=post")

    def count() -> list[int]:
        counts = []
        for path in paths:
            with CaptureQueriesContext(
                connection,
            ) as queries:
                assert page.get(path).status_code == 200
            counts.append(len(queries))
        return counts

    before = count()
    for number in range(12):
        make_posts(make_source(anna, f"Source {number}", category=f"Category {number}"), 10, first=100)
    assert count() == before
    assert max(before) <= 14


# --- policy ---------------------------------------------------------------------------------------------------------
def test_policy_lets_posts_show_pictures_and_known_players_and_nothing_run(page: Client, anna: Any) -> None:
    make_posts(make_source(anna, "Own"), 1)
    answer = page.get("/reader/")
    policy = answer["Content-Security-Policy"]
    assert "default-src 'self';" in policy
    assert "unsafe" not in policy
    framed = re.search(r"frame-src ([^;]+)", policy)
    assert framed is not None
    assert framed[1].split() == [f"https://{host}" for host in sorted(PLAYER_HOSTS)]
    assert player_url("https://youtube.com/embed/abc").split("/")[2] in PLAYER_HOSTS
    assert "no-store" in answer["Cache-Control"]
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=", text_of(answer))


def test_answers_say_whose_they_are_and_another_reader_has_another_key(page: Client, anna: Any, bert: Any) -> None:
    make_posts(make_source(anna, "Own"), 1)
    make_posts(make_source(bert, "Own"), 1)
    other = Client()
    other.force_login(bert)
    keys = [client.get("/reader/")["X-Reader-Key"] for client in (page, page, other)]
    assert keys[0] == keys[1] != keys[2]


def test_service_worker_names_the_files_of_the_page_and_holds_nothing_of_anybody() -> None:
    answer = Client().get("/reader/sw.js")
    assert answer["Content-Type"].startswith("text/javascript")
    assert "/static/js/reader/main.js" in text_of(answer)
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("path", ["/logout/", "/admin/logout/"])
def test_signing_out_by_any_door_tells_the_browser_to_forget(page: Client, anna: Any, path: str) -> None:
    anna.is_staff = True
    anna.save()
    assert page.post(path)["Clear-Site-Data"] == '"storage"'
    assert "Clear-Site-Data" not in page.get("/login/")


def test_somebody_else_signing_in_empties_what_the_browser_kept(page: Client, anna: Any, bert: Any) -> None:
    make_posts(make_source(anna, "Own"), 1)
    for user in (anna, bert):
        user.set_password("a password for tests")
        user.save()
    page.force_login(anna)
    page.get("/reader/")
    del page.cookies["sessionid"]  # the session ends without a sign-out

    def sign_in(name: str) -> Any:
        return page.post("/login/", {"username": name, "password": "a password for tests"})

    assert "Clear-Site-Data" not in sign_in("anna")
    del page.cookies["sessionid"]
    assert sign_in("bert")["Clear-Site-Data"] == '"storage"'


# --- forms ----------------------------------------------------------------------------------------------------------
def test_form_marks_one_post_and_offers_to_undo_it(page: Client, anna: Any) -> None:
    post = make_posts(make_source(anna, "Own"), 2)[0]
    answer = page.post("/reader/mark", {"ids": post.pk, "read": 1, "next": "/reader/?show=unread"}, follow=True)
    assert titles(answer) == ["Post 2"]
    moment = re.search(r'name="moment" value="([^"]+)"', text_of(answer))
    assert moment is not None
    answer = page.post("/reader/undo", {"moment": moment[1].replace("&#x27;", "'"), "next": "/reader/"}, follow=True)
    assert titles(answer) == ["Post 1", "Post 2"]


def test_read_post_is_marked_unread_by_its_own_button(page: Client, anna: Any) -> None:
    post = make_posts(make_source(anna, "Own"), 1, is_read=True)[0]
    assert 'formaction="/reader/mark?read=0"' in text_of(page.get("/reader/?show=all"))
    page.post("/reader/mark?read=0", {"ids": post.pk, "read": 1})
    assert not Post.objects.get(pk=post.pk).is_read


@pytest.mark.parametrize("wrong", ["https://evil.example/", "//evil.example/reader/", "/admin/", "\\\\evil", ""])
def test_forms_lead_nowhere_but_into_the_reader(page: Client, anna: Any, wrong: str) -> None:
    post = make_posts(make_source(anna, "Own"), 1)[0]
    answer = page.post("/reader/mark", {"ids": post.pk, "read": 1, "next": wrong})
    assert answer["Location"].startswith("/reader/?undo=")


@pytest.mark.parametrize(
    "values", [{"ids": "x", "read": 1}, {"ids": 1}, {"read": 1}, {"ids": "1," * 1001, "read": 1}]
)
def test_marks_that_make_no_sense_are_refused(page: Client, anna: Any, values: dict[str, Any]) -> None:
    make_posts(make_source(anna, "Own"), 1)
    assert page.post("/reader/mark", values).status_code == 400


def test_script_marks_what_is_left_of_several_posts(page: Client, anna: Any) -> None:
    posts = make_posts(make_source(anna, "Own"), 3)
    posts[0].delete()
    ids = ",".join(str(pk) for pk in (posts[1].pk, posts[2].pk, 10**9))
    assert page.post("/reader/mark", {"ids": ids, "read": 1}, headers=FETCH).status_code == 204
    assert Post.objects.filter(is_read=True).count() == 2
    assert page.post("/reader/mark", {"ids": 10**9, "read": 1}, headers=FETCH).status_code == 404


def test_older_posts_are_marked_and_all_of_it_taken_back(page: Client, anna: Any) -> None:
    source = make_source(anna, "Own")
    old, new = make_posts(source, 3), make_posts(source, 2, first=10)
    early = make_posts(source, 1, first=20, is_read=True)[0]
    Post.objects.filter(pk__in=[post.pk for post in new]).update(posted_at=NOW + timedelta(days=365))
    answer = page.post("/reader/mark-all", {"source": source.pk, "days": 7}, headers=FETCH).json()
    assert answer["count"] == len(old)
    assert page.post("/reader/undo", {"moment": answer["moment"]}, headers=FETCH).json() == {"count": 3}
    assert list(Post.objects.filter(is_read=True)) == [early]


def test_only_what_a_search_found_is_marked(page: Client, anna: Any) -> None:
    source = make_source(anna, "Own")
    found = make_posts(source, 1, text="rain of frogs")[0]
    make_posts(source, 1, first=2, text="sun")
    page.post("/reader/mark-all", {"q": "frogs"})
    assert list(Post.objects.filter(is_read=True)) == [found]


def test_posts_that_came_after_the_page_stay_unread(page: Client, anna: Any) -> None:
    source = make_source(anna, "Own")
    seen, late = make_posts(source, 2)
    Post.objects.filter(pk=late.pk).update(created_at=NOW)
    page.post("/reader/mark-all", {"seen": (NOW - timedelta(days=1)).isoformat()})
    assert list(Post.objects.filter(is_read=True)) == [seen]


def test_forms_without_the_token_of_the_page_are_refused(anna: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(anna)
    post = make_posts(make_source(anna, "Own"), 1)[0]
    assert client.post("/reader/mark", {"ids": post.pk, "read": 1}).status_code == 403
    assert client.get("/reader/mark").status_code == 405


# --- extras ---------------------------------------------------------------------------------------------------------
def test_summary_comes_as_a_part_for_the_script_and_as_a_page_for_the_form(page: Client, anna: Any) -> None:
    text = "<p>Frogs sing at night. They love the rain &lt;b&gt;. Nobody knows why they stop at dawn.</p>"
    post = make_posts(make_source(anna, "Own"), 1, content=text)[0]
    part = page.post(f"/reader/posts/{post.pk}/summary", headers={"HX-Request": "true"})
    assert "Frogs sing at night." in text_of(part)
    assert "<b>" not in text_of(part)
    assert "<html" in text_of(page.post(f"/reader/posts/{post.pk}/summary"))


def test_post_without_text_says_that_there_is_nothing_to_shorten(page: Client, anna: Any) -> None:
    post = make_posts(make_source(anna, "Own"), 1, content="")[0]
    answer = page.post(f"/reader/posts/{post.pk}/summary", headers={"HX-Request": "true"})
    assert answer["HX-Reswap"] == "none"
    assert "no text" in answer["HX-Trigger"]


def test_long_quotes_are_explained_and_short_ones_refused(page: Client, anna: Any) -> None:
    post = make_posts(make_source(anna, "Own"), 1)[0]
    quote = "The frogs of the old pond sing every night until dawn. " * 8
    address = f"/reader/posts/{post.pk}/quote"
    assert "frogs of the old pond" in text_of(page.post(address, {"quote": quote}, headers={"HX-Request": "true"}))
    assert "75 words" in page.post(address, {"quote": "short"}, headers={"HX-Request": "true"})["HX-Trigger"]


def test_markdown_is_plain_text(page: Client, anna: Any) -> None:
    post = make_posts(make_source(anna, "Own"), 1, content="<p>So <b>bold</b></p>")[0]
    answer = page.get(f"/reader/posts/{post.pk}/markdown")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert "So **bold**" in text_of(answer)


def test_post_is_on_its_way_to_the_service_at_once(page: Client, anna: Any) -> None:
    post = make_posts(make_source(anna, "Own"), 1)[0]
    assert "save-form" not in text_of(page.get(f"/reader/posts/{post.pk}"))
    refused = page.post(f"/reader/posts/{post.pk}/save", headers={"HX-Request": "true"})
    assert "no service" in refused["HX-Trigger"]
    service = SavingService.objects.create(
        user=anna, kind="webhook", name="My hook", url="https://x.example", created_at=NOW
    )
    saved = page.post(f"/reader/posts/{post.pk}/save", {"service": service.pk}, headers={"HX-Request": "true"})
    assert "On its way to My hook." in saved["HX-Trigger"]
    assert Job.objects.filter(kind="save_post").count() == 1
    assert "<span>Saved</span>" in text_of(page.get(f"/reader/posts/{post.pk}"))
    SavedPost.objects.update(last_error="The hook is gone.")
    assert "<span>Save</span>" in text_of(page.get(f"/reader/posts/{post.pk}"))


def test_others_services_are_not_used(page: Client, anna: Any, bert: Any) -> None:
    post = make_posts(make_source(anna, "Own"), 1)[0]
    theirs = SavingService.objects.create(
        user=bert, kind="webhook", name="x", url="https://x.example", created_at=NOW
    )
    page.post(f"/reader/posts/{post.pk}/save", {"service": theirs.pk})
    assert not SavedPost.objects.exists()


def test_full_text_of_the_page_takes_the_place_of_the_feeds(page: Client, anna: Any, host: FeedHost) -> None:
    article = "".join(
        f"<p>Sentence {number} of the whole article about frogs in the pond.</p>" for number in range(30)
    )
    host.pages["/whole"] = Page(f"<html><body><article>{article}</article></body></html>".encode(), "text/html")
    source = make_source(anna, "Own")
    found = make_posts(source, 1, url=host.url("/whole"))[0]
    missing = make_posts(source, 1, first=2, url=host.url("/missing"))[0]
    part = page.post(f"/reader/posts/{found.pk}/full-text", headers={"HX-Request": "true"})
    assert "Sentence 29 of the whole article" in text_of(part)
    assert "Sentence 29 of the whole article" in text_of(page.post(f"/reader/posts/{found.pk}/full-text"))
    refused = page.post(f"/reader/posts/{missing.pk}/full-text", headers={"HX-Request": "true"})
    assert refused["HX-Reswap"] == "none"
    assert "404" in refused["HX-Trigger"]


def test_server_for_searching_addresses_is_kept_or_refused_with_a_sentence(page: Client, anna: Any) -> None:
    make_posts(make_source(anna, "Own"), 1)
    page.post("/reader/options", {"search_server": "https://Social.Example/"})
    assert ReaderOptions.objects.get(user=anna).search_server == "social.example"
    refused = page.post("/reader/options", {"search_server": "javascript:alert(1)"}, follow=True)
    assert "is not the name or address of a server" in text_of(refused)
    assert ReaderOptions.objects.get(user=anna).search_server == "social.example"

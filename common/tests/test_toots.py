from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from common.toots import Toot, parse_status, parse_statuses
from common.uris import identify, identify_by_page, web_address

STATUS: dict[str, Any] = {
    "id": "110",
    "uri": "https://toots.example/users/ann/statuses/110",
    "url": "https://toots.example/@ann/110",
    "created_at": "2026-02-23T02:00:00.123Z",
    "edited_at": None,
    "content": "<p>The <b>Blob</b> #Monsterdon</p>",
    "spoiler_text": "",
    "language": "en",
    "visibility": "public",
    "tags": [{"name": "monsterdon", "url": "https://toots.example/tags/monsterdon"}],
    "reblogs_count": 1,
    "favourites_count": 2,
    "replies_count": 3,
    "media_attachments": [{"id": "1"}],
    "in_reply_to_id": None,
    "reblog": None,
    "account": {
        "id": "1",
        "acct": "ann",
        "username": "ann",
        "url": "https://toots.example/@ann",
        "display_name": "Ann :blob:",
        "note": "<p>films</p>",
        "fields": [],
        "bot": False,
        "discoverable": True,
        "indexable": False,
        "noindex": False,
    },
}


def parse(**changes: Any) -> Toot | None:
    return parse_status({**STATUS, **changes}, server="toots.example")


def understood(**changes: Any) -> Toot:
    toot = parse(**changes)
    assert toot is not None
    return toot


def with_account(**changes: Any) -> Toot:
    return understood(account={**STATUS["account"], **changes})


def without(*keys: str) -> dict[str, Any]:
    return {key: value for key, value in STATUS.items() if key not in keys}


def test_status_becomes_a_toot() -> None:
    toot = understood()
    assert (toot.uri, toot.url) == (STATUS["uri"], STATUS["url"])
    assert (toot.origin, toot.server, toot.local_id, toot.is_authoritative) == (
        "toots.example",
        "toots.example",
        "110",
        True,
    )
    assert (toot.author.handle, toot.author.display_name) == ("ann@toots.example", "Ann :blob:")
    assert (toot.author.is_discoverable, toot.author.is_indexable, toot.author.wishes) == (True, False, ())
    assert toot.created_at == datetime(2026, 2, 23, 2, 0, 0, 123000, UTC)
    assert toot.edited_at is None
    assert (toot.html, toot.text) == (STATUS["content"], "The Blob #Monsterdon")
    assert (toot.boosts, toot.favourites, toot.replies, toot.media_count) == (1, 2, 3, 1)
    assert (toot.hashtags, toot.visibility, toot.language, toot.is_reply) == (("monsterdon",), "public", "en", False)


@pytest.mark.parametrize("key", [key for key in STATUS if key not in ("uri", "url", "created_at", "account")])
def test_toot_survives_missing_and_null_fields(key: str) -> None:
    assert parse_status(without(key), server="toots.example") is not None
    assert parse(**{key: None}) is not None


@pytest.mark.parametrize("key", sorted(STATUS))
@pytest.mark.parametrize("value", [5, -1, True, "x", "", [], {}, [[]], [None], {"a": 1}, 1.5, float("nan"), 10**400])
def test_wrong_types_never_raise(key: str, value: Any) -> None:
    toot = parse(**{key: value})
    assert toot is None or toot.origin == "toots.example"


@pytest.mark.parametrize("key", sorted(STATUS["account"]))
@pytest.mark.parametrize("value", [None, 5, True, "", "x", [], {}, [{"name": 5, "value": None}, "x"]])
def test_wrong_types_in_an_account_never_raise(key: str, value: Any) -> None:
    assert with_account(**{key: value}).author.handle.endswith("@toots.example" if key != "acct" else "")


@pytest.mark.parametrize(
    "changes",
    [
        {"created_at": None},
        {"created_at": "yesterday"},
        {"created_at": "1970-01-01T00:00:00Z"},
        {"created_at": 1771812000},
        {"uri": None, "url": None},
        {"uri": "", "url": ""},
        {"uri": "x" * 10},
        {"uri": "urn:uuid:5", "url": "https://toots.example/@ann/110"},
        {"uri": "https://localhost/1"},
        {"uri": "https://toots.example/" + "x" * 1000},
        {"uri": "ftp://toots.example/1"},
        {"account": None, "uri": "https://toots.example/objects/5"},
        {
            "account": {"id": "5"},
            "uri": "https://toots.example/ap/users/117020566092212359/statuses/117020593780198542",
        },
        {"account": {"acct": "two words"}},
        {"account": {"acct": "a<b>"}},
        {"reblog": STATUS},
    ],
)
def test_status_without_origin_moment_or_author_is_unreadable(changes: dict[str, Any]) -> None:
    assert parse(**changes) is None


@pytest.mark.parametrize("raw", [None, 5, "status", [], {}, [STATUS], {"error": "no"}])
def test_what_is_no_status_is_unreadable(raw: Any) -> None:
    assert parse_status(raw, server="toots.example") is None


def test_journal_is_read_in_its_order_without_its_nonsense() -> None:
    journal = [STATUS, None, {"id": 5}, {**STATUS, "uri": "https://b.example/users/bob/statuses/1"}]
    assert [toot.origin for toot in parse_statuses(journal, server="a.example")] == ["toots.example", "b.example"]
    assert len(parse_statuses(STATUS, server="a.example")) == 1
    assert parse_statuses({"error": "no"}, server="a.example") == []


@pytest.mark.parametrize(
    ("uri", "spelt", "origin"),
    [
        ("https://Toots.Example/Users/1", "https://toots.example/Users/1", "toots.example"),
        ("http://toots.example/1", "https://toots.example/1", "toots.example"),
        ("HTTPS://toots.example:443/1", "https://toots.example/1", "toots.example"),
        ("http://toots.example.:80/1", "https://toots.example/1", "toots.example"),
        ("https://toots.example:8443/1", "https://toots.example:8443/1", "toots.example:8443"),
        ("https://bücher.example/1", "https://xn--bcher-kva.example/1", "xn--bcher-kva.example"),
        ("https://u:p@toots.example/1?a=b#c", "https://toots.example/1?a=b#c", "toots.example"),
        ("http://127.1.0.3:8000/1", "http://127.1.0.3:8000/1", "127.1.0.3:8000"),
        ("https://127.1.0.3:8000/1", "https://127.1.0.3:8000/1", "127.1.0.3:8000"),
        ("http://[::1]:8000/1", "http://[::1]:8000/1", "[::1]:8000"),
        (" https://toots.example/1\x00\n", "https://toots.example/1", "toots.example"),
        ("tag:Toots.example,2017-04-14:objectId=1", "tag:toots.example,2017-04-14:objectId=1", "toots.example"),
    ],
)
def test_uri_has_one_spelling(uri: str, spelt: str, origin: str) -> None:
    assert identify(uri) == (spelt, origin)
    assert identify(spelt) == (spelt, origin)


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "toots.example/1",
        "https://",
        "https:///1",
        "https://a b.example/",
        "https://localhost:3000/1",
        "tag:x",
        None,
        5,
        "javascript:alert(1)",
        "https://127.1/1",
        "https://[::1/1",
        "mailto:a@b.example",
        "tag:localhost,2017:1",
    ],
)
def test_uri_that_names_no_server_is_none(uri: object) -> None:
    assert identify(uri) is None


def test_page_of_mastodon_gives_the_uri_it_stands_for() -> None:
    assert identify_by_page("https://toots.example/@ann/110") == (STATUS["uri"], "toots.example")
    assert identify_by_page("https://toots.example/notes/9x") == ("https://toots.example/notes/9x", "toots.example")
    assert understood(uri=None).uri == STATUS["uri"]


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://front.example/@ann/110", "https://front.example/@ann/110"),
        ("http://toots.example/1", "http://toots.example/1"),
        (None, STATUS["uri"]),
        ("", STATUS["uri"]),
        ("javascript:alert(1)", STATUS["uri"]),
        ("https://toots.example/" + "x" * 1000, STATUS["uri"]),
        ("https://toots.example/a b", STATUS["uri"]),
        ("https://toots.example@evil.example/", STATUS["uri"]),
        ("https://toots.example\\@evil.example/", STATUS["uri"]),
        ('https://toots.example/"><script>', "https://toots.example/%22%3E%3Cscript%3E"),
    ],
)
def test_url_is_a_safe_link_or_the_uri(url: object, expected: str) -> None:
    assert understood(url=url).url == expected
    assert web_address(expected) == expected


@pytest.mark.parametrize(
    ("account", "handle"),
    [
        ({"acct": "ann"}, "ann@toots.example"),
        ({"acct": "@ann@Other.Example:443"}, "ann@other.example"),
        ({"acct": "ann@127.1.0.3:8000"}, "ann@127.1.0.3:8000"),
        ({"acct": "ann", "url": "https://web.example/@ann"}, "ann@web.example"),
        ({"acct": "ann@not a host", "url": "https://web.example/@ann"}, "ann@web.example"),
        ({"username": "ann", "acct": None}, "ann@toots.example"),
        ({"url": "https://web.example/users/ann/"}, "ann@web.example"),
        ({"url": "https://web.example/@ann?x=1"}, "ann@web.example"),
        ({"id": "1"}, "ann@toots.example"),
        (None, "ann@toots.example"),
    ],
)
def test_author_is_user_at_server(account: object, handle: str) -> None:
    assert understood(account=account).author.handle == handle


@pytest.mark.parametrize(
    ("raw", "count"),
    [
        (5, 5),
        (0, 0),
        (-3, 0),
        (True, 0),
        (None, 0),
        ("7", 7),
        ("x", 0),
        ("-7", 0),
        (2.9, 2),
        (10**30, 1000000000),
        (float("inf"), 0),
        (float("nan"), 0),
        ([], 0),
        ("٣", 0),
        ("9" * 13, 0),
        (10**4000, 1000000000),
    ],
)
def test_counts_are_whole_numbers_between_bounds(raw: object, count: int) -> None:
    toot = understood(reblogs_count=raw, favourites_count=raw, replies_count=raw)
    assert (toot.boosts, toot.favourites, toot.replies) == (count,) * 3


@pytest.mark.parametrize(
    ("tags", "hashtags"),
    [
        ([{"name": "MonsterDon"}, {"name": "#monsterdon"}, "Blob"], ("monsterdon", "blob")),
        (["#Café", {"name": None}, None, 5, {}], ("cafe",)),
        ([], ()),
        (None, ("monsterdon",)),
        ("monsterdon", ("monsterdon",)),
        ([{"name": None}], ("monsterdon",)),
    ],
)
def test_hashtags_come_from_the_list_or_else_from_the_text(tags: object, hashtags: tuple[str, ...]) -> None:
    assert understood(tags=tags).hashtags == hashtags


def test_hashtags_of_a_status_without_a_list_come_from_the_text() -> None:
    toot = parse_status(without("tags"), server="toots.example")
    assert toot is not None and toot.hashtags == ("monsterdon",)


@pytest.mark.parametrize(
    ("changes", "wishes"),
    [
        ({"note": "<p>films #NoBot</p>"}, ("nobot",)),
        ({"note": '<a href="#">#<span>noindex</span></a>'}, ("noindex",)),
        ({"fields": [{"name": "wishes", "value": "<p>#nobots</p>"}]}, ("nobots",)),
        ({"fields": [{"name": "#nomastoscore", "value": None}]}, ("nomastoscore",)),
        ({"display_name": "Ann #nobot"}, ("nobot",)),
        ({"noindex": True}, ("account-noindex",)),
        ({"noindex": True, "note": "#nobot #nobot"}, ("nobot", "account-noindex")),
        ({"note": "#nobotany", "noindex": None}, ()),
        ({"note": None, "fields": None}, ()),
    ],
)
def test_wishes_are_read_from_profile_and_flag(changes: dict[str, Any], wishes: tuple[str, ...]) -> None:
    assert with_account(**changes).author.wishes == wishes


def test_flags_the_server_does_not_mention_are_unknown() -> None:
    author = understood(account={"acct": "ann"}).author
    assert (author.is_discoverable, author.is_indexable, author.is_bot) == (None, None, False)
    assert with_account(bot=True).author.is_bot


def test_texts_are_bounded_and_free_of_what_databases_refuse() -> None:
    nasty = "a\x00b\ud800c\x07"
    toot = understood(
        content=nasty + "x" * 100_000,
        spoiler_text=nasty + "x" * 100_000,
        language="x" * 36,
        account={**STATUS["account"], "display_name": nasty + "\n" + "x" * 1000},
        visibility="PUBLIC\x00",
        id=nasty,
        tags=[nasty, "x" * 1000],
    )
    assert len(toot.html) <= 50_000 and len(toot.text) == 20_000 and len(toot.spoiler_text) <= 5000
    assert len(toot.author.display_name) <= 500 and toot.author.display_name.startswith("abc x")
    assert (toot.language, toot.visibility, toot.local_id) == ("", "public", "abc")
    for text in (toot.html, toot.text, toot.spoiler_text, toot.author.display_name, *toot.hashtags):
        assert "\x00" not in text
        text.encode()
    assert max(map(len, toot.hashtags)) <= 200


def test_visibility_is_what_the_server_says() -> None:
    assert [understood(visibility=said).visibility for said in ("public", "Unlisted", None, 5)] == [
        "public",
        "unlisted",
        "",
        "",
    ]


def test_reply_is_told_by_what_it_answers() -> None:
    assert [understood(in_reply_to_id=value).is_reply for value in ("5", 5, None, "", False)] == [
        True,
        True,
        False,
        False,
        False,
    ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)
TEXTS = st.sampled_from(
    ["https://a.example/@x/1", "http://[::1", "2026-02-23T02:00:00Z", "x@y@z", "#nobot", "<p", "\ud800"]
)
NEAR_STATUS = st.fixed_dictionaries(
    {},
    optional={
        key: JSON
        | TEXTS
        | st.just(value)
        | (
            st.fixed_dictionaries({}, optional=dict.fromkeys(value, JSON | TEXTS))
            if isinstance(value, dict)
            else st.nothing()
        )
        for key, value in STATUS.items()
    },
)


@given(JSON | NEAR_STATUS | st.lists(NEAR_STATUS, max_size=3))
@settings(max_examples=500, deadline=None)
def test_any_json_is_read_without_raising(raw: Any) -> None:
    toots = [parse_status(raw, server="toots.example"), *parse_statuses(raw, server="toots.example")]
    for toot in toots:
        if toot is not None:
            json.dumps([toot.uri, toot.url, toot.text, toot.author.handle], ensure_ascii=False).encode()
            assert toot.origin and toot.created_at.tzinfo is UTC
            assert len(toot.uri) <= 1000 and len(toot.url) <= 1000 and len(toot.author.handle) <= 500
            assert min(toot.boosts, toot.favourites, toot.replies) >= 0

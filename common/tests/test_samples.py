"""Every sample of what servers send goes through the reader; how many toots each holds was found by reading them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from common.json_reading import NotJson, read_json
from common.toots import Toot, parse_status, parse_statuses, to_status

SAMPLES = Path(__file__).resolve().parents[2] / "tests" / "samples" / "statuses"
FILES = sorted(path.name for path in SAMPLES.iterdir() if path.name not in ("README.md", "manifest.json"))

# Recorded on somebody's own machine: their origin is "localhost", which is no server anybody else could ask.
ON_LOCALHOST = {f"mastodon-{number}.json" for number in (14, 15, 20, 22, 25, 26, 27, 30, 33, 34, 35, 37, 38)}
ON_LOCALHOST |= {f"mastodon-{number}.json" for number in (40, 41, 55, 58, 59)}

# Toots to be understood, where it is not exactly one.
EXPECTED = {
    "mastodon-10.json": 20,
    "mastodon-40.json": 20,
    "mastodon-42.json": 2,
    "mastodon-49.json": 37,
    "mastodon-54.json": 2,
    "takahe-07.json": 20,
    "takahe-13.json": 12,
    "odd-02.json": 0,  # a boost
    "odd-03.json": 1,  # one without uri, one with neither uri nor url
    "odd-06.json": 9,  # every form of id
    "odd-09.json": 4,
    "odd-11.json": 4,
    "odd-body-01.json": 0,
    "odd-body-02.json": 0,
    "odd-body-04.html": 0,
}


def read_sample(name: str, *, localhost: str = "localhost") -> list[Toot]:
    body = (SAMPLES / name).read_bytes()
    body = body.replace(b"http://localhost:3000/", f"http://{localhost}/".encode())
    body = body.replace(b"http://localhost/", f"http://{localhost}/".encode())
    try:
        return parse_statuses(read_json(body), server="asked.example")
    except NotJson:
        assert name.endswith(".html")
        return []


def test_every_sample_is_listed_with_its_origin_and_licence() -> None:
    listed = {entry["file"]: entry for entry in json.loads((SAMPLES / "manifest.json").read_text())}
    assert sorted(listed) == FILES
    readme = (SAMPLES / "README.md").read_text()
    assert all(f"| {name} |" in readme for name in FILES)
    allowed = ("MIT", "BSD-3-Clause", "own capture", "constructed")
    assert all(entry["licence"].startswith(allowed) for entry in listed.values())


@pytest.mark.parametrize("name", FILES)
def test_toots_of_a_sample_are_understood(name: str) -> None:
    expected = EXPECTED.get(name, 1)
    toots = read_sample(name, localhost="dev.example")
    assert len(toots) == expected
    assert len(read_sample(name)) == (0 if name in ON_LOCALHOST else expected)
    for toot in toots:
        assert toot.origin and toot.author.handle.count("@") == 1 and toot.visibility
        assert "<p" not in toot.text and "</" not in toot.text
        assert toot.url.startswith(("https://", "http://"))


def only(name: str) -> Toot:
    (toot,) = read_sample(name, localhost="dev.example")
    return toot


def test_edited_mastodon_toot_is_read_in_full() -> None:
    toot = only("mastodon-43.json")
    assert toot.uri == "https://icosahedron.website/users/halcy/statuses/110446222386355655"
    assert (toot.origin, toot.server, toot.local_id) == ("icosahedron.website", "asked.example", "110446223051565765")
    assert not toot.is_authoritative
    assert toot.author.handle == "halcy@icosahedron.website"
    assert toot.author.url == "https://icosahedron.website/@halcy"
    assert (toot.boosts, toot.favourites, toot.replies, toot.media_count) == (0, 1, 0, 1)
    assert toot.hashtags == ("thisisahashtag",)
    assert toot.edited_at is not None and toot.edited_at > toot.created_at
    assert (toot.language, toot.visibility) == ("de", "public")
    assert toot.text.startswith("@halcy you're a doo-doo head\n\nedit: editing this")


def test_toots_named_by_tag_uri_have_the_origin_it_names() -> None:
    toots = read_sample("mastodon-10.json")
    assert toots[1].uri == "tag:mastodon.cloud,2017-04-14:objectId=625276:objectType=Status"
    assert (toots[1].origin, toots[1].author.handle) == ("mastodon.cloud", "cocoabottle@mastodon.cloud")
    assert toots[1].url.startswith("https://mastodon.cloud/")


def test_reply_bot_and_consent_flags_are_read() -> None:
    first, second = read_sample("mastodon-42.json")
    assert (first.is_reply, second.is_reply) == (False, True)
    assert first.author.wishes == ("account-noindex",)
    assert first.author.is_discoverable is False
    assert first.visibility == "private"


def test_local_author_with_a_port_keeps_it() -> None:
    toot = only("snac-01.json")
    assert toot.author.handle == "peer@127.0.0.1:18802"
    assert toot.uri == "http://127.0.0.1:18802/peer/p/1795283970.617186"
    assert toot.hashtags == ("fieldnotes", "cafe0")
    assert toot.text == "Note 0 about #fieldnotes emoji 🌱 עברית العربية #café0"


def test_missing_account_is_read_out_of_the_uri() -> None:
    assert only("pixelfed-04.json").author.handle == "ibon@pix.example"
    assert only("odd-04.json").author.handle == "ibon@pix.example"


def test_missing_uri_is_read_out_of_the_url() -> None:
    toot = only("odd-03.json")
    assert toot.uri == toot.url == "https://pix.example/p/ibon/153490526442754048"


def test_every_form_of_id_is_kept_as_text() -> None:
    assert [toot.local_id for toot in read_sample("odd-06.json")] == [
        "103270115826048975",
        "-5",
        "017ed503-bc96-301a-e871-2c23b30ddd05",
        "01FWMCNM07GGDV8HF40NZ9YTGR",
        "AQgIdalRCRfsNV6KzA",
        "https://pix.example/objects/1",
        "",
        "",
        "1" * 40,
    ]


def test_hashtags_of_every_form_are_one() -> None:
    # A string, with "#" and in mixed case, without a name, and no list at all: the text has it for the last two.
    assert [toot.hashtags for toot in read_sample("odd-09.json")] == [("fieldnotes",)] * 4


def test_media_are_counted_whatever_they_are() -> None:
    assert [toot.media_count for toot in read_sample("odd-11.json")] == [1, 20, 1, 1]


@pytest.mark.parametrize("name", FILES)
def test_toot_written_as_a_status_is_read_as_the_same_toot(name: str) -> None:
    for toot in read_sample(name, localhost="dev.example"):
        assert parse_status(json.loads(json.dumps(to_status(toot))), server=toot.server) == toot

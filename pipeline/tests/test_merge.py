from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.toots import Toot
from pipeline.core.merge import (
    MergedToot,
    adds_nothing,
    copy_adds_nothing,
    fold,
    from_copy,
    merge,
    merge_all,
    standing_of,
)
from pipeline.tests.toot_samples import NOON, make_author, make_copy


def test_origin_copy_decides_even_with_lower_counts() -> None:
    origin = from_copy(make_copy(boosts=2, text="mine"), 1)
    other = from_copy(make_copy(server="two.example", boosts=900, text="lies", edited_at=NOON), 1)

    assert merge(other, origin) == origin
    assert merge(origin, other) == origin


def test_newer_crawl_of_origin_replaces_older_one_even_with_lower_counts() -> None:
    older = from_copy(make_copy(boosts=9), 1)
    newer = from_copy(make_copy(boosts=7), 2)

    assert merge(older, newer) == newer


def test_edited_copy_of_origin_wins_within_one_crawl() -> None:
    first = from_copy(make_copy(boosts=9), 1)
    edited = from_copy(make_copy(boosts=2, edited_at=NOON + timedelta(minutes=1), text="better"), 1)

    assert fold([edited, first]).text == "better"
    assert fold([edited, first]).boosts == 2


def test_without_origin_each_count_is_the_highest_seen() -> None:
    left = from_copy(make_copy(server="b.example", boosts=5, favourites=1, replies=0), 1)
    right = from_copy(make_copy(server="a.example", boosts=3, favourites=4, replies=2), 1)

    merged = merge(left, right)

    assert (merged.boosts, merged.favourites, merged.replies) == (5, 4, 2)
    assert not merged.is_authoritative


def test_without_origin_latest_edit_gives_the_text() -> None:
    plain = from_copy(make_copy(server="a.example", text="old"), 1)
    edited = from_copy(make_copy(server="z.example", text="new", edited_at=NOON), 1)

    assert merge(plain, edited).text == "new"


def test_without_origin_one_wish_is_enough_and_origin_has_the_last_word() -> None:
    silent = from_copy(make_copy(server="a.example", author=make_author(is_discoverable=True)), 1)
    wishing = from_copy(
        make_copy(server="b.example", author=make_author(wishes=("nobot",), is_discoverable=False)), 1
    )
    origin = from_copy(make_copy(author=make_author(is_indexable=True)), 1)

    cautious = merge(silent, wishing)
    assert (cautious.author_wishes, cautious.author_is_discoverable) == ("nobot", False)
    assert merge(cautious, origin).author_wishes == ""


def test_feed_gives_way_to_any_copy_that_knows_more() -> None:
    bare = make_copy(is_bare=True, text="from the feed", boosts=0)
    feed = from_copy(bare, 1)
    elsewhere = from_copy(make_copy(server="zoo.example", text="whole", boosts=3), 1)

    assert not feed.is_authoritative
    assert merge(feed, elsewhere) == elsewhere
    assert copy_adds_nothing(standing_of(elsewhere), bare, 1)
    assert not adds_nothing(standing_of(feed), elsewhere)


_told = st.builds(
    lambda server, boosts, favourites, minutes, text, wishes, flag, crawl, is_bare: (
        make_copy(
            server=server,
            is_bare=is_bare,
            boosts=boosts,
            favourites=favourites,
            edited_at=None if minutes is None else NOON + timedelta(minutes=minutes),
            text=text,
            author=make_author(wishes=wishes, is_discoverable=flag, is_bot=text == "b"),
        ),
        crawl,
    ),
    st.sampled_from(["one.example", "two.example", "three.example"]),
    st.integers(0, 3),
    st.integers(0, 3),
    st.none() | st.integers(0, 2),
    st.sampled_from("ab"),
    st.sets(st.sampled_from(["nobot", "noindex"])).map(lambda wishes: tuple(sorted(wishes))),
    st.none() | st.booleans(),
    st.integers(1, 2),
    st.booleans(),
)
_copies = _told.map(lambda told: from_copy(*told))


@given(_copies, _copies, _copies)
def test_merge_is_associative_commutative_and_idempotent(a: MergedToot, b: MergedToot, c: MergedToot) -> None:
    assert merge(a, b) == merge(b, a)
    assert merge(merge(a, b), c) == merge(a, merge(b, c))
    assert merge(merge(a, b), b) == merge(a, b)


@given(st.lists(_copies, min_size=1, max_size=8), st.data())
def test_any_order_and_any_batches_give_the_same_toot(copies: list[MergedToot], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(copies))
    cut = data.draw(st.integers(0, len(copies)))
    repeated = data.draw(st.lists(st.sampled_from(copies), max_size=3))
    batches = [*merge_all(shuffled[:cut]).values(), *merge_all([*shuffled[cut:], *repeated]).values()]

    assert fold(batches) == fold(copies)


@pytest.mark.parametrize("uris", [["u1", "u2", "u1"], []])
def test_merge_all_keeps_one_toot_per_uri(uris: list[str]) -> None:
    merged = merge_all(from_copy(make_copy(uri=uri), 1) for uri in uris)

    assert sorted(merged) == sorted(set(uris))


@given(st.lists(_copies, min_size=1, max_size=4), st.lists(_copies, max_size=3), _told)
def test_copy_that_adds_nothing_now_adds_nothing_later_either(
    known: list[MergedToot], later: list[MergedToot], told: tuple[Toot, int]
) -> None:
    now, copy = fold(known), from_copy(*told)
    if adds_nothing(standing_of(now), copy) or copy_adds_nothing(standing_of(now), *told):
        then = fold([*known, *later])
        assert merge(now, copy) == now
        assert merge(then, copy) == then


def test_copies_that_cannot_matter_are_told_without_a_look_at_the_words() -> None:
    origin = standing_of(from_copy(make_copy(boosts=1), 2))
    elsewhere = standing_of(from_copy(make_copy(server="two.example", boosts=4), 2))

    assert copy_adds_nothing(origin, make_copy(server="two.example", boosts=99), 2)
    assert copy_adds_nothing(origin, make_copy(boosts=99), 1)
    assert copy_adds_nothing(elsewhere, make_copy(server="zoo.example", boosts=4), 2)
    assert not copy_adds_nothing(elsewhere, make_copy(server="zoo.example", boosts=5), 2)
    assert not copy_adds_nothing(elsewhere, make_copy(boosts=0), 2)
    assert not copy_adds_nothing(
        elsewhere, make_copy(server="zoo.example", boosts=4, author=make_author(wishes=("nobot",))), 2
    )


def test_merged_toot_that_is_known_already_is_told_by_its_digest() -> None:
    toot = from_copy(make_copy(server="two.example", boosts=4), 2)

    assert adds_nothing(standing_of(toot), from_copy(make_copy(server="two.example", boosts=4), 2))
    assert not adds_nothing(standing_of(toot), from_copy(make_copy(server="two.example", boosts=4, text="other"), 2))

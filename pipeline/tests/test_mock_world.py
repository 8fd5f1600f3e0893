"""The bundled fediverse is the same every time, and its truth agrees with what its servers hold."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.mock.behaviours import BEHAVIOURS, FOREIGN_SERVER, SERVER_COUNT
from pipeline.mock.ids import IdMaker
from pipeline.mock.markup import to_html
from pipeline.mock.records import PAGE_ROWS
from pipeline.mock.statuses import row_as_json
from pipeline.mock.truth import TrueToot, Truth
from pipeline.mock.world import World, build_world
from pipeline.models import Visit

START = datetime(2026, 10, 5, 0, 0, tzinfo=UTC)
DURATION, MARGIN = timedelta(minutes=90), timedelta(hours=1)
NAMES = [f"127.1.0.{number}:18400" for number in range(1, SERVER_COUNT + 1)]


def build(**changes: object) -> World:
    values: dict[str, object] = {"servers": NAMES, **changes}
    return build_world("jellynight", START, DURATION, MARGIN, **values)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def world() -> World:
    return build()


@pytest.fixture(scope="module")
def truth(world: World) -> Truth:
    return world.truth


def server_with(world: World, key: str) -> str:
    return next(name for name, server in world.servers.items() if server.behaviour.key == key)


def test_same_arguments_give_the_same_world(world: World) -> None:
    again = build()
    assert again.servers == world.servers
    assert again.truth.toots == world.truth.toots
    assert again.truth.outcomes == world.truth.outcomes


def test_another_seed_or_hashtag_gives_another_world(world: World) -> None:
    assert build(seed=1958).toots != world.toots
    other = build_world("monsterdon", START, DURATION, MARGIN, servers=NAMES)
    assert {tag.casefold() for toot in other.toots for tag in toot.hashtags} == {"monsterdon", "caturday"}
    assert not any("jellynight" in toot.text.casefold() for toot in other.toots)


def test_another_port_changes_addresses_only(world: World) -> None:
    moved = build(servers=[name.replace("18400", "18401") for name in NAMES])
    assert [(toot.created_at, toot.counts) for toot in moved.toots] == [
        (toot.created_at, toot.counts) for toot in world.toots
    ]
    assert moved.toots[0].uri == world.toots[0].uri.replace("18400", "18401")


def test_night_is_as_large_as_promised(world: World, truth: Truth) -> None:
    assert len(world.servers) >= 15
    assert len(truth.toots) >= 420
    assert 60 <= len(truth.authors) <= 90
    assert len({toot.language for toot in truth.toots.values()}) >= 8


@pytest.mark.parametrize("toot_count", [60, 150, 900])
def test_every_ordinary_toot_counts_and_every_server_is_found(toot_count: int) -> None:
    truth = build(toot_count=toot_count).truth
    assert len(truth.toots) >= toot_count
    assert set(truth.outcomes) == {*NAMES, FOREIGN_SERVER}


def test_too_few_servers_or_toots_are_refused() -> None:
    with pytest.raises(ValueError, match="different servers"):
        build(servers=NAMES[:-1])
    with pytest.raises(ValueError, match="at least 60 toots"):
        build(toot_count=5)


def test_further_servers_are_ordinary_ones() -> None:
    more = [f"127.1.0.{number}:18400" for number in range(1, SERVER_COUNT + 4)]
    truth = build(servers=more).truth
    assert {truth.outcomes[name] for name in more[SERVER_COUNT:]} == {"complete"}


def test_outcomes_are_those_a_visit_knows(truth: Truth) -> None:
    assert set(truth.outcomes.values()) <= set(Visit.Outcome.values)
    assert set(truth.outcomes.values()) >= {
        "complete",
        "local_only",
        "refused",
        "feed_only",
        "robots",
        "bad_answer",
        "unreachable",
        "not_allowed",
    }


def test_uris_are_unique_and_name_their_origin(world: World) -> None:
    uris = [toot.uri for toot in world.toots]
    assert len(set(uris)) == len(uris)
    assert all(toot.uri.startswith(f"http://{toot.origin}/") for toot in world.toots)


def test_rows_are_newest_first_under_ids_of_their_own(world: World) -> None:
    for server in world.servers.values():
        ids = [row.local_id for row in server.rows if row.toot]
        assert len(set(ids)) == len(ids)
        if server.behaviour.id_kind == "snowflake":
            assert sorted(map(int, ids), reverse=True) == list(map(int, ids))
        elif server.behaviour.id_kind == "ulid":
            assert sorted(ids, reverse=True) == ids


def test_truth_counts_only_public_tagged_toots_of_the_window(world: World, truth: Truth) -> None:
    by_uri = {toot.uri: toot for toot in world.toots}
    for uri in truth.counted:
        toot = by_uri[uri]
        assert toot.visibility == "public"
        assert START - MARGIN <= toot.created_at < START + DURATION + MARGIN
        assert any(tag.casefold() == "jellynight" for tag in toot.hashtags)
    texts = {by_uri[uri].text for uri in truth.counted}
    assert "Is it time yet? It is exactly time. #jellynight" in texts
    assert "Last one out turns off the lighthouse. #jellynight" in texts
    for text in ("Is it time yet? #jellynight", "Too late, the lighthouse is off. #jellynight"):
        assert text not in texts
    assert any("#JELLYNIGHT" in text for text in texts)


def test_truth_is_seen_only_on_servers_that_answer(truth: Truth) -> None:
    telling = {name for name, outcome in truth.outcomes.items() if outcome in ("complete", "local_only", "not_paged")}
    answering = telling | {name for name, outcome in truth.outcomes.items() if outcome == "feed_only"}
    for toot in truth.toots.values():
        assert toot.seen_on
        assert toot.seen_on <= answering
        assert toot.is_authoritative == (toot.origin in toot.seen_on & telling)


def find(world: World, truth: Truth, start_of_text: str) -> TrueToot:
    return truth.toots[next(toot.uri for toot in world.toots if toot.text.startswith(start_of_text))]


def test_origin_wins_over_higher_copies_and_older_text(world: World, truth: Truth) -> None:
    tank = find(world, truth, "That tank again.")
    assert (tank.boosts, tank.favourites, tank.replies, tank.is_authoritative) == (4, 9, 1, True)
    copies = {
        row.counts.boosts
        for server in world.servers.values()
        for row in server.rows
        if row.toot and row.toot.uri == tank.uri
    }
    assert copies == {4, 412}
    lighthouse = find(world, truth, "For the record: the lighthouse is a salt shaker")
    texts = {
        (row.stale_text or row.toot.text)
        for server in world.servers.values()
        for row in server.rows
        if row.toot and row.toot.uri == lighthouse.uri
    }
    assert len(texts) == 2
    assert lighthouse.boosts == 14


def test_toots_of_closed_servers_take_the_highest_counts_seen(world: World, truth: Truth) -> None:
    fainted = find(world, truth, "I saw this in a cinema in 1961")
    assert not fainted.is_authoritative
    seen = [row.counts for name in fainted.seen_on for row in world.servers[name].rows if _is(row, fainted)]
    assert fainted.boosts == max(counts.boosts for counts in seen)
    assert fainted.favourites == max(counts.favourites for counts in seen)


def _is(row: object, toot: TrueToot) -> bool:
    return getattr(getattr(row, "toot", None), "uri", None) == toot.uri


def test_deleted_toot_lives_on_in_its_copies(world: World, truth: Truth) -> None:
    typo = find(world, truth, "I deleted this because of a typo")
    assert not typo.is_authoritative
    assert truth.outcomes[typo.origin] == "complete"


def test_toots_nobody_shows_do_not_count(world: World, truth: Truth) -> None:
    hidden = {toot.uri for toot in world.toots if toot.text.startswith(("Note to self", "Is this thing"))}
    assert len(hidden) == 2
    assert not hidden & truth.counted


def test_toot_known_from_a_feed_alone_counts_without_counts(world: World, truth: Truth) -> None:
    toot = find(world, truth, "Members only")
    assert (toot.boosts, toot.favourites, toot.replies, toot.is_authoritative) == (0, 0, 0, False)
    assert toot.seen_on == {toot.origin}
    assert truth.outcomes[toot.origin] == "feed_only"


def test_second_and_third_hop_are_named_nowhere_nearer(world: World) -> None:
    for key, only_named_on in (("second-hop", "linkless"), ("third-hop", "second-hop")):
        name = server_with(world, key)
        holders = {
            server.name
            for server in world.servers.values()
            for row in server.rows
            if row.toot and row.toot.origin == name
        }
        assert holders == {name, server_with(world, only_named_on)}


def test_ties_are_real_at_the_cut_of_every_ranking(truth: Truth) -> None:
    rankings = truth.rankings(3)
    assert all(ranking.is_tie_cut and ranking.is_full_tie_cut for ranking in rankings.values())
    chosen = [uri for ranking in rankings.values() for uri in ranking.uris]
    assert len(set(chosen)) == 9
    third = truth.toots[rankings["favourites"].uris[2]]
    twin = next(
        toot
        for toot in truth.toots.values()
        if toot.uri != third.uri and (toot.favourites, toot.created_at) == (third.favourites, third.created_at)
    )
    assert third.uri < twin.uri


def test_whoever_does_not_want_it_is_counted_and_not_ranked(truth: Truth) -> None:
    unwilling = {toot.author.partition("@")[0] for toot in truth.toots.values() if not toot.is_quotable}
    assert unwilling == {"private_pat", "quiet_quentin", "creature_carl", "geheimrat", "curtain_call_cy"}
    most = max(truth.toots.values(), key=lambda toot: toot.boosts)
    assert not most.is_quotable
    assert all(most.uri not in ranking.uris for ranking in truth.rankings(100).values())
    totals = truth.totals()
    assert totals.boosts == sum(toot.boosts for toot in truth.toots.values())
    assert totals.left_out_authors == 5


def test_bots_can_be_left_out(truth: Truth) -> None:
    bots = [toot for toot in truth.toots.values() if toot.is_bot]
    assert {toot.author.partition("@")[0] for toot in bots} == {"drivein_bot"}
    assert truth.totals(without_bots=True).toots == truth.totals().toots - len(bots)
    ranked = truth.rankings(100)["boosts"].uris
    assert any(bot.uri in ranked for bot in bots)
    assert all(bot.uri not in truth.rankings(100, without_bots=True)["boosts"].uris for bot in bots)


def test_totals_have_one_most_active_author_and_one_busiest_minute(truth: Truth) -> None:
    writers = Counter(toot.author for toot in truth.toots.values() if toot.is_quotable).most_common(2)
    assert writers[0][1] > writers[1][1]
    minutes = Counter(toot.created_at.replace(second=0) for toot in truth.toots.values()).most_common(2)
    assert minutes[0][1] > minutes[1][1]
    assert truth.totals().busiest_minute == minutes[0]


def test_audience_writes_most_at_the_great_moments(truth: Truth) -> None:
    def toots_in(first_minute: int, last_minute: int) -> int:
        first, last = (START + timedelta(minutes=minute) for minute in (first_minute, last_minute))
        return sum(first <= toot.created_at < last for toot in truth.toots.values())

    assert toots_in(0, 6) > 2 * toots_in(12, 18)
    assert toots_in(30, 40) > 2 * toots_in(18, 28)
    assert toots_in(80, 90) > 2 * toots_in(65, 75)


def test_week_before_had_its_own_film_and_some_of_the_guests(world: World, truth: Truth) -> None:
    before = world.truth_for(start=START - timedelta(days=7))
    assert before.toots
    assert not before.counted & truth.counted
    assert before.authors & truth.authors
    assert truth.authors - before.authors


def test_limit_per_server_ends_walks_early(world: World, truth: Truth) -> None:
    limited = world.truth_for(max_toots=50)
    assert limited.outcomes[world.home] == "reached_max"
    assert sum(world.home in toot.seen_on for toot in limited.toots.values()) == 50
    assert limited.counted <= truth.counted


def test_pages_of_other_days_lie_behind_and_before_the_window(world: World) -> None:
    rows = [row.toot for row in world.servers[world.home].rows if row.toot]
    assert sum(toot.created_at >= START + DURATION + MARGIN for toot in rows) > PAGE_ROWS // 2
    assert sum(toot.created_at < START - MARGIN for toot in rows) > PAGE_ROWS // 2


def test_ids_carry_time_on_mastodon_alone() -> None:
    moment = datetime(2026, 10, 5, 0, 30, tzinfo=UTC)
    assert int(IdMaker("snowflake", 3).local_id(moment, 7)) >> 16 == round(moment.timestamp() * 1000)
    assert len(IdMaker("ulid", 3).local_id(moment, 7)) == 26
    assert not IdMaker("flake", 3).local_id(moment, 7).isdigit()
    later = moment + timedelta(seconds=1)
    for kind in ("ulid", "flake"):
        assert IdMaker(kind, 3).local_id(moment, 9) < IdMaker(kind, 3).local_id(later, 1)


def test_markup_is_that_of_the_software() -> None:
    text = "Hi @nell@127.1.0.1:18400 <3 #jellynight https://www.wobble.example/how-it-was-done-in-the-old-days"
    html = to_html(text, server="127.1.0.2:18400", software="mastodon")
    assert html.startswith('<p>Hi <span class="h-card" translate="no"><a href="http://127.1.0.1:18400/@nell"')
    assert "&lt;3" in html
    assert 'class="mention hashtag" rel="tag">#<span>jellynight</span>' in html
    assert '<span class="invisible">https://www.</span><span class="ellipsis">wobble.example' in html
    assert 'data-tag="jellynight"' in to_html(text, server="127.1.0.6:18400", software="akkoma")


def test_profiles_show_wishes_at_their_origin_first(world: World) -> None:
    author = next(a for server in world.servers.values() for a in server.authors if a.username == "curtain_call_cy")
    notes = {}
    for server in world.servers.values():
        for row in server.rows:
            if row.toot and row.toot.author == author:
                notes[server.name] = row_as_json(server, row, ids_by_uri={})["account"]["note"]
    assert "#<span>noindex</span>" in notes.pop(author.server)
    assert notes
    assert not any("noindex" in note for note in notes.values())


def test_every_behaviour_has_guests(world: World) -> None:
    assert len(BEHAVIOURS) == SERVER_COUNT
    assert all(server.authors for server in world.servers.values())

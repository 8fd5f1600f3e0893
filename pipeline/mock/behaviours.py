"""The servers of the bundled fediverse, one for every habit a crawler meets."""

from __future__ import annotations

from pipeline.mock.records import Behaviour

_POLITE_ROBOTS = (
    "User-agent: GreedyHarvester\nDisallow: /\n\nUser-agent: *\nDisallow: /media_proxy/\nDisallow: /interact/\n"
)
_NO_ROBOTS = "# We are a quiet place. Please do not crawl us.\nUser-agent: *\nDisallow: /\n"

BEHAVIOURS: tuple[Behaviour, ...] = (
    Behaviour("home", "Popcorn Social", "mastodon", "4.5.2", sends_rate_limits=True, robots=_NO_ROBOTS, reach=0.75),
    Behaviour(
        "large", "Drive-in Town", "mastodon", "4.5.2", sends_rate_limits=True, robots=_POLITE_ROBOTS, reach=0.6
    ),
    Behaviour("german", "Lichtspielhaus", "mastodon", "4.4.8", robots=_POLITE_ROBOTS, reach=0.4),
    Behaviour(
        "no-replies",
        "Cine Pequeño",
        "gotosocial",
        "0.20.1",
        id_kind="ulid",
        hides_replies=True,
        strange_max_id="400",
        reach=0.25,
    ),
    Behaviour("closed", "The Back Row", "gotosocial", "0.20.1", id_kind="ulid", access="closed", reach=0.2),
    Behaviour("flake", "Midnight Matinee", "akkoma", "3.13.3", id_kind="flake", strange_max_id="empty", reach=0.35),
    Behaviour("no-api", "映画の夜", "misskey", "2025.6.3", id_kind="hex", access="no-api"),
    Behaviour("local-only", "Balcony Seats", "mastodon", "4.5.0", access="local", reach=0.3),
    Behaviour("refusing", "Members' Lounge", "mastodon", "4.5.1", access="closed", refusal_status=422, has_feed=True),
    Behaviour("short-pages", "Filmclub Zuid", "mastodon", "4.2.1", fixed_page_rows=20, reach=0.35),
    Behaviour("repeating", "Le Ciné-Bobine", "mastodon", "3.5.3", ignores_max_id=True, sends_link=False, reach=0.3),
    Behaviour("linkless", "Projector Room", "mastodon", "4.3.9", sends_link=False, full_local_acct=True, reach=0.25),
    Behaviour("limiting", "Intermission", "mastodon", "4.4.1", faults=(429,), sends_rate_limits=True, reach=0.25),
    Behaviour("stumbling", "Torn Ticket", "mastodon", "4.1.16", faults=(500,), reach=0.2),
    Behaviour("down", "The Burnt Reel", "mastodon", "4.0.2", access="down"),
    Behaviour("robots", "Quiet Carriage", "mastodon", "4.5.2", robots=_NO_ROBOTS, forbids_robots=True, reach=0.2),
    Behaviour("html", "A Parked Domain", "", "", access="html"),
    Behaviour("sloppy", "Rubber Suit Club", "pleroma", "2.9.1", id_kind="flake", strange_max_id="page-1", reach=0.3),
    Behaviour("second-hop", "A Shed with a Screen", "snac", "2.94", id_kind="hex", is_sparse=True, reach=0.0),
    Behaviour("third-hop", "One Chair Cinema", "mastodon", "4.5.2", reach=0.0),
    Behaviour("busy", "Sold Out", "mastodon", "4.3.1", faults=(503,), reach=0.2),
)

# An address of this machine's own network that no setting allows: toots name it, nobody may contact it.
FOREIGN = Behaviour("foreign", "Somebody's Router", "mastodon", "4.5.2", access="foreign")
FOREIGN_SERVER = "127.66.6.6"

PLAIN = Behaviour("plain", "Another Screen", "mastodon", "4.5.2", reach=0.2)

SERVER_COUNT = len(BEHAVIOURS)

# A server named only by toots that the second of these servers has: reached in one hop more.
HOPS = {"second-hop": "linkless", "third-hop": "second-hop", "foreign": "sloppy"}

# Answer completely and hold copies of toots whose own servers say nothing.
WITNESSES = ("home", "large", "german", "flake", "limiting", "busy")


def behaviour_of(index: int) -> Behaviour:
    return BEHAVIOURS[index] if index < SERVER_COUNT else PLAIN

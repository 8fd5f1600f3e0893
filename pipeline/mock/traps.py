"""Toots placed on purpose: the favourites of the night with their ties, and every case a crawler must get right.

Each function gives drafts; ``Guests`` finds authors by name and servers by what they are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pipeline.mock.cast import OWNER
from pipeline.mock.guests import Schedule
from pipeline.mock.records import Counts, Draft, MockAuthor, MockServer, Poll

_NOWHERE: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Guests:
    """Who is there: authors by user name, servers by the key of their behaviour."""

    authors: dict[str, MockAuthor]
    servers: dict[str, str]
    schedule: Schedule

    @classmethod
    def of(cls, servers: Iterable[MockServer], schedule: Schedule) -> Guests:
        known = list(servers)
        authors = {author.username: author for server in known for author in server.authors}
        names: dict[str, str] = {}
        for server in known:
            names.setdefault(server.behaviour.key, server.name)
        return cls(authors, names, schedule)

    def at(self, share: float, seconds: int = 0) -> datetime:
        """A moment of the film, as share of its length."""
        return self.schedule.start + timedelta(
            seconds=round(share * self.schedule.duration.total_seconds()) + seconds
        )

    def on(self, *keys: str) -> frozenset[str]:
        return frozenset(self.servers[key] for key in keys)

    def draft(self, username: str, when: datetime, text: str, counts: tuple[int, int, int], **more: object) -> Draft:
        """A draft by that author; ``#`` alone in the text stands for the hashtag."""
        author = self.authors[username]
        text = " ".join(f"#{self.schedule.hashtag}" if word == "#" else word for word in text.split(" "))
        values: dict[str, object] = {"language": author.language, **more}
        return Draft(author, when, text, Counts(*counts), **values)  # type: ignore[arg-type]


def favourites_of_the_night(guests: Guests) -> list[Draft]:
    """The toots everybody shares. Boosts: third and fourth alike in every count. Favourites: third and fourth
    alike even in time, so that only the address decides. Replies: third and fourth alike but for the time."""
    draft, at = guests.draft, guests.at
    return [
        draft(
            "rubbersuit_ron",
            at(0.34, 5),
            "I wore that suit for a school play in 1994. I can confirm that it smells of lemons and regret. #",
            (148, 201, 12),
            alt_texts=("A very old photo of a child inside a wobbly green costume, both arms raised in triumph.",),
        ),
        draft(
            "theremin_tess",
            at(0.91, 4),
            "As a professional I must tell you: that is not how a tuba works, that is not how jelly works, and I "
            "have never been so moved in all my life. :tuba: #",
            (121, 230, 9),
        ),
        draft(
            "zipper_spotter",
            at(0.355),
            "The zip! Upper left! It goes ALL THE WAY DOWN! #",
            (97, 118, 7),
            alt_texts=("Still from the film with a red arrow that points at a zip on the monster's side.",),
        ),
        draft(
            "bmovie_bea",
            at(0.43, 7),
            "Petition to rename the film 'Nancy Bell Was Right About Everything'. #",
            (97, 118, 7),
        ),
        draft(
            "tuba_tine",
            at(0.92),
            "Ich spiele seit zwanzig Jahren Tuba. ZWANZIG JAHRE habe ich auf diesen Film gewartet. 😭 #",
            (64, 187, 11),
        ),
        draft(
            "midnight_mika",
            at(0.985),
            "THE END, question mark, spoon. If that isn't poetry, what is? #",
            (52, 160, 6),
        ),
        draft(
            "popcorn_pilot", at(0.7), "Biscuit gets top billing from now on. I don't make the rules. #", (41, 150, 6)
        ),
        draft("lola_lumiere", at(0.7), "¡Biscuit merece una estatua! ¡En la plaza! ¡Mañana! #", (41, 150, 6)),
        draft(
            "matinee_mo",
            at(-0.1),
            "What is everybody eating tonight? I'll start: toast, marmalade, doubt. #",
            (22, 51, 44),
        ),
        draft(
            "kino_kira",
            at(0.52),
            "Ernsthafte Frage: Was wäre euer Plan, wenn der Nachtisch angreift? #",
            (18, 40, 31),
        ),
        draft(
            "wackelpudding",
            at(1.05),
            "Welchen Film nehmen wir nächste Woche? Vorschläge bitte hier drunter! #",
            (15, 33, 27),
        ),
        draft(
            "bmovie_bea",
            at(1.07),
            "Favourite line of the night? Mine: 'Sheriff, your hat is moving.' #",
            (15, 33, 27),
        ),
    ]


def counts_and_copies(guests: Guests) -> list[Draft]:
    """Who has the say: the origin where it answers, else the highest counts anybody saw."""
    draft, at, on = guests.draft, guests.at, guests.on
    return [
        draft(
            "saltshaker_sam",
            at(0.775),
            "For the record: the lighthouse is a salt shaker, I own the same one, and mine has better acting. #",
            (14, 30, 3),
            stale_text=f"For the record: the lighthouse is a pepper pot. #{guests.schedule.hashtag}",
            edited_at=at(0.79),
            copy_counts=Counts(9, 21, 1),
            alt_texts=("A salt shaker shaped like a lighthouse on a kitchen table.",),
        ),
        draft(
            "ticketstub",
            at(0.61),
            "That tank again. It waves at this point. #",
            (4, 9, 1),
            copy_counts=Counts(412, 903, 77),
            only_on=on("large", "sloppy", "flake"),
        ),
        draft(
            "backrow_betty",
            at(0.36),
            "I saw this in a cinema in 1961 and a man behind me fainted. It was the popcorn, but still. #",
            (39, 88, 8),
            only_on=on("home", "large", "flake", "short-pages"),
        ),
        draft(
            "velvet_rope",
            at(0.905),
            "They should have sent a tuba in the first place. #",
            (21, 47, 2),
            only_on=on("home", "german"),
        ),
        draft(
            "bmovie_bea",
            at(0.27),
            "I deleted this because of a typo, but some of you saw it: 'the marmelade is alive'. #",
            (6, 11, 2),
            only_on=on("home", "limiting"),
            is_missing_at_origin=True,
        ),
        draft(
            "backrow_betty",
            at(0.45),
            "Note to self, seen by nobody out there. #",
            (2, 3, 0),
            only_on=_NOWHERE,
        ),
        draft("velvet_rope", at(0.47), "Members only, this one. #", (1, 4, 0), only_on=_NOWHERE),
        draft("nitrate_nina", at(0.5), "Is this thing on? #", (0, 0, 0), only_on=_NOWHERE),
    ]


def wishes_and_names(guests: Guests) -> list[Draft]:
    """Authors who do not want to be quoted, a bot, and names and texts that try to break the page."""
    draft, at = guests.draft, guests.at
    tag = guests.schedule.hashtag
    return [
        draft(
            "private_pat", at(0.345), "If you can read this in a ranking, somebody did not ask me. #", (260, 410, 60)
        ),
        draft("curtain_call_cy", at(0.915), "I used to be easier to find, and I liked it less. #", (71, 166, 21)),
        draft("creature_carl", at(0.35), "No scores for me, thank you, just the jelly. #", (33, 80, 4)),
        draft(
            "drivein_bot",
            at(-0.15),
            "Showing tonight: The Jelly from Outer Space (1957). Doors are open. 🚗 #",
            (19, 34, 0),
        ),
        draft("drivein_bot", at(0.5), "Halfway. Ice cream and lemonade are sold at row twelve. 🍦 #", (4, 13, 0)),
        draft(
            "drivein_bot", at(1.01), "That was The Jelly from Outer Space. Please drive carefully. 🚗 #", (11, 29, 2)
        ),
        draft(
            "script_bobby",
            at(0.56),
            "<script>alert('the jelly is in the page')</script> & other things the army tried. #",
            (11, 24, 3),
            raw_html=f"<p><script>alert('the jelly is in the page')</script><img src=x onerror=alert(1)> | **bold** "
            f'&lt;b&gt; ]( javascript:alert(1) ) {{{{< hugo >}}}} <a href="javascript:alert(2)">click</a> '
            f'<a href="http://{guests.authors["script_bobby"].server}/tags/{tag}" class="mention hashtag" '
            f'rel="tag">#<span>{tag}</span></a></p>',
        ),
        draft("noor_kino", at(0.34, 40), "ظهر الهلام من تحت الباب وأنا تحت البطانية 😱 #", (12, 37, 2)),
        draft("eiga_emi", at(0.93), "チューバの低いドで全部溶けた。音楽の先生ありがとう 😭 #", (27, 64, 5)),
        draft(
            "reelreader",
            at(1.02),
            "Poll of the night, and be honest: #",
            (8, 19, 6),
            poll=Poll((("Team Biscuit", 61), ("Team Nancy", 74), ("Team jelly", 38), ("Team deck chair", 12))),
        ),
    ]


def a_thread(guests: Guests, first_index: int) -> list[Draft]:
    """One author answers herself four times; ``first_index`` is the place of the first of them in the list."""
    lines = (
        "A short history of wobbling monsters, in five toots. First: what is a wobble? #",
        "Second: every studio had somebody who could make custard for forty people. #",
        "Third: the glow is car wax. So is the sheriff's hair. #",
        "Fourth: the sound is a rubber glove in a drainpipe, played backwards. #",
        "Fifth: nobody ever cleaned the suit. Thank you for reading. 💚 #",
    )
    drafts = []
    for step, line in enumerate(lines):
        parent = first_index + step - 1 if step else None
        when = guests.at(1.03, 70 * step)
        drafts.append(guests.draft("oozing_oona", when, line, (13 - step, 29 - 2 * step, 2), reply_to=parent))
    return drafts


def outside_of_it(guests: Guests) -> list[Draft]:
    """At the very edges of the window, and from years in which nobody tooted."""
    draft, on, schedule = guests.draft, guests.on, guests.schedule
    second = timedelta(seconds=1)
    return [
        draft("nightowl_nell", schedule.window_start, "Is it time yet? It is exactly time. #", (3, 8, 0)),
        draft("nightowl_nell", schedule.window_start - second, "Is it time yet? #", (90, 99, 9)),
        draft("nightowl_nell", schedule.window_end - second, "Last one out turns off the lighthouse. #", (5, 12, 1)),
        draft("nightowl_nell", schedule.window_end, "Too late, the lighthouse is off. #", (90, 99, 9)),
        draft(
            "gillman_gus",
            datetime(1970, 1, 1, tzinfo=UTC),
            "Greetings from the age of the teletype. #",
            (300, 300, 30),
            arrived_at=guests.at(0.4),
            only_on=on("home"),
        ),
        draft(
            "gillman_gus",
            datetime(2099, 12, 31, 23, 59, tzinfo=UTC),
            "The remake is out and the jelly won an award. #",
            (300, 300, 30),
            arrived_at=guests.at(0.6),
            only_on=on("home", "large"),
        ),
    ]


def not_meant_for_us(guests: Guests) -> list[Draft]:
    """Rows a server shows that do not count: not public, or with another hashtag only."""
    draft, at, on = guests.draft, guests.at, guests.on
    sloppy: dict[str, object] = {"only_on": on("sloppy"), "is_missing_at_origin": True}
    return [
        draft(
            OWNER,
            at(0.2),
            "Note to myself: buy lemonade for next week. #",
            (0, 50, 0),
            visibility="private",
            only_on=_NOWHERE,
        ),
        draft(
            OWNER,
            at(0.4),
            "Only for you: the spoon moves at the end. #",
            (0, 70, 0),
            visibility="direct",
            only_on=_NOWHERE,
        ),
        draft(OWNER, at(0.6), "Whispering this one. #", (70, 70, 7), visibility="unlisted", only_on=_NOWHERE),
        draft("stuntdouble_stu", at(0.3), "Not for the big list. #", (80, 80, 8), visibility="unlisted", **sloppy),
        draft(
            "rubbersuit_ron",
            at(0.38),
            "My cat does not care for any of this. #Caturday",
            (120, 300, 20),
            hashtags=("Caturday",),
            **sloppy,
        ),
        draft("foley_fran", at(0.58), "Nothing to see, no hashtag at all.", (60, 90, 2), hashtags=(), **sloppy),
    ]


def spelled_otherwise(guests: Guests) -> list[Draft]:
    """The hashtag in capitals is the same hashtag."""
    tag = guests.schedule.hashtag.upper()
    return [
        guests.draft("fogmachine_fay", guests.at(0.34, 20), f"I AM CALM #{tag}", (9, 31, 2), hashtags=(tag,)),
        guests.draft("standingroom_stella", guests.at(0.9, 25), f"THE TUBA!!! #{tag}", (16, 42, 1), hashtags=(tag,)),
    ]

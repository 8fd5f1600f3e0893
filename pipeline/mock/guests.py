"""What the guests write: the ordinary toots of the film night, the week before and the days after. Pure, seeded."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from pipeline.mock import texts_en, texts_more
from pipeline.mock.film import AFTERWARDS, LAST_WEEK, MOMENTS, Moment
from pipeline.mock.records import Counts, Draft, MockAuthor, Poll

WEEK = timedelta(days=7)
_MOST_BOOSTS, _MOST_FAVOURITES, _MOST_REPLIES = 58, 104, 13
_TRIES_FOR_A_NEW_TEXT = 25
_SLOT = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Schedule:
    """The event: its hashtag, when it is, and how far around it is counted."""

    hashtag: str
    start: datetime
    duration: timedelta
    margin: timedelta

    @property
    def end(self) -> datetime:
        return self.start + self.duration

    @property
    def window_start(self) -> datetime:
        return self.start - self.margin

    @property
    def window_end(self) -> datetime:
        return self.end + self.margin


class Typewriter:
    """Writes texts from templates and avoids to write one twice."""

    def __init__(self, schedule: Schedule, rng: random.Random) -> None:
        self._schedule = schedule
        self._rng = rng
        self._written: set[str] = set()

    def write(self, language: str, templates: Sequence[str], *, prefix: str = "") -> str:
        """A text from one of the templates, ending in the hashtag."""
        for _ in range(_TRIES_FOR_A_NEW_TEXT):
            body = self.fill(self._rng.choice(templates), language)
            if body not in self._written:
                break
        self._written.add(body)
        return f"{prefix}{body}{self._hashtags()}"

    def fill(self, template: str, language: str) -> str:
        slots = texts_more.SLOTS.get(language, texts_en.SLOTS)
        return _SLOT.sub(lambda found: self._rng.choice(slots[found[1]]), template)

    def _hashtags(self) -> str:
        tag = self._schedule.hashtag
        spelled = tag if self._rng.random() < 0.9 else tag.capitalize()
        gap = "\n\n" if self._rng.random() < 0.3 else " "
        more = " #" + self._rng.choice(("BadFilmClub", "NowWatching", "CreatureFeature"))
        return f"{gap}#{spelled}{more if self._rng.random() < 0.12 else ''}"


def write_film_night(
    authors: Sequence[MockAuthor], schedule: Schedule, count: int, rng: random.Random, typewriter: Typewriter
) -> list[Draft]:
    """``count`` toots inside the window; every author writes at least one as far as the count allows."""
    drafts: list[Draft] = []
    weights = [author.activity for author in authors]
    for index in range(count):
        author = authors[index] if index < len(authors) else rng.choices(authors, weights)[0]
        moment = _choose_moment(author.language, schedule, rng)
        draft = _write_one(author, moment, schedule, rng, typewriter)
        if index >= len(authors) and rng.random() < 0.2:
            draft = _as_reply(draft, drafts, rng, typewriter)
        drafts.append(draft)
    return drafts


def write_other_days(
    authors: Sequence[MockAuthor], schedule: Schedule, count: int, rng: random.Random, typewriter: Typewriter
) -> list[Draft]:
    """Toots with the hashtag that do not count: the film of the week before, and the talk of the days after."""
    drafts = []
    writers = [author for author in authors if author.language in AFTERWARDS and not author.is_bot]
    for index in range(count):
        author = rng.choice(writers)
        if index % 2:
            moment = schedule.window_end + timedelta(seconds=rng.randrange(600, 60 * 3600))
            templates = AFTERWARDS
        else:
            share = rng.random()
            moment = schedule.start - WEEK + timedelta(seconds=round(share * schedule.duration.total_seconds()))
            templates = LAST_WEEK
        text = typewriter.write(author.language, templates[author.language])
        drafts.append(Draft(author, moment, text, _popularity(author, rng), language=author.language))
    return drafts


def _choose_moment(language: str, schedule: Schedule, rng: random.Random) -> Moment:
    texts = texts_more.TOOTS.get(language, texts_en.TOOTS)
    has_margin = schedule.margin >= timedelta(minutes=5)
    moments = [moment for moment in MOMENTS if moment.key in texts and (has_margin or 0 <= moment.at <= 1)]
    return rng.choices(moments, [moment.weight for moment in moments])[0]


def _write_one(
    author: MockAuthor, moment: Moment, schedule: Schedule, rng: random.Random, typewriter: Typewriter
) -> Draft:
    texts = texts_more.TOOTS.get(author.language, texts_en.TOOTS)
    draft = Draft(
        author,
        _time_of(moment, schedule, rng),
        typewriter.write(author.language, texts[moment.key]),
        _popularity(author, rng),
        language=author.language if rng.random() > 0.06 else None,
    )
    return _decorate(draft, rng, typewriter)


def _time_of(moment: Moment, schedule: Schedule, rng: random.Random) -> datetime:
    """A whole second near the moment; people write a little late, and never outside the window."""
    minutes = schedule.duration.total_seconds() / 60
    seconds = moment.at * minutes * 60 + abs(rng.gauss(0, 1)) * moment.spread_minutes * 60 * min(1, minutes / 90)
    if moment.key == "before":
        reach = min(schedule.margin.total_seconds(), 3000) - 1
        seconds = -min(rng.expovariate(2.5), rng.random()) * reach - 1
    elif moment.key == "after":
        late = min(rng.expovariate(3), rng.random())  # most at once, the last one a second before the end
        seconds = schedule.duration.total_seconds() + late * schedule.margin.total_seconds()
    when = schedule.start + timedelta(seconds=round(seconds))
    latest = schedule.window_end - timedelta(seconds=1)
    return max(schedule.window_start, min(latest, when)).replace(microsecond=0)


def _popularity(author: MockAuthor, rng: random.Random) -> Counts:
    warmth = author.fame * rng.lognormvariate(-0.1, 1.0)
    return Counts(
        boosts=min(_MOST_BOOSTS, int(warmth * 1.1)),
        favourites=min(_MOST_FAVOURITES, int(warmth * 2.4 * rng.lognormvariate(0, 0.3))),
        replies=min(_MOST_REPLIES, int(warmth * 0.3)),
    )


def _decorate(draft: Draft, rng: random.Random, typewriter: Typewriter) -> Draft:
    """Now and then a picture, a content warning, a link, a poll or a correction."""
    chance, language = rng.random(), draft.author.language
    if chance < 0.13:
        alt_texts = texts_more.ALT_TEXTS.get(language, texts_en.ALT_TEXTS)
        return replace(
            draft, alt_texts=tuple(rng.sample(alt_texts, 2 if len(alt_texts) > 1 and chance < 0.02 else 1))
        )
    if chance < 0.18:
        return replace(draft, spoiler_text=rng.choice(texts_en.WARNINGS))
    if language != "en":
        return draft
    if chance < 0.22:
        link = rng.choice(texts_en.LINK_TARGETS)
        text = typewriter.write("en", [line.replace("{link}", link) for line in texts_en.LINKS])
        return replace(draft, text=text)
    if chance < 0.235:
        question, options = rng.choice(texts_en.POLLS)
        votes = tuple((option, rng.randrange(1, 40)) for option in options)
        return replace(draft, text=typewriter.write("en", [question]), poll=Poll(votes))
    if chance < 0.25:
        corrected = f"{draft.text} (Edit: spelling. The jelly was at my keyboard.)"
        return replace(
            draft, text=corrected, stale_text=draft.text, edited_at=draft.created_at + timedelta(minutes=4)
        )
    return draft


def _as_reply(draft: Draft, earlier: list[Draft], rng: random.Random, typewriter: Typewriter) -> Draft:
    """The draft as an answer to what somebody wrote in the minutes before, if anybody did.

    Nobody answers authors who do not want to be named: whoever quotes the answer would name them.
    """
    recent = [
        index
        for index, other in enumerate(earlier)
        if timedelta(0) < draft.created_at - other.created_at < timedelta(minutes=9)
        and other.author != draft.author
        and not other.author.wishes
    ]
    if not recent:
        return draft
    parent = rng.choice(recent)
    language = draft.author.language
    text = typewriter.write(
        language, texts_more.REPLIES.get(language, texts_en.REPLIES), prefix=f"@{earlier[parent].author.handle} "
    )
    return replace(
        draft, text=text, reply_to=parent, stale_text=None, edited_at=None, poll=None, alt_texts=(), spoiler_text=""
    )

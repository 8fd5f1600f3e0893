"""The texts of a thread that a host may write anew: what each is for, ours, and the values it is filled in with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.utils.deconstruct import deconstructible

from common.sandbox import BadTemplate, fill_in

MAX_TEMPLATE = 2000
Value = str | int | bool

# What every text knows, with values to try a text on.
COMMON_SAMPLES: Mapping[str, Value] = {
    "title": "Monsterdon: The Blob (1958)",
    "event": "Monsterdon",
    "episode": "The Blob (1958)",
    "hashtag": "monsterdon",
    "date": "22 February 2026",
    "toots": 1204,
    "people": 231,
    "servers": 64,
    "boosts": 980,
    "favourites": 3120,
    "replies": 410,
    "blog_link": "https://blog.example/monsterdon-20260222/",
    "results_link": "https://score.example/events/monsterdon-20260222/",
}


@dataclass(frozen=True, slots=True)
class ThreadText:
    """``default`` is ours; ``samples`` are the values that only this text knows."""

    name: str
    label: str
    default: str
    samples: Mapping[str, Value] = field(default_factory=dict)
    hint: str = ""

    @property
    def names(self) -> list[str]:
        return [*self.samples, *COMMON_SAMPLES]

    @property
    def all_samples(self) -> list[dict[str, Value]]:
        """What a text is tried on: usual values, and an event of which nothing is known and nobody came."""
        usual = {**COMMON_SAMPLES, **self.samples}
        return [usual, {name: "" if isinstance(value, str) else type(value)() for name, value in usual.items()}]

    @property
    def help_text(self) -> str:
        hint = f"{self.hint} " if self.hint else ""
        return f"{hint}Empty: ours. Values: {', '.join(f'{{{{ {name} }}}}' for name in self.names)}."

    def fill_in(self, source: str, values: Mapping[str, Value]) -> str:
        """``source``, or ours if it is empty, with these values; what is not given is empty."""
        known: dict[str, Value] = dict.fromkeys(self.names, "")
        return fill_in(source.replace("\r\n", "\n") or self.default, {**known, **values})


@deconstructible
class ValidThreadText:
    """A text of that name that can be filled in; ValidationError says in a sentence why not."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, source: str) -> None:
        text = THREAD_TEXTS[self.name]
        try:
            for values in text.all_samples:
                text.fill_in(source, values)
        except BadTemplate as error:
            raise ValidationError(error.user_message) from error

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ValidThreadText) and other.name == self.name

    def __hash__(self) -> int:
        return hash(self.name)


_TEXTS = (
    ThreadText(
        "opening",
        "first toot",
        "{{ preamble }}\n\n{{ numbers }}",
        {
            "preamble": "Monsterdon: The Blob (1958), 22 February 2026. The numbers are in.",
            "numbers": "1,204 toots by 231 people.",
        },
        "The hashtag is added when it is missing.",
    ),
    ThreadText(
        "author",
        "most active author",
        "{% if is_sole %}Most active{% else %}Among the most active{% endif %}: {{ name }} with {{ count }}."
        "{% if link %}\n{{ link }}{% endif %}",
        {
            "name": "Ada (ada at home.example)",
            "count": "31 toots",
            "is_sole": True,
            "link": "https://home.example/@ada",
        },
    ),
    ThreadText(
        "heading",
        "heading of a ranking",
        "{{ ranking }}{% if is_continued %}, continued{% endif %}",
        {"ranking": "Most boosted", "is_continued": False},
    ),
    ThreadText(
        "entry",
        "toot in a ranking",
        "{{ rank }}. {% if name %}{{ name }}: {% endif %}{{ count }}{% if link %}\n{{ link }}{% endif %}",
        {
            "rank": 1,
            "name": "Ada",
            "count": "34 boosts",
            "link": "https://home.example/@ada/1",
            "text": "Beware of the Blob!",
            "server": "home.example",
        },
    ),
    ThreadText("graph", "toot with the graph", "Toots per minute, before, during and after the event."),
    ThreadText("wordcloud", "toot with the word cloud", "What it was about: the words used most."),
    ThreadText(
        "closing",
        "last toot",
        "{% if blog_link %}All of it, and how it was counted:\n{{ blog_link }}{% endif %}",
        hint="A text that comes out empty leaves its toot away.",
    ),
)
THREAD_TEXTS: Mapping[str, ThreadText] = {text.name: text for text in _TEXTS}

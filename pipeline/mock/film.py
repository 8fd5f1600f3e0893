"""The film of the night, invented for it, and the moments at which its audience writes."""

from __future__ import annotations

from dataclasses import dataclass

FILM_TITLE = "The Jelly from Outer Space"
FILM_YEAR = 1957
LAST_WEEKS_FILM = "The Moth Who Knew Too Much"

# Codes that the guests' servers draw as small pictures.
CUSTOM_EMOJI = ("jelly", "popcorn", "tuba", "blob_scream")


@dataclass(frozen=True, slots=True)
class Moment:
    """Something happens in the film: ``at`` as share of the event's duration (below 0: in the margin before it,
    above 1: after it), ``weight`` how many write about it, ``spread_minutes`` how quickly they do."""

    key: str
    at: float
    weight: float
    spread_minutes: float


MOMENTS: tuple[Moment, ...] = (
    Moment("before", -0.25, 9, 11),
    Moment("opening", 0.01, 13, 3.0),
    Moment("meteor", 0.08, 5, 2.2),
    Moment("professor", 0.16, 6, 4.0),
    Moment("factory", 0.25, 5, 3.6),
    Moment("jelly", 0.33, 16, 2.9),
    Moment("nancy", 0.42, 6, 3.4),
    Moment("diner", 0.51, 6, 3.4),
    Moment("army", 0.60, 6, 3.0),
    Moment("biscuit", 0.68, 5, 3.2),
    Moment("lighthouse", 0.77, 8, 5.0),
    Moment("band", 0.90, 14, 3.4),
    Moment("ending", 0.98, 8, 2.0),
    Moment("after", 1.10, 9, 9),
)

# The film of the week before, and the talk of the days after, by language.
LAST_WEEK: dict[str, tuple[str, ...]] = {
    "en": (
        "The moth reads the secret documents by LAMPLIGHT. Of course it does. 🦋",
        "That moth is a feather duster with a motive.",
        "I came for the moth and stayed for the inspector's cardigan.",
        "Nobody suspects the moth. I suspect the moth. {emoji}",
        "The inspector offers the moth a cigarette. The moth declines. {emoji}",
        "Tonight's moth was brought to you by {budget}. {emoji}",
        "You can see {fx} behind the moth. This is {praise}.",
        "{moan}, and it is only the opening titles {emoji}",
        "Somebody please give the moth a better lawyer {emoji}",
        "Passing the {snack}. The moth has entered the library.",
        "The moth testifies! In court! With a tiny hat! {emoji}",
        "A chase scene at the speed of a moth. Riveting. 🍿",
        "They could have closed the window. Ninety minutes ago.",
        "Verdict on the moth: four lampshades out of five.",
    ),
    "de": (
        "Motte mit Motiv. {lob}. 🦋",
        "Niemand verdächtigt die Motte. Ich schon. {emoji}",
        "Sie liest die Akten bei Lampenlicht. Natürlich bei Lampenlicht. {emoji}",
    ),
    "es": ("La polilla lo sabe todo. 👀", "Nadie sospecha de la polilla. Es {elogio}. {emoji}"),
}

AFTERWARDS: dict[str, tuple[str, ...]] = {
    "en": (
        "Still humming the tuba part at work. Help. {emoji}",
        "Missed the film yesterday, catching up now. The JELLY, everyone!",
        "Late to the party: I have now seen the spoon move. {emoji}",
        "Rewatched it at breakfast with {snack}. Still {praise}. {emoji}",
        "Second viewing: you can see {fx} the whole time. {emoji}",
        "Day two. {who} remains my favourite. {emoji}",
        "Somebody made jelly for the office. Nobody dares to eat it. 😂",
        "My daughter named the new kitten Biscuit.",
        "Reading your toots from last night in order is its own film.",
    ),
    "de": (
        "Erst heute gesehen. Die Tuba! DIE TUBA! {emoji}",
        "Kollege bringt Götterspeise mit. Alle schauen mich an. {emoji}",
        "Zweiter Durchgang, diesmal mit {essen}. Immer noch {lob}. {emoji}",
    ),
    "es": ("Me dicen que me perdí la gelatina. Esta noche la veo. {emoji}", "Sigo pensando en {quien}. {emoji}"),
}

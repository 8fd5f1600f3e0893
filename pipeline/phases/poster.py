"""The film's poster, looked up by the event's episode title and kept as ``thumb.jpg``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from common.errors import ConfigurationError
from common.files import write_bytes
from common.http import Aborted, Gate, policy_from_settings
from events.models import Event
from pipeline import paths
from pipeline.artifacts import find_artifact, remember_file
from pipeline.core.poster import Poster, SearchWords, best_match, make_poster_jpeg, parse_title
from pipeline.models import Artifact
from pipeline.tmdb import Tmdb

if TYPE_CHECKING:
    from jobs.context import JobContext


class NoTitle(ConfigurationError):
    """There is nothing to search a poster for."""

    def __init__(self, event: Event) -> None:
        super().__init__(f"{event.slug} has no episode title to search a poster for.")


class NoPosterFound(ConfigurationError):
    """The Movie Database has no film of that title with a poster."""

    def __init__(self, words: SearchWords) -> None:
        title = f"“{words.title}”" + (f" of {words.year}" if words.year else "")
        super().__init__(f"The Movie Database has no poster for {title}.")


@dataclass(frozen=True, slots=True)
class PosterSearch:
    """What was found for ``title`` and ``year`` (None if the query named none), in the order of TMDb."""

    posters: tuple[Poster, ...]
    title: str
    year: str | None

    def as_dicts(self) -> list[dict[str, Any]]:
        """The posters with the keys of the contract."""
        return [{**asdict(poster), "keywords": list(poster.keywords)} for poster in self.posters]


def search_posters(event: Event, query: str | None = None) -> PosterSearch:
    """Posters for the query, ``Title`` or ``Title (YYYY)``, or else for the event's episode title.

    Raises NoTitle, tmdb.NoKey, RemoteError.
    """
    words = _search_words(event, query)
    with Gate(policy_from_settings()) as gate:
        return PosterSearch(tuple(Tmdb(gate).search(words)), words.title, words.year)


def select_poster(event: Event, poster_url: str) -> Artifact:
    """Fetch the poster chosen by a person and keep it as the event's.

    Raises tmdb.NotAPosterAddress, UnusableImage, RemoteError.
    """
    with Gate(policy_from_settings()) as gate:
        content = Tmdb(gate).load_image(poster_url)
    return _store(event, content, {"poster_url": poster_url, "is_chosen": True}, title=event.episode_title)


def run(ctx: JobContext) -> dict[str, Any]:
    """``poster_url`` takes that one, ``refresh`` looks again; else what is there stays, if it still fits."""
    event = ctx.event
    address = str(ctx.params.get("poster_url") or "")
    kept = None if address or ctx.params.get("refresh") else find_kept_poster(event)
    if kept is not None:
        ctx.say("The poster is there already.")
        return {**_as_result(kept), "kept": True}
    with _client(ctx) as tmdb:
        if address:
            facts, title = {"poster_url": address, "is_chosen": True}, event.episode_title
        else:
            found = _find_best(tmdb, _search_words(event, None))
            address, title = found.poster_url, found.title
            facts = {
                "poster_url": address,
                "is_chosen": False,
                "searched": event.episode_title,
                "tmdb_id": found.id,
                "year": found.year,
            }
        ctx.check_cancelled()
        content = tmdb.load_image(address)
    ctx.check_cancelled()
    artifact = _store(event, content, facts, title=title)
    ctx.say(f"Poster of “{title}” stored." if title else "Poster stored.")
    return {**_as_result(artifact), "kept": False}


def find_kept_poster(event: Event) -> Artifact | None:
    """The stored poster, unless it was found for a title that the event does not have any more."""
    artifact = find_artifact(event, "poster")
    if artifact is None or artifact.path != paths.below_data(paths.poster(event)):
        return None
    facts = artifact.parameters
    is_current = facts.get("is_chosen") or facts.get("searched") == event.episode_title
    return artifact if is_current else None


@contextmanager
def _client(ctx: JobContext) -> Iterator[Tmdb]:
    with Gate(policy_from_settings()) as gate, ctx.on_stop(gate.abort):
        try:
            yield Tmdb(gate)
        except Aborted:
            ctx.check_cancelled()
            raise


def _search_words(event: Event, query: str | None) -> SearchWords:
    words = parse_title(query or event.episode_title)
    if not words.title:
        raise NoTitle(event)
    return words


def _find_best(tmdb: Tmdb, words: SearchWords) -> Poster:
    found = best_match(tmdb.search_widely(words), words)
    if found is None:
        raise NoPosterFound(words)
    return found


def _store(event: Event, content: bytes, facts: dict[str, Any], *, title: str) -> Artifact:
    written = write_bytes(paths.poster(event), make_poster_jpeg(content))
    description = f"Poster of {title}" if title else "Film poster"
    return remember_file(event, "poster", written, description=description, parameters=facts)


def _as_result(artifact: Artifact) -> dict[str, Any]:
    return {
        "poster_url": artifact.parameters.get("poster_url", ""),
        "description": artifact.description,
        "files": [artifact.path],
    }

"""Client of The Movie Database (https://developer.themoviedb.org/reference): films by title, and their posters."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings

from common.errors import ConfigurationError, RemoteError
from common.http import Aborted, Answer, Gate
from pipeline.core.poster import (
    MAX_IMAGE_BYTES,
    MAX_POSTERS,
    Poster,
    SearchWords,
    is_image_address,
    parse_films,
    parse_keywords,
    with_keywords,
)

# A read access token ("v4") is a JSON Web Token and goes in a header; an API key ("v3") is 32 hex digits.
_ACCESS_TOKEN = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+")
_SECONDS = 20


class NoKey(ConfigurationError):
    """No key for The Movie Database is configured."""

    def __init__(self) -> None:
        super().__init__("There is no key for The Movie Database, so no poster; set TMDB_API_KEY.")


class NotAPosterAddress(ConfigurationError):
    """The address chosen does not lie on the configured image host."""

    def __init__(self) -> None:
        super().__init__("This is not the address of a poster on The Movie Database's image host.")


class TmdbTrouble(RemoteError):
    """The Movie Database did not do what was asked. The texts never hold the key."""


class Tmdb:
    """Asks with the site's key, at the addresses in the settings; a search without a key raises NoKey."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self._key = settings.TMDB_API_KEY.strip()
        self._api_url = settings.TMDB_API_URL.rstrip("/")
        self._image_url = settings.TMDB_IMAGE_URL.rstrip("/")

    def search(self, words: SearchWords) -> list[Poster]:
        """Up to five films of that title (in that year) that have a poster, with their keywords."""
        return [self._add_keywords(poster) for poster in self.search_widely(words)[:MAX_POSTERS]]

    def search_widely(self, words: SearchWords) -> list[Poster]:
        """Every film with a poster on the first page of answers, without keywords."""
        params = {"query": words.title, "include_adult": "false"}
        if words.year:
            params["year"] = words.year
        return parse_films(self._ask("/search/movie", params), self._image_url)

    def load_image(self, address: str) -> bytes:
        """The picture's bytes as sent; NotAPosterAddress for any address off the image host. Needs no key."""
        if not is_image_address(address, self._image_url):
            raise NotAPosterAddress
        answer = self._gate.get(address, max_bytes=MAX_IMAGE_BYTES, max_redirects=0, total_seconds=_SECONDS)
        self._check(answer)
        return answer.body

    def _add_keywords(self, poster: Poster) -> Poster:
        try:
            return with_keywords(poster, parse_keywords(self._ask(f"/movie/{poster.id}/keywords", {})))
        except Aborted:
            raise
        except RemoteError:
            return poster  # a poster can be chosen without them

    def _ask(self, path: str, params: dict[str, str]) -> Any:
        if not self._key:
            raise NoKey
        token = self._key if _ACCESS_TOKEN.fullmatch(self._key) else ""
        if not token:
            params = {**params, "api_key": self._key}
        answer = self._gate.get(
            f"{self._api_url}{path}",
            params=params,
            token=token,
            headers={"Accept": "application/json"},
            total_seconds=_SECONDS,
        )
        self._check(answer)
        return answer.json()

    def _check(self, answer: Answer) -> None:
        status = answer.status_code
        if status == 200:
            return
        reasons = {
            401: "does not accept our key (TMDB_API_KEY)",
            404: "does not have that",
            429: "asks us to come back later",
        }
        reason = reasons.get(status, f"answered with status {status}")
        raise TmdbTrouble(
            f"TMDb answered {status}",
            server="The Movie Database",
            permanent=status in (401, 403, 404),
            status_code=status,
            user_message=f"The Movie Database {reason}.",
        )

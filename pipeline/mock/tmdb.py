"""A stand-in for the film database (https://developer.themoviedb.org/reference/search-movie) with three films."""

from __future__ import annotations

import re
from typing import Any

from pipeline.mock.exchange import Request, Response, as_json
from pipeline.mock.film import FILM_TITLE, FILM_YEAR, LAST_WEEKS_FILM
from pipeline.mock.poster_art import jelly_poster, moth_poster

_FILMS: tuple[dict[str, Any], ...] = (
    {
        "id": 195701,
        "title": FILM_TITLE,
        "original_title": FILM_TITLE,
        "release_date": f"{FILM_YEAR}-08-14",
        "poster_path": "/jelly1957.jpg",
        "overview": "A meteor strikes the marmalade factory of Port Marrow. What oozes out of the vats is hungry, "
        "lemon-flavoured and growing, and only Nancy Bell, a terrier and a brass band stand in its way.",
        "popularity": 19.57,
        "vote_average": 5.1,
    },
    {
        "id": 195902,
        "title": f"{FILM_TITLE} Returns",
        "original_title": f"{FILM_TITLE} Returns",
        "release_date": "1959-02-20",
        "poster_path": None,
        "overview": "The spoon moved. Now the whole drawer does.",
        "popularity": 3.2,
        "vote_average": 4.0,
    },
    {
        "id": 196103,
        "title": LAST_WEEKS_FILM,
        "original_title": LAST_WEEKS_FILM,
        "release_date": "1961-05-05",
        "poster_path": "/moth1961.jpg",
        "overview": "It came for the lamp. It stayed for the secrets.",
        "popularity": 7.0,
        "vote_average": 4.8,
    },
)
_KEYWORDS = {
    195701: (
        "jelly",
        "meteor",
        "lighthouse",
        "brass band",
        "small town",
        "heroic dog",
        "independent film",
        "lemonade",
    ),
    195902: ("cutlery", "sequel"),
    196103: ("moth", "espionage", "lampshade"),
}
_POSTERS = {"/jelly1957.jpg": jelly_poster, "/moth1961.jpg": moth_poster}
_KEYWORDS_PATH = re.compile(r"/3/movie/(\d{1,9})/keywords")
_IMAGE_PATH = re.compile(r"/t/p/(?:w\d{2,4}|original)(/\w+\.jpg)")


class FilmDatabase:
    """Answers searches, keywords and posters; wants any key at all, as the real one wants a valid one."""

    def __init__(self, name: str) -> None:
        self.name = name

    def answer(self, request: Request) -> Response:
        image = _IMAGE_PATH.fullmatch(request.path)
        if image and image[1] in _POSTERS:
            return Response(200, _POSTERS[image[1]](), "image/jpeg")
        if request.path.startswith("/3/") and not (request.query.get("api_key") or request.token):
            complaint = "Invalid API key: You must be granted a valid key."
            return as_json({"status_code": 7, "status_message": complaint, "success": False}, 401)
        if request.path == "/3/search/movie":
            return _search(request.query.get("query", ""), _year_of(request))
        keywords = _KEYWORDS_PATH.fullmatch(request.path)
        if keywords and int(keywords[1]) in _KEYWORDS:
            names = _KEYWORDS[int(keywords[1])]
            listed = [{"id": number, "name": name} for number, name in enumerate(names, 1)]
            return as_json({"id": int(keywords[1]), "keywords": listed})
        complaint = "The resource you requested could not be found."
        return as_json({"status_code": 34, "status_message": complaint, "success": False}, 404)


def _search(query: str, year: str) -> Response:
    words = _words(query)
    found = [
        film
        for film in _FILMS
        if words and words <= _words(film["title"]) and (not year or film["release_date"].startswith(year))
    ]
    return as_json({"page": 1, "results": found, "total_pages": 1, "total_results": len(found)})


def _year_of(request: Request) -> str:
    return request.query.get("primary_release_year") or request.query.get("year", "")


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))

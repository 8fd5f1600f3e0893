from __future__ import annotations

from typing import Any

import orjson
from django.core.management.base import CommandParser

from events.models import Event
from pipeline.core.poster import SearchWords, best_match
from pipeline.management.phase_command import PhaseCommand, find_event
from pipeline.phases.poster import NoPosterFound, PosterSearch, search_posters


class Command(PhaseCommand):
    help = "Find and store the poster of the film an event was about."
    kind = "poster"

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--query", default="", help="search this title, such as “The Blob (1958)”")
        choice = parser.add_mutually_exclusive_group()
        choice.add_argument("--choose", metavar="URL", default="", help="take this picture of the image host")
        choice.add_argument("--list", action="store_true", help="show what is found and store nothing")
        parser.add_argument("--refresh", action="store_true", help="search again even if there is a poster already")

    def run(self, **options: Any) -> int:
        event = find_event(options["slug"])
        if options["list"]:
            self.list_posters(search_posters(event, options["query"] or None), is_json=options["json"])
            return 0
        if options["query"] and not options["choose"]:
            options["choose"] = find_address(event, options["query"])
        return super().run(**options)

    def make_params(self, options: dict[str, Any]) -> dict[str, Any]:
        return {"poster_url": options["choose"], "refresh": options["refresh"]}

    def list_posters(self, search: PosterSearch, *, is_json: bool) -> None:
        if is_json:
            answer = {"posters": search.as_dicts(), "search_title": search.title, "search_year": search.year}
            self.stdout.write(orjson.dumps(answer, option=orjson.OPT_INDENT_2).decode())
            return
        for poster in search.posters:
            self.stdout.write(f"{poster.title} ({poster.year or 'no year'})\n  {poster.poster_url}")
        if not search.posters:
            self.stdout.write(f"Nothing with a poster was found for “{search.title}”.")


def find_address(event: Event, query: str) -> str:
    """The picture of the film that fits the query best; NoPosterFound when there is none."""
    search = search_posters(event, query)
    words = SearchWords(search.title, search.year)
    found = best_match(search.posters, words)
    if found is None:
        raise NoPosterFound(words)
    return found.poster_url

"""``/api/blog``: the page, the addresses of the thread, the poster."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.access import reads, runs
from common.api.documents import ANYTHING, NUMBER, PICTURE, TEXT, TRUTH, like, list_of, or_null, record, says
from common.api.parsing import json_object
from common.api.problems import Problem
from common.errors import RemoteError
from common.http import TooLarge
from events.models import Event
from pipeline import public_files
from pipeline.artifacts import find_artifact
from pipeline.core.poster import UnusableImage
from pipeline.mastoscore.ground import (
    BY_QUERY,
    CONFIG_FILE,
    DONE,
    ONLY_EVENT,
    TAG,
    EventView,
    done,
    read_truth,
    run_now,
)
from pipeline.mastoscore.numbers import serve
from pipeline.models import Analysis, Artifact
from pipeline.phases.poster import NoTitle, search_posters, select_poster
from pipeline.thread.after import list_posts
from pipeline.tmdb import NoKey, NotAPosterAddress

_FILE = like(TEXT, "2026/02/22/index.md", "Below the data folder.")
_POSTER = record(
    id=TEXT,
    title=like(TEXT, "The Blob"),
    poster_path=TEXT,
    poster_url=like(TEXT, "https://image.tmdb.org/t/p/w342/blob.jpg"),
    year=or_null(like(TEXT, "1958")),
    overview=TEXT,
    keywords=list_of(TEXT),
)


class Blog(EventView):
    """Writes the page for Hugo."""

    access = {"post": runs("events.change_event")}
    rate_scope = "jobs"

    @says(
        "mastoscore_blog",
        "Write the blog page",
        tag=TAG,
        takes=record(
            {"copyFiles": like(TRUTH, False, "Into the Hugo site as well."), "tags": list_of(TEXT)},
            config_file=CONFIG_FILE,
        ),
        gives={200: DONE},
    )
    def post(self, request: Request) -> Response:
        event, name = self.find_named(request)
        given = json_object(request)
        is_copying, tags = read_truth(given, "copyFiles", False), given.get("tags")
        if tags is not None and not (isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)):
            raise Problem(400, "tags must be a list of words")
        if not Analysis.objects.filter(event=event).exists():
            message = f"Nothing is analysed yet for {event.slug}; run analyse first."
            raise Problem(404, message, extra={"success": False})
        run_now("blog", event, request, copy_files=is_copying, tags=tags or [])
        return done(name, "Blog page written")


class Reading(EventView):
    """Reads something of the event; GET is there so that an image can stand in a page."""

    access = {"get": reads("events.view_event"), "post": reads("events.view_event")}

    def answer(self, request: Request, event: Event, name: str) -> Any:
        raise NotImplementedError

    def get(self, request: Request) -> Any:
        return self.answer(request, *self.find_named(request))

    def post(self, request: Request) -> Any:
        return self.answer(request, *self.find_named(request))


def reading(operation: str, summary: str, gives: dict[Any, Any]) -> Any:
    """Documents GET and POST of a Reading."""

    def document(view: Any) -> Any:
        def get(self: Any, request: Request) -> Any:
            return Reading.get(self, request)

        def post(self: Any, request: Request) -> Any:
            return Reading.post(self, request)

        view.get = says(f"{operation}_get", summary, query=BY_QUERY, tag=TAG, gives=gives)(get)
        view.post = says(operation, summary, takes=ONLY_EVENT, tag=TAG, gives=gives)(post)
        return view

    return document


@reading(
    "mastoscore_blog_ready",
    "Is the page written",
    {200: record(ready=TRUTH, config_file=CONFIG_FILE, blog_file=_FILE, message=TEXT)},
)
class BlogReady(Reading):
    """Whether there is a page."""

    rate_scope = "progress"

    def answer(self, request: Request, event: Event, name: str) -> Response:
        page = find_artifact(event, "page")
        if page is None:
            raise _missing(name, "There is no blog page yet", ready=False)
        answer = {"ready": True, "config_file": name, "blog_file": page.path, "message": "The blog page is there"}
        return Response(answer)


@reading(
    "mastoscore_blog_content",
    "The page's text",
    {200: record(content=TEXT, modified=like(NUMBER, 1771812000.5), config_file=CONFIG_FILE, blog_file=_FILE)},
)
class BlogContent(Reading):
    """The page, front matter and Markdown."""

    def answer(self, request: Request, event: Event, name: str) -> Response:
        page = find_artifact(event, "page")
        path = public_files.stored_path(page) if page is not None else None
        if page is None or path is None:
            raise _missing(name, "There is no blog page yet")
        content, modified = path.read_text(encoding="utf-8"), path.stat().st_mtime
        answer = {"content": content, "modified": modified, "config_file": name, "blog_file": page.path}
        return Response(answer)


@reading(
    "mastoscore_blog_posts",
    "The posted toots",
    {200: record(exists=TRUTH, config_file=CONFIG_FILE, posts=list_of(ANYTHING))},
)
class BlogPosts(Reading):
    """The toots of the thread that are out."""

    def answer(self, request: Request, event: Event, name: str) -> Response:
        posts = list_posts(event)
        if not posts:
            raise _missing(name, "Nothing of the thread is posted yet", exists=False)
        return Response({"exists": True, "config_file": name, "posts": posts})


@reading(
    "mastoscore_blog_poster",
    "Is there a poster",
    {200: record({"poster_path": _FILE}, exists=TRUTH, config_file=CONFIG_FILE, message=TEXT)},
)
class BlogPoster(Reading):
    """Whether the film's poster is there."""

    def answer(self, request: Request, event: Event, name: str) -> Response:
        poster = find_artifact(event, "poster")
        if poster is None:
            return Response({"exists": False, "config_file": name, "message": "There is no poster yet"})
        answer = {"exists": True, "config_file": name, "message": "The poster is there", "poster_path": poster.path}
        return Response(answer)


@reading("mastoscore_blog_poster_image", "The poster", {(200, "image/jpeg"): PICTURE})
class BlogPosterImage(Reading):
    """The poster itself."""

    def answer(self, request: Request, event: Event, name: str) -> HttpResponseBase:
        return serve(request, find_artifact(event, "poster"), "There is no poster yet")


class SearchPosters(EventView):
    """Films of that title on The Movie Database, `Title` or `Title (YYYY)`; up to five that have a poster."""

    access = {"post": runs("events.change_event")}
    rate_scope = "jobs"

    @says(
        "mastoscore_search_posters",
        "Search posters",
        tag=TAG,
        takes=record(
            {"query": like(TEXT, "The Blob (1958)", "Unless given, the event's episode title.")},
            config_file=CONFIG_FILE,
        ),
        gives={
            200: record(
                posters=list_of(_POSTER), config_file=CONFIG_FILE, search_title=TEXT, search_year=or_null(TEXT)
            ),
            502: "The Movie Database failed.",
            503: "No key for The Movie Database is configured.",
        },
    )
    def post(self, request: Request) -> Response:
        event, name = self.find_named(request)
        query = json_object(request).get("query")
        if query is not None and (not isinstance(query, str) or len(query) > 200):
            raise Problem(400, "query must be a text of at most 200 characters")
        try:
            found = search_posters(event, query)
        except NoTitle as error:
            raise Problem(400, error.user_message) from error
        except NoKey as error:
            raise Problem(503, error.user_message) from error
        answer = {"posters": found.as_dicts(), "config_file": name, "search_title": found.title}
        return Response({**answer, "search_year": found.year})


class SelectPoster(EventView):
    """Takes one of the posters found as the event's."""

    access = {"post": runs("events.change_event")}
    rate_scope = "jobs"

    @says(
        "mastoscore_select_poster",
        "Choose a poster",
        tag=TAG,
        takes=record(config_file=CONFIG_FILE, poster_url=like(TEXT, "https://image.tmdb.org/t/p/w342/blob.jpg")),
        gives={
            200: record(success=TRUTH, config_file=CONFIG_FILE, thumb_file=_FILE, message=TEXT),
            502: "The Movie Database failed.",
        },
    )
    def post(self, request: Request) -> Response:
        event, name = self.find_named(request)
        address = json_object(request).get("poster_url")
        if not isinstance(address, str) or not address:
            raise Problem(400, "poster_url parameter required")
        return done(name, "Poster stored", thumb_file=choose_poster(event, address).path)


def choose_poster(event: Event, address: str) -> Artifact:
    """The poster fetched and kept; Problem 400 for what is no poster, 502 when the other side failed."""
    try:
        return select_poster(event, address)
    except (NotAPosterAddress, UnusableImage, TooLarge) as error:
        raise Problem(400, error.user_message) from error
    except RemoteError as error:
        raise Problem(502, error.user_message) from error


def _missing(name: str, message: str, **more: Any) -> Problem:
    return Problem(404, message, extra={**more, "config_file": name, "message": message})

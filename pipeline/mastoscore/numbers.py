"""``/api/analyse``, ``/api/results``, ``/api/graph`` and ``/api/wordcloud``: phases that a client waits for."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.access import reads, runs
from common.api.documents import ANYTHING, PICTURE, TEXT, TRUTH, like, record, says
from common.api.parsing import json_object
from common.api.problems import Problem
from common.api.views import MastoscoreView
from pipeline import public_files
from pipeline.artifacts import find_artifact
from pipeline.file_answers import answer_with_file
from pipeline.mastoscore.fetching import expected_file
from pipeline.mastoscore.ground import (
    BY_QUERY,
    CONFIG_FILE,
    DONE,
    ONLY_EVENT,
    TAG,
    EventView,
    done,
    find_config,
    read_truth,
    require_fetched,
    run_now,
)
from pipeline.models import Analysis, Artifact

_RESULTS = like(
    ANYTHING,
    {
        "preamble": "Monsterdon: The Blob (1958)",
        "num_toots": "1,204 toots by 231 people.",
        "most_toots": "Most active: Ada.",
        "unique_ids": 231,
        "max_boosts": [],
        "max_faves": [],
        "max_replies": [],
        "top_n": 3,
        "hashtag": "monsterdon",
        "generated": "2026-02-23T06:00:00Z",
    },
    "The stored analysis; more keys may be added.",
)


class Analyse(EventView):
    """Counts and ranks the toots, unless that is done already and nothing changed."""

    access = {"post": runs("events.change_event")}
    rate_scope = "jobs"

    @says(
        "mastoscore_analyse",
        "Count and rank",
        tag=TAG,
        takes=record({"refresh": like(TRUTH, False, "Even if nothing changed.")}, config_file=CONFIG_FILE),
        gives={200: record(success=TRUTH, cached=TRUTH, results=_RESULTS, message=TEXT)},
    )
    def post(self, request: Request) -> Response:
        event, _ = self.find_named(request)
        is_refresh = read_truth(json_object(request), "refresh", False)
        require_fetched(event, expected_file(event))
        is_cached = run_now("analyse", event, request, refresh=is_refresh)["cached"]
        results = Analysis.objects.get(event=event).results
        message = "Nothing changed since the last analysis" if is_cached else "Analysis complete"
        return Response({"success": True, "cached": is_cached, "results": results, "message": message})


class Results(MastoscoreView):
    """The stored analysis of an event."""

    access = {"get": reads("events.view_event")}

    @says("mastoscore_results", "Read the numbers", tag=TAG, gives={200: record(results=_RESULTS)})
    def get(self, request: Request, name: str) -> Response:
        analysis = Analysis.objects.filter(event=find_config(name)).first()
        if analysis is None:
            raise Problem(404, "Nothing is analysed yet")
        return Response({"results": analysis.results})


class Picture(EventView):
    """Draws a picture with its description."""

    kind: ClassVar[str] = ""
    access = {"post": runs("events.change_event")}
    rate_scope = "jobs"

    def post(self, request: Request) -> Response:
        event, name = self.find_named(request)
        require_fetched(event, expected_file(event))
        run_now(self.kind, event, request)
        return done(name, "Picture drawn")


class PictureStatus(EventView):
    """Whether the picture and its description are there."""

    kind: ClassVar[str] = ""
    access = {"get": reads("events.view_event")}
    rate_scope = "progress"

    def get(self, request: Request) -> Response:
        event, _ = self.find_named(request)
        has_image, has_words = (find_artifact(event, kind) is not None for kind in (self.kind, f"{self.kind}-text"))
        return Response({"image_ready": has_image, "description_ready": has_words})


class PictureImage(EventView):
    """The picture."""

    kind: ClassVar[str] = ""
    access = {"get": reads("events.view_event")}

    def get(self, request: Request) -> HttpResponseBase:
        event, _ = self.find_named(request)
        return serve(request, find_artifact(event, self.kind), "There is no picture yet")


class PictureDescription(EventView):
    """The picture in words."""

    kind: ClassVar[str] = ""
    access = {"get": reads("events.view_event")}

    def get(self, request: Request) -> Response:
        event, name = self.find_named(request)
        artifact = find_artifact(event, self.kind)
        if artifact is None or not artifact.description:
            raise Problem(404, "There is no description yet")
        return Response({"description": artifact.description, "config_file": name})


class GraphFile(MastoscoreView):
    """A graph of any event by the name of its file."""

    access = {"get": reads("events.view_event")}

    @says("mastoscore_graph_file", "A graph by name", tag=TAG, gives={(200, "image/png"): PICTURE})
    def get(self, request: Request, file: str) -> HttpResponseBase:
        named = Artifact.objects.filter(kind__in=("graph", "graph-dark"), path__endswith=f"/{file}")
        exact = next(
            (found for found in named.order_by("-updated_at") if public_files.file_name(found) == file), None
        )
        return serve(request, exact, "There is no such graph")


def serve(request: Request, artifact: Artifact | None, missing: str) -> HttpResponseBase:
    """The file, or Problem 404 with that sentence."""
    response = answer_with_file(request._request, artifact) if artifact is not None else None
    if response is None:
        raise Problem(404, missing)
    return response


def views_of(kind: str, words: str) -> list[tuple[str, Any, str]]:
    """Routes of one kind of picture."""
    documented: list[tuple[str, type[EventView], str, dict[str, Any]]] = [
        ("", Picture, "post", {"summary": f"Draw the {words}", "takes": ONLY_EVENT, "gives": {200: DONE}}),
        (
            "status",
            PictureStatus,
            "get",
            {
                "summary": f"Is the {words} drawn",
                "query": BY_QUERY,
                "gives": {200: record(image_ready=TRUTH, description_ready=TRUTH)},
            },
        ),
        (
            "image",
            PictureImage,
            "get",
            {"summary": f"The {words}", "query": BY_QUERY, "gives": {(200, "image/png"): PICTURE}},
        ),
        (
            "description",
            PictureDescription,
            "get",
            {
                "summary": f"The {words} in words",
                "query": BY_QUERY,
                "gives": {200: record(description=TEXT, config_file=CONFIG_FILE)},
            },
        ),
    ]
    return [_route(kind, *row) for row in documented]


def _route(kind: str, end: str, base: type[EventView], method: str, words: dict[str, Any]) -> tuple[str, Any, str]:
    name = "_".join(filter(None, ("mastoscore", kind, end)))
    view: Any = type(f"{kind.title()}{base.__name__}", (base,), {"kind": kind, "__doc__": base.__doc__})
    summary = words.pop("summary")
    setattr(view, method, says(name, summary, tag=TAG, **words)(_copy(getattr(base, method))))
    return f"{kind}/{end}".rstrip("/"), view.as_view(), name.replace("_", "-")


def _copy(method: Any) -> Any:
    """A function of its own, for its own documentation."""

    def call(self: Any, request: Request) -> Any:
        return method(self, request)

    call.__name__, call.__doc__ = method.__name__, method.__doc__
    return call

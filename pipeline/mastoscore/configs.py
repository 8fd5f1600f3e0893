"""``/api/config``: events as the sections of their INI files."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from common.api.access import may, posts, reads, runs
from common.api.documents import TEXT, TRUTH, like, list_of, record, says
from common.api.parsing import json_object
from common.api.problems import Problem
from common.api.views import MastoscoreView
from events.errors import EventConflict, InvalidEvent
from events.ini_text import IniError
from events.models import Event
from events.services import ImportOutcome, config_dict, replace_config, store_config
from pipeline.mastoscore.ground import TAG, find_config, read_truth
from pipeline.services import delete_event

_MAY_POST = posts("pipeline.post_thread")
_PLACE = re.compile(r"\[(?P<section>[^\]]+)\] (?P<option>\w+)")
_CONFIG = {
    "type": "object",
    "description": "Section: option: text.",
    "additionalProperties": {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}},
    "example": {
        "mastoscore": {
            "hashtag": "monsterdon",
            "event_title": "Monsterdon",
            "event_start": "2026-02-22T21:00:00-05:00",
            "event_duration": "1:30:00",
            "timezone": "America/New_York",
            "api_base_url": "https://mastodon.example",
        }
    },
}
_STORED = record({"warnings": list_of(TEXT)}, success=TRUTH, path=like(TEXT, "ini/monsterdon-20260222.ini"))
_ROW = record(
    name=like(TEXT, "monsterdon-20260222"),
    path=like(TEXT, "ini/monsterdon-20260222.ini"),
    hashtag=like(TEXT, "monsterdon"),
    modified=like({"type": "number"}, 1771812000.5, "Seconds since 1970."),
)


class ConfigList(MastoscoreView):
    """Every event, the newest first."""

    access = {"get": reads("events.view_event")}

    @says("mastoscore_config_list", "List the events", tag=TAG, gives={200: record(configs=list_of(_ROW))})
    def get(self, request: Request) -> Response:
        events = Event.objects.order_by("-start", "-pk").only("slug", "ini_name", "hashtag", "updated_at")
        rows = [
            {
                "name": event.slug,
                "path": _path_of(event),
                "hashtag": event.hashtag,
                "modified": event.updated_at.timestamp(),
            }
            for event in events
        ]
        return Response({"configs": rows})


class Config(MastoscoreView):
    """One event by its slug or its INI name."""

    access = {
        "get": reads("events.view_event"),
        "post": runs("events.add_event", "events.change_event"),
        "put": runs("events.change_event"),
        "delete": runs("events.delete_event", "events.change_event"),
    }

    @says("mastoscore_config_read", "Read a configuration", tag=TAG, gives={200: record(config=_CONFIG)})
    def get(self, request: Request, name: str) -> Response:
        return Response({"config": config_dict(find_config(name))})

    @says(
        "mastoscore_config_create",
        "Make an event",
        tag=TAG,
        takes=record({"overwrite": like(TRUTH, False)}, config=_CONFIG),
        gives={201: _STORED},
        description="With `overwrite` an event of that name gets this configuration instead of a 409.",
    )
    def post(self, request: Request, name: str) -> Response:
        given = json_object(request)
        sections = _read_sections(given)
        overwrite = read_truth(given, "overwrite", False)
        try:
            outcome = store_config(
                name, sections, is_replacing=overwrite, may_post=may(request, _MAY_POST), by=request.user
            )
        except EventConflict as error:
            raise Problem(409, error.user_message) from error
        except (IniError, InvalidEvent) as error:
            raise _invalid(error.problems) from error
        return Response(_stored(outcome), status=201)

    @says(
        "mastoscore_config_replace",
        "Replace a configuration",
        tag=TAG,
        takes=record(config=_CONFIG),
        gives={200: _STORED},
        description="What the new one does not mention gets its default.",
    )
    def put(self, request: Request, name: str) -> Response:
        event = find_config(name)
        sections = _read_sections(json_object(request))
        try:
            outcome = replace_config(event, sections, may_post=may(request, _MAY_POST), by=request.user)
        except EventConflict as error:
            raise _invalid([error.user_message]) from error
        except (IniError, InvalidEvent) as error:
            raise _invalid(error.problems) from error
        return Response(_stored(outcome))

    @says(
        "mastoscore_config_delete",
        "Delete an event",
        tag=TAG,
        gives={200: record(success=TRUTH)},
        description="With its toots, numbers and thread; files already written stay.",
    )
    def delete(self, request: Request, name: str) -> Response:
        delete_event(find_config(name))
        return Response({"success": True})


def _stored(outcome: ImportOutcome) -> dict[str, Any]:
    answer = {"success": True, "path": _path_of(outcome.event)}
    return {**answer, "warnings": outcome.told} if outcome.told else answer


def _path_of(event: Event) -> str:
    return f"ini/{event.ini_name or f'{event.slug}.ini'}"


def _read_sections(given: dict[str, Any]) -> dict[str, dict[str, str]]:
    config = given.get("config")
    if not isinstance(config, dict) or not config:
        raise Problem(400, "config parameter required")
    wrong = [name for name, options in config.items() if not isinstance(options, dict)]
    if wrong:
        raise _invalid([f"The section [{name}] must be an object of options." for name in wrong])
    return {name: _read_options(name, options) for name, options in config.items()}


def _read_options(section: str, options: dict[str, Any]) -> dict[str, str]:
    wrong = [name for name, value in options.items() if not isinstance(value, str | int | float)]
    if wrong:
        raise _invalid([f"[{section}] {name}: must be a text." for name in wrong])
    return {name: _text(value) for name, value in options.items()}


def _text(value: str | float) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def _invalid(problems: Iterable[str]) -> Problem:
    errors: dict[str, list[str]] = {}
    for sentence in problems:
        place = _PLACE.match(sentence)
        key = f"{place['section']}.{place['option']}" if place else "config"
        errors.setdefault(key, []).append(sentence)
    return Problem(400, "The configuration cannot be used.", errors=errors)

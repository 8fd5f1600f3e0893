"""What the parts of ``/api/v1/events/{slug}/…`` share."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from common.api.problems import Problem
from common.api.views import ApiViewSet
from events.models import Event
from jobs.api.jobs import JobDetailSerializer, accepted
from jobs.models import Job
from pipeline.file_answers import answer_with_file
from pipeline.models import Artifact

__all__ = ["EventPart", "JobDetailSerializer", "JpegRenderer", "PngRenderer", "SvgRenderer", "file_address"]


class PictureRenderer(BaseRenderer):
    """Names a type that can be asked for; the bytes come straight from the file."""

    charset = None
    render_style = "binary"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return data if isinstance(data, bytes) else b""


class PngRenderer(PictureRenderer):
    media_type, format = "image/png", "png"


class SvgRenderer(PictureRenderer):
    media_type, format = "image/svg+xml", "svg"


class JpegRenderer(PictureRenderer):
    media_type, format = "image/jpeg", "jpg"


class EventPart(ApiViewSet):
    """A group of actions on one event."""

    def find_event(self) -> Event:
        event: Event = self.get_object()
        return event

    def handle_exception(self, exc: Exception) -> Response:
        """What is wrong is said in JSON, whatever picture was asked for."""
        if isinstance(getattr(self.request, "accepted_renderer", None), PictureRenderer):
            self.request.accepted_renderer, self.request.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
        return super().handle_exception(exc)

    def serve(self, artifact: Artifact | None, missing: str) -> HttpResponseBase:
        """The file, 304 or Problem 404 with that sentence."""
        response = answer_with_file(self.request._request, artifact) if artifact is not None else None
        if response is None:
            raise Problem(404, missing)
        return response

    def queued(self, job: Job) -> Response:
        return accepted(self.request, job)


def file_address(request: Request, artifact: Artifact, slug: str) -> str:
    """Where the API serves that file of the event."""
    name = artifact.path.rpartition("/")[2]
    return reverse("event-artifact-file", args=[slug, name], request=request)

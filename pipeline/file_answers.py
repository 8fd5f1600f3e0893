"""A stored file of an event as an HTTP answer: with ETag and 304, and a policy that lets it do nothing."""

from __future__ import annotations

from django.http import FileResponse, HttpRequest, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import http_date, quote_etag

from pipeline import public_files
from pipeline.models import Artifact

# Opened by itself a file may draw (an SVG styles itself), and nothing else.
FILE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'none'"
PRIVATE = "private, no-cache"


def answer_with_file(
    request: HttpRequest, artifact: Artifact, *, cache_control: str = PRIVATE
) -> HttpResponseBase | None:
    """The file, or 304 when the reader has it already; None when it is gone or of a type that does not leave."""
    path, content_type = public_files.stored_path(artifact), public_files.content_type(artifact)
    if path is None or content_type is None:
        return None
    name = public_files.file_name(artifact)
    etag, modified = quote_etag(artifact.sha256[:32]), int(path.stat().st_mtime)
    unchanged = get_conditional_response(request, etag=etag, last_modified=modified)
    response = unchanged or FileResponse(path.open("rb"), filename=name, content_type=content_type)
    response["ETag"] = etag
    response["Last-Modified"] = http_date(modified)
    response["Cache-Control"] = cache_control
    response["Content-Security-Policy"] = FILE_POLICY
    return response

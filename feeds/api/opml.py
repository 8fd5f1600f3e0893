"""``/api/v1/export-opml``, ``preview-opml``, ``import-opml``"""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.access import reads, runs
from common.api.parsing import StrictMultiPartParser, json_object
from common.api.problems import Problem, invalid
from common.api.views import ApiView
from common.times import now_utc
from feeds import refresh, transfer
from feeds.api import schemas
from feeds.api.ground import said
from feeds.opml import OpmlError
from feeds.transfer import Listed, Listing

_MODE = 'Import mode must be either "replace" or "merge".'
_TYPES = (".opml", ".xml")


class Upload(serializers.Serializer[Any]):
    opml = serializers.FileField(help_text="An OPML file of at most 1 MB.")


class UploadWithMode(Upload):
    mode = serializers.ChoiceField(choices=[transfer.REPLACE, transfer.MERGE], required=False)


class OpmlView(ApiView):
    parser_classes: list[type[BaseParser]] = [StrictMultiPartParser]


class ExportOpml(ApiView):
    """Your sources as an OPML file."""

    access = {"get": reads()}

    @extend_schema(
        operation_id="reader_export_opml",
        tags=["reader"],
        summary="Export OPML",
        responses={200: schemas.OPML_EXPORT},
    )
    def get(self, request: Request) -> Response:
        exported = transfer.export_sources(request.user, now_utc())
        data = {
            "content": exported.content,
            "filename": exported.filename,
            "sources_count": exported.sources,
            "categories_count": exported.categories,
        }
        return said("OPML exported successfully", data)


class PreviewOpml(OpmlView):
    """What an OPML file would bring."""

    access = {"post": reads()}
    rate_scope = "sources"

    @extend_schema(
        operation_id="reader_preview_opml",
        tags=["reader"],
        summary="Preview an OPML file",
        request={"multipart/form-data": Upload},
        responses={200: schemas.OPML_PREVIEW, 422: schemas.OPML_PROBLEM},
    )
    def post(self, request: Request) -> Response:
        body = _uploaded(request)
        try:
            listing = transfer.read_listing(body)
        except OpmlError as error:
            raise _unreadable("Failed to preview OPML", "Could not parse OPML file", error) from error
        return said("OPML preview generated successfully", _preview(listing))


class ImportOpml(OpmlView):
    """Take an OPML file in. `merge` adds what is missing; `replace` makes your sources those of the file, and keeps
    the posts and read marks of those that stay."""

    access = {"post": runs()}
    rate_scope = "sources"

    @extend_schema(
        operation_id="reader_import_opml",
        tags=["reader"],
        summary="Import an OPML file",
        request={"multipart/form-data": UploadWithMode},
        responses={200: schemas.OPML_IMPORT, 422: schemas.OPML_PROBLEM},
    )
    def post(self, request: Request) -> Response:
        body = _uploaded(request)
        mode = str(json_object(request).get("mode") or transfer.REPLACE).strip()
        if mode not in (transfer.REPLACE, transfer.MERGE):
            raise invalid("mode", _MODE)
        try:
            done = transfer.import_listing(request.user, transfer.read_listing(body), mode, now_utc())
        except (OpmlError, transfer.EmptyOpml) as error:
            raise _unreadable("Failed to import OPML", "Import failed", error) from error
        if done.sources_created:
            refresh.queue_due(asked_by=request.user)
        data = {
            "mode": done.mode,
            "categories_created": done.categories_created,
            "sources_created": done.sources_created,
            "sources_skipped": done.sources_skipped,
            "sources_removed": done.sources_removed,
            "errors": done.errors,
        }
        return said("OPML imported successfully", data)


def _uploaded(request: Request) -> bytes:
    """The bytes of the field ``opml``; 422 in the words that clients know."""
    upload = json_object(request).get("opml")
    if upload is None or upload == "":
        raise invalid("opml", "Please select an OPML file to import.")
    if not hasattr(upload, "read"):
        raise invalid("opml", "The uploaded file is not valid.")
    if not str(upload.name).lower().endswith(_TYPES):
        raise invalid("opml", "Only OPML and XML files are allowed.")
    if upload.size > transfer.MAX_BYTES:
        raise invalid("opml", "The OPML file must not exceed 1MB.")
    return bytes(upload.read())


def _unreadable(message: str, begins: str, error: Any) -> Problem:
    return Problem(422, message, extra={"error": f"{begins}: {error.user_message}"})


def _preview(listing: Listing) -> dict[str, Any]:
    groups = listing.by_category()
    loose = groups.pop("", [])
    return {
        "categories": [
            {"name": name, "sources": [_shown(listed) for listed in group], "source_count": len(group)}
            for name, group in groups.items()
        ],
        "uncategorized_sources": [_shown(listed) for listed in loose],
        "total_categories": len(groups),
        "total_sources": len(listing.feeds),
    }


def _shown(listed: Listed) -> dict[str, str]:
    return {"name": listed.name, "url": listed.url, "site_url": listed.site_url}

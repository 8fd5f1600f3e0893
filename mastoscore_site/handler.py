"""How a request of the web server becomes one of Django's."""

from __future__ import annotations

from typing import Any

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.utils.http import parse_header_parameters


class HouseRequest(WSGIRequest):
    """Reads everything as UTF-8, whatever charset the client names.

    Django would decode the query with it, while it makes the request and so outside of every handler of errors; a
    charset such as ``hex`` ends in a traceback.
    """

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))


class HouseHandler(WSGIHandler):
    request_class = HouseRequest

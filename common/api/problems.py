"""An answer that is no success, with words of our own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rest_framework.exceptions import APIException


class Problem(APIException):
    """Raise it anywhere below a view. ``message`` is one sentence for a person.

    ``errors``: field -> sentences, for what is wrong with the input. ``extra``: further keys of the answer, such as
    ``job_id``. The shape (``{"message", "errors"}``, or ``{"error"}`` on routes of the Mastoscore contract) is given
    to it by ``mastoscore_site.api_errors``.
    """

    def __init__(
        self,
        status_code: int,
        message: str,
        *,
        errors: Mapping[str, Sequence[str]] | None = None,
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.message = message
        self.errors = None if errors is None else {field: list(texts) for field, texts in errors.items()}
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})


def invalid(field: str, *texts: str) -> Problem:
    """422: what was given for ``field`` cannot be used."""
    return Problem(422, INVALID, errors={field: texts})


INVALID = "The given data was invalid."
NO_FIELD = "non_field_errors"  # what is wrong with the input as a whole

"""Words for the OpenAPI document: schemas of answers that come from no serializer, and what an operation says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": "number"}
TRUTH: Schema = {"type": "boolean"}
MOMENT: Schema = {"type": "string", "format": "date-time"}
ANYTHING: Schema = {"type": "object", "additionalProperties": True}
PICTURE = OpenApiTypes.BINARY


def record(optional: Mapping[str, Schema] | None = None, /, **required: Schema) -> Schema:
    """An object with these keys, and perhaps the optional ones."""
    return {"type": "object", "required": list(required), "properties": {**required, **(optional or {})}}


def list_of(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def or_null(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


def like(schema: Schema, example: Any, description: str = "") -> Schema:
    """The schema with an example, and perhaps a sentence."""
    return {**schema, "example": example, **({"description": description} if description else {})}


def one_of(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


def says(
    operation_id: str,
    summary: str,
    *,
    tag: str,
    takes: Schema | None = None,
    gives: Mapping[Any, Any] | None = None,
    query: Sequence[OpenApiParameter] = (),
    description: str | None = None,
) -> Callable[[Any], Any]:
    """Documents one operation. ``gives``: status, or (status, media type), -> schema or sentence.

    Errors that every operation has are added by the site; those given here are only the special ones.
    """
    documents = extend_schema(
        operation_id=operation_id,
        summary=summary,
        tags=[tag],
        request=None if takes is None else {"application/json": takes},
        responses={status: _answer(schema) for status, schema in (gives or {}).items()},
        parameters=list(query),
    )

    def document(method: Any) -> Any:
        if description is not None:
            method.__doc__ = description  # who may call is added to it, see mastoscore_site.api_schema
        return documents(method)

    return document


def _answer(schema: Any) -> Any:
    if isinstance(schema, str):
        return OpenApiResponse(response=record(message=TEXT), description=schema)
    if isinstance(schema, dict):
        return OpenApiResponse(response=schema)
    return schema

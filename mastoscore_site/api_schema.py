"""What is said about every operation in the OpenAPI document without its author having to say it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema

from common.api.access import Needs
from mastoscore_site.api_errors import shape_of

_HEADERS = {
    "X-RateLimit-Limit": "Calls in a window of one minute.",
    "X-RateLimit-Remaining": "Calls left in this window.",
    "X-RateLimit-Reset": "When the window ends, in seconds since 1970.",
}
_ALWAYS = {
    401: "Not signed in, or the token is wrong, expired or revoked.",
    403: "The token lacks the scope, or its user the permission.",
    406: "None of the types that you accept can be given.",
    422: "A parameter or a field cannot be used; `errors` says which and why.",
    429: "The allowance of this minute is used up.",
    500: "A fault of ours. It has been logged.",
    503: "The database is too busy, or something that the call needs is not configured.",
}
_CHANGING = {
    409: "It does not go with what there is: a job is at work, an earlier phase is missing, the name is taken.",
    502: "Another server did not do what was asked of it.",
}
_WITH_BODY = {
    400: "The body is not valid JSON, or holds numbers beyond 64 bits.",
    413: "The body is too large.",
    415: "The body is of a type that is not read here.",
}
_WITH_PATH = {404: "There is no such thing, or it is not yours."}
_MASTOSCORE_ANSWERS = {
    400: "The input cannot be used; `error` says why.",
    404: "There is no such event, or what was asked for is not there yet.",
    406: None,
    422: None,
}
_TEXTS = {"type": "array", "items": {"type": "string"}}
_ERRORS = {"type": "object", "description": "Field: sentences.", "additionalProperties": _TEXTS}
COMPONENTS = {
    "Problem": {
        "type": "object",
        "required": ["message"],
        "properties": {
            "message": {"type": "string", "description": "One sentence for a person."},
            "errors": _ERRORS,
            "error": {"type": "string", "description": "With status 500 only."},
        },
    },
    "MastoscoreProblem": {
        "type": "object",
        "required": ["error"],
        "properties": {"error": {"type": "string", "description": "One sentence for a person."}, "errors": _ERRORS},
    },
}
_EXAMPLES: dict[int, dict[str, Any]] = {
    401: {"message": "Unauthenticated."},
    403: {"message": "This token lacks the scope “run”."},
    404: {"message": "Not found."},
    422: {"message": "The given data was invalid.", "errors": {"name": ["This field is required."]}},
    429: {"message": "Too Many Attempts."},
    500: {"message": "Server Error", "error": "An unexpected error occurred"},
}


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = "mastoscore_site.api_auth.TokenAuthentication"
    name = "token"
    priority = 1

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "ms_…", "description": "A personal API token."}


class HouseSchema(AutoSchema):
    """Adds to each description who may call it."""

    def get_description(self) -> str:  # type: ignore[override]
        text = super().get_description() or ""
        access = getattr(self.view, "access", {})
        needs = access.get(getattr(self.view, "action", None) or self.method.lower())
        return f"{text}\n\n{_who_may(needs)}".strip() if needs else text


def _who_may(needs: Needs) -> str:
    if needs.scope is None:
        return "For everybody; no token is needed."
    permissions = " and ".join(f"`{name}`" for name in needs.permissions)
    return f"Needs the scope `{needs.scope}`" + (f" and the permission {permissions}." if permissions else ".")


# --- hooks (SPECTACULAR_SETTINGS) -----------------------------------------------------------------------------------
def name_paths(endpoints: list[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """The slash at the end is optional in every route; the document shows none."""
    return [(path.rstrip("/") or "/", regex, method, view) for path, regex, method, view in endpoints]


def add_common_answers(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Errors and rate headers on every operation; what the author said about a status stays."""
    result.setdefault("components", {}).setdefault("schemas", {}).update(COMPONENTS)
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            answers = operation["responses"]
            for status, text in _statuses(path, method, operation).items():
                answers.setdefault(str(status), _answer(status, text, path))
            operation["responses"] = dict(sorted(answers.items()))
            for answer in answers.values():
                headers = answer.setdefault("headers", {})
                headers.update({name: _header(text) for name, text in _HEADERS.items()})
            if "429" in answers:
                answers["429"]["headers"]["Retry-After"] = _header("Seconds to wait.")
    return result


def _statuses(path: str, method: str, operation: dict[str, Any]) -> dict[int, str]:
    statuses: dict[int, str | None] = dict(_ALWAYS)
    if method != "get":
        statuses.update(_CHANGING)
    if "{" in path:
        statuses.update(_WITH_PATH)
    if "requestBody" in operation:
        statuses.update(_WITH_BODY)
    if shape_of(path) == "error":
        statuses.update(_MASTOSCORE_ANSWERS)
    return {status: text for status, text in statuses.items() if text is not None}


def _answer(status: int, text: str, path: str) -> dict[str, Any]:
    is_ours = shape_of(path) == "message"
    reference = "#/components/schemas/" + ("Problem" if is_ours else "MastoscoreProblem")
    content: dict[str, Any] = {"schema": {"$ref": reference}}
    example = _EXAMPLES.get(status)
    if example is not None:
        content["example"] = example if is_ours else {"error": example.get("error", example["message"])}
    return {"description": text, "content": {"application/json": content}}


def _header(text: str) -> dict[str, Any]:
    return {"description": text, "schema": {"type": "integer"}, "required": True}

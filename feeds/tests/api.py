"""Calls of the API as a client makes them: with a token, JSON both ways, and the status that is expected.

Every answer is held against the OpenAPI document.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

import jsonschema
import orjson
from django.test import Client
from drf_spectacular.generators import SchemaGenerator

from common.api.access import Scope
from mastoscore_site.tokens import make_token


@dataclass
class Caller:
    token: str = ""

    def __call__(self, method: str, path: str, body: Any = None, *, status: int = 200, **query: Any) -> Any:
        """The JSON that comes back."""
        answer = self.ask(method, path, body, **query)
        assert answer.status_code == status, (answer.status_code, answer.content[:500])
        found = orjson.loads(answer.content)
        check_shape(method, path, status, found)
        return found

    def ask(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        headers = {"Accept": "application/json", **({"Authorization": f"Bearer {self.token}"} if self.token else {})}
        options: dict[str, Any] = {"query_params": query} if query else {}
        if body is not None:
            options |= {"data": body if isinstance(body, bytes) else orjson.dumps(body)}
            options |= {"content_type": "application/json"}
        return Client().generic(method, f"/api/v1{path}", headers=headers, **options)

    def upload(self, path: str, files: dict[str, Any], *, status: int = 200) -> Any:
        answer = Client().post(
            f"/api/v1{path}",
            files,
            headers={"Accept": "application/json", "Authorization": f"Bearer {self.token}"},
        )
        assert answer.status_code == status, (answer.status_code, answer.content[:500])
        found = orjson.loads(answer.content)
        check_shape("POST", path, status, found)
        return found


@cache
def _document() -> dict[str, Any]:
    return SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-any-return,no-untyped-call]


def check_shape(method: str, path: str, status: int, body: Any) -> None:
    """Hold an answer against what the document says of its operation and status."""
    asked = f"/api/v1{path}".rstrip("/")
    places = {name: re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(name)) for name in _document()["paths"]}
    fitting = [name for name, pattern in places.items() if re.fullmatch(pattern, asked)]
    operations = [_document()["paths"][name] for name in sorted(fitting, key=lambda name: name.count("{"))]
    operation = next((found[method.lower()] for found in operations if method.lower() in found), None)
    if operation is None:  # a second spelling, which the document leaves out
        return
    schema = operation["responses"][str(status)]["content"]["application/json"]["schema"]
    jsonschema.validate(body, {**schema, "components": _document()["components"]})


def sign_in(user: Any, *scopes: Scope) -> Caller:
    return Caller(make_token(user, f"test {'-'.join(scopes)}", scopes or (Scope.READ, Scope.RUN))[1])

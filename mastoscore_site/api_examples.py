"""Examples for the OpenAPI document, made from the schemas, so that no operation is without."""

from __future__ import annotations

from typing import Any

# What a field of that name looks like; all others by their type.
_KNOWN: dict[str, Any] = {
    "slug": "monsterdon-20260222",
    "config_file": "monsterdon-20260222",
    "event": "monsterdon-20260222",
    "title": "Monsterdon: The Blob (1958)",
    "event_title": "Monsterdon",
    "episode_title": "The Blob (1958)",
    "hashtag": "monsterdon",
    "series": "monsterdon",
    "timezone": "America/New_York",
    "server": "mastodon.example",
    "origin": "mastodon.example",
    "target": "ada@mastodon.example",
    "username": "host",
    "author_handle": "ada@mastodon.example",
    "author_name": "Ada",
    "author_url": "https://mastodon.example/@ada",
    "url": "https://mastodon.example/@ada/114000000000000001",
    "uri": "https://mastodon.example/users/ada/statuses/114000000000000001",
    "language": "en",
    "post_language": "en",
    "kind": "fetch",
    "text": "Beware of the Blob! #monsterdon",
    "error": "",
    "message": "The graph is drawn.",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "ini": "[mastoscore]\nhashtag = monsterdon\nevent_start = 2026-02-22T21:00:00-05:00\n",
    "poster_url": "https://image.tmdb.org/t/p/w342/blob.jpg",
    "tags": ["film"],
    "local_date": "2026-02-22",
    "name": "index.md",
}
_BY_FORMAT = {
    "date-time": "2026-02-22T20:00:00Z",
    "date": "2026-02-22",
    "uri": "https://score.example/api/v1/events",
    "email": "ada@mastodon.example",
    "byte": "",
    "binary": "",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_DEEPEST = 8


def add_examples(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """A hook of drf-spectacular: an example beside every JSON schema of a body or a good answer that has none."""
    schemas = result.get("components", {}).get("schemas", {})
    for operations in result["paths"].values():
        for operation in operations.values():
            _add(operation.get("requestBody", {}), schemas)
            for answer in operation["responses"].values():
                _add(answer, schemas)
    return result


def _add(place: dict[str, Any], schemas: dict[str, Any]) -> None:
    for media_type, content in place.get("content", {}).items():
        is_json = media_type == "application/json"
        if is_json and "schema" in content and not {"example", "examples"} & set(content):
            content["example"] = sample_of(content["schema"], schemas)


def sample_of(schema: dict[str, Any], schemas: dict[str, Any], name: str = "", depth: int = 0) -> Any:
    """A value of that schema; ``name`` is the field it is for."""
    if "$ref" in schema:
        return sample_of(schemas[schema["$ref"].rpartition("/")[2]], schemas, name, depth + 1)
    for key in ("allOf", "oneOf", "anyOf"):
        if key in schema:
            return sample_of(schema[key][0], schemas, name, depth + 1)
    for key in ("example", "default", "const"):
        if key in schema:
            return schema[key]
    if schema.get("examples"):
        return schema["examples"][0]
    if "enum" in schema:
        return schema["enum"][0]
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind in (None, "string") and name in _KNOWN:
        return _KNOWN[name]
    return _by_type(kind, schema, schemas, name, depth)


def _by_type(kind: str | None, schema: dict[str, Any], schemas: dict[str, Any], name: str, depth: int) -> Any:
    match kind:
        case "object" if depth < _DEEPEST:
            return {key: sample_of(of, schemas, key, depth + 1) for key, of in schema.get("properties", {}).items()}
        case "array" if depth < _DEEPEST:
            return [sample_of(schema.get("items", {}), schemas, name, depth + 1)]
        case "string":
            return _BY_FORMAT.get(schema.get("format", ""), "")
        case "integer":
            return schema.get("minimum", 1)
        case "number":
            return schema.get("minimum", 1.5)
        case "boolean":
            return True
    return [] if kind == "array" else {}

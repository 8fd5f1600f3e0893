"""What clients send: trimmed, empty texts as none, and every complaint in the words they know."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from typing import Any

from django.utils.dateparse import parse_date, parse_datetime
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.api.parsing import MAX_INTEGER
from common.api.problems import Problem, invalid
from feeds.addresses import normalise_address
from feeds.errors import InvalidAddress

_TRUE, _FALSE = (True, 1, "1", "true"), (False, 0, "0", "false")


def words(*, required: str = "", invalid: str = "", **others: str) -> dict[str, Any]:
    """``error_messages`` of a field whose absence, emptiness and null are the same complaint."""
    said = {"required": required, "null": required, "blank": required, "empty": required} if required else {}
    return {**said, **({"invalid": invalid} if invalid else {}), **others}


class TrimmedInput(serializers.Serializer[Any]):
    """Texts are trimmed and empty ones count as null; null stands for "not given" where the field knows no null."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            raise Problem(400, "The body must be a JSON object.")
        items = data.dict() if hasattr(data, "dict") else data
        values = {name: self._trimmed(value) for name, value in items.items()}
        optional = {name for name, field in self.fields.items() if not field.allow_null and not field.required}
        return super().to_internal_value(
            {name: value for name, value in values.items() if value is not None or name not in optional}
        )

    @staticmethod
    def _trimmed(value: Any) -> Any:
        return (value.strip() or None) if isinstance(value, str) else value


@extend_schema_field(
    {
        "oneOf": [
            {"type": "boolean"},
            {"type": "integer", "enum": [0, 1]},
            {"type": "string", "enum": ["0", "1", "true", "false"]},
        ]
    }
)
class Truth(serializers.Field[bool, Any, bool, Any]):
    """true, false, 1, 0, also as texts; nothing else."""

    default_error_messages = {"invalid": "This must be true or false."}

    def to_internal_value(self, data: Any) -> bool:
        if isinstance(data, bool | int | str):
            if data in _TRUE:
                return True
            if data in _FALSE:
                return False
        raise serializers.ValidationError(self.error_messages["invalid"])

    def to_representation(self, value: Any) -> bool:
        return bool(value)


class Address(serializers.CharField):
    """An http(s) address, in its one spelling."""

    default_error_messages = {"address": "Please provide a valid URL (must start with http:// or https://)."}

    def to_internal_value(self, data: Any) -> str:
        try:
            return normalise_address(super().to_internal_value(data))
        except InvalidAddress as error:
            raise serializers.ValidationError(self.error_messages["address"]) from error


def whole_number(**options: Any) -> serializers.IntegerField:
    return serializers.IntegerField(min_value=1, max_value=MAX_INTEGER, **options)


# --- the query ------------------------------------------------------------------------------------------------------
def read_id(texts: dict[str, str], *names: str) -> int | None:
    """The number given under the first of these names that is given at all; 422 if it is none."""
    name = next((name for name in names if texts.get(name)), None)
    if name is None:
        return None
    text = texts[name]
    if not (text.isascii() and text.isdigit() and len(text) <= 18 and int(text) > 0):
        raise invalid(name, "This must be a whole number above zero.")
    return int(text)


def read_truth(texts: dict[str, str], name: str) -> bool | None:
    text = texts.get(name, "").lower()
    if not text:
        return None
    if text not in ("true", "false", "1", "0"):
        raise invalid(name, "This must be true or false.")
    return text in ("true", "1")


def read_includes(text: str, known: tuple[str, ...]) -> frozenset[str]:
    """The comma list of what to put in; strangers in it are passed over."""
    return frozenset(name.strip() for name in text.split(",")) & frozenset(known)


def read_day(text: str) -> datetime | None:
    """The beginning of ``2025-08-14`` in UTC; None for anything else."""
    try:
        day: date | None = parse_date(text)
    except ValueError:
        return None
    return None if day is None else datetime.combine(day, time(), UTC)


def read_moment(text: str) -> datetime | None:
    """``2025-08-14 10:00:00`` or ISO 8601, in UTC unless it says otherwise; a day is its beginning."""
    try:
        moment = parse_datetime(text)
    except ValueError:
        return None
    if moment is None:
        return read_day(text)
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        return None

"""Filters of lists that refuse what makes no sense (422) rather than pass it over, and bound every number."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import django_filters
from django import forms
from drf_spectacular.utils import extend_schema_field

from common.api.parsing import MAX_INTEGER
from common.times import parse_moment

MOST_SEARCHED = 100

__all__ = ["MomentFilter", "SearchFilter", "TruthFilter", "WholeFilter"]


@extend_schema_field({"type": "integer", "minimum": 0, "maximum": MAX_INTEGER})
class WholeFilter(django_filters.Filter):
    """A whole number from zero."""

    field_class = forms.IntegerField

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, min_value=0, max_value=MAX_INTEGER, **options)


@extend_schema_field({"type": "string", "enum": ["true", "false"]})
class TruthFilter(django_filters.TypedChoiceFilter):
    def __init__(self, *args: Any, **options: Any) -> None:
        choices = [("true", "true"), ("false", "false")]
        super().__init__(*args, choices=choices, coerce=lambda text: text == "true", **options)


class _MomentField(forms.CharField):
    def clean(self, value: Any) -> datetime | None:
        text = super().clean(value)
        if not text:
            return None
        moment = parse_moment(text)
        if moment is None:
            raise forms.ValidationError("Give a date and time as ISO 8601, between 2000 and 2200.")
        return moment


@extend_schema_field({"type": "string", "maxLength": 40, "example": "2026-02-22T20:00:00Z"})
class MomentFilter(django_filters.Filter):
    """ISO 8601; without a zone it is UTC."""

    field_class = _MomentField


@extend_schema_field({"type": "string", "maxLength": MOST_SEARCHED})
class SearchFilter(django_filters.CharFilter):
    """Words of at most 100 characters."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, max_length=MOST_SEARCHED, **options)

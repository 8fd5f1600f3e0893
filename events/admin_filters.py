from __future__ import annotations

from typing import Any

from django.db.models import DateTimeField, ExpressionWrapper, F, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from unfold.contrib.filters.admin import RadioFilter


class WhenFilter(RadioFilter):
    """Events by where they lie in time; one under way is neither upcoming nor over."""

    title = "when"
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("upcoming", "Upcoming"), ("now", "Under way"), ("over", "Over")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        now = timezone.now()
        end = ExpressionWrapper(F("start") + F("duration"), output_field=DateTimeField())
        wanted = self.value()
        if wanted == "upcoming":
            queryset = queryset.filter(start__gt=now)
        elif wanted == "now":
            queryset = queryset.alias(ends_at=end).filter(start__lte=now, ends_at__gt=now)
        elif wanted == "over":
            queryset = queryset.alias(ends_at=end).filter(ends_at__lte=now)
        return queryset

"""What series, events, accounts and opt-outs look like on the API, and what of them may be set."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

from django.core.exceptions import ValidationError as ModelError
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.api.access import may, posts
from common.api.parsing import MAX_INTEGER
from common.errors import ConfigurationError
from common.times import EARLIEST, LATEST, format_duration, parse_duration
from events.ini_options import read_delay
from events.models import Event, MastodonAccount, OptOut, Series, check_slug_is_free, normalise_target
from events.services import APPROVING_FIELDS, SCORING_FIELDS

# What these decide is said in public, so they are for those who may post.
MAY_POST = posts("pipeline.post_thread")
_LONGEST = timedelta(days=60)


@extend_schema_field({"type": "string", "pattern": r"^\d{1,4}:\d\d(:\d\d)?$", "example": "1:30:00"})
class DurationText(serializers.Field[timedelta, Any, str, Any]):
    """``H:MM:SS``"""

    def __init__(self, *, may_be_zero: bool = False, **options: Any) -> None:
        self.may_be_zero = may_be_zero
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> timedelta:
        if not isinstance(data, str):
            raise serializers.ValidationError("Give a duration as a text, H:MM:SS.")
        try:
            duration = read_delay(data) if self.may_be_zero else parse_duration(data)
        except ConfigurationError as error:
            raise serializers.ValidationError("Give a duration as H:MM:SS.") from error
        if duration > _LONGEST:
            raise serializers.ValidationError("At most 60 days.")
        return duration

    def to_representation(self, value: timedelta) -> str:
        return format_duration(value) if value else "0:00:00"


class StrictBoolean(serializers.BooleanField):
    """True and false; from a form their words. Nothing else counts as either."""

    def to_internal_value(self, data: Any) -> bool:
        known = {"true": True, "false": False, "on": True, "off": False}
        if isinstance(data, bool):
            return data
        if not isinstance(data, str) or data.casefold() not in known:
            raise serializers.ValidationError("Must be a valid boolean.")
        return known[data.casefold()]


class ScoringSerializer(serializers.ModelSerializer[Any]):
    """The settings that a series hands to its events."""

    duration = DurationText(required=False)
    autoscore_delay = DurationText(required=False, may_be_zero=True)
    hours_margin = serializers.DecimalField(
        max_digits=5, decimal_places=2, min_value=0, max_value=168, coerce_to_string=False, required=False
    )
    home_account = serializers.PrimaryKeyRelatedField(
        queryset=MastodonAccount.objects.defer("token"), allow_null=True, required=False
    )
    posting_account = serializers.PrimaryKeyRelatedField(
        queryset=MastodonAccount.objects.defer("token"), allow_null=True, required=False
    )

    warnings = serializers.SerializerMethodField(help_text="What a change brought with it; empty when reading.")

    @extend_schema_field({"type": "array", "items": {"type": "string"}})
    def get_warnings(self, subject: Any) -> list[str]:
        return list(self.context.get("warnings", []))

    def build_standard_field(self, field_name: str, model_field: Any) -> Any:
        field_class, options = super().build_standard_field(field_name, model_field)
        return (StrictBoolean if field_class is serializers.BooleanField else field_class), options

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        changed = [
            name
            for name in APPROVING_FIELDS
            if name in attrs and attrs[name] != (getattr(self.instance, name) if self.instance else False)
        ]
        if changed and not may(self.context["request"], MAY_POST):
            sentence = "Only who may post threads may change this."
            raise serializers.ValidationError({name: [sentence] for name in changed})
        return attrs


class SeriesSerializer(ScoringSerializer):
    class Meta:
        model = Series
        fields = ["id", "slug", "title", *SCORING_FIELDS, "warnings"]
        read_only_fields = ["id"]


class EventSerializer(ScoringSerializer):
    # Taken ones are a 409, see events.services.
    slug = serializers.SlugField(max_length=100, validators=[check_slug_is_free])
    series = serializers.SlugRelatedField(
        slug_field="slug", queryset=Series.objects.all(), allow_null=True, required=False
    )
    start = serializers.DateTimeField(help_text="ISO 8601; without a zone it is UTC.")
    title = serializers.CharField(read_only=True)
    end = serializers.DateTimeField(read_only=True)
    is_over = serializers.BooleanField(read_only=True)

    class Meta:
        model = Event
        fields = [
            "slug",
            "title",
            "series",
            "event_title",
            "episode_title",
            "start",
            "end",
            "local_date",
            "is_over",
            "is_published",
            *SCORING_FIELDS,
            "created_at",
            "updated_at",
            "warnings",
        ]
        read_only_fields = ["local_date", "created_at", "updated_at"]

    def validate_start(self, value: Any) -> Any:
        if not EARLIEST <= value < LATEST:
            raise serializers.ValidationError("Give a date between 2000 and 2200.")
        return value


class EventRowSerializer(serializers.ModelSerializer[Event]):
    """An event in the list."""

    series = serializers.SlugRelatedField[Series](slug_field="slug", read_only=True, allow_null=True)
    title = serializers.CharField(read_only=True)
    end = serializers.DateTimeField(read_only=True)
    is_over = serializers.BooleanField(read_only=True)

    class Meta:
        model = Event
        fields = [
            "slug",
            "title",
            "series",
            "event_title",
            "episode_title",
            "hashtag",
            "start",
            "end",
            "timezone",
            "local_date",
            "is_over",
            "is_published",
            "updated_at",
        ]
        read_only_fields = fields


class CopyWish(serializers.Serializer[Any]):
    weeks = serializers.IntegerField(min_value=1, max_value=520, default=1)
    episode_title = serializers.CharField(max_length=200, allow_blank=True, default="")


class NewEpisodeWish(serializers.Serializer[Any]):
    start = serializers.DateTimeField(help_text="ISO 8601; without a zone it is UTC.")
    episode_title = serializers.CharField(max_length=200, allow_blank=True, default="")
    slug = serializers.SlugField(max_length=100, allow_blank=True, default="", validators=[check_slug_is_free])

    def validate_start(self, value: Any) -> Any:
        if not EARLIEST <= value < LATEST:
            raise serializers.ValidationError("Give a date between 2000 and 2200.")
        return value


class AccountSerializer(serializers.ModelSerializer[MastodonAccount]):
    """An account without its token, which leaves the house towards its own server only."""

    has_token = serializers.BooleanField(read_only=True)

    class Meta:
        model = MastodonAccount
        fields = ["id", "server", "username", "has_token", "scopes", "verified_at", "created_at"]
        read_only_fields = fields


class OptOutSerializer(serializers.ModelSerializer[OptOut]):
    class Meta:
        model = OptOut
        fields = ["id", "target", "reason", "created_at"]
        read_only_fields = ["id", "created_at"]
        extra_kwargs: ClassVar[dict[str, Any]] = {"target": {"validators": []}}

    def validate_target(self, text: str) -> str:
        try:
            target = normalise_target(text)
        except ModelError as error:
            raise serializers.ValidationError(error.messages) from error
        if OptOut.objects.filter(target=target).exists():
            raise serializers.ValidationError(f"{target} is on the list already.")
        return target


ROW_ID = {"type": "integer", "minimum": 1, "maximum": MAX_INTEGER}

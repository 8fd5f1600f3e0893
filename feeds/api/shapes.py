"""What clients get: the documented fields and those that InfraRead really sends, in one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from common.times import format_z, now_utc
from feeds.content import content_of
from feeds.models import Category, Post, Source

_STEPS = (("year", 365 * 86_400), ("month", 30 * 86_400), ("week", 7 * 86_400), ("day", 86_400), ("hour", 3600))


def time_ago(moment: datetime, now: datetime) -> str:
    """“3 hours ago”; “just now” within a minute."""
    seconds = int((now - moment) / timedelta(seconds=1))
    for name, length in (*_STEPS, ("minute", 60)):
        if (count := seconds // length) >= 1:
            return f"{count} {name}{'' if count == 1 else 's'} ago"
    return "just now"


def moment_or_none(moment: datetime | None) -> str | None:
    return None if moment is None else format_z(moment)


@extend_schema_field(OpenApiTypes.DATETIME)
class Moment(serializers.Field[datetime, Any, str, Any]):
    """ISO 8601 in UTC with Z, whole seconds."""

    def __init__(self, **options: Any) -> None:
        super().__init__(read_only=True, **options)

    def to_representation(self, value: datetime) -> str:
        return format_z(value)


class CategoryFields(serializers.ModelSerializer[Category]):
    created_at = Moment()
    updated_at = Moment()

    class Meta:
        model = Category
        fields = ["id", "description", "created_at", "updated_at"]
        read_only_fields = fields


class CountedCategory(CategoryFields):
    """Expects ``sources_count`` on the row."""

    sources_count = serializers.IntegerField(read_only=True)

    class Meta(CategoryFields.Meta):
        fields = ["id", "description", "sources_count", "created_at", "updated_at"]
        read_only_fields = fields


class SourceFields(serializers.ModelSerializer[Source]):
    """``fetcher_source`` and ``rss_url`` are the same: the address of the feed; ``url`` is that of the site."""

    url = serializers.SerializerMethodField()
    author = serializers.CharField(source="feed.author", read_only=True)
    rss_url = serializers.CharField(source="feed.url", read_only=True)
    fetcher_source = serializers.CharField(source="feed.url", read_only=True)
    category_id = serializers.IntegerField(read_only=True)
    deactivation_reason = serializers.CharField(read_only=True, help_text="Only when it is not active.")
    created_at = Moment()
    updated_at = Moment()
    category = CategoryFields(read_only=True, help_text="Only when included.")

    class Meta:
        model = Source
        fields = [
            *("id", "name", "description", "url", "author", "rss_url", "fetcher_source", "active", "category_id"),
            *("deactivation_reason", "interval_minutes", "wants_full_text", "created_at", "updated_at", "category"),
        ]
        read_only_fields = fields

    def get_url(self, source: Source) -> str:
        return source.url or source.feed.site_url or source.feed.url

    def to_representation(self, instance: Source) -> dict[str, Any]:
        row: dict[str, Any] = super().to_representation(instance)
        if instance.active:
            del row["deactivation_reason"]
        if "category" not in self.context.get("include", ()):
            del row["category"]
        return row


class DetailedCategory(CountedCategory):
    sources = SourceFields(many=True, read_only=True)

    class Meta(CountedCategory.Meta):
        fields = [*CountedCategory.Meta.fields, "sources"]
        read_only_fields = fields


class PostFields(serializers.ModelSerializer[Post]):
    uid = serializers.SerializerMethodField(help_text="The id as the feed gives it, if it gives one.")
    title = serializers.CharField(source="entry.title", read_only=True)
    url = serializers.CharField(source="entry.url", read_only=True)
    excerpt = serializers.CharField(source="entry.excerpt", read_only=True)
    author = serializers.CharField(source="entry.author", read_only=True)
    content = serializers.SerializerMethodField(help_text="Sanitised HTML; the full text if the source wants it.")
    read = serializers.BooleanField(source="is_read", read_only=True)
    posted_at = Moment()
    time_ago = serializers.SerializerMethodField()
    source_id = serializers.IntegerField(read_only=True)
    category_id = serializers.IntegerField(source="source.category_id", read_only=True)
    enclosures = serializers.JSONField(source="entry.enclosures", read_only=True)
    tags = serializers.JSONField(source="entry.tags", read_only=True)
    source = SourceFields(read_only=True, help_text="Only when included.")  # type: ignore[assignment]
    category = CategoryFields(source="source.category", read_only=True, help_text="Only when included.")

    class Meta:
        model = Post
        fields = [
            *("id", "title", "content", "url", "excerpt", "posted_at", "read", "uid", "author", "time_ago"),
            *("source_id", "category_id", "enclosures", "tags", "source", "category"),
        ]
        read_only_fields = fields

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if not self.context.get("with_content", True):
            del self.fields["content"]
        if "include" in self.context:
            for name in {"source", "category"} - set(self.context["include"]):
                del self.fields[name]

    def get_uid(self, post: Post) -> str:
        return post.entry.uid.removeprefix("guid:")  # how we came by it is a matter of ours

    def get_content(self, post: Post) -> str:
        return content_of(post)

    def get_time_ago(self, post: Post) -> str:
        return time_ago(post.posted_at, self.context.get("now") or now_utc())

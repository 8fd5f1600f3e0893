"""Backstage: how feeds do, who reads them. Posts are their readers' own affair and not shown."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.decorators import action, display

from feeds.metrics import describe_health, next_attempt_at
from feeds.models import (
    Article,
    Category,
    Feed,
    HubSubscription,
    Mute,
    ReaderOptions,
    SavingService,
    Source,
    SummarySpending,
)
from feeds.refresh import queue_source

_COLOURS = {"active": "success", "warning": "warning", "failed": "danger"}


@admin.register(Feed)
class FeedAdmin(ModelAdmin):
    """Feeds come and go with their sources; here they are looked at and asked anew."""

    list_display = ["display_title", "display_health", "fetched_at", "display_interval", "next_due_at", "readers"]
    list_filter = ["health", "is_gone", "kind"]
    search_fields = ["title", "url", "site_url", "host"]
    ordering = ["-failures", "title"]
    actions = ["refresh_now"]
    fields = [
        ("title", "kind"),
        "url",
        "site_url",
        "description",
        ("author", "language"),
        ("display_health", "failures", "is_gone"),
        ("last_error", "last_error_at", "display_next_attempt"),
        ("attempted_at", "fetched_at", "changed_at", "duration_ms"),
        ("interval_minutes", "next_due_at", "not_before"),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Feed]:
        feeds: QuerySet[Feed] = super().get_queryset(request)
        readers = Count("sources", filter=Q(sources__active=True))
        return feeds.annotate(readers_count=readers).defer("etag", "last_modified")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Feed | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Feed | None = None) -> bool:
        return False

    @action(description="Refresh now", permissions=["view"])
    def refresh_now(self, request: HttpRequest, queryset: QuerySet[Feed]) -> None:
        sources = Source.objects.filter(feed__in=queryset.values("pk"), active=True).order_by("feed_id")
        jobs = {source.feed_id: queue_source(source, asked_by=request.user) for source in sources}
        messages.success(request, f"{len(jobs)} feeds will be asked for news.")

    @display(description="Feed", ordering="title")
    def display_title(self, feed: Feed) -> str:
        return str(feed)

    @display(description="Health", ordering="failures", label=_COLOURS)
    def display_health(self, feed: Feed) -> tuple[str, str]:
        return feed.health, "Gone" if feed.is_gone else describe_health(feed)

    @display(description="Asked every")
    def display_interval(self, feed: Feed) -> str:
        minutes = feed.interval_minutes
        return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.0f} h"

    @display(description="Next try after failures")
    def display_next_attempt(self, feed: Feed) -> Any:
        return next_attempt_at(feed)

    @display(description="Readers", ordering="readers_count")
    def readers(self, feed: Any) -> int:
        return int(feed.readers_count)


@admin.register(Source)
class SourceAdmin(ModelAdmin):
    list_display = ["name", "user", "category", "active", "display_health", "display_fetched"]
    list_select_related = ["user", "category", "feed"]
    list_filter = ["active", "feed__health", ("user", admin.RelatedOnlyFieldListFilter)]
    search_fields = ["name", "feed__url", "url"]
    fields = [
        ("name", "user"),
        ("feed", "category"),
        "description",
        "url",
        ("active", "deactivation_reason"),
        ("interval_minutes", "wants_full_text"),
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Source | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Source | None = None) -> bool:
        return False

    @display(description="Health", ordering="feed__failures", label=_COLOURS)
    def display_health(self, source: Source) -> tuple[str, str]:
        return source.feed.health, describe_health(source.feed)

    @display(description="Last fetched", ordering="feed__fetched_at")
    def display_fetched(self, source: Source) -> Any:
        return source.feed.fetched_at


@admin.register(Category)
class CategoryAdmin(ModelAdmin):
    list_display = ["description", "user"]
    list_select_related = ["user"]
    search_fields = ["description"]
    fields = ["user", "description"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Category | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Category | None = None) -> bool:
        return False


@admin.register(Mute)
class MuteAdmin(ModelAdmin):
    list_display = ["phrase", "user", "source", "in_text"]
    list_select_related = ["user", "source"]
    search_fields = ["phrase"]
    fields = ["user", "source", "phrase", "in_text"]
    autocomplete_fields = ["source"]


@admin.register(ReaderOptions)
class ReaderOptionsAdmin(ModelAdmin):
    list_display = ["user", "purge_after_days", "layout", "newest_first", "collapse_duplicates"]
    list_select_related = ["user"]
    fields = ["user", "purge_after_days", ("layout", "newest_first"), "collapse_duplicates"]


class _LookedAt(ModelAdmin):
    """Rows that the program makes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(SavingService)
class SavingServiceAdmin(_LookedAt):
    """Whose services work. Where they are and what their owners sign in with is their own affair."""

    list_display = ["name", "user", "kind", "is_default", "used_at", "last_error"]
    list_select_related = ["user"]
    list_filter = ["kind"]
    search_fields = ["name", "user__username"]
    fields = [("name", "user"), ("kind", "is_default"), ("created_at", "used_at"), "last_error"]


@admin.register(Article)
class ArticleAdmin(_LookedAt):
    """Full texts: which pages could not be read, and why."""

    list_display = ["entry", "display_feed", "tried_at", "failures", "last_error"]
    list_filter = [("last_error", admin.EmptyFieldListFilter)]
    ordering = ["-tried_at"]
    show_full_result_count = False
    fields = ["entry", "url", ("tried_at", "failures"), "last_error"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Article]:
        articles: QuerySet[Article] = super().get_queryset(request).select_related("entry__feed")
        shown = ("url", "tried_at", "failures", "last_error", "entry__title", "entry__url", "entry__uid")
        return articles.only(*shown, "entry__feed__title", "entry__feed__url")

    @display(description="Feed")
    def display_feed(self, article: Article) -> str:
        return str(article.entry.feed)


@admin.register(SummarySpending)
class SummarySpendingAdmin(_LookedAt):
    list_display = ["day", "calls", "input_tokens", "output_tokens"]
    ordering = ["-day"]
    fields = ["day", "calls", ("input_tokens", "output_tokens")]


@admin.register(HubSubscription)
class HubSubscriptionAdmin(_LookedAt):
    """Which hubs send news, and what is wrong with the others. Key and secret are nobody's business."""

    list_display = ["feed", "state", "told_at", "ends_at", "due_at", "failures", "last_error"]
    list_select_related = ["feed"]
    list_filter = ["state"]
    search_fields = ["feed__title", "feed__url", "hub_url"]
    ordering = ["-asked_at"]
    fields = [
        ("feed", "state"),
        "hub_url",
        "topic_url",
        ("asked_at", "due_at"),
        ("told_at", "ends_at"),
        ("failures", "last_error"),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[HubSubscription]:
        rows: QuerySet[HubSubscription] = super().get_queryset(request)
        return rows.defer("key", "secret", "feed__etag", "feed__last_modified")

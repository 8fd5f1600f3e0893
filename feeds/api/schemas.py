"""What the answers look like, for the OpenAPI document; every test of the API holds its answers against it."""

from __future__ import annotations

from common.api.documents import MOMENT, TEXT, TRUTH, Schema, one_of, or_null

NUMBER: Schema = {"type": "integer"}


def shape(optional: tuple[str, ...] = (), /, **properties: Schema) -> Schema:
    """An object with these properties; all are there but the optional ones."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "required": required, "properties": properties}


def many(row: Schema) -> Schema:
    return {"type": "array", "items": row}


def data(schema: Schema) -> Schema:
    """``{"data"}``"""
    return shape(data=schema)


def told(schema: Schema) -> Schema:
    """``{"message", "data"}``"""
    return shape(message=TEXT, data=schema)


CATEGORY = shape(id=NUMBER, description=TEXT, created_at=MOMENT, updated_at=MOMENT)
COUNTED_CATEGORY = shape(id=NUMBER, description=TEXT, sources_count=NUMBER, created_at=MOMENT, updated_at=MOMENT)
_SOURCE = {
    "id": NUMBER,
    "name": TEXT,
    "description": TEXT,
    "url": {**TEXT, "description": "Of the site."},
    "author": TEXT,
    "rss_url": {**TEXT, "description": "Of the feed."},
    "fetcher_source": {**TEXT, "description": "The same."},
    "active": TRUTH,
    "category_id": NUMBER,
    "deactivation_reason": {**TEXT, "description": "Only when it is not active."},
    "interval_minutes": or_null(NUMBER),
    "wants_full_text": TRUTH,
    "created_at": MOMENT,
    "updated_at": MOMENT,
    "category": CATEGORY,
}
SOURCE = shape(("deactivation_reason", "category"), **_SOURCE)
NEW_SOURCE = shape(
    ("deactivation_reason",),
    **_SOURCE,
    metadata=shape(discovered_feeds=many(TEXT), site_title=TEXT, site_description=TEXT),
)
DETAILED_CATEGORY = shape(
    id=NUMBER,
    description=TEXT,
    sources_count=NUMBER,
    created_at=MOMENT,
    updated_at=MOMENT,
    sources=many(SOURCE),
)
POST = shape(
    ("content", "source", "category"),
    id=NUMBER,
    title=TEXT,
    content={**TEXT, "description": "Sanitised HTML."},
    url=TEXT,
    excerpt=TEXT,
    posted_at=MOMENT,
    read=TRUTH,
    uid=TEXT,
    author=TEXT,
    time_ago=TEXT,
    source_id=NUMBER,
    category_id=NUMBER,
    enclosures=many(shape(url=TEXT, media_type=TEXT, length=or_null(NUMBER))),
    tags=many(TEXT),
    source=SOURCE,
    category=CATEGORY,
)
BULK = told(shape(updated_count=NUMBER, requested_count=NUMBER, read_status=TRUTH))
MARKED = told(shape(updated_count=NUMBER, read_status=TRUTH, filters_applied={"type": "object"}))
SUMMARY = data(shape(post_id=NUMBER, sentences=NUMBER, summary=TEXT))
QUOTE = data(shape(post_id=NUMBER, hash=TEXT, cached=TRUTH, explanation=TEXT))
FAILURE = shape(message=TEXT, error=TEXT)
SAVED = told(
    shape(post_id=NUMBER, service_id=NUMBER, status=one_of("queued", "saved"), saved_at=or_null(MOMENT)),
)
MARKDOWN_CACHED = shape(
    ("cached", "length", "reason"), status=one_of("ok", "skipped"), cached=TRUTH, length=NUMBER, reason=TEXT
)
FULL_TEXT = told(shape(post_id=NUMBER, url=TEXT, content={**TEXT, "description": "Sanitised HTML."}))
SERVICE = shape(
    id=NUMBER,
    kind=one_of("instapaper", "wallabag", "linkding", "readeck", "webhook"),
    name=TEXT,
    url=TEXT,
    is_default=TRUTH,
    has_credentials=TRUTH,
    last_error=TEXT,
    created_at=MOMENT,
    used_at=or_null(MOMENT),
)

DELETED = shape(message=TEXT)
CATEGORY_DELETED = told(shape(sources_moved=NUMBER, moved_to_category=or_null(TEXT)))
REFRESH = told(shape(source_id=NUMBER, status=TEXT, job_id=NUMBER))

_LISTED = many(shape(name=TEXT, url=TEXT, site_url=TEXT))
OPML_EXPORT = told(shape(content=TEXT, filename=TEXT, sources_count=NUMBER, categories_count=NUMBER))
OPML_PREVIEW = told(
    shape(
        categories=many(shape(name=TEXT, sources=_LISTED, source_count=NUMBER)),
        uncategorized_sources=_LISTED,
        total_categories=NUMBER,
        total_sources=NUMBER,
    )
)
OPML_IMPORT = told(
    shape(
        mode=one_of("replace", "merge"),
        categories_created=NUMBER,
        sources_created=NUMBER,
        sources_skipped=NUMBER,
        sources_removed=NUMBER,
        errors=many(TEXT),
    )
)
OPML_PROBLEM = shape(("errors", "error"), message=TEXT, error=TEXT, errors={"type": "object"})

REFRESH_JOB = told(
    shape(
        source_id=NUMBER,
        source_name=TEXT,
        job_id=NUMBER,
        job_dispatched=TRUTH,
        status=TEXT,
        estimated_completion=MOMENT,
    )
)
SUMMARY_JOB = told(
    shape(
        post_id=NUMBER,
        post_title=TEXT,
        sentences=NUMBER,
        job_id=NUMBER,
        job_dispatched=TRUTH,
        status=TEXT,
        cache_key=TEXT,
        estimated_completion=MOMENT,
        status_check_url=TEXT,
        check_status_url=TEXT,
    )
)
SUMMARY_STATUS = shape(
    status=one_of("processing", "completed"),
    message=TEXT,
    data=shape(
        ("started_at", "post_id", "summary", "sentences", "generated_at", "completed_at"),
        status=one_of("processing", "completed"),
        cache_key=TEXT,
        started_at=MOMENT,
        post_id=NUMBER,
        summary=TEXT,
        sentences=NUMBER,
        generated_at=MOMENT,
        completed_at=or_null(MOMENT),
    ),
)
SUMMARY_FAILED = shape(
    ("data", "errors", "status", "error"),
    status=TEXT,
    message=TEXT,
    error=TEXT,
    data=shape(status=TEXT, cache_key=TEXT, error=TEXT),
    errors={"type": "object"},
)
SUMMARY_UNKNOWN = shape(("status", "error"), status=TEXT, message=TEXT, error=TEXT)
_QUEUE = shape(pending_jobs=NUMBER, failed_jobs=NUMBER)
QUEUE_STATUS = told(
    shape(
        queues=shape(default=_QUEUE, refresh=_QUEUE, summaries=_QUEUE),
        total_pending=NUMBER,
        total_failed=NUMBER,
        system_healthy=TRUTH,
        generated_at=MOMENT,
    )
)

_HEALTH = {
    "status": one_of("active", "warning", "failed"),
    "status_description": TEXT,
    "consecutive_failures": NUMBER,
    "last_error_at": or_null(MOMENT),
    "last_error_message": or_null(TEXT),
}
SOURCE_METRICS = told(
    shape(
        source_id=NUMBER,
        source_name=TEXT,
        source_url=TEXT,
        metrics=shape(
            last_fetched_at=or_null(MOMENT),
            last_fetch_duration_ms=or_null(NUMBER),
            **_HEALTH,
            next_attempt_at=or_null(MOMENT),
            should_skip_backoff=TRUTH,
            posts_count=NUMBER,
            unread_posts_count=NUMBER,
            latest_post_date=or_null(MOMENT),
            is_healthy=TRUTH,
            is_failed=TRUTH,
        ),
    )
)


def _counts(*names: str) -> Schema:
    return shape(**dict.fromkeys(names, NUMBER))


SYSTEM_METRICS = told(
    shape(
        sources=_counts("total_sources", "active_sources", "healthy_sources", "warning_sources", "failed_sources"),
        posts=_counts("total_posts", "unread_posts", "posts_today", "posts_this_week", "posts_this_month"),
        categories=_counts("total_categories", "categories_with_sources"),
        performance=_counts(
            "sources_updated_today", "average_fetch_duration_ms", "fastest_source_ms", "slowest_source_ms"
        ),
        errors=_counts("sources_with_errors", "total_consecutive_failures", "sources_in_backoff"),
        generated_at=MOMENT,
        cache_duration=TEXT,
    )
)
SOURCES_HEALTH = told(
    shape(
        summary=_counts("total", "active", "inactive", "healthy", "warning", "failed"),
        problematic_sources=many(shape(id=NUMBER, name=TEXT, **_HEALTH)),
        generated_at=MOMENT,
    )
)
RECENT_ACTIVITY = told(
    shape(
        recent_posts_count=NUMBER,
        recently_updated_sources=many(
            shape(
                source_id=NUMBER,
                source_name=TEXT,
                last_fetched_at=or_null(MOMENT),
                duration_ms=or_null(NUMBER),
                status=TEXT,
                consecutive_failures=NUMBER,
            )
        ),
        time_range=TEXT,
        generated_at=MOMENT,
    )
)
CRAWL_STATUS = told(
    shape(
        status=one_of("ok", "warning", "no_data", "error"),
        message=TEXT,
        last_successful_crawl=or_null(MOMENT),
        last_crawl_at=or_null(MOMENT),
        minutes_since_last_crawl=or_null(NUMBER),
        minutes_ago=or_null(NUMBER),
        is_recent=TRUTH,
        warning_threshold_minutes=NUMBER,
        threshold_minutes=NUMBER,
        needs_attention=TRUTH,
        should_show_warning=TRUTH,
        human_readable=TEXT,
    )
)

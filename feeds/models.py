"""Reading the blogs around the events: what is shared between readers, and what belongs to one of them.

Shared: ``Feed`` (an address, fetched once for everybody) and ``Entry`` (its items, sanitised once). Of one user:
``Category``, ``Source`` (a subscription to a feed), ``Post`` (an entry in a source, with its read mark), ``Mute``
and ``Digest``.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

MAX_ADDRESS_CHARS = 1000


class Feed(models.Model):
    """An address that is fetched for all who subscribed to it, and how its server treats us.

    ``etag`` and ``last_modified`` are the bytes of the last answer whose content is stored here, sent back as they
    came. ``claimed_until`` is set while somebody fetches it: at most one process does, and one feed per host.
    """

    class Health(models.TextChoices):
        ACTIVE = "active", "working"
        WARNING = "warning", "issues"
        FAILED = "failed", "not working"

    url = models.CharField("address", max_length=MAX_ADDRESS_CHARS, unique=True)
    host = models.CharField(max_length=270, editable=False)
    kind = models.CharField(max_length=20, blank=True, editable=False, help_text="rss20, atom10, json11 and so on.")
    title = models.CharField(max_length=500, blank=True)
    site_url = models.CharField("address of the site", max_length=MAX_ADDRESS_CHARS, blank=True)
    description = models.TextField(blank=True)
    author = models.CharField(max_length=300, blank=True)
    language = models.CharField(max_length=50, blank=True)
    icon_url = models.CharField(max_length=MAX_ADDRESS_CHARS, blank=True)

    etag = models.BinaryField(default=b"", blank=True, max_length=4096)
    last_modified = models.BinaryField(default=b"", blank=True, max_length=4096)
    body_hash = models.CharField(max_length=64, blank=True, editable=False)

    latest_entry_at = models.DateTimeField(null=True, blank=True, help_text="When the feed itself last had news.")
    entry_gap_minutes = models.PositiveIntegerField(
        null=True, blank=True, help_text="Usual time between two entries."
    )
    ttl_minutes = models.PositiveIntegerField(null=True, blank=True, help_text="How long it asks to be left alone.")
    skip_hours = models.JSONField(default=list, blank=True, help_text="Hours (UTC) it never changes in.")
    skip_days = models.JSONField(default=list, blank=True, help_text="Weekdays it never changes on; Monday is 0.")
    interval_minutes = models.PositiveIntegerField(default=60, help_text="How often it is asked now.")
    next_due_at = models.DateTimeField(help_text="Not asked by the clock before.")
    not_before = models.DateTimeField(
        null=True, blank=True, help_text="The server asked to be left alone until then."
    )
    claimed_until = models.DateTimeField(null=True, blank=True, editable=False)

    health = models.CharField(max_length=10, choices=Health, default=Health.ACTIVE)
    failures = models.PositiveIntegerField("failures in a row", default=0)
    attempted_at = models.DateTimeField(null=True, blank=True, help_text="The last try, whatever came of it.")
    fetched_at = models.DateTimeField(null=True, blank=True, help_text="The last success, changed or not.")
    changed_at = models.DateTimeField(null=True, blank=True, help_text="When new content last came.")
    duration_ms = models.PositiveIntegerField(null=True, blank=True)
    last_error_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True, help_text="One sentence for a person.")
    is_gone = models.BooleanField(default=False, help_text="The server said that it is gone for good (410).")
    moving_to = models.CharField(max_length=MAX_ADDRESS_CHARS, blank=True, editable=False)
    moving_seen = models.PositiveSmallIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["url"]
        constraints = [
            models.CheckConstraint(condition=Q(health__in=["active", "warning", "failed"]), name="feed_health_known"),
        ]
        indexes = [
            models.Index(fields=["next_due_at"], name="feed_by_due", condition=Q(is_gone=False)),
            models.Index(fields=["host", "claimed_until"], name="feed_by_host"),
            models.Index(fields=["fetched_at"], name="feed_by_fetch"),
        ]

    def __str__(self) -> str:
        return self.title or self.url


class Entry(models.Model):
    """One item of a feed, its content sanitised. One whose posts were all purged keeps its place with no content.

    Without that place it would come back as new as long as the feed names it: ``seen_at`` says when it last did.
    """

    feed = models.ForeignKey(Feed, on_delete=models.CASCADE, related_name="entries")
    uid = models.CharField(max_length=255)
    url = models.CharField(max_length=2000, blank=True)
    title = models.CharField(max_length=500, blank=True)
    author = models.CharField(max_length=300, blank=True)
    content = models.TextField(blank=True, help_text="Sanitised HTML.")
    text = models.TextField(blank=True, help_text="The content as plain text, for searching.")
    excerpt = models.CharField(max_length=300, blank=True)
    enclosures = models.JSONField(default=list, blank=True)
    tags = models.JSONField(default=list, blank=True)
    published_at = models.DateTimeField(help_text="As the feed says; when first seen, if it says nothing believable.")
    content_hash = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField(null=True, blank=True, help_text="When the feed last changed it under us.")
    seen_at = models.DateTimeField(help_text="When the feed last named it.")
    is_purged = models.BooleanField(default=False, help_text="Nobody has a post of it any more.")

    class Meta:
        ordering = ["-published_at", "-id"]
        verbose_name_plural = "entries"
        constraints = [models.UniqueConstraint(fields=["feed", "uid"], name="entry_once_per_feed")]

    def __str__(self) -> str:
        return self.title or self.url or self.uid


class Category(models.Model):
    """A user's drawer for sources."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="feed_categories")
    description = models.CharField("name", max_length=255)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["description"]
        verbose_name_plural = "categories"
        constraints = [models.UniqueConstraint("user", Lower("description"), name="category_once_per_user")]

    def __str__(self) -> str:
        return self.description


class Source(models.Model):
    """A user's subscription to a feed."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="feed_sources")
    feed = models.ForeignKey(Feed, on_delete=models.RESTRICT, related_name="sources")
    category = models.ForeignKey(Category, on_delete=models.RESTRICT, related_name="sources")
    name = models.CharField(max_length=255)
    description = models.CharField(max_length=500, blank=True)
    url = models.CharField("address of the site", max_length=MAX_ADDRESS_CHARS, blank=True)
    active = models.BooleanField(default=True)
    deactivation_reason = models.CharField(max_length=500, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True, editable=False)
    interval_minutes = models.PositiveIntegerField(
        null=True, blank=True, help_text="Ask this often, 15 to 1440; empty: as often as the feed's habits suggest."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "feed"], name="source_once_per_user"),
            models.CheckConstraint(
                condition=Q(interval_minutes__isnull=True) | Q(interval_minutes__range=(15, 1440)),
                name="source_interval_in_bounds",
            ),
        ]
        indexes = [
            models.Index(fields=["user", "name"], name="source_by_name"),
            models.Index(fields=["feed"], name="source_active", condition=Q(active=True)),
        ]

    def __str__(self) -> str:
        return self.name


class Post(models.Model):
    """An entry in a user's source. ``user`` and ``posted_at`` stand here too, so that lists need one index each."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False)
    source = models.ForeignKey(Source, on_delete=models.CASCADE, related_name="posts", db_index=False)
    entry = models.ForeignKey(Entry, on_delete=models.CASCADE, related_name="posts", db_index=False)
    is_read = models.BooleanField(default=False)
    read_at = models.DateTimeField(null=True, blank=True)
    posted_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["posted_at", "id"]
        constraints = [models.UniqueConstraint(fields=["source", "entry"], name="post_once_per_source")]
        indexes = [
            # The source at the end lets a category's posts be picked out without a look at the table.
            models.Index(fields=["user", "posted_at", "id", "source"], name="post_by_time"),
            models.Index(
                fields=["user", "posted_at", "id", "source"], name="post_unread_by_time", condition=Q(is_read=False)
            ),
            models.Index(fields=["source", "posted_at", "id"], name="post_by_source"),
            models.Index(fields=["source", "posted_at", "id"], name="post_unread", condition=Q(is_read=False)),
            # For searches, which come from the entries: nothing is read but this.
            models.Index(fields=["entry", "user", "posted_at", "source", "is_read"], name="post_by_entry"),
            models.Index(fields=["user", "created_at"], name="post_by_arrival"),
        ]

    def __str__(self) -> str:
        return f"post {self.pk}"


class Mute(models.Model):
    """A phrase: posts that hold it arrive marked as read."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="feed_mutes")
    source = models.ForeignKey(
        Source, null=True, blank=True, on_delete=models.CASCADE, related_name="mutes", help_text="Empty: all sources."
    )
    phrase = models.CharField(max_length=200)
    in_text = models.BooleanField("also in the text", default=False, help_text="Else in titles only.")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["phrase", "id"]
        constraints = [
            models.UniqueConstraint("user", Lower("phrase"), name="mute_once", condition=Q(source__isnull=True)),
            models.UniqueConstraint("source", Lower("phrase"), name="mute_once_per_source"),
        ]

    def __str__(self) -> str:
        return self.phrase


class Digest(models.Model):
    """A summary of a post, or of a quote in it, kept for the content it was made of."""

    class Kind(models.TextChoices):
        SUMMARY = "summary", "summary"
        QUOTE = "quote", "explanation of a quote"

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="digests")
    kind = models.CharField(max_length=10, choices=Kind)
    sentences = models.PositiveSmallIntegerField()
    content_hash = models.CharField(max_length=64)
    text = models.TextField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["post", "kind", "sentences", "content_hash"], name="digest_once"),
            models.CheckConstraint(condition=Q(kind__in=["summary", "quote"]), name="digest_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of post {self.post_id}"


class ReaderOptions(models.Model):
    """What a user chose for reading."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="feed_options"
    )
    purge_after_days = models.PositiveIntegerField(
        null=True, blank=True, help_text="Read posts are removed after so many days; empty: never."
    )

    class Meta:
        verbose_name = "reading options"
        verbose_name_plural = "reading options"
        constraints = [
            models.CheckConstraint(
                condition=Q(purge_after_days__isnull=True) | Q(purge_after_days__gte=1), name="purge_after_a_day"
            )
        ]

    def __str__(self) -> str:
        return f"options of {self.user}"

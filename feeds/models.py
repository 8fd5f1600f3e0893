"""Reading the blogs around the events: what is shared between readers, and what belongs to one of them.

Shared: ``Feed`` (an address, fetched once for everybody) and ``Entry`` (its items, sanitised once). Of one user:
``Category``, ``Source`` (a subscription to a feed), ``Post`` (an entry in a source, with its read mark), ``Mute``,
``Digest`` and ``SavingService`` (where posts are saved for later).
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from common.fields import EncryptedTextField

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
    hub_url = models.CharField(
        "WebSub hub", max_length=MAX_ADDRESS_CHARS, blank=True, help_text="Tells at once when there is news."
    )
    topic_url = models.CharField(max_length=MAX_ADDRESS_CHARS, blank=True, help_text="What the hub calls this feed.")

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
    link_digest = models.CharField(
        max_length=32, blank=True, editable=False, help_text="Of the address without tracking: equal for duplicates."
    )

    class Meta:
        ordering = ["-published_at", "-id"]
        verbose_name_plural = "entries"
        constraints = [models.UniqueConstraint(fields=["feed", "uid"], name="entry_once_per_feed")]
        indexes = [models.Index(fields=["link_digest"], name="entry_by_link", condition=~Q(link_digest=""))]

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
    wants_full_text = models.BooleanField(
        "full text", default=False, help_text="Fetch the page of each new post, for feeds that only give a taste."
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
    duplicate_of = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="duplicates",
        db_index=False,
        editable=False,
        help_text="The user's earlier post of the same page, from another source.",
    )

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
            models.Index(fields=["duplicate_of"], name="post_by_original", condition=Q(duplicate_of__isnull=False)),
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

    class Layout(models.TextChoices):
        AUTOMATIC = "automatic", "three panes on wide screens, else one column"
        COLUMN = "column", "one column"
        PANES = "panes", "three panes"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="feed_options"
    )
    purge_after_days = models.PositiveIntegerField(
        null=True, blank=True, help_text="Read posts are removed after so many days; empty: never."
    )

    layout = models.CharField(max_length=10, choices=Layout, default=Layout.AUTOMATIC)
    newest_first = models.BooleanField(default=False)
    collapse_duplicates = models.BooleanField(
        default=True, help_text="A page that several sources name is shown as unread once."
    )
    search_server = models.CharField(
        "Mastodon server",
        max_length=262,
        blank=True,
        help_text="Where the key t searches the address of a post; empty: on Twitter.",
    )

    class Meta:
        verbose_name = "reading options"
        verbose_name_plural = "reading options"
        constraints = [
            models.CheckConstraint(
                condition=Q(purge_after_days__isnull=True) | Q(purge_after_days__gte=1), name="purge_after_a_day"
            ),
            models.CheckConstraint(
                condition=Q(layout__in=["automatic", "column", "panes"]), name="reader_layout_known"
            ),
        ]

    def __str__(self) -> str:
        return f"options of {self.user}"


class FeedIcon(models.Model):
    """The small picture of a feed's site. Without content: none was found at ``tried_at``."""

    feed = models.OneToOneField(Feed, on_delete=models.CASCADE, primary_key=True, related_name="icon")
    content = models.BinaryField(default=b"", blank=True)
    media_type = models.CharField(max_length=50, blank=True)
    digest = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the content.")
    tried_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"icon of {self.feed_id}"


class HubSubscription(models.Model):
    """That a WebSub hub tells us about news of a feed: asked for, confirmed by the hub, renewed before it ends."""

    class State(models.TextChoices):
        ASKED = "asked", "asked for"
        ACTIVE = "active", "active"
        DENIED = "denied", "denied"
        ENDED = "ended", "ended"

    feed = models.OneToOneField(Feed, on_delete=models.CASCADE, primary_key=True, related_name="hub_subscription")
    hub_url = models.CharField(max_length=MAX_ADDRESS_CHARS)
    topic_url = models.CharField(max_length=MAX_ADDRESS_CHARS)
    key = models.CharField(max_length=43, unique=True, editable=False, help_text="The end of the callback's address.")
    secret = EncryptedTextField(editable=False)
    state = models.CharField(max_length=10, choices=State, default=State.ASKED)
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField(help_text="When to ask again: to renew, or as nothing came of it.")
    ends_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(
        null=True, blank=True, help_text="When it last sent news; empty again when it has missed some."
    )
    failures = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["asked", "active", "denied", "ended"]), name="hub_state_known"
            ),
        ]
        indexes = [models.Index(fields=["state", "ends_at"], name="hub_by_end")]

    def __str__(self) -> str:
        return f"{self.feed_id} at {self.hub_url}"


class HubNews(models.Model):
    """What a hub sent for a feed, as it came (compressed), until it is read and stored."""

    feed = models.ForeignKey(Feed, on_delete=models.CASCADE, related_name="hub_news", db_index=False)
    digest = models.CharField(max_length=64)
    body = models.BinaryField()
    content_type = models.CharField(max_length=200, blank=True)
    came_at = models.DateTimeField()

    class Meta:
        ordering = ["pk"]
        verbose_name_plural = "hub news"
        constraints = [models.UniqueConstraint(fields=["feed", "digest"], name="hub_news_once")]

    def __str__(self) -> str:
        return f"news of {self.feed_id}"


class Article(models.Model):
    """The text of an entry's own page, for sources that want the full text. Shared, as the entry is.

    Without content: it was tried at ``tried_at`` and ``last_error`` says why there is none.
    """

    entry = models.OneToOneField(Entry, on_delete=models.CASCADE, primary_key=True, related_name="article")
    url = models.CharField(max_length=2000, blank=True, help_text="Where the page was in the end.")
    content = models.TextField(blank=True, help_text="Sanitised HTML.")
    text = models.TextField(blank=True)
    tried_at = models.DateTimeField()
    failures = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return f"page of {self.entry_id}"


class SavingService(models.Model):
    """Where a user saves posts for later, with what is needed to sign in there (a JSON object, encrypted)."""

    class Kind(models.TextChoices):
        INSTAPAPER = "instapaper", "Instapaper"
        WALLABAG = "wallabag", "wallabag"
        LINKDING = "linkding", "Linkding"
        READECK = "readeck", "Readeck"
        WEBHOOK = "webhook", "a webhook"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saving_services")
    kind = models.CharField(max_length=20, choices=Kind)
    name = models.CharField(max_length=100)
    url = models.CharField("address", max_length=MAX_ADDRESS_CHARS, blank=True)
    credentials = EncryptedTextField(blank=True, editable=False)
    is_default = models.BooleanField(default=False, help_text="Used when no service is named.")
    created_at = models.DateTimeField(auto_now_add=True)
    used_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint("user", Lower("name"), name="saving_service_once"),
            models.UniqueConstraint(fields=["user"], condition=Q(is_default=True), name="one_default_saving_service"),
            models.CheckConstraint(
                condition=Q(kind__in=["instapaper", "wallabag", "linkding", "readeck", "webhook"]),
                name="saving_service_kind_known",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class SavedPost(models.Model):
    """That a post was sent to a service; ``saved_at`` is empty until the service has taken it."""

    post = models.ForeignKey(Post, on_delete=models.CASCADE, related_name="savings")
    service = models.ForeignKey(SavingService, on_delete=models.CASCADE, related_name="savings")
    asked_at = models.DateTimeField()
    saved_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["post", "service"], name="saved_once_per_service")]

    def __str__(self) -> str:
        return f"post {self.post_id} at {self.service_id}"


class SummarySpending(models.Model):
    """What was asked of the summary service on one day (UTC), by everybody: its cost a day is capped."""

    day = models.DateField(primary_key=True)
    calls = models.PositiveIntegerField(default=0)
    input_tokens = models.PositiveBigIntegerField(default=0)
    output_tokens = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.day)

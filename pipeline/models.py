"""From a hashtag to numbers, pictures, a page and a thread: what is kept on the way."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from events.models import Event, MastodonAccount, split_hashtags, validate_server
from jobs.models import Job
from pipeline.core.outcome import Outcome


class Crawl(models.Model):
    """One run of the fetch phase. Its Visit rows are the frontier: done when none is pending or running."""

    class State(models.TextChoices):
        RUNNING = "running", "running"
        COMPLETE = "complete", "complete"
        CANCELLED = "cancelled", "cancelled"
        FAILED = "failed", "failed"

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="crawls")
    job = models.ForeignKey(Job, null=True, blank=True, on_delete=models.SET_NULL, related_name="crawls")
    state = models.CharField(max_length=10, choices=State, default=State.RUNNING)
    is_mock = models.BooleanField(default=False, help_text="Ran against the bundled fediverse.")
    mode = models.CharField(max_length=10, choices=Event.FetchMode, default=Event.FetchMode.THOROUGH)
    round = models.PositiveSmallIntegerField(default=0, help_text="How often a quick crawl looked further.")
    home_server = models.CharField(max_length=270)
    hashtag = models.CharField(max_length=100)
    more_hashtags = models.CharField(max_length=1000, blank=True)
    excluded_hashtags = models.CharField(max_length=1000, blank=True)
    window_start = models.DateTimeField()
    window_end = models.DateTimeField()
    max_toots = models.PositiveIntegerField()
    summary = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["event"], condition=Q(state="running"), name="one_running_crawl_per_event"
            )
        ]

    def __str__(self) -> str:
        return f"crawl {self.pk} of #{self.hashtag}"

    @property
    def hashtags(self) -> tuple[str, ...]:
        return split_hashtags(f"{self.hashtag},{self.more_hashtags}")

    @property
    def excluded(self) -> tuple[str, ...]:
        return split_hashtags(self.excluded_hashtags)


class Visit(models.Model):
    """One server in one crawl: where the walk through it stands, and what came of it."""

    class State(models.TextChoices):
        PENDING = "pending", "waiting"
        RUNNING = "running", "being asked"
        DONE = "done", "done"
        FAILED = "failed", "failed"

    class Outcome(models.TextChoices):
        """What a host reads about a server; the sentence with particulars is in ``detail``."""

        COMPLETE = Outcome.COMPLETE.value, "answered completely"
        REACHED_MAX = Outcome.REACHED_MAX.value, "stopped at the limit of toots per server"
        LOCAL_ONLY = Outcome.LOCAL_ONLY.value, "showed only its own toots"
        NOT_PAGED = Outcome.NOT_PAGED.value, "showed its newest toots again and again"
        FEED_ONLY = Outcome.FEED_ONLY.value, "showed only a feed, without counts"
        REACHED_CAP = Outcome.REACHED_CAP.value, "stopped at the limit of requests or bytes"
        MOVED = Outcome.MOVED.value, "sends us on to another server"
        REFUSED = Outcome.REFUSED.value, "does not let strangers read hashtags"
        ROBOTS = Outcome.ROBOTS.value, "asks robots to stay away"
        NOT_MASTODON = Outcome.NOT_MASTODON.value, "does not speak the Mastodon API"
        BAD_ANSWER = Outcome.BAD_ANSWER.value, "sent something that makes no sense"
        RATE_LIMITED = Outcome.RATE_LIMITED.value, "asked us to come back later"
        SERVER_ERROR = Outcome.SERVER_ERROR.value, "has a fault of its own"
        TIMED_OUT = Outcome.TIMED_OUT.value, "took too long"
        UNREACHABLE = Outcome.UNREACHABLE.value, "could not be reached"
        NOT_ALLOWED = Outcome.NOT_ALLOWED.value, "has an address we do not contact"
        CANCELLED = Outcome.CANCELLED.value, "was not finished"

    crawl = models.ForeignKey(Crawl, on_delete=models.CASCADE, related_name="visits")
    server = models.CharField(max_length=270)
    is_home = models.BooleanField(default=False)
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    outcome = models.CharField(max_length=20, choices=Outcome, blank=True)
    detail = models.CharField(max_length=500, blank=True, help_text="The outcome in words a host understands.")
    cursor = models.JSONField(default=dict, blank=True, help_text="Where the walk goes on after a restart.")
    lease_holder = models.CharField(max_length=300, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    requests = models.PositiveIntegerField(default=0)
    pages = models.PositiveIntegerField(default=0)
    toots = models.PositiveIntegerField(default=0, help_text="Toots of the event that this server showed.")
    passed_over = models.PositiveIntegerField(
        default=0, help_text="Rows that did not count: not public, other tag, other time, unreadable."
    )
    received_bytes = models.BigIntegerField(default=0)
    seconds = models.FloatField(default=0, help_text="Spent waiting for this server.")
    robots = models.CharField(
        max_length=20, blank=True, help_text="allowed, forbidden, none, or empty when not asked."
    )
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["crawl", "server"], name="one_visit_per_server")]
        indexes = [models.Index(fields=["crawl", "state", "id"], name="visit_frontier")]

    def __str__(self) -> str:
        return f"{self.server}: {self.outcome or self.state}"


class ServerFacts(models.Model):
    """What a server is by its NodeInfo. Empty ``software``: it has none, or tells nobody."""

    server = models.CharField(max_length=270, unique=True, validators=[validate_server])
    software = models.CharField(max_length=100, blank=True)
    version = models.CharField(max_length=100, blank=True)
    asked_at = models.DateTimeField()

    class Meta:
        ordering = ["server"]
        verbose_name_plural = "facts of servers"

    def __str__(self) -> str:
        return f"{self.server}: {self.software or 'unknown'}"


class Toot(models.Model):
    """One toot of an event, merged from all its copies by ``pipeline.core.merge``.

    ``is_authoritative``: text and counts are the origin's own. ``told_in`` is the crawl that the text came with.
    """

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="toots")
    uri = models.CharField(max_length=1000)
    url = models.CharField(max_length=1000)
    origin = models.CharField(max_length=270)
    author_handle = models.CharField(max_length=500)
    author_name = models.CharField(max_length=500, blank=True)
    author_url = models.CharField(max_length=1000, blank=True)
    author_is_bot = models.BooleanField(default=False)
    author_wishes = models.CharField(
        max_length=200, blank=True, help_text="Markers found in the profile, space separated."
    )
    author_is_discoverable = models.BooleanField(null=True)
    author_is_indexable = models.BooleanField(null=True)
    created_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True, blank=True)
    html = models.TextField(blank=True)
    text = models.TextField(blank=True)
    spoiler_text = models.TextField(blank=True)
    language = models.CharField(max_length=35, blank=True)
    hashtags = models.TextField(blank=True, help_text="Folded, each between blanks; empty where they were not kept.")
    boosts = models.PositiveIntegerField(default=0)
    favourites = models.PositiveIntegerField(default=0)
    replies = models.PositiveIntegerField(default=0)
    media_count = models.PositiveSmallIntegerField(default=0)
    is_reply = models.BooleanField(default=False)
    is_authoritative = models.BooleanField(default=False)
    is_bare = models.BooleanField(default=False, help_text="Known from a feed alone: without counts or profile.")
    told_in = models.PositiveBigIntegerField(default=0)
    revision = models.PositiveIntegerField(default=0, help_text="How often what is told of it has changed.")
    gone_at = models.DateTimeField(
        null=True, blank=True, help_text="When a fetch found that its own server does not have it any more."
    )
    withdrawn = models.CharField(
        max_length=40,
        blank=True,
        help_text="Why it is shown nowhere any more, as found before posting: deleted, not public any more.",
    )

    class Meta:
        ordering = ["created_at", "uri"]
        constraints = [models.UniqueConstraint(fields=["event", "uri"], name="one_toot_per_uri")]
        indexes = [
            models.Index(fields=["event", "created_at"], name="toot_by_time"),
            models.Index(fields=["author_handle"], name="toot_by_author"),
            # Tells what authors wish without opening a row, and finds the toots of one of them.
            models.Index(
                fields=[
                    "event",
                    "author_handle",
                    "author_wishes",
                    "author_is_bot",
                    "author_is_discoverable",
                    "author_is_indexable",
                ],
                name="toot_by_wishes",
            ),
            models.Index(fields=["event", "boosts"], name="toot_by_boosts"),
            models.Index(fields=["event", "favourites"], name="toot_by_favourites"),
            models.Index(fields=["event", "replies"], name="toot_by_replies"),
        ]

    def __str__(self) -> str:
        return self.uri


class Sighting(models.Model):
    """Which visit saw which toot."""

    # The index of the constraint begins with the toot; a second one would double what a crawl writes to the disk.
    toot = models.ForeignKey(Toot, on_delete=models.CASCADE, related_name="sightings", db_index=False)
    visit = models.ForeignKey(Visit, on_delete=models.CASCADE, related_name="sightings")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["toot", "visit"], name="one_sighting_per_visit")]

    def __str__(self) -> str:
        return f"toot {self.toot_id} seen by visit {self.visit_id}"


class Analysis(models.Model):
    """The numbers of an event, with what they were computed from."""

    event = models.OneToOneField(Event, on_delete=models.CASCADE, related_name="analysis")
    results = models.JSONField()
    parameters = models.JSONField()
    fingerprint = models.CharField(max_length=64, help_text="Hash of toots, parameters and code version.")
    code_version = models.CharField(max_length=40)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "analyses"

    def __str__(self) -> str:
        return f"analysis of {self.event_id}"


class Artifact(models.Model):
    """A file written for an event: picture, page, journal, report."""

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="artifacts")
    kind = models.CharField(
        max_length=30, help_text="graph, graph-dark, graph-svg, wordcloud, wordcloud-text, page, poster, ..."
    )
    path = models.CharField(max_length=500, help_text="Below the data folder.")
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    description = models.TextField(blank=True, help_text="Alternative text of a picture.")
    parameters = models.JSONField(default=dict, blank=True)
    code_version = models.CharField(max_length=40)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["path"]
        constraints = [models.UniqueConstraint(fields=["event", "path"], name="one_artifact_per_path")]
        indexes = [models.Index(fields=["event", "kind"], name="artifact_by_kind")]

    def __str__(self) -> str:
        return self.path


class Thread(models.Model):
    """The thread of an event as a whole; its toots are the rows of ``ThreadToot``.

    ::

        draft --approve--> approved --send--> sending --> sent --delete--> deleting --> deleted
          ^                    |                 |                                        |
          +----- withdraw -----+-----------------+           (a new draft begins) <-------+

    ``sending`` lasts from the first request until every toot is out, whatever happens in between. A draft may have
    toots that are out already: then only the others can be changed. ``revision`` grows with every change of a draft,
    so that nobody approves what they did not see.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "draft"
        APPROVED = "approved", "approved"
        SENDING = "sending", "on its way"
        SENT = "sent", "posted"
        DELETING = "deleting", "being deleted"
        DELETED = "deleted", "deleted"

    event = models.OneToOneField(Event, on_delete=models.CASCADE, related_name="thread_record")
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    revision = models.PositiveIntegerField(default=0)
    account = models.ForeignKey(
        MastodonAccount,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="threads",
        help_text="Who posts it; fixed with the first toot.",
    )
    visibility = models.CharField(max_length=10, default="public")
    language = models.CharField(max_length=10, blank=True)
    content_warning = models.CharField(max_length=200, blank=True)
    limits = models.JSONField(default=dict, blank=True, help_text="What the server takes, as told when planned.")
    mark = models.JSONField(
        default=dict, blank=True, help_text="What was on the account before the first toot: {ids, newest}."
    )
    frozen = models.JSONField(
        default=dict, blank=True, help_text="What was approved: {account, pictures: {path: sha256}}."
    )
    changes = models.JSONField(default=list, blank=True, help_text="[{at, text, is_change}]: of the re-check.")
    error = models.TextField(blank=True, help_text="Why sending stopped: one sentence for a person.")
    history = models.JSONField(
        default=list, blank=True, help_text="Earlier threads of the event that were deleted: their toots, ids, times."
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    approved_how = models.CharField(max_length=10, blank=True, help_text="person, command or auto")
    planned_at = models.DateTimeField(null=True, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        permissions = [("post_thread", "Can approve, send and delete threads")]

    def __str__(self) -> str:
        return f"thread of {self.event_id} ({self.state})"


class ThreadToot(models.Model):
    """One row of the thread: what will be, is being, or was posted. The ledger is the progress.

    ``sending`` means that a request may have been made and nobody has seen its answer: such a row is looked for on
    the account before it is sent again. ``failed``: the server said no, nothing is out.
    """

    class State(models.TextChoices):
        PLANNED = "planned", "planned"
        SENDING = "sending", "being sent"
        SENT = "sent", "sent"
        FAILED = "failed", "failed"
        DELETED = "deleted", "deleted"

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="thread")
    position = models.PositiveSmallIntegerField()
    role = models.CharField(
        max_length=20, help_text="opening, author, boosts, favourites, replies, graph, wordcloud, closing"
    )
    text = models.TextField()
    is_edited = models.BooleanField(default=False, help_text="A person wrote this text.")
    media = models.JSONField(
        default=list,
        blank=True,
        help_text="[{path below the data folder, description}]; with the server's id once it was uploaded",
    )
    sources = models.JSONField(default=list, blank=True, help_text="Toots it shows: [uri, ...]")
    state = models.CharField(max_length=10, choices=State, default=State.PLANNED)
    idempotency_key = models.CharField(max_length=64, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    tried_at = models.DateTimeField(null=True, blank=True, help_text="When it was first sent off.")
    remote_id = models.CharField(max_length=500, blank=True)
    url = models.CharField(max_length=1000, blank=True)
    posted_text = models.TextField(blank=True, help_text="As it was sent.")
    strays = models.JSONField(
        default=list, blank=True, help_text="Copies that went astray and could not be removed yet: [{id, url}]"
    )
    former = models.JSONField(
        default=list, blank=True, help_text="Earlier tries that may turn up yet: [{text, key, tried_at, id}]"
    )
    error = models.TextField(blank=True, help_text="One sentence for a person.")
    note = models.TextField(blank=True, help_text="What is odd about it on the server.")
    sent_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["event", "position"]
        verbose_name = "toot of a thread"
        verbose_name_plural = "toots of threads"
        constraints = [models.UniqueConstraint(fields=["event", "position"], name="one_toot_per_position")]

    def __str__(self) -> str:
        return f"{self.position}. {self.text[:60]}"

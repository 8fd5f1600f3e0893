"""What to watch, and as whom."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone as django_timezone

from common.errors import ConfigurationError
from common.fields import EncryptedTextField, has_secret
from common.servers import normalise_server
from common.text import fold_hashtag
from common.times import Window, zone
from events.thread_texts import MAX_TEMPLATE, THREAD_TEXTS, ValidThreadText

validate_hashtag = RegexValidator(
    r"\A(?=.*[^\W\d_])[\w·・\u200c]{1,100}\Z",
    "A hashtag is one word of letters, digits and underscores, without “#”, and not digits alone.",
)


MOST_HASHTAGS = 20


def split_hashtags(text: str) -> tuple[str, ...]:
    """The hashtags of a list with commas or blanks between them, without ``#``; each once, whatever its spelling."""
    tags: dict[str, str] = {}
    for tag in re.split(r"[,\s]+", text):
        tags.setdefault(fold_hashtag(tag), tag.lstrip("#＃"))
    return tuple(tag for tag in tags.values() if tag)


def validate_hashtags(text: str) -> None:
    tags = split_hashtags(text)
    for tag in tags:
        try:
            validate_hashtag(tag)
        except ValidationError as error:
            raise ValidationError(f"“{tag}” is no hashtag. {error.messages[0]}") from error
    if len(tags) > MOST_HASHTAGS:
        raise ValidationError(f"At most {MOST_HASHTAGS} hashtags.")


def validate_zone(name: str) -> None:
    try:
        zone(name)
    except ConfigurationError as error:
        raise ValidationError(error.user_message) from error


def validate_server(name: str) -> None:
    if normalise_server(name) != name:
        raise ValidationError("Give the server's name in lower case, like mastodon.social or 127.1.0.17:8000.")


class MastodonAccount(models.Model):
    """A server we may ask as somebody; the account is known once the server confirmed the token."""

    server = models.CharField(
        max_length=270, validators=[validate_server], help_text="Name of the server, not an address."
    )
    username = models.CharField(
        max_length=200, blank=True, help_text="As the server confirmed it; empty until then, or without a token."
    )
    token = EncryptedTextField(blank=True, editable=False)
    scopes = models.CharField(
        max_length=500,
        blank=True,
        editable=False,
        help_text="What the token may do, as the server said when it gave it; empty if it was pasted.",
    )
    app = models.ForeignKey(
        "ServerApp",
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="accounts",
        help_text="Through which the token was given; empty if it was pasted.",
    )
    details = models.JSONField(
        default=dict, blank=True, editable=False, help_text="What the server said the account is."
    )
    verified_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["server", "username"]
        verbose_name = "Mastodon account"
        constraints = [models.UniqueConstraint(fields=["server", "username"], name="account_once_per_server")]

    def __str__(self) -> str:
        return f"@{self.username}@{self.server}" if self.username else self.server

    @property
    def has_token(self) -> bool:
        return has_secret(self, "token")


class ServerApp(models.Model):
    """Our app as registered on one server, for one address of ours that people come back to."""

    server = models.CharField(max_length=270, validators=[validate_server])
    redirect_uri = models.CharField(max_length=500)
    client_id = models.CharField(max_length=2000)
    client_secret = EncryptedTextField()
    scopes = models.CharField(max_length=500)
    has_pkce = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["server"]
        verbose_name = "app on a server"
        verbose_name_plural = "apps on servers"
        constraints = [models.UniqueConstraint(fields=["server", "redirect_uri"], name="app_once_per_server")]

    def __str__(self) -> str:
        return f"app on {self.server}"


class OptOut(models.Model):
    """An author (``user@server``) or a whole server never to be quoted, named or linked."""

    target = models.CharField(
        max_length=500, unique=True, help_text="user@server for one author, or a server's name for everyone on it."
    )
    reason = models.CharField(max_length=500, blank=True)
    erased_at = models.DateTimeField(
        null=True,
        blank=True,
        editable=False,
        help_text="When everything of theirs was erased; since then nothing is stored, so they do not count either.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["target"]
        verbose_name = "opt-out"

    def __str__(self) -> str:
        return self.target

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.clean()
        super().save(*args, **kwargs)

    def clean(self) -> None:
        self.target = normalise_target(self.target)


def normalise_target(text: str) -> str:
    """One spelling for an opt-out: ``user@server`` without leading ``@`` in lower case, or a server's name."""
    text = text.strip().removeprefix("@").casefold()
    user, separator, host = text.rpartition("@")
    server = normalise_server(host)
    if server is None or (separator and (not user or "@" in user or " " in user)):
        raise ValidationError({"target": "Give an author as user@server, or the name of a server."})
    return f"{user}@{server}" if user else server


def text_field(name: str) -> models.TextField[str, str]:
    """A text of the thread that a host may write anew; empty: ours."""
    text = THREAD_TEXTS[name]
    return models.TextField(
        text.label, max_length=MAX_TEMPLATE, blank=True, validators=[ValidThreadText(name)], help_text=text.help_text
    )


class ScoringDefaults(models.Model):
    """Everything a series hands down to its events by being copied."""

    class HashtagFix(models.TextChoices):
        AS_IS = "as-is", "as it is"
        REMOVE = "remove", "left out"
        REDUCE = "reduce", "no larger than the next word"

    class Consent(models.TextChoices):
        EXPLICIT = "explicit", "explicit wishes are honoured"
        STRICT = "strict", "only authors who are discoverable and indexable"

    class FetchMode(models.TextChoices):
        THOROUGH = "thorough", "thorough: everything every server shows"
        QUICK = "quick", "quick: own toots of every server, and more where that pays"

    class Visibility(models.TextChoices):
        PUBLIC = "public", "public"
        UNLISTED = "unlisted", "quiet public (unlisted)"
        PRIVATE = "private", "followers only"
        DIRECT = "direct", "nobody but the account itself"

    hashtag = models.CharField(max_length=100, validators=[validate_hashtag], help_text="Without “#”.")
    more_hashtags = models.CharField(
        max_length=1000,
        blank=True,
        validators=[validate_hashtags],
        help_text="Comma separated: a toot with any of these counts as well.",
    )
    excluded_hashtags = models.CharField(
        max_length=1000,
        blank=True,
        validators=[validate_hashtags],
        help_text="Comma separated: a toot with any of these does not count.",
    )
    timezone = models.CharField(
        "time zone",
        max_length=64,
        default="UTC",
        validators=[validate_zone],
        help_text="IANA name, such as Europe/Berlin.",
    )
    duration = models.DurationField(default=timedelta(minutes=90), help_text="How long the event lasts, H:MM:SS.")
    hours_margin = models.DecimalField(
        max_digits=5,
        decimal_places=2,
        default=1,
        validators=[MinValueValidator(0), MaxValueValidator(168)],
        help_text="Hours before and after the event that are looked at as well.",
    )
    home_account = models.ForeignKey(
        MastodonAccount,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="%(class)s_homes",
        help_text="Where the crawl starts; signed in if the account has a token.",
    )
    posting_account = models.ForeignKey(
        MastodonAccount,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="%(class)s_postings",
        help_text="Posts the thread, if other than the home account.",
    )
    max_toots = models.PositiveIntegerField(
        "most toots per server", default=2000, validators=[MinValueValidator(1), MaxValueValidator(1_000_000)]
    )
    fetch_mode = models.CharField("mode of the fetch", max_length=10, choices=FetchMode, default=FetchMode.THOROUGH)
    top_n = models.PositiveSmallIntegerField(
        default=3, validators=[MinValueValidator(1), MaxValueValidator(100)], help_text="Toots in each ranking."
    )
    consent = models.CharField(max_length=10, choices=Consent, default=Consent.EXPLICIT)
    leave_out_bots = models.BooleanField(default=False, help_text="Toots of automated accounts do not count at all.")
    bot_username = models.CharField(max_length=200, blank=True, help_text="The posting account's name, for display.")
    tag_users = models.BooleanField(default=False, help_text="Mention authors with “@” in the thread.")
    fetch_dry_run = models.BooleanField(default=False, help_text="A fetch uses the bundled fediverse only.")
    post_dry_run = models.BooleanField(
        default=True, help_text="The thread is shown and not sent, unless somebody says to send it."
    )
    post_visibility = models.CharField(
        "visibility of the thread", max_length=10, choices=Visibility, default=Visibility.PUBLIC
    )
    post_language = models.CharField(
        "language of the thread",
        max_length=10,
        blank=True,
        default="en",
        validators=[RegexValidator(r"\A[a-z]{2,3}(-[A-Za-z]{2,4})?\Z", "A language is a code such as en or pt-BR.")],
        help_text="A code such as en; empty: what the account is set to.",
    )
    post_content_warning = models.CharField("content warning of the thread", max_length=200, blank=True)
    post_auto_approve = models.BooleanField(
        "approve by itself", default=False, help_text="A new draft counts as approved without anybody looking at it."
    )
    post_allow_changes = models.BooleanField(
        "allow late changes",
        default=False,
        help_text="When a toot shown in the approved thread is gone, the next in rank takes its place and the thread "
        "goes out; otherwise the draft goes back to be approved again.",
    )
    thread_opening = text_field("opening")
    thread_author = text_field("author")
    thread_heading = text_field("heading")
    thread_entry = text_field("entry")
    thread_graph = text_field("graph")
    thread_wordcloud = text_field("wordcloud")
    thread_closing = text_field("closing")

    graph_title = models.CharField(max_length=200, blank=True)
    start_label = models.CharField(max_length=100, blank=True, default="Start")
    end_label = models.CharField(max_length=100, blank=True, default="End")

    wordcloud_title = models.CharField(max_length=200, blank=True)
    wordcloud_font = models.CharField(
        max_length=300,
        blank=True,
        help_text="Font files, comma separated, the first that exists is used; empty: ours.",
    )
    wordcloud_width = models.PositiveIntegerField(
        default=1200, validators=[MinValueValidator(200), MaxValueValidator(4000)]
    )
    wordcloud_height = models.PositiveIntegerField(
        default=675, validators=[MinValueValidator(200), MaxValueValidator(4000)]
    )
    hashtag_fix = models.CharField(
        "hashtag in the cloud", max_length=10, choices=HashtagFix, default=HashtagFix.REDUCE
    )
    stop_words = models.TextField(blank=True, help_text="Comma separated; left out of the cloud.")

    blog_tags = models.CharField(max_length=500, blank=True, help_text="Comma separated.")
    blog_categories = models.CharField(max_length=500, blank=True, help_text="Comma separated.")
    autoscore = models.BooleanField(default=False, help_text="Fetch and score by itself after the event.")
    autoscore_delay = models.DurationField(default=timedelta(hours=2), help_text="How long after the event's end.")

    class Meta:
        abstract = True


class Series(ScoringDefaults):
    title = models.CharField(max_length=200)
    slug = models.SlugField(max_length=100, unique=True)

    class Meta:
        ordering = ["title"]
        verbose_name_plural = "series"

    def __str__(self) -> str:
        return self.title


# Words that stand where a slug would, in addresses of the API.
RESERVED_SLUGS = frozenset({"import", "list"})


def check_slug_is_free(slug: str) -> None:
    """ValidationError with a sentence for a slug that no address could lead to."""
    if slug in RESERVED_SLUGS:
        raise ValidationError(f"“{slug}” is a word of our addresses; choose another slug.")


class Event(ScoringDefaults):
    """The configuration of one hashtag event: ``slug`` names it everywhere, hashtag and date name its files."""

    slug = models.SlugField(max_length=100, unique=True)
    series = models.ForeignKey(Series, null=True, blank=True, on_delete=models.SET_NULL, related_name="events")
    event_title = models.CharField(max_length=200, help_text="What happens every week, such as “Monsterdon”.")
    episode_title = models.CharField(
        max_length=200, blank=True, help_text="What it is this time, such as a film's title."
    )
    start = models.DateTimeField()
    local_date = models.DateField(editable=False, help_text="The start's date in the event's zone; names the files.")
    hashtag_key = models.CharField(max_length=200, editable=False, help_text="The hashtag, case-folded.")
    ini_name = models.CharField(
        max_length=300, blank=True, editable=False, help_text="The file it was imported from."
    )
    kept_options = models.JSONField(
        default=dict,
        blank=True,
        editable=False,
        help_text="Options of the imported file that we do not use: {section: {option: text}}.",
    )
    is_published = models.BooleanField(default=False, help_text="The results page is public.")
    autoscored_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-start"]
        indexes = [models.Index(fields=["start"], name="event_by_start")]
        constraints = [
            models.UniqueConstraint(
                fields=["hashtag_key", "local_date"],
                name="event_once_per_hashtag_and_date",
                violation_error_message="There is an event with this hashtag on this date already.",
            ),
            models.CheckConstraint(
                condition=Q(duration__gt=timedelta(0)),
                name="event_lasts_some_time",
                violation_error_message="The duration must be above zero.",
            ),
            models.CheckConstraint(condition=Q(hours_margin__gte=0), name="event_margin_not_negative"),
            models.CheckConstraint(condition=Q(top_n__gte=1), name="event_top_n_at_least_one"),
            models.CheckConstraint(condition=Q(max_toots__gte=1), name="event_max_toots_at_least_one"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.local_date})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.hashtag_key = self.hashtag.casefold()
        self.local_date = self.local_start.date()
        fields = kwargs.get("update_fields")
        if fields is not None:
            kwargs["update_fields"] = {*fields, "hashtag_key", "local_date"}
        super().save(*args, **kwargs)

    def clean(self) -> None:
        if self._state.adding:
            try:
                check_slug_is_free(self.slug)
            except ValidationError as error:
                raise ValidationError({"slug": error.messages}) from error
        if self.duration is not None and self.duration <= timedelta(0):
            raise ValidationError({"duration": "The duration must be above zero."})
        if self.hashtag and self.start:
            try:
                self.local_date = self.local_start.date()
            except ConfigurationError as error:
                raise ValidationError({"timezone": error.user_message}) from error
            self.hashtag_key = self.hashtag.casefold()
        both = {*map(fold_hashtag, self.hashtags)} & {*map(fold_hashtag, self.excluded)}
        if both:
            text = f"#{min(both)} cannot be looked for and left out at once."
            raise ValidationError({"excluded_hashtags": text})

    @property
    def hashtags(self) -> tuple[str, ...]:
        """Every hashtag whose toots count, the event's name first."""
        return split_hashtags(f"{self.hashtag},{self.more_hashtags}")

    @property
    def excluded(self) -> tuple[str, ...]:
        """Hashtags whose toots do not count."""
        return split_hashtags(self.excluded_hashtags)

    @property
    def title(self) -> str:
        return f"{self.event_title}: {self.episode_title}" if self.episode_title else self.event_title

    @property
    def end(self) -> datetime:
        return self.start + self.duration

    @property
    def local_start(self) -> datetime:
        return self.start.astimezone(zone(self.timezone))

    @property
    def margin(self) -> timedelta:
        return timedelta(hours=float(self.hours_margin))

    @property
    def span(self) -> Window:
        """The event itself, without margins."""
        return Window(self.start, self.end)

    @property
    def window(self) -> Window:
        """The event with its margins: what is fetched and counted."""
        return self.span.widened(self.margin)

    @property
    def is_over(self) -> bool:
        return self.end <= django_timezone.now()

    @property
    def thread_account(self) -> MastodonAccount | None:
        return self.posting_account or self.home_account

    def file_date(self) -> date:
        return self.local_date

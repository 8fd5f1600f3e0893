"""Forms of the admin: moments by the clock of the event's zone, durations as H:MM:SS, tokens only inwards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone as django_timezone
from django.utils.text import slugify
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelect2Widget,
    UnfoldAdminSplitDateTimeVerticalWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanWidget,
)

from common.errors import ConfigurationError
from common.servers import parse_server
from common.times import EARLIEST, LATEST, format_duration, parse_duration, zone
from events import ini
from events.accounts import is_token
from events.ini_text import MAX_BYTES
from events.models import Event, MastodonAccount, Series, validate_zone
from events.services import SCORING_FIELDS, conflict_sentence, find_conflict


class DurationField(forms.CharField):
    """``H:MM:SS`` or ``H:MM``; Django's own field would take 90 for ninety seconds."""

    def __init__(self, *, is_zero_allowed: bool = False, **kwargs: Any) -> None:
        super().__init__(**{"widget": UnfoldAdminTextInputWidget(), **kwargs})
        self.is_zero_allowed = is_zero_allowed

    def prepare_value(self, value: Any) -> Any:
        return format_duration(value) if isinstance(value, timedelta) else value

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values or isinstance(value, timedelta):
            return value or None
        if self.is_zero_allowed and not value.strip("0:"):
            return timedelta(0)
        try:
            return parse_duration(value)
        except ConfigurationError as error:
            raise ValidationError("Give a duration above zero as H:MM:SS, such as 1:30:00.") from error


def start_field() -> forms.SplitDateTimeField:
    return forms.SplitDateTimeField(
        widget=UnfoldAdminSplitDateTimeVerticalWidget(),
        help_text="By the clocks of the event's time zone.",
    )


def moment_by_clock(entered: datetime, zone_name: str) -> datetime:
    """The moment a person meant who entered this time for that zone; ValidationError if there is none."""
    naive = django_timezone.make_naive(entered)
    moment = naive.replace(tzinfo=zone(zone_name)).astimezone(UTC)
    if not EARLIEST <= moment < LATEST:
        raise ValidationError(f"Events lie between {EARLIEST.year} and {LATEST.year}.")
    if moment.astimezone(zone(zone_name)).replace(tzinfo=None) != naive:
        raise ValidationError(f"The clocks of {zone_name} leave out this time on that day.")
    return moment


class ScoringForm(forms.ModelForm):  # type: ignore[type-arg]
    """What the forms of a series and of an event share."""

    duration = DurationField(initial=timedelta(minutes=90), help_text="How long it lasts, H:MM:SS.")
    autoscore_delay = DurationField(
        is_zero_allowed=True, initial=timedelta(hours=2), help_text="How long after the event's end, H:MM:SS."
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "timezone" in self.fields:
            names = available_timezones() - {"localtime", "Factory"} | {self.instance.timezone}
            self.fields["timezone"].widget = UnfoldAdminSelect2Widget(choices=[(n, n) for n in sorted(names)])

    def clean_timezone(self) -> str:
        # Here and not only in the model: its clean() needs a zone that exists.
        name: str = self.cleaned_data["timezone"]
        validate_zone(name)
        return name


class SeriesForm(ScoringForm):
    class Meta:
        model = Series
        fields = ["title", "slug", *SCORING_FIELDS]


class EventForm(ScoringForm):
    start = start_field()

    class Meta:
        model = Event
        fields = ["event_title", "episode_title", "slug", "start", "series", "is_published", *SCORING_FIELDS]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "start" in self.fields:
            self.initial["start"] = self.instance.local_start.replace(tzinfo=None)
        if "slug" in self.fields:
            self.fields["slug"].required = False
            self.fields["slug"].help_text = "Names the event in addresses and commands; empty: hashtag and date."

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if "start" in values and "timezone" in values:
            try:
                values["start"] = moment_by_clock(values["start"], values["timezone"])
            except ValidationError as error:
                self.add_error("start", error)
        if values.get("hashtag") and values.get("start") and values.get("timezone"):
            self._look_around(values)
        return values

    def _look_around(self, values: dict[str, Any]) -> None:
        """Fill in the slug; refuse a hashtag and date that another event has."""
        draft = Event(
            pk=self.instance.pk, hashtag=values["hashtag"], start=values["start"], timezone=values["timezone"]
        )
        other = find_conflict(draft)
        if other is not None:
            self.add_error(None, conflict_sentence(draft, other))
        if not values.get("slug"):
            values["slug"] = f"{slugify(draft.hashtag)[:91] or 'event'}-{draft.local_start:%Y%m%d}"


class CopyForm(forms.Form):
    weeks = forms.IntegerField(
        min_value=1, max_value=520, initial=1, widget=UnfoldAdminIntegerFieldWidget(), help_text="How much later."
    )
    episode_title = forms.CharField(
        max_length=200,
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text="What it is that time, such as a film's title; can be filled in later.",
    )


class NewEventForm(forms.Form):
    """A new event of a series; ``start`` is by the clocks of the series' zone."""

    start = start_field()
    episode_title = forms.CharField(max_length=200, required=False, widget=UnfoldAdminTextInputWidget())

    def __init__(self, *args: Any, series: Series, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.series = series
        self.fields["start"].help_text = f"By the clocks of {series.timezone}."

    def clean_start(self) -> datetime:
        return moment_by_clock(self.cleaned_data["start"], self.series.timezone)


class ImportForm(forms.Form):
    """An INI file; ``text`` of the cleaned data is its content."""

    file = forms.FileField(
        label="INI file", widget=UnfoldAdminFileFieldWidget(), help_text=f"At most {MAX_BYTES // 1024} KB, UTF-8."
    )
    slug = forms.SlugField(
        max_length=100,
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Which event to make or update; empty: by the name of the file.",
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise ValidationError(f"The file is too large: an INI file has at most {MAX_BYTES // 1024} KB.")
        try:
            self.cleaned_data["text"] = ini.decode(file.read())
        except ini.IniError as error:
            raise ValidationError(error.problems) from error
        return file


class ConnectForm(forms.Form):
    """Which server the account is on."""

    server = forms.CharField(
        max_length=300,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "mastodon.example", "autocapitalize": "none"}),
        help_text="Its name or address. You sign in there and say yes; your password stays there.",
    )

    def clean_server(self) -> str:
        text = self.cleaned_data["server"]
        if "://" not in text:  # people know their handle better than their server
            text = text.rpartition("@")[2]
        try:
            return parse_server(text)
        except ConfigurationError as error:
            raise ValidationError(error.user_message) from error


class AccountForm(forms.ModelForm):  # type: ignore[type-arg]
    """The stored token never comes out: the field is empty, and empty leaves the token as it is."""

    set_token = forms.CharField(
        label="Set token",
        required=False,
        strip=True,
        max_length=2000,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "off"}, render_value=False),
        help_text="An access token of the account; kept encrypted and never shown again. Empty: no change.",
    )
    forget_token = forms.BooleanField(required=False, widget=UnfoldBooleanWidget(), label="Forget the stored token")

    class Meta:
        model = MastodonAccount
        fields = ["server"]

    def clean_server(self) -> str:
        try:
            server = parse_server(self.cleaned_data["server"])
        except ConfigurationError as error:
            raise ValidationError(error.user_message) from error
        if MastodonAccount.objects.filter(server=server, username="").exclude(pk=self.instance.pk).exists():
            raise ValidationError("There is an account of this server without a name; set its token instead.")
        return server

    def clean_set_token(self) -> str:
        token: str = self.cleaned_data["set_token"]
        if token and not is_token(token):
            raise ValidationError("This is not a token: it has blanks or other characters that no token has.")
        return token

    def save(self, commit: bool = True) -> Any:
        token = self.cleaned_data["set_token"]
        if token or self.cleaned_data.get("forget_token"):
            self.instance.token, self.instance.verified_at = token, None
            self.instance.scopes, self.instance.app = "", None
        return super().save(commit)

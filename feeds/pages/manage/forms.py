"""What people type into these pages. Every text is bounded; every row that is named is the user's own."""

from __future__ import annotations

import re
from typing import Any

from django import forms
from django.db.models import QuerySet

from common.text import clean_line, clean_text
from feeds import mutes
from feeds.addresses import normalise_address
from feeds.categories import MAX_CHARS as MAX_CATEGORY_CHARS
from feeds.categories import find_or_create_category
from feeds.errors import InvalidAddress
from feeds.models import MAX_ADDRESS_CHARS, Category, ReaderOptions, Source
from feeds.sources import MAX_DESCRIPTION_CHARS, MAX_NAME_CHARS

MAX_PURGE_DAYS = 3650
_HANDLE = re.compile(r"@?([\w.\-]{1,100})@([\w\-]+(?:\.[\w\-]+)+)")
_NO_ADDRESS = "This is not an address of the web. It looks like https://example.org or example.org."
_INTERVALS = {
    15: "every 15 minutes",
    30: "every 30 minutes",
    60: "every hour",
    120: "every 2 hours",
    240: "every 4 hours",
    480: "every 8 hours",
    720: "every 12 hours",
    1440: "once a day",
}


class ManageForm(forms.Form):
    """The first field with something wrong gets the focus."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("label_suffix", "")
        super().__init__(*args, **kwargs)

    def full_clean(self) -> None:
        super().full_clean()
        self._focus_on_trouble()

    def add_error(self, field: Any, error: Any) -> None:
        super().add_error(field, error)
        self._focus_on_trouble()

    def _focus_on_trouble(self) -> None:
        wrong = [name for name in self.fields if name in self.errors]
        for name, field in self.fields.items():
            if wrong and name == wrong[0]:
                field.widget.attrs["autofocus"] = True
            elif wrong:
                field.widget.attrs.pop("autofocus", None)


class LineField(forms.CharField):
    """One line, without controls and doubled spaces."""

    def to_python(self, value: Any) -> str:
        return re.sub(" {2,}", " ", clean_line(clean_text(super().to_python(value) or "")))


class AddressField(forms.CharField):
    """An address of the web in its one spelling. Also without ``https://``, and ``@name@server`` of the fediverse."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": MAX_ADDRESS_CHARS, **kwargs})
        self.widget.attrs.update(inputmode="url", autocapitalize="none", autocomplete="off", spellcheck="false")

    def clean(self, value: Any) -> str:
        text = super().clean(value)
        if not text:
            return ""
        try:
            return normalise_address(_complete(text))
        except InvalidAddress as error:
            raise forms.ValidationError(_NO_ADDRESS) from error


def _complete(text: str) -> str:
    """What people type, with what they leave out."""
    text = text.strip()
    if handle := _HANDLE.fullmatch(text):
        return f"https://{handle[2]}/@{handle[1]}"
    if re.match(r"[a-z][a-z0-9+.\-]*://|feed:", text, re.IGNORECASE):
        return text
    host = re.split(r"[/?#]", text, maxsplit=1)[0]
    is_host = ("." in host or host.startswith("localhost")) and not re.search(r"\s", text)
    return f"https://{text}" if is_host else text


def own_categories(user: Any) -> QuerySet[Category]:
    return Category.objects.filter(user=user).order_by("description")


class CategoryChoice(ManageForm):
    """A category of the user's, or the name of a new one, which goes before it."""

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        category: Any = self.fields["category"]
        category.queryset = own_categories(user)

    category = forms.ModelChoiceField(
        queryset=Category.objects.none(),
        required=False,
        empty_label="Uncategorized",
        error_messages={"invalid_choice": "This category is not there any more; choose another."},
    )
    new_category = LineField(
        label="Or a new category", max_length=MAX_CATEGORY_CHARS, required=False, help_text="Goes before the choice."
    )

    def chosen_category(self) -> Category:
        """Made now if it is a new one. For forms that are valid."""
        if name := self.cleaned_data["new_category"]:
            return find_or_create_category(self.user, name)[0]
        chosen: Category | None = self.cleaned_data["category"]
        return chosen or find_or_create_category(self.user, "")[0]


class AddressForm(ManageForm):
    address = AddressField(
        label="Address",
        widget=forms.TextInput(attrs={"placeholder": "example.org", "autofocus": True}),
        help_text="Of a site, a blog, a feed, a YouTube channel, a GitHub project, or @somebody@a.server.",
        error_messages={"required": "Type an address first."},
    )


class NewSourceForm(CategoryChoice):
    feed_url = AddressField(label="Feed", widget=forms.HiddenInput)
    name = LineField(max_length=MAX_NAME_CHARS, required=False, help_text="Empty: as the feed calls itself.")

    field_order = ["feed_url", "category", "new_category", "name"]


class SourceForm(CategoryChoice):
    name = LineField(max_length=MAX_NAME_CHARS, error_messages={"required": "A source needs a name."})
    feed_url = AddressField(
        label="Address of the feed",
        help_text="A new one is tried before it is taken. What you have read stays read.",
        error_messages={"required": "A source needs the address of its feed."},
    )
    url = AddressField(label="Address of the site", required=False)
    description = LineField(max_length=MAX_DESCRIPTION_CHARS, required=False)
    interval_minutes = forms.TypedChoiceField(
        label="Ask for news",
        coerce=int,
        empty_value=None,
        required=False,
        help_text="Never more often than the feed itself asks to be left alone.",
    )
    wants_full_text = forms.BooleanField(
        label="Fetch the full text",
        required=False,
        help_text="For feeds that only give a taste: the page of each new post is fetched, and its text shown here.",
    )
    active = forms.BooleanField(
        label="Ask for news of this source",
        required=False,
        help_text="Switched off, it keeps its posts. Switched on again, it brings what the feed still names.",
    )
    deactivation_reason = LineField(
        label="Why it is switched off", max_length=MAX_DESCRIPTION_CHARS, required=False, help_text="For yourself."
    )

    field_order = ["name", "category", "new_category", "feed_url", "url", "description", "interval_minutes"]

    def __init__(self, source: Source, *args: Any, **kwargs: Any) -> None:
        names = ("name", "url", "description", "interval_minutes", "wants_full_text", "active", "deactivation_reason")
        initial: dict[str, Any] = {name: getattr(source, name) for name in names}
        initial |= {"category": source.category_id, "feed_url": source.feed.url}
        super().__init__(source.user, *args, initial=initial, **kwargs)
        category: Any = self.fields["category"]
        category.empty_label, category.required = None, True
        chosen = source.interval_minutes
        intervals = _INTERVALS | ({chosen: f"every {chosen} minutes"} if chosen and chosen not in _INTERVALS else {})
        rhythm = f"as often as its habits suggest (now every {_in_words(source.feed.interval_minutes)})"
        choices: Any = self.fields["interval_minutes"]
        choices.choices = [("", rhythm), *sorted(intervals.items())]


def _in_words(minutes: int) -> str:
    if minutes < 120:
        return f"{minutes} minutes"
    return f"{round(minutes / 60)} hours"


class SourceFilter(forms.Form):
    """By GET; whatever makes no sense in it is passed over."""

    STATES = {
        "": "in any state",
        "working": "that work",
        "issues": "with issues",
        "failed": "that do not work",
        "off": "switched off",
    }

    q = LineField(label="Words", max_length=200, required=False)
    category = forms.ModelChoiceField(
        queryset=Category.objects.none(), required=False, empty_label="in all categories"
    )
    state = forms.ChoiceField(choices=list(STATES.items()), required=False)

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        category: Any = self.fields["category"]
        category.queryset = own_categories(user)


class CategoryForm(ManageForm):
    description = LineField(
        label="Name", max_length=MAX_CATEGORY_CHARS, error_messages={"required": "A category needs a name."}
    )


class MuteForm(ManageForm):
    phrase = LineField(
        max_length=mutes.MAX_CHARS,
        help_text="Large and small letters are the same.",
        error_messages={"required": "Type the words that you do not want to read about."},
    )
    where = forms.ChoiceField(
        label="Look for it in",
        choices=[("title", "titles"), ("text", "titles and text")],
        widget=forms.RadioSelect,
        initial="title",
        error_messages={"required": "Say where to look for it."},
    )
    source = forms.ModelChoiceField(
        label="Of",
        queryset=Source.objects.none(),
        required=False,
        empty_label="all sources",
        error_messages={"invalid_choice": "This source is not there any more; choose another."},
    )

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        source: Any = self.fields["source"]
        source.queryset = Source.objects.filter(user=user).only("name").order_by("name", "pk")


class OptionsForm(ManageForm):
    layout = forms.ChoiceField(choices=ReaderOptions.Layout.choices)
    order = forms.ChoiceField(
        label="Posts come",
        choices=[("oldest", "oldest first"), ("newest", "newest first")],
        help_text="Oldest first is the order in which things happened.",
    )
    collapse_duplicates = forms.BooleanField(
        label="Show what several sources name only once",
        required=False,
        help_text="A page that two of your sources link to comes up as unread in the first of them only. "
        "This holds for posts that come from now on.",
    )
    purge = forms.BooleanField(label="Remove old posts that I have read", required=False)
    purge_after_days = forms.IntegerField(
        label="Days after which they go",
        min_value=1,
        max_value=MAX_PURGE_DAYS,
        required=False,
        help_text="Once a day, posts that you have read and that came longer ago than this are removed for good. "
        "Unread posts always stay.",
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("purge") and not values.get("purge_after_days") and "purge_after_days" not in self.errors:
            self.add_error("purge_after_days", f"Say after how many days, from 1 to {MAX_PURGE_DAYS}.")
        return values

    @classmethod
    def of(cls, options: ReaderOptions) -> OptionsForm:
        return cls(
            initial={
                "layout": options.layout,
                "order": "newest" if options.newest_first else "oldest",
                "collapse_duplicates": options.collapse_duplicates,
                "purge": options.purge_after_days is not None,
                "purge_after_days": options.purge_after_days or 90,
            }
        )

    def save(self, user: Any) -> None:
        values = self.cleaned_data
        ReaderOptions.objects.update_or_create(
            user=user,
            defaults={
                "layout": values["layout"],
                "newest_first": values["order"] == "newest",
                "collapse_duplicates": values["collapse_duplicates"],
                "purge_after_days": values["purge_after_days"] if values["purge"] else None,
            },
        )

"""The form for the words of a thread and for how it goes out."""

from __future__ import annotations

from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from events.models import Event, Series
from events.thread_texts import THREAD_TEXTS

TEXT_FIELDS = [f"thread_{name}" for name in THREAD_TEXTS]
OPTION_FIELDS = [
    "post_visibility",
    "post_language",
    "post_content_warning",
    "tag_users",
    "post_auto_approve",
    "post_allow_changes",
]


class TextsForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model: Any = Event
        fields = [*TEXT_FIELDS, *OPTION_FIELDS]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, text in THREAD_TEXTS.items():
            rows = 1 + sum(1 + len(line) // 60 for line in text.default.split("\n"))
            field = self.fields[f"thread_{name}"]
            field.widget = UnfoldAdminTextareaWidget(attrs={"rows": rows, "placeholder": text.default})
            own = ", ".join(f"{{{{ {value} }}}}" for value in text.samples)
            field.help_text = " ".join(part for part in (text.hint, f"Its own values: {own}." if own else "") if part)
        self.fields["post_visibility"].widget = UnfoldAdminSelectWidget(choices=Event.Visibility.choices)
        for name in ("post_language", "post_content_warning"):
            self.fields[name].widget = UnfoldAdminTextInputWidget()
        for name in ("tag_users", "post_auto_approve", "post_allow_changes"):
            self.fields[name].widget = UnfoldBooleanSwitchWidget()

    @property
    def text_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in TEXT_FIELDS]

    @property
    def option_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in OPTION_FIELDS]


class SeriesTextsForm(TextsForm):
    class Meta(TextsForm.Meta):
        model: Any = Series

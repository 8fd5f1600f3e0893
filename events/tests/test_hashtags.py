"""Several hashtags of one event, and those it leaves out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from events.models import Event, split_hashtags
from events.services import copy_event_to_next_week, create_event, export_event_text, import_event_text

pytestmark = pytest.mark.django_db


def event(**values: Any) -> Event:
    defaults = {"hashtag": "monsterdon", "event_title": "M", "start": datetime(2026, 2, 22, tzinfo=UTC), "slug": "m"}
    return create_event(**{**defaults, **values})


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        ("", ()),
        ("a", ("a",)),
        ("#a, b  c,,", ("a", "b", "c")),
        ("Blob, blob, #BLOB", ("Blob",)),
        ("Café,cafe", ("Café",)),
    ],
)
def test_list_of_hashtags_is_read_as_people_write_it(text: str, tags: tuple[str, ...]) -> None:
    assert split_hashtags(text) == tags


def test_event_counts_any_of_its_hashtags_with_its_own_first() -> None:
    made = event(more_hashtags="#blobfest, Monsterdon, creature", excluded_hashtags="spoilers")

    assert made.hashtags == ("monsterdon", "blobfest", "creature")
    assert made.excluded == ("spoilers",)


@pytest.mark.parametrize(
    "values",
    [
        {"more_hashtags": "two-words"},
        {"more_hashtags": "fine, 123"},
        {"excluded_hashtags": "a b c-d"},
        {"excluded_hashtags": "MonsterDon"},
        {"more_hashtags": "blob", "excluded_hashtags": "Blob"},
        {"more_hashtags": ",".join(f"tag{number}" for number in range(21))},
        {"fetch_mode": "lazy"},
    ],
)
def test_hashtags_that_make_no_sense_are_refused(values: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Event(
            hashtag="monsterdon", event_title="M", start=datetime(2026, 2, 22, tzinfo=UTC), slug="m", **values
        ).full_clean()


def test_hashtags_and_mode_survive_copy_export_and_import() -> None:
    made = event(more_hashtags="blobfest, creature", excluded_hashtags="spoilers", fetch_mode="quick")
    text = export_event_text(made)
    copy = copy_event_to_next_week(made)
    Event.objects.filter(pk=made.pk).update(more_hashtags="", excluded_hashtags="x", fetch_mode="thorough")

    again = import_event_text(text, name="", slug="m").event

    for found in (copy, again):
        assert (found.hashtags, found.excluded, found.fetch_mode) == (
            ("monsterdon", "blobfest", "creature"),
            ("spoilers",),
            "quick",
        )
    assert again.pk == made.pk

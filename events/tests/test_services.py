"""Events found, copied, imported and exported."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from common.errors import ConfigurationError, MastoscoreError
from events.errors import BadCredentials, EventConflict, InvalidEvent, UnknownEvent
from events.ini import IniError
from events.models import Event, MastodonAccount, Series
from events.services import (
    SCORING_FIELDS,
    config_dict,
    copy_event_to_next_week,
    create_event,
    create_event_from_series,
    export_event_text,
    find_event,
    import_event_text,
)

pytestmark = pytest.mark.django_db
IGNORED = {"id", "created_at", "updated_at", "ini_name"}


def values_of(event: Event) -> dict[str, Any]:
    fresh = Event.objects.get(pk=event.pk)
    return {f.attname: getattr(fresh, f.attname) for f in Event._meta.fields if f.name not in IGNORED}


def test_import_stores_what_the_file_says(sample: str) -> None:
    outcome = import_event_text(sample, name="ini/monsterdon-20260222.ini")
    event = outcome.event
    assert (outcome.created, outcome.warnings) == (True, [])
    assert (event.slug, event.ini_name) == ("monsterdon-20260222", "monsterdon-20260222.ini")
    assert event.start == datetime(2026, 2, 23, 2, tzinfo=UTC)
    assert (event.top_n, event.stop_words, event.episode_title) == (5, "the, and", "100% The Blob (1958)")
    assert event.home_account == MastodonAccount.objects.get(server="home.example")
    assert event.posting_account is None
    assert event.kept_options == {"mastoscore": {"journaldir": "data"}}
    assert (event.max_toots, event.hashtag_fix, event.post_dry_run) == (2000, "reduce", True)


def test_import_export_import_gives_the_same_event(sample: str) -> None:
    first = import_event_text(sample, name="monsterdon-20260222.ini").event
    before = values_of(first)
    exported = export_event_text(first)
    again = import_event_text(exported, name="other-name.ini")
    assert (again.created, again.event.pk) == (False, first.pk)
    assert values_of(first) == before
    Event.objects.all().delete()
    anew = import_event_text(exported, name="other-name.ini")
    assert anew.created
    assert values_of(anew.event) == before
    assert export_event_text(anew.event) == exported


def test_event_with_every_value_changed_survives_export_and_import() -> None:
    home = MastodonAccount.objects.create(server="home.example", username="a")
    MastodonAccount.objects.create(server="home.example", username="b")
    poster = MastodonAccount.objects.create(server="home.example", username="c")
    series = Series.objects.create(title="S", slug="s", hashtag="monsterdon")
    event = create_event(
        slug="changed", series=series, event_title="A; #B = 50%", episode_title="„Ü“ 日本 ", hashtag="größe",
        start=datetime(2026, 10, 25, 0, 30, tzinfo=UTC), timezone="Europe/Berlin", duration=timedelta(hours=26),
        hours_margin=Decimal("0.25"), home_account=home, posting_account=poster, max_toots=7, top_n=9,
        consent="strict", leave_out_bots=True, bot_username="bot", tag_users=True, fetch_dry_run=True,
        post_dry_run=False, graph_title="g", start_label="", end_label="#end", wordcloud_title=";w",
        wordcloud_font="x.ttf", wordcloud_width=300, wordcloud_height=301, hashtag_fix="as-is",
        stop_words="a\nb, c\r\n", blog_tags="t", blog_categories="c", autoscore=True,
        autoscore_delay=timedelta(0), is_published=True, kept_options={"odd": {"x": "1\n2"}},
    )  # fmt: skip
    before = values_of(event)
    text = export_event_text(event)
    Event.objects.all().delete()
    outcome = import_event_text(text, name="-")
    assert outcome.warnings == ["[odd] is not a section we know; it is kept but not used."]
    assert values_of(outcome.event) == before


def test_importing_the_same_file_again_updates_its_event(sample: str) -> None:
    first = import_event_text(sample, name="a.ini", slug="night")
    changed = sample.replace("top_n = 5", "top_n = 4").replace("stop_words = the, and", "")
    second = import_event_text(changed, name="/elsewhere/a.ini")
    assert (second.created, second.event.pk, second.event.slug) == (False, first.event.pk, "night")
    assert (second.event.top_n, second.event.stop_words) == (4, "")


def test_import_by_slug_updates_that_event(sample: str) -> None:
    import_event_text(sample, name="a.ini", slug="night")
    outcome = import_event_text(sample.replace("= 5", "= 6"), name="b.ini", slug="night")
    assert (outcome.created, outcome.event.top_n, outcome.event.ini_name) == (False, 6, "b.ini")


def test_file_name_belongs_to_the_event_it_was_imported_for_last(sample: str) -> None:
    import_event_text(sample, name="weekly.ini", slug="one")
    next_week = sample.replace("-02-22", "-03-01").replace("event_month = 2", "event_month = 3")
    next_week = next_week.replace("event_day = 22", "event_day = 1")
    import_event_text(next_week, name="weekly.ini", slug="two")
    assert list(Event.objects.order_by("slug").values_list("slug", "ini_name")) == [
        ("one", ""),
        ("two", "weekly.ini"),
    ]
    assert find_event("ini/weekly.ini").slug == "two"


@pytest.mark.parametrize("name", ["", "-", "Meine Datei (2).ini", "ünicode.ini"])
def test_slug_is_hashtag_and_date_when_the_name_is_no_slug(sample: str, name: str) -> None:
    assert import_event_text(sample, name=name).event.slug == "monsterdon-20260222"


def test_values_unknown_to_older_programs_stay_when_the_file_does_not_mention_them(sample: str) -> None:
    event = import_event_text(sample, name="a.ini").event
    series = Series.objects.create(title="S", slug="s", hashtag="monsterdon")
    Event.objects.filter(pk=event.pk).update(consent="strict", is_published=True, series=series, top_n=9)
    again = import_event_text(sample, name="a.ini").event
    assert (again.consent, again.is_published, again.series, again.top_n) == ("strict", True, series, 5)


@pytest.mark.parametrize(
    ("before", "after", "problems"),
    [
        ("top_n = 5", "top_n = 0", ["[analyse] top_n: “0” cannot be used"]),
        ("top_n = 5", "top_n = 5\nconsent = maybe", ["[analyse] consent: “maybe” is none of explicit, strict"]),
        ("hashtag = monsterdon", "hashtag = two words", ["[mastoscore] hashtag: “two words” cannot be used"]),
        ("event_title = Monsterdon", "event_title =", ["[mastoscore] event_title: “” cannot be used"]),
        ("event_title = Monsterdon", f"event_title = {'x' * 201}", ["at most 200 characters"]),
        ("journaldir", "hours_margin = -1\njournaldir", ["[mastoscore] hours_margin: “-1” cannot be used"]),
        ("journaldir", "hours_margin = 0.333\njournaldir", ["[mastoscore] hours_margin: “0.333” cannot be used"]),
        ("journaldir", "slug = a b\njournaldir", ["[mastoscore] slug: “a b” is not a slug"]),
        ("top_n = 5", "top_n = 0\n[fetch]\nmax = no\n[graph]\nx=1", ["top_n: “0”", "[fetch] max: “no”"]),
        ("timezone = America", "timezone = Mars", ["[mastoscore] timezone: “Mars/New_York” is not a time zone"]),
    ],
)
def test_wrong_file_changes_nothing_and_says_why(sample: str, before: str, after: str, problems: list[str]) -> None:
    event = import_event_text(sample, name="a.ini").event
    state, accounts = values_of(event), MastodonAccount.objects.count()
    wrong = sample.replace(before, after).replace("home.example", "other.example")
    with pytest.raises(IniError) as caught:
        import_event_text(wrong, name="a.ini")
    assert len(caught.value.problems) == len(problems)
    for problem in problems:
        assert problem in caught.value.user_message
    assert values_of(event) == state
    assert MastodonAccount.objects.count() == accounts


def test_file_for_the_hashtag_and_date_of_another_event_is_refused_without_a_trace(sample: str) -> None:
    import_event_text(sample, name="a.ini")
    with pytest.raises(EventConflict) as caught:
        import_event_text(sample.replace("home.example", "new.example"), name="b.ini")
    assert "#monsterdon on 2026-02-22 already: a." in caught.value.user_message
    assert not MastodonAccount.objects.filter(server="new.example").exists()


def test_export_edited_into_another_date_becomes_an_event_of_its_own(sample: str) -> None:
    event = import_event_text(sample, name="a.ini").event
    edited = export_event_text(event).replace("2026-02-22T", "2026-03-01T")
    edited = edited.replace("event_month = 2", "event_month = 3").replace("event_day = 22", "event_day = 1")
    outcome = import_event_text(edited, name="b.ini")
    assert (outcome.created, outcome.event.slug) == (True, "b")
    assert any("so it is not used here" in warning for warning in outcome.warnings)


def test_file_that_moves_its_event_says_so(sample: str) -> None:
    import_event_text(sample, name="a.ini")
    moved = import_event_text(sample.replace("hashtag = monsterdon", "hashtag = blobdon"), name="a.ini")
    assert (moved.created, moved.event.hashtag) == (False, "blobdon")
    assert "was #monsterdon on 2026-02-22 until now" in moved.warnings[0]


@pytest.mark.parametrize("slug", ["", "a b", "../x", "x" * 101, "ü"])
def test_wrong_slug_is_refused(sample: str, slug: str) -> None:
    with pytest.raises(InvalidEvent, match="is not a slug"):
        import_event_text(sample, name="a.ini", slug=slug)


def test_import_chooses_the_account_with_a_token_and_keeps_the_one_in_use(sample: str) -> None:
    MastodonAccount.objects.create(server="home.example", username="bare")
    signed_in = MastodonAccount.objects.create(server="home.example", username="signed", token="t")
    event = import_event_text(sample, name="a.ini").event
    assert event.home_account == signed_in
    chosen = MastodonAccount.objects.create(server="home.example", username="chosen")
    Event.objects.update(home_account=chosen)
    assert import_event_text(sample, name="a.ini").event.home_account == chosen


def test_unknown_account_and_series_are_warned_of(sample: str) -> None:
    text = sample.replace("journaldir", "account = nobody\nseries = none\njournaldir")
    outcome = import_event_text(text, name="a.ini")
    assert len(outcome.warnings) == 2
    assert outcome.event.series is None
    assert outcome.event.home_account == MastodonAccount.objects.get()


def test_credentials_are_stored_for_the_home_account(sample: str) -> None:
    import_event_text(sample, name="a.ini", credentials_text="s3cret\nhttps://home.example\n")
    account = MastodonAccount.objects.get()
    assert (account.token, account.verified_at) == ("s3cret", None)


@pytest.mark.parametrize(
    ("credentials", "complaint"),
    [
        ("", "empty"),
        ("s3cret\nhttps://other.example", "for other.example, but the account is on home.example"),
        ("id\nsecret\nhttps://home.example", "client id and secret"),
        ("s3cret with blanks", "not a token"),
        ("s3cret\nnonsense", "second line"),
    ],
)
def test_wrong_credentials_store_nothing_and_are_not_repeated(sample: str, credentials: str, complaint: str) -> None:
    with pytest.raises(BadCredentials) as caught:
        import_event_text(sample, name="a.ini", credentials_text=credentials)
    assert complaint in caught.value.user_message
    assert "s3cret" not in f"{caught.value!r} {caught.value.user_message}"
    assert not Event.objects.exists()


def test_token_without_a_server_is_refused(sample: str) -> None:
    with pytest.raises(BadCredentials, match="api_base_url is missing"):
        import_event_text(
            sample.replace("api_base_url = https://home.example", ""), name="a.ini", credentials_text="token"
        )


@pytest.mark.parametrize("name", ["night", "ini/night", "weekly.ini", "ini/weekly.ini", " night ", "night.ini"])
def test_event_is_found_by_slug_or_file_name(make_event: Any, name: str) -> None:
    event = make_event(slug="night", ini_name="weekly.ini")
    assert find_event(name) == event


@pytest.mark.parametrize(
    "name", ["", "ini/", "../night", "/ini/night", "ini/../ini/night", "ini/ini/night", "n\0", "x" * 999]
)
def test_other_names_find_nothing(make_event: Any, name: str) -> None:
    make_event(slug="night", ini_name="weekly.ini")
    with pytest.raises(UnknownEvent):
        find_event(name)


@pytest.mark.parametrize(
    ("start", "weeks", "copy_start"),
    [
        # New York: clocks go forward on 8 March 2026 and back on 1 November
        (datetime(2026, 2, 23, 2, tzinfo=UTC), 1, datetime(2026, 3, 2, 2, tzinfo=UTC)),
        (datetime(2026, 3, 2, 2, tzinfo=UTC), 1, datetime(2026, 3, 9, 1, tzinfo=UTC)),
        (datetime(2026, 10, 26, 1, tzinfo=UTC), 1, datetime(2026, 11, 2, 2, tzinfo=UTC)),
        (datetime(2026, 2, 23, 2, tzinfo=UTC), 3, datetime(2026, 3, 16, 1, tzinfo=UTC)),
    ],
)
def test_copy_keeps_the_time_on_the_wall(make_event: Any, start: datetime, weeks: int, copy_start: datetime) -> None:
    event = make_event(start=start)
    copy = copy_event_to_next_week(event, weeks)
    assert copy.start == copy_start
    assert copy.local_start.time() == event.local_start.time()
    assert copy.local_date == event.local_date + timedelta(weeks=weeks)


def test_copy_takes_the_settings_and_no_results(make_event: Any) -> None:
    event = make_event(
        top_n=7, autoscore=True, is_published=True, ini_name="a.ini", autoscored_at=datetime(2026, 2, 24, tzinfo=UTC),
        kept_options={"odd": {"x": "1"}}, consent="strict",
    )  # fmt: skip
    copy = copy_event_to_next_week(event)
    assert [getattr(copy, name) for name in SCORING_FIELDS] == [getattr(event, name) for name in SCORING_FIELDS]
    assert (copy.event_title, copy.episode_title, copy.kept_options) == ("Monsterdon", "", {"odd": {"x": "1"}})
    assert (copy.is_published, copy.autoscored_at, copy.ini_name) == (False, None, "")


@pytest.mark.parametrize(
    ("slug", "copied"),
    [
        ("monsterdon-20260222", "monsterdon-20260301"),
        ("2026-02-22-monsterdon", "2026-03-01-monsterdon"),
        ("monsterdon", "monsterdon-20260301"),
        ("x" * 100, "x" * 91 + "-20260301"),
    ],
)
def test_copy_has_the_new_date_in_its_slug(make_event: Any, slug: str, copied: str) -> None:
    assert copy_event_to_next_week(make_event(slug=slug)).slug == copied


def test_second_copy_of_an_event_is_refused(make_event: Any) -> None:
    event = make_event()
    copy_event_to_next_week(event)
    with pytest.raises(EventConflict, match="already"):
        copy_event_to_next_week(event)


def test_event_from_series_has_its_defaults() -> None:
    series = Series.objects.create(
        title="Monsterdon", slug="monsterdon", hashtag="monsterdon", top_n=8, timezone="Asia/Tokyo"
    )
    event = create_event_from_series(series, datetime(2026, 2, 22, 20, tzinfo=UTC), episode_title="The Blob")
    assert (event.slug, event.top_n, event.series, event.title) == (
        "monsterdon-20260223", 8, series, "Monsterdon: The Blob",
    )  # fmt: skip


def test_wrong_values_are_refused_in_words() -> None:
    with pytest.raises(InvalidEvent) as caught:
        create_event(slug="a", event_title="A", hashtag="two words", start=datetime(2026, 1, 1, tzinfo=UTC), top_n=0)
    assert len(caught.value.problems) == 2
    with pytest.raises(ConfigurationError, match="time zone"):
        create_event(slug="a", event_title="A", hashtag="x", start=datetime(2026, 1, 1, tzinfo=UTC), timezone="Mars")
    assert not Event.objects.exists()


def test_database_has_the_last_word_on_hashtag_and_date(make_event: Any) -> None:
    make_event()
    with pytest.raises(IntegrityError), transaction.atomic():
        make_event(slug="other", hashtag="MONSTERDON")


def test_configuration_is_text_in_sections(make_event: Any) -> None:
    sections = config_dict(make_event(kept_options={"odd": {"x": "1"}}))
    assert list(sections)[:2] == ["mastoscore", "fetch"]
    assert sections["mastoscore"]["event_start"] == "2026-02-22T21:00:00-05:00"
    assert sections["odd"] == {"x": "1"}
    assert all(isinstance(text, str) for options in sections.values() for text in options.values())


def test_every_error_here_is_one_of_the_house() -> None:
    assert issubclass(UnknownEvent, MastoscoreError)
    assert issubclass(IniError, MastoscoreError)

"""The admin of events, series and accounts as a host and others meet it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from common.errors import ConfigurationError
from events import admin_extensions
from events.models import Event, MastodonAccount, OptOut, Series
from events.tests.conftest import TokenServer

pytestmark = pytest.mark.django_db
SECRET = "s3cret-t0ken"
LIST = reverse("admin:events_event_changelist")


@pytest.fixture
def host(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("host", password="pw"))
    return client


def staff(*permissions: str) -> Client:
    user = User.objects.create_user("staff", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def page(response: Any) -> str:
    return response.content.decode()


def form_values(**changes: object) -> dict[str, object]:
    """The form of a new event as a browser would send it."""
    values = {
        "event_title": "Monsterdon", "episode_title": "The Blob", "hashtag": "monsterdon", "slug": "",
        "start_0": "22/02/2026", "start_1": "21:00", "timezone": "America/New_York", "duration": "1:30:00",
        "home_account": "", "posting_account": "", "series": "", "hours_margin": "1", "max_toots": "2000",
        "more_hashtags": "", "excluded_hashtags": "", "fetch_mode": "thorough", "post_visibility": "public",
        "top_n": "3", "consent": "explicit", "autoscore_delay": "2:00:00", "graph_title": "", "start_label": "Start",
        "end_label": "End", "wordcloud_title": "", "hashtag_fix": "reduce", "stop_words": "",
        "wordcloud_width": "1200", "wordcloud_height": "675", "wordcloud_font": "", "blog_tags": "",
        "blog_categories": "", "bot_username": "",
        "post_dry_run": "on",
    }  # fmt: skip
    return {**values, **changes}


def event_url(event: Event, what: str = "change") -> str:
    return f"{LIST}{event.pk}/{what}/"


def test_log_in_leads_to_the_admin() -> None:
    User.objects.create_superuser("host", password="pw")
    response = Client().post(reverse("admin:login"), {"username": "host", "password": "pw"})
    assert (response.status_code, response["Location"]) == (302, reverse("admin:index"))


def test_list_shows_the_start_by_the_clocks_of_the_event(host: Client, make_event: Any) -> None:
    make_event()
    text = page(host.get(LIST))
    for shown in ("The Blob (1958)", "#monsterdon", "Sun 22 Feb 2026, 21:00", "America/New York"):
        assert shown in text


def test_list_costs_as_many_queries_for_ten_events_as_for_two(host: Client, make_event: Any) -> None:
    series = Series.objects.create(title="S", slug="s", hashtag="monsterdon")

    def queries(count: int) -> int:
        for day in range(Event.objects.count(), count):
            start = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=day)
            make_event(slug=f"e{day}", start=start, series=series)
        host.get(LIST)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert host.get(LIST).status_code == 200
        return len(captured)

    assert queries(2) == queries(10)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("when=over", ["past"]),
        ("when=upcoming", ["future"]),
        ("when=now", []),
        ("q=blob", ["past"]),
        ("q=futur", ["future"]),
    ],
)
def test_list_is_filtered_and_searched(host: Client, make_event: Any, query: str, found: list[str]) -> None:
    make_event(slug="past")
    make_event(slug="future", episode_title="", start=datetime(2150, 1, 1, tzinfo=UTC))
    response = host.get(f"{LIST}?{query}")
    assert [event.slug for event in response.context["cl"].queryset] == found


def test_event_is_added_at_the_time_of_its_zone(host: Client) -> None:
    response = host.post(reverse("admin:events_event_add"), form_values())
    assert response.status_code == 302
    event = Event.objects.get()
    assert (event.slug, event.start) == ("monsterdon-20260222", datetime(2026, 2, 23, 2, tzinfo=UTC))
    assert (event.local_date, event.duration) == (date(2026, 2, 22), timedelta(minutes=90))


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"hashtag": "two words"}, "A hashtag is one word"),
        ({"hashtag": "#monsterdon"}, "A hashtag is one word"),
        ({"timezone": "Mars/Olympus"}, "is not a time zone"),
        ({"duration": "-1:00:00"}, "Give a duration above zero"),
        ({"duration": "90"}, "Give a duration above zero"),
        ({"duration": "0:00:00"}, "Give a duration above zero"),
        ({"hours_margin": "-1"}, "greater than or equal to 0"),
        ({"top_n": "0"}, "greater than or equal to 1"),
        ({"start_0": "08/03/2026", "start_1": "02:30"}, "leave out this time"),
        ({"start_0": "08/03/1926"}, "Events lie between"),
        ({"slug": "a/b"}, "valid “slug”"),
    ],
)
def test_wrong_value_is_told_at_its_field(host: Client, changes: dict[str, str], complaint: str) -> None:
    response = host.post(reverse("admin:events_event_add"), form_values(**changes))
    assert response.status_code == 200
    errors = response.context["adminform"].form.errors
    assert complaint in str(errors)
    assert not Event.objects.exists()


def test_second_event_for_hashtag_and_date_is_refused_in_words(host: Client, make_event: Any) -> None:
    make_event(slug="first")
    response = host.post(reverse("admin:events_event_add"), form_values(hashtag="MonsterDon", slug="second"))
    assert "on 2026-02-22 already: first" in page(response)
    assert Event.objects.count() == 1


def test_saving_the_form_unchanged_changes_nothing(host: Client, make_event: Any) -> None:
    event = make_event()
    form = host.get(event_url(event)).context["adminform"].form
    values = {name: form[name].value() for name in form.fields}
    start = values.pop("start")
    values = {name: value for name, value in values.items() if value not in (None, False)}
    sent = {**values, "start_0": f"{start:%d/%m/%Y}", "start_1": f"{start:%H:%M:%S}"}
    assert host.post(event_url(event), sent).status_code == 302
    after = Event.objects.get()
    changed = [f.name for f in Event._meta.fields if getattr(after, f.name) != getattr(event, f.name)]
    assert changed == ["updated_at"]


def test_event_is_copied_to_next_week(host: Client, make_event: Any) -> None:
    event = make_event()
    assert "Sunday, 01 March 2026, 21:00" in page(host.get(event_url(event, "copy")))
    response = host.post(event_url(event, "copy"), {"weeks": "1", "episode_title": "Them! (1954)"})
    copy = Event.objects.get(slug="monsterdon-20260301")
    assert response["Location"] == event_url(copy)
    assert (copy.episode_title, copy.local_start.hour) == ("Them! (1954)", 21)
    again = host.post(event_url(event, "copy"), {"weeks": "1"})
    assert "already" in page(again)
    assert Event.objects.count() == 2


def test_looking_at_the_copy_page_makes_no_copy(host: Client, make_event: Any) -> None:
    host.get(event_url(make_event(), "copy"))
    assert Event.objects.count() == 1


def test_several_events_are_copied_at_once(host: Client, make_event: Any) -> None:
    events = [make_event(), make_event(slug="b", hashtag="b"), make_event(slug="c", hashtag="c")]
    make_event(slug="taken", hashtag="b", start=events[1].start + timedelta(weeks=1))
    sent = {"action": "copy_selected_to_next_week", "_selected_action": [event.pk for event in events]}
    text = page(host.post(LIST, sent, follow=True))
    assert set(Event.objects.values_list("slug", flat=True)) >= {"monsterdon-20260301", "c-20260301"}
    assert "There is an event for #b on 2026-03-01 already: taken" in text


def upload(client: Client, content: bytes, name: str = "night.ini") -> Any:
    return client.post(f"{LIST}import-ini/", {"file": SimpleUploadedFile(name, content), "slug": ""}, follow=True)


def test_ini_file_is_imported_and_downloaded(host: Client, sample: str) -> None:
    text = page(upload(host, f"{sample}\n[odd]\nx=1\n".encode("utf-8-sig")))
    event = Event.objects.get()
    assert (event.slug, event.ini_name) == ("night", "night.ini")
    assert "night is made." in text
    assert "[odd] is not a section we know" in text
    response = host.get(event_url(event, "ini"))
    assert response["Content-Disposition"] == 'attachment; filename="night.ini"'
    assert "episode_title = 100% The Blob (1958)" in page(response)
    assert "night is updated." in page(upload(host, response.content))


@pytest.mark.parametrize(
    ("content", "complaints"),
    [
        (b"", ["empty"]),
        (b"\x7fELF\0", ["not a text file"]),
        (b"#" * 300_000, ["too large"]),
        (b"nonsense", ["stands before any section"]),
        (b"[mastoscore]\nhashtag = a b\n", ["event_start is missing", "hashtag: “a b” cannot be used"]),
    ],
)
def test_wrong_file_is_refused_with_every_reason(host: Client, content: bytes, complaints: list[str]) -> None:
    text = page(upload(host, content))
    for complaint in complaints:
        assert complaint in text
    assert not Event.objects.exists()


def test_event_of_a_series_is_made(host: Client) -> None:
    series = Series.objects.create(title="Night", slug="night", hashtag="night", timezone="Asia/Tokyo", top_n=9)
    url = f"{reverse('admin:events_series_changelist')}{series.pk}/new-event/"
    assert host.get(url).status_code == 200
    host.post(url, {"start_0": "22/02/2026", "start_1": "21:00", "episode_title": "One"})
    event = Event.objects.get()
    assert (event.slug, event.top_n, event.start) == ("night-20260222", 9, datetime(2026, 2, 22, 12, tzinfo=UTC))


def test_opt_out_gets_its_one_spelling(host: Client) -> None:
    url = reverse("admin:events_optout_add")
    host.post(url, {"target": "@Some.One@Example.Social", "reason": ""})
    assert OptOut.objects.get().target == "some.one@example.social"
    assert "already exists" in page(host.post(url, {"target": "some.one@example.social", "reason": ""}))
    assert "Give an author as user@server" in page(host.post(url, {"target": "nobody", "reason": ""}))


class TestAccounts:
    url = reverse("admin:events_mastodonaccount_changelist")

    @pytest.fixture
    def account(self) -> MastodonAccount:
        return MastodonAccount.objects.create(server="home.example", username="host", token=SECRET)

    def test_token_is_in_no_page(self, host: Client, account: MastodonAccount, make_event: Any) -> None:
        event = make_event(home_account=account)
        Series.objects.create(title="S", slug="s", hashtag="s", home_account=account)
        change = f"{self.url}{account.pk}/change/"
        host.post(change, {"set_token": f"{SECRET}-new"})
        host.post(change, {"set_token": f"{SECRET} with blanks"})
        pages = [
            self.url, change, f"{self.url}{account.pk}/history/", f"{self.url}{account.pk}/delete/", LIST,
            event_url(event), event_url(event, "ini"), event_url(event, "history"),
            reverse("admin:events_series_changelist"), reverse("admin:index"),
            f"{reverse('admin:autocomplete')}?app_label=events&model_name=event&field_name=home_account&term=home",
        ]  # fmt: skip
        for url in pages:
            response = host.get(url)
            assert response.status_code == 200, url
            assert SECRET not in page(response), url
        refused = host.post(change, {"set_token": f"{SECRET} with blanks"})
        assert "This is not a token" in page(refused)
        assert SECRET not in page(refused)

    def test_token_is_set_kept_and_forgotten(self, host: Client, account: MastodonAccount) -> None:
        change = f"{self.url}{account.pk}/change/"
        MastodonAccount.objects.update(verified_at=datetime(2026, 1, 1, tzinfo=UTC))
        host.post(change, {"set_token": ""})
        account.refresh_from_db()
        assert (account.token, account.verified_at is None) == (SECRET, False)
        host.post(change, {"set_token": "new"})
        account.refresh_from_db()
        assert (account.token, account.verified_at) == ("new", None)
        host.post(change, {"set_token": "", "forget_token": "on"})
        account.refresh_from_db()
        assert account.token == ""

    def test_account_cannot_be_moved_to_another_server(self, host: Client, account: MastodonAccount) -> None:
        host.post(f"{self.url}{account.pk}/change/", {"set_token": "", "server": "evil.example"})
        account.refresh_from_db()
        assert account.server == "home.example"

    def test_account_is_added_by_address(self, host: Client) -> None:
        host.post(f"{self.url}add/", {"server": "https://Mastodon.Social/", "set_token": SECRET})
        account = MastodonAccount.objects.get()
        assert (account.server, account.token) == ("mastodon.social", SECRET)
        again = host.post(f"{self.url}add/", {"server": "mastodon.social", "set_token": ""})
        assert "set its token instead" in page(again)
        assert "is not the name or address" in page(host.post(f"{self.url}add/", {"server": "nowhere"}))

    def test_pages_work_when_a_stored_token_no_longer_opens(
        self, host: Client, account: MastodonAccount, settings: Any
    ) -> None:
        settings.SECRET_KEY = "another key"
        host.force_login(User.objects.get())
        assert "stored" in page(host.get(self.url))
        change = f"{self.url}{account.pk}/change/"
        assert host.get(change).status_code == 200
        assert host.post(change, {"set_token": "new"}).status_code == 302
        account.refresh_from_db()
        assert account.token == "new"

    def test_token_is_checked_by_a_button(self, host: Client, token_server: TokenServer) -> None:
        account = MastodonAccount.objects.create(server=token_server.name, token="right-token")
        check = f"{self.url}{account.pk}/check/"
        assert host.get(check).status_code == 405
        assert "belongs to @host@" in page(host.post(check, follow=True))
        token_server.token = "another"
        text = page(host.post(check, follow=True))
        assert "does not accept this token" in text
        assert "right-token" not in text


def test_registered_buttons_panels_and_states_stand_on_the_pages(
    host: Client, make_event: Any, monkeypatch: Any
) -> None:
    for registry in ("event_actions", "event_panels", "event_states"):
        monkeypatch.setattr(admin_extensions, registry, {})
    monkeypatch.setattr("events.admin.event_actions", admin_extensions.event_actions)
    pressed: list[str] = []

    def press(request: HttpRequest, event: Event) -> None:
        pressed.append(event.slug)

    def fail(request: HttpRequest, event: Event) -> HttpResponse:
        raise ConfigurationError("log text", user_message="It cannot be done.")

    def panel(request: HttpRequest, event: Event) -> SafeString:
        return mark_safe(f"<p>panel of {event.slug}</p>")

    admin_extensions.register_event_action("press", "Press me", "bolt", press, confirm="Really?")
    admin_extensions.register_event_action("fail", "Fail", "bolt", fail)
    admin_extensions.register_event_action("away", "Never offered", "bolt", press, is_offered=lambda event: False)
    admin_extensions.register_event_panel(panel)
    admin_extensions.register_event_state(lambda events: events, lambda event: ("danger", "on fire"))
    event = make_event()
    text = page(host.get(event_url(event)))
    assert "Press me" in text
    assert "Never offered" not in text
    assert f"<p>panel of {event.slug}</p>" in text
    assert "on fire" in page(host.get(LIST))
    assert host.get(event_url(event, "do/press")).status_code == 405
    assert host.post(event_url(event, "do/press"))["Location"] == event_url(event)
    assert pressed == [event.slug]
    assert "It cannot be done." in page(host.post(event_url(event, "do/fail"), follow=True))
    assert "not possible just now" in page(host.post(event_url(event, "do/away"), follow=True))
    assert host.post(event_url(event, "do/unknown")).status_code == 404
    assert len(pressed) == 1


def test_posts_without_a_csrf_token_are_refused(host: Client, make_event: Any, monkeypatch: Any) -> None:
    monkeypatch.setitem(
        admin_extensions.event_actions, "press", admin_extensions.EventAction("press", "P", "bolt", lambda r, e: None)
    )
    event = make_event()
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get())
    for what in ("copy", "do/press"):
        assert strict.post(event_url(event, what), {"weeks": "1"}).status_code == 403
    assert Event.objects.count() == 1


def test_somebody_without_rights_can_do_nothing(make_event: Any) -> None:
    event = make_event()
    account = MastodonAccount.objects.get()
    client = staff()
    for url in (LIST, event_url(event), event_url(event, "copy"), event_url(event, "ini"), f"{LIST}import-ini/"):
        assert client.get(url).status_code == 403, url
        assert client.post(url, {"weeks": "1"}).status_code == 403, url
    assert client.post(event_url(event, "do/score")).status_code == 403
    assert client.post(f"{TestAccounts.url}{account.pk}/check/").status_code == 403
    assert Event.objects.count() == 1


def test_somebody_who_may_only_look_cannot_change(make_event: Any) -> None:
    event = make_event()
    client = staff("view_event", "view_mastodonaccount")
    text = page(client.get(event_url(event)))
    assert "Copy to next week" not in text
    assert "Download INI" in text
    assert client.get(event_url(event, "ini")).status_code == 200
    assert client.post(event_url(event, "copy"), {"weeks": "1"}).status_code == 403
    assert client.post(event_url(event), form_values()).status_code == 403
    assert client.get(f"{LIST}import-ini/").status_code == 403
    assert client.post(event_url(event, "do/score")).status_code == 403
    assert "Set token" not in page(client.get(f"{TestAccounts.url}{event.home_account_id}/change/"))


def test_strangers_are_sent_to_the_log_in(make_event: Any) -> None:
    response = Client().get(event_url(make_event(), "copy"))
    assert (response.status_code, response["Location"].split("?")[0]) == (302, reverse("admin:login"))

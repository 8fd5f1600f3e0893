"""Saving for later: every service in its own protocol, once, with a sentence when it does not work."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings

from feeds import saving
from feeds.errors import InvalidService, NoSavingService, NotSaved
from feeds.models import Post, SavedPost, SavingService
from feeds.saving import create_service, save_for_later, try_service
from jobs.models import Job
from jobs.runner import run_job
from tests.remote.answering_host import AnsweringHost, Reply
from tests.remote.feed_host import FeedHost, Page, item, rss
from tests.remote.saving_services import CLIENT, PASSWORD, TOKEN, SavingServices

from .api import Caller, sign_in
from .making import ask_all, subscribe

pytestmark = pytest.mark.django_db(transaction=True)

ADDRESS = "https://blog.example/Frogs"
ENTERED: dict[str, dict[str, str]] = {
    "instapaper": {"username": "ada@example.org", "password": PASSWORD},
    "wallabag": {**CLIENT, "username": "ada", "password": PASSWORD},
    "linkding": {"token": TOKEN},
    "readeck": {"token": TOKEN},
    "webhook": {"secret": "s3cret"},
}
WRONG: dict[str, dict[str, str]] = {
    "instapaper": {"username": "ada@example.org", "password": "no"},
    "wallabag": {**CLIENT, "username": "ada", "password": "no"},
    "linkding": {"token": "no"},
    "readeck": {"token": "no"},
}


@pytest.fixture
def services(settings: Any) -> Iterator[SavingServices]:
    settings.MASTOSCORE_RETRY_PAUSES = [0.01, 0.01]
    services = SavingServices()
    with AnsweringHost(services) as host:
        services.host = host  # type: ignore[attr-defined]
        settings.INSTAPAPER_API_URL = host.url("/instapaper")
        yield services


@pytest.fixture
def post(anna: Any, host: FeedHost, wake_ups: list[int]) -> Post:
    host.pages["/feed"] = Page(rss(item(1, title="Frogs", text="<p>They <b>jump</b>.</p>")))
    subscribe(anna, host.url(), name="Pond life")
    ask_all()
    return Post.objects.select_related("entry", "source").get()


def add(user: Any, services: Any, kind: str, credentials: dict[str, str] | None = None, **more: Any) -> SavingService:
    url = {"instapaper": "", "webhook": services.host.url("/hook")}.get(kind, services.host.url(f"/{kind}/"))
    return create_service(user, kind=kind, url=url, credentials=credentials or ENTERED[kind], **more)


def run(user: Any, post: Post, service: SavingService | None = None) -> tuple[SavedPost, Job]:
    saved = save_for_later(user, post, service)
    job = Job.objects.filter(kind="save_post").latest("pk")
    run_job(job.pk)
    saved.refresh_from_db()
    job.refresh_from_db()
    return saved, job


def why_not(service: SavingService) -> str:
    with pytest.raises(NotSaved) as caught:
        try_service(service)
    return caught.value.user_message


@pytest.mark.parametrize("kind", list(ENTERED))
def test_each_service_takes_a_post_and_keeps_it_once(kind: str, anna: Any, post: Post, services: Any) -> None:
    service = add(anna, services, kind)
    try_service(service)
    services.saved.clear()
    saved, job = run(anna, post)
    assert (job.status, job.error) == ("complete", "")
    assert saved.saved_at is not None
    (taken,) = services.saved
    assert (taken["url"], taken["title"]) == (ADDRESS, "Frogs")
    again = save_for_later(anna, post)
    assert (again.pk, again.saved_at) == (saved.pk, saved.saved_at)
    assert Job.objects.filter(kind="save_post").count() == 1
    # Even if a worker is told of it twice.
    Job.objects.filter(pk=job.pk).update(status="queued")
    run_job(job.pk)
    assert len(services.saved) == 1
    service.refresh_from_db()
    assert service.used_at is not None
    secrets = {text for name, text in ENTERED[kind].items() if name not in ("username", "client_id")}
    sent = [f"{call.path}?{call.query}" for call in services.host.calls]
    assert not [text for text in sent for secret in secrets if secret in text]


def test_webhook_gets_the_markdown_signed(anna: Any, post: Post, services: Any) -> None:
    add(anna, services, "webhook")
    run(anna, post)
    (call,) = services.host.calls
    assert call.json["source"] == "Pond life"
    assert call.json["published_at"] == "2026-08-02T10:00:00Z"
    assert call.json["markdown"] == f"# Frogs\n\nPond life, 2026-08-02\n\n<{ADDRESS}>\n\nThey **jump**."
    signature = hmac.new(b"s3cret", call.body, hashlib.sha256).hexdigest()
    assert call.headers["x-mastoscore-signature"] == f"sha256={signature}"
    assert len(call.headers["idempotency-key"]) == 32


@pytest.mark.parametrize("kind", list(WRONG))
def test_wrong_password_is_one_sentence_and_not_tried_again(kind: str, anna: Any, post: Post, services: Any) -> None:
    service = add(anna, services, kind, WRONG[kind])
    sentence = why_not(service)
    assert "does not accept" in sentence
    calls = len(services.host.calls)
    saved, job = run(anna, post)
    assert job.status == "error"
    assert job.error == saved.last_error == sentence
    assert len(services.host.calls) == calls + 1
    assert services.saved == []


def test_wallabag_token_is_kept_renewed_and_asked_for_anew(anna: Any, post: Post, services: Any) -> None:
    service = add(anna, services, "wallabag")
    run(anna, post)
    assert services.grants == ["password"]
    SavedPost.objects.all().delete()
    run(anna, post)  # the token is good for an hour
    assert services.grants == ["password"]
    services.access_tokens.append("another")  # as if it had been taken back
    SavedPost.objects.all().delete()
    run(anna, post)
    assert services.grants == ["password", "refresh_token"]
    services.access_tokens.append("another")
    services.refresh_tokens.clear()
    SavedPost.objects.all().delete()
    _, job = run(anna, post)
    assert services.grants == ["password", "refresh_token", "refresh_token", "password"]
    assert job.status == "complete"
    assert len(services.saved) == 4
    service.refresh_from_db()
    with connection.cursor() as cursor:
        cursor.execute("SELECT credentials FROM feeds_savingservice")
        (stored,) = cursor.fetchone()
    assert not [secret for secret in (PASSWORD, "access-", "client-secret") if secret in stored]


def test_fault_in_passing_is_tried_again_and_a_lasting_one_said(anna: Any, post: Post, services: Any) -> None:
    add(anna, services, "linkding")
    services.failures = [Reply(503, b"busy", {"Retry-After": "0"}), Reply(500, b"oops")]
    _, job = run(anna, post)
    assert job.status == "complete"
    SavedPost.objects.all().delete()
    services.failures = [Reply(500, b"<pre>Traceback: secret</pre>")] * 3
    saved, job = run(anna, post)
    assert job.error == saved.last_error == "Linkding is busy or has a fault of its own (500); try again later."
    _, job = run(anna, post)  # asked for again by hand
    assert job.status == "complete"
    assert len(services.saved) == 2


@pytest.mark.parametrize(
    ("failure", "sentence"),
    [
        (Reply(302, b"", {"Location": "https://elsewhere.example/"}), "leads somewhere else"),
        (Reply(200, b"<html>Welcome</html>"), "not JSON"),
        (Reply(404, b"nothing"), "Check the address"),
        (Reply(200, b"x" * 2_000_000), "larger answer"),
    ],
    ids=["moved", "a page", "not there", "huge"],
)
def test_what_is_no_service_is_found_out_when_it_is_tried(
    failure: Reply, sentence: str, anna: Any, services: Any
) -> None:
    services.failures = [failure]
    service = add(anna, services, "readeck")
    assert sentence in why_not(service)
    service.refresh_from_db()
    assert service.last_error


@override_settings(MASTOSCORE_PRIVATE_HOSTS=[])
def test_private_address_is_refused_when_it_is_entered_and_when_it_is_asked(anna: Any, services: Any) -> None:
    for url in (services.host.url("/hook"), "https://10.0.0.7/hook", "http://[::1]/hook", "ftp://example.org/", ""):
        with pytest.raises(InvalidService):
            create_service(anna, kind="webhook", url=url)
    row = SavingService.objects.create(user=anna, kind="webhook", name="old", url=services.host.url("/hook"))
    assert "do not contact" in why_not(row)
    assert services.host.calls == []


def test_new_address_asks_for_the_token_again(anna: Any, services: Any) -> None:
    service = add(anna, services, "linkding")
    with pytest.raises(InvalidService, match="has changed"):
        saving.change_service(service, {"url": services.host.url("/elsewhere")})
    service.refresh_from_db()
    changed = saving.change_service(service, {"name": "Shelf", "credentials": {"token": ""}})
    try_service(changed)
    moved = saving.change_service(service, {"url": services.host.url("/elsewhere"), "credentials": {"token": "x"}})
    assert moved.url.endswith("/elsewhere")


def test_one_service_is_the_default_and_passes_that_on(anna: Any, services: Any, post: Post) -> None:
    first = add(anna, services, "linkding")
    second = add(anna, services, "readeck")
    assert [service.pk for service in saving.services_of(anna)] == [first.pk, second.pk]
    saving.change_service(second, {"is_default": True})
    assert saving.default_service(anna) == second
    second.refresh_from_db()
    saving.delete_service(second)
    assert saving.default_service(anna) == first
    with pytest.raises(InvalidService, match="of that name"):
        add(anna, services, "linkding", name="LINKDING")
    saving.delete_service(SavingService.objects.get())
    with pytest.raises(NoSavingService):
        save_for_later(anna, post)


def test_api_makes_changes_tries_and_removes_services_and_tells_no_secret(
    anna: Any, bert: Any, services: Any, post: Post
) -> None:
    call, other = sign_in(anna), sign_in(bert)
    wish = {"kind": "linkding", "url": services.host.url("/linkding/"), "credentials": {"token": TOKEN}}
    made = call("POST", "/saving-services", wish, status=201)["data"]
    assert (made["name"], made["is_default"], made["has_credentials"]) == ("Linkding", True, True)
    path = f"/saving-services/{made['id']}"
    call("PUT", path, {"name": "Shelf"})
    assert call("POST", f"{path}/test")["message"] == "The service works"
    answer = call("POST", f"/posts/{post.pk}/save", {}, status=202)
    assert answer["data"]["status"] == "queued"
    run_job(Job.objects.latest("pk").pk)
    answer = call("POST", f"/posts/{post.pk}/save", {"service_id": made["id"]}, status=202)
    assert (answer["message"], answer["data"]["status"]) == ("Post saved", "saved")
    call("PUT", path, {"credentials": {"token": "wrong"}})
    assert "does not accept" in call("POST", f"{path}/test", status=502)["error"]
    shown = [call.ask("GET", where).content for where in ("/saving-services", path, "/jobs")]
    assert not [text for text in shown if TOKEN.encode() in text]
    for method, where in (("GET", path), ("PUT", path), ("DELETE", path), ("POST", f"{path}/test")):
        assert other.ask(method, where, {}).status_code == 404
    other("POST", f"/posts/{post.pk}/save", {}, status=404)
    assert call("DELETE", path)["message"] == "Service 'Shelf' deleted successfully"
    assert call("POST", f"/posts/{post.pk}/save", {}, status=422)["errors"]["service_id"]


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({}, "kind"),
        ({"kind": "pocket"}, "kind"),
        ({"kind": "linkding", "url": "https://example.org"}, "service"),
        ({"kind": "linkding", "url": "https://example.org", "credentials": {"token": "a\nb"}}, "service"),
        ({"kind": "linkding", "url": "https://example.org", "credentials": "x"}, "credentials"),
        ({"kind": "webhook"}, "service"),
    ],
)
def test_what_is_no_service_is_refused_with_its_field(wish: dict[str, Any], field: str, anna: Any) -> None:
    assert field in sign_in(anna)("POST", "/saving-services", wish, status=422)["errors"]


def test_markdown_is_made_ahead_only_for_who_takes_it(anna: Any, services: Any, post: Post) -> None:
    call: Caller = sign_in(anna)
    skipped = call("POST", f"/posts/{post.pk}/cache-markdown")
    assert skipped["status"] == "skipped"
    add(anna, services, "webhook")
    made = call("POST", f"/posts/{post.pk}/cache-markdown")
    plain = call.ask("GET", f"/posts/{post.pk}/markdown", images="1")
    assert plain["Content-Type"] == "text/markdown; charset=utf-8"
    assert made == {"status": "ok", "cached": True, "length": len(plain.content.decode().rstrip())}

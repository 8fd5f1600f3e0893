"""Posts saved for later: the services of a user, and the job that sends a post to one of them, once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson
from django.conf import settings
from django.core.cache import cache
from django.db import IntegrityError, transaction

from common.encryption import UnreadableSecret
from common.errors import RemoteError
from common.fields import has_secret
from common.http import Gate
from common.text import clean_line
from common.times import format_z, now_utc
from feeds.content import content_of
from feeds.errors import InvalidAddress, InvalidService, NoSavingService, NotSaved
from feeds.markdown import post_as_markdown
from feeds.models import Post, SavedPost, SavingService
from feeds.retrieval import refuse_closed_address
from feeds.savers import SAVERS, Clip, Credentials, Field, Saver, saving_policy
from feeds.turns import turn_of
from jobs.context import JobContext
from jobs.services import AlreadyActive, enqueue

MAX_SERVICES = 20
MAX_SECRET_CHARS = 500
_MARKDOWN_SECONDS = 24 * 3600
_MOST_TRIES = 3
_LONGEST_PAUSE = 60.0


# --- the services of a user -----------------------------------------------------------------------------------------
def services_of(user: Any) -> list[SavingService]:
    """By name; the default first."""
    return list(SavingService.objects.filter(user=user).order_by("-is_default", "name", "pk"))


def default_service(user: Any) -> SavingService | None:
    """The one that is used when none is named: the default, else the only one there is."""
    services = services_of(user)
    return services[0] if services and (services[0].is_default or len(services) == 1) else None


def fields_of(kind: str) -> tuple[Field, ...]:
    """What a person enters for a service of that kind."""
    return _saver_of(kind).fields


def needs_address(kind: str) -> bool:
    return _saver_of(kind).needs_url


def has_credentials(service: SavingService) -> bool:
    """Whether something is stored to sign in with; what, is told to nobody."""
    return has_secret(service, "credentials")


def create_service(
    user: Any,
    *,
    kind: str,
    name: str = "",
    url: str = "",
    credentials: Mapping[str, str] | None = None,
    is_default: bool = False,
) -> SavingService:
    """Store a service; the first one is the default. InvalidService with a sentence when something is missing."""
    saver = _saver_of(kind)
    if SavingService.objects.filter(user=user).count() >= MAX_SERVICES:
        raise InvalidService(f"There can be {MAX_SERVICES} services at most.")
    service = SavingService(
        user=user,
        kind=kind,
        name=_checked_name(name or SavingService.Kind(kind).label.removeprefix("a ").capitalize()),
        url=_checked_url(saver, url),
        credentials=_dumped(_checked_credentials(saver, credentials or {})),
    )
    service.is_default = is_default or not SavingService.objects.filter(user=user).exists()
    return _store(service)


def change_service(service: SavingService, values: Mapping[str, Any]) -> SavingService:
    """Set any of ``name url credentials is_default``; the kind stays. Empty credentials mean those that are stored.

    A new address asks for them again: what was entered for one server is not sent to another by a slip.
    """
    saver = _saver_of(service.kind)
    given = {name: text for name, text in (values.get("credentials") or {}).items() if text}
    if "name" in values:
        service.name = _checked_name(values["name"])
    if "url" in values:
        url = _checked_url(saver, values["url"])
        secrets = {field.name for field in saver.fields if field.is_secret and field.is_required}
        if url != service.url and secrets - set(given):
            raise InvalidService("The address has changed: enter the password or token again.")
        service.url = url
    if given:
        kept = {name: text for name, text in _opened(service).items() if name in {f.name for f in saver.fields}}
        service.credentials = _dumped(_checked_credentials(saver, {**kept, **given}))
        service.last_error = ""
    if "is_default" in values:
        service.is_default = bool(values["is_default"])
    return _store(service)


def delete_service(service: SavingService) -> None:
    """Another one becomes the default if this was it."""
    with transaction.atomic():
        SavingService.objects.filter(pk=service.pk).delete()
        if service.is_default:
            heir = SavingService.objects.filter(user=service.user_id).order_by("pk").first()
            if heir is not None:
                SavingService.objects.filter(pk=heir.pk).update(is_default=True)


def try_service(service: SavingService) -> None:
    """Ask the service whether it takes the credentials; NotSaved with a sentence if not. Takes 20 s at most.

    A webhook gets ``{"event": "test"}``.
    """
    try:
        with turn_of(service.user_id), Gate(saving_policy()) as gate:
            saver = _open_saver(gate, service)
            kept = saver.check()
    except (RemoteError, UnreadableSecret) as error:
        _note(service, error.user_message)
        raise NotSaved(str(error), user_message=error.user_message) from error
    _keep(service, kept)
    _note(service, "")


# --- a post ---------------------------------------------------------------------------------------------------------
def save_for_later(user: Any, post: Post, service: SavingService | None = None) -> SavedPost:
    """Have a job save the post, at the default service unless one is named. What is saved already stays saved.

    NoSavingService when there is none, NotSaved when the post has no address.
    """
    service = service or default_service(user)
    if service is None or service.user_id != user.pk or post.user_id != user.pk:
        raise NoSavingService(
            "Choose a default among your services first."
            if services_of(user)
            else "There is no service to save to yet; add one in the settings of the reader."
        )
    if not post.entry.url and not _saver_of(service.kind).takes_markdown:
        raise NotSaved("This post has no address that could be saved.")
    now = now_utc()
    saved, is_new = SavedPost.objects.get_or_create(post=post, service=service, defaults={"asked_at": now})
    if saved.saved_at is not None:
        return saved
    if not is_new:
        SavedPost.objects.filter(pk=saved.pk).update(asked_at=now, last_error="")
        saved.asked_at, saved.last_error = now, ""
    try:
        enqueue(
            "save_post",
            subject=post.entry.title[:300],
            params={"saved_id": saved.pk},
            exclusive_key=f"save_post:{saved.pk}",
            asked_by=user,
        )
    except AlreadyActive:
        return saved
    return saved


def save_post(ctx: JobContext) -> dict[str, Any]:
    """The job: sends it, again after a pause when the service fails in passing. NotSaved says what the matter is."""
    rows = SavedPost.objects.select_related("service", "post__entry__article", "post__source")
    saved = rows.filter(pk=ctx.params["saved_id"]).first()
    if saved is None:
        return {"saved": False, "error": "The post or the service has been removed."}
    if saved.saved_at is not None:
        return {"saved": True}
    try:
        kept = _send(ctx, saved.service, _clip_of(saved))
    except (RemoteError, UnreadableSecret) as error:
        ctx.check_cancelled()
        SavedPost.objects.filter(pk=saved.pk).update(last_error=error.user_message[:500])
        _note(saved.service, error.user_message)
        raise NotSaved(str(error), user_message=error.user_message) from error
    now = now_utc()
    SavedPost.objects.filter(pk=saved.pk).update(saved_at=now, last_error="")
    _keep(saved.service, kept)
    SavingService.objects.filter(pk=saved.service_id).update(used_at=now, last_error="")
    return {"saved": True}


def warm_markdown(user: Any, post: Post) -> str | None:
    """Make the Markdown that saving will send, ahead of time; None when the default service takes none."""
    service = default_service(user)
    if service is None or not _saver_of(service.kind).takes_markdown:
        return None
    return _markdown_of(post)


def _send(ctx: JobContext, service: SavingService, clip: Clip) -> Credentials:
    with Gate(saving_policy()) as gate, ctx.on_stop(gate.abort):
        saver = _open_saver(gate, service)
        pauses: list[float] = list(settings.MASTOSCORE_RETRY_PAUSES)[: _MOST_TRIES - 1]
        for pause in [*pauses, None]:
            ctx.check_cancelled()
            try:
                return saver.send(clip)
            except RemoteError as error:
                wait = max(pause or 0.0, error.retry_after or 0.0)
                if pause is None or error.permanent or wait > _LONGEST_PAUSE:
                    raise
            ctx.wait(wait)
    raise AssertionError("unreachable: the last try returns or raises")


def _clip_of(saved: SavedPost) -> Clip:
    post, entry = saved.post, saved.post.entry
    takes_markdown = _saver_of(saved.service.kind).takes_markdown
    return Clip(
        url=entry.url,
        title=entry.title,
        source=post.source.name,
        author=entry.author,
        published_at=format_z(post.posted_at),
        markdown=_markdown_of(post) if takes_markdown else "",
        key=hashlib.sha256(f"saved post {saved.pk}".encode()).hexdigest()[:32],
    )


def _markdown_of(post: Post) -> str:
    """Kept for a day, for what it was made of."""
    facts = [post.entry.title, post.entry.url, post.source.name, content_of(post)]
    key = "markdown:" + hashlib.sha256("\0".join(facts).encode("utf-8", "replace")).hexdigest()
    found: str | None = cache.get(key)
    if found is None:
        found = post_as_markdown(post, has_images=True)
        cache.set(key, found, _MARKDOWN_SECONDS)
    return found


# --- what is stored -------------------------------------------------------------------------------------------------
def _store(service: SavingService) -> SavingService:
    try:
        with transaction.atomic():
            if service.is_default:
                others = SavingService.objects.filter(user=service.user_id, is_default=True)
                others.exclude(pk=service.pk).update(is_default=False)
            service.save()
    except IntegrityError:
        raise InvalidService("You have a service of that name already.") from None
    return service


def _saver_of(kind: str) -> type[Saver]:
    if kind not in SAVERS:
        raise InvalidService("There is no such kind of service.")
    return SAVERS[kind]


def _open_saver(gate: Gate, service: SavingService) -> Saver:
    return _saver_of(service.kind)(gate, service.url, _opened(service))


def _opened(service: SavingService) -> Credentials:
    """UnreadableSecret when it was encrypted under a key that is gone."""
    stored = service.credentials
    found = orjson.loads(stored) if stored else {}
    return {str(name): str(text) for name, text in found.items()}


def _dumped(credentials: Credentials) -> str:
    return orjson.dumps(credentials).decode()


def _keep(service: SavingService, credentials: Credentials) -> None:
    """New tokens, unless the owner changed the service meanwhile."""
    if service.pk is None or credentials == _opened(service):
        return
    same = SavingService.objects.filter(pk=service.pk, url=service.url)
    current = same.first()
    if current is not None and _opened(current) == _opened(service):
        same.update(credentials=_dumped(credentials))


def _note(service: SavingService, error: str) -> None:
    if service.pk is not None:
        SavingService.objects.filter(pk=service.pk).update(last_error=error[:500])


def _checked_name(name: str) -> str:
    line = clean_line(name)
    if not 0 < len(line) <= 100:
        raise InvalidService("The name of a service has 1 to 100 characters.")
    return line


def _checked_url(saver: type[Saver], url: str) -> str:
    if not saver.needs_url:
        return ""
    if not url.strip():
        raise InvalidService("Enter the address of the service.")
    try:
        return refuse_closed_address(url, allows_plain_http=False)
    except InvalidAddress as error:
        raise InvalidService(str(error), user_message=error.user_message) from error


def _checked_credentials(saver: type[Saver], given: Mapping[str, str]) -> Credentials:
    found: Credentials = {}
    for field in saver.fields:
        text = given.get(field.name, "")
        if field.name not in ("password",):
            text = text.strip()
        if not text and field.is_required:
            raise InvalidService(f"{field.label} is missing.")
        # Tokens travel in headers, which hold plain ASCII only.
        is_plain = text.isprintable() and (text.isascii() or field.name in ("username", "password", "secret"))
        if len(text) > MAX_SECRET_CHARS or not is_plain:
            raise InvalidService(f"{field.label} cannot be right: it is too long, or has signs that are not allowed.")
        if text:
            found[field.name] = text
    return found

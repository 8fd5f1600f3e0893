"""How each of the services to save to is spoken to: one class per kind, requests only, no database.

Every failure is a RemoteError whose sentence says what the owner can do. Passwords and tokens travel in headers and
bodies, never in addresses, and stand in no text of ours.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import orjson
from django.conf import settings

from common.errors import RemoteError
from common.http import Answer, Gate, GatePolicy, InvalidAnswer, TooManyRedirects, policy_from_settings
from common.mastodon_errors import RemoteRefused, retry_after_seconds
from common.times import now_utc

TOTAL_SECONDS = 20.0
MAX_BYTES = 1_000_000
MAX_TOKEN_CHARS = 4000  # some are signed texts of a thousand
Credentials = dict[str, str]


@dataclass(frozen=True, slots=True)
class Field:
    """One thing a person enters for a service."""

    name: str
    label: str
    is_secret: bool = True
    is_required: bool = True


@dataclass(frozen=True, slots=True)
class Clip:
    """What is saved of a post.

    ``markdown`` is empty for services that fetch the page themselves; ``key`` is the same whenever the same post is
    sent again.
    """

    url: str
    title: str
    source: str
    author: str
    published_at: str
    markdown: str
    key: str


class Saver(ABC):
    """``send`` and ``check`` return the credentials as they are to be kept from now on."""

    label: ClassVar[str]
    fields: ClassVar[tuple[Field, ...]]
    needs_url: ClassVar[bool] = True
    takes_markdown: ClassVar[bool] = False

    def __init__(self, gate: Gate, url: str, credentials: Mapping[str, str]) -> None:
        self.gate = gate
        self.address = url
        self.credentials: Credentials = dict(credentials)

    @abstractmethod
    def send(self, clip: Clip) -> Credentials:
        """Have it saved. Sending the same again makes no second copy where the service can help it."""

    @abstractmethod
    def check(self) -> Credentials:
        """Ask whether the service is there and takes the credentials; nothing is saved."""

    def ask(self, method: str, path: str, *, bearer: str = "", **options: Any) -> Answer:
        """No redirect is followed: what we send is for the address that was entered, and for no other."""
        headers = {"Accept": "application/json", **options.pop("headers", {})}
        if bearer:
            headers["Authorization"] = f"Bearer {bearer}"
        try:
            address = self.address.rstrip("/") + path if path else self.address
            return self.gate.request(method, address, headers=headers, max_redirects=0, **options)
        except TooManyRedirects as error:
            raise self._moved(None) from error

    def refuse(self, answer: Answer) -> RemoteError:
        """What an answer that is no success means."""
        status, name = answer.status_code, self.label
        if status in (401, 403):
            what = "the user name or the password" if self.has_password else "the token"
            return RemoteRefused(
                f"{name} answered {status}",
                permanent=True,
                status_code=status,
                user_message=f"{name} does not accept {what}. Check what you entered for it.",
            )
        if 300 <= status < 400:
            return self._moved(status)
        if status == 429 or status >= 500:
            told = f"{name} is busy or has a fault of its own ({status}); try again later."
            wait = retry_after_seconds(answer.headers, now=now_utc())
            return RemoteError(f"{name} answered {status}", status_code=status, retry_after=wait, user_message=told)
        told = f"{name} did not take it (status {status}). Check the address you entered for it."
        return InvalidAnswer(f"{name} answered {status}", status_code=status, user_message=told)

    def _moved(self, status: int | None) -> RemoteError:
        told = f"The address of {self.label} leads somewhere else; enter the address it leads to."
        return InvalidAnswer(f"{self.label} redirects", status_code=status, user_message=told)

    @property
    def has_password(self) -> bool:
        return any(field.name == "password" for field in self.fields)


class Instapaper(Saver):
    """https://www.instapaper.com/api/simple: an address that is there already is moved to the top, not doubled."""

    label = "Instapaper"
    needs_url = False
    fields = (
        Field("username", "E-mail or user name", is_secret=False),
        Field("password", "Password", is_required=False),
    )

    def __init__(self, gate: Gate, url: str, credentials: Mapping[str, str]) -> None:
        super().__init__(gate, settings.INSTAPAPER_API_URL, credentials)

    def send(self, clip: Clip) -> Credentials:
        answer = self._post("/add", {"url": clip.url, "title": clip.title})
        if answer.status_code not in (200, 201):
            raise self.refuse(answer)
        return self.credentials

    def check(self) -> Credentials:
        answer = self._post("/authenticate", {})
        if answer.status_code != 200:
            raise self.refuse(answer)
        return self.credentials

    def _post(self, path: str, form: Mapping[str, str]) -> Answer:
        pair = f"{self.credentials.get('username', '')}:{self.credentials.get('password', '')}"
        basic = base64.b64encode(pair.encode()).decode()
        return self.ask("POST", path, data=dict(form), headers={"Authorization": f"Basic {basic}"})


class Wallabag(Saver):
    """https://doc.wallabag.org/developer/api/: OAuth with the owner's password, and a token that lasts an hour.

    An address that is there already is answered with its entry.
    """

    label = "wallabag"
    fields = (
        Field("client_id", "Client ID", is_secret=False),
        Field("client_secret", "Client secret"),
        Field("username", "User name", is_secret=False),
        Field("password", "Password"),
    )

    def send(self, clip: Clip) -> Credentials:
        form = {"url": clip.url, "title": clip.title}
        answer = self._ask_signed_in("POST", "/api/entries.json", data=form)
        if answer.status_code not in (200, 201):
            raise self.refuse(answer)
        return self.credentials

    def check(self) -> Credentials:
        self._sign_in()  # anew, as it is the password that is to be proved
        answer = self._ask_signed_in("GET", "/api/entries.json", params={"perPage": 1, "detail": "metadata"})
        if answer.status_code != 200:
            raise self.refuse(answer)
        return self.credentials

    def _ask_signed_in(self, method: str, path: str, **options: Any) -> Answer:
        ends_at = self.credentials.get("expires_at", "")
        if not self.credentials.get("access_token") or not ends_at.isdigit() or int(ends_at) < time.time() + 60:
            self._renew()
        answer = self.ask(method, path, bearer=self.credentials["access_token"], **options)
        if answer.status_code == 401:  # taken back before its time
            self._renew()
            answer = self.ask(method, path, bearer=self.credentials["access_token"], **options)
        return answer

    def _renew(self) -> None:
        """By the refresh token while that is good, else by the password."""
        refresh_token = self.credentials.get("refresh_token")
        if refresh_token:
            form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
            if self._take_token(self._ask_for_token(form)):
                return
        self._sign_in()

    def _sign_in(self) -> None:
        names = ("username", "password")
        form = {"grant_type": "password", **{name: self.credentials.get(name, "") for name in names}}
        answer = self._ask_for_token(form)
        if self._take_token(answer):
            return
        if answer.status_code in (400, 401):
            raise RemoteRefused(
                f"{self.label} answered {answer.status_code}",
                permanent=True,
                status_code=answer.status_code,
                user_message="wallabag does not accept the user name, the password or the client. "
                "Check what you entered for it.",
            )
        raise self.refuse(answer)

    def _ask_for_token(self, form: Mapping[str, str]) -> Answer:
        client = {name: self.credentials.get(name, "") for name in ("client_id", "client_secret")}
        return self.ask("POST", "/oauth/v2/token", data={**form, **client})

    def _take_token(self, answer: Answer) -> bool:
        if answer.status_code != 200:
            return False
        found = answer.json()
        token = _plain(found.get("access_token")) if isinstance(found, dict) else ""
        if not token:
            raise InvalidAnswer("wallabag sent no token", user_message="This does not seem to be a wallabag.")
        lasts = found.get("expires_in")
        seconds = lasts if isinstance(lasts, int) and 0 < lasts < 10**9 else 3600
        self.credentials |= {
            "access_token": token,
            "refresh_token": _plain(found.get("refresh_token")),
            "expires_at": str(int(time.time()) + seconds),
        }
        return True


def _plain(token: object) -> str:
    """A token fit for a header and for keeping; "" for anything else."""
    is_fit = isinstance(token, str) and len(token) <= MAX_TOKEN_CHARS and token.isascii() and token.isprintable()
    return str(token) if is_fit else ""


class Linkding(Saver):
    """https://linkding.link/api/: a bookmark of the same address is brought up to date, not doubled."""

    label = "Linkding"
    fields = (Field("token", "API token"),)

    def send(self, clip: Clip) -> Credentials:
        body = {"url": clip.url, "title": clip.title, "description": "", "unread": True, "tag_names": []}
        answer = self.ask("POST", "/api/bookmarks/", json=body, headers=self._signed)
        if answer.status_code not in (200, 201):
            raise self.refuse(answer)
        return self.credentials

    def check(self) -> Credentials:
        answer = self.ask("GET", "/api/bookmarks/", params={"limit": 1}, headers=self._signed)
        if answer.status_code != 200 or not isinstance(answer.json(), dict):
            raise self.refuse(answer)
        return self.credentials

    @property
    def _signed(self) -> dict[str, str]:
        return {"Authorization": f"Token {self.credentials.get('token', '')}"}


class Readeck(Saver):
    """https://readeck.org/: says 202, and fetches the page by itself later."""

    label = "Readeck"
    fields = (Field("token", "API token"),)

    def send(self, clip: Clip) -> Credentials:
        answer = self.ask("POST", "/api/bookmarks", json={"url": clip.url, "title": clip.title}, bearer=self._token)
        if answer.status_code not in (200, 201, 202):
            raise self.refuse(answer)
        return self.credentials

    def check(self) -> Credentials:
        answer = self.ask("GET", "/api/profile", bearer=self._token)
        if answer.status_code != 200 or not isinstance(answer.json(), dict):
            raise self.refuse(answer)
        return self.credentials

    @property
    def _token(self) -> str:
        return self.credentials.get("token", "")


class Webhook(Saver):
    """JSON to an address of the owner's: the post with its text as Markdown. See docs/reader.md.

    With a secret, ``X-Mastoscore-Signature: sha256=<HMAC of the body in hex>`` proves that it is from us.
    """

    label = "The webhook"
    takes_markdown = True
    fields = (Field("secret", "Secret that signs what is sent", is_required=False),)

    def send(self, clip: Clip) -> Credentials:
        return self._post(
            {
                "event": "save",
                "title": clip.title,
                "url": clip.url,
                "source": clip.source,
                "author": clip.author or None,
                "published_at": clip.published_at,
                "markdown": clip.markdown,
            },
            clip.key,
        )

    def check(self) -> Credentials:
        return self._post({"event": "test"}, "")

    def _post(self, value: Mapping[str, Any], key: str) -> Credentials:
        body = orjson.dumps(value)
        headers = {"Content-Type": "application/json", **({"Idempotency-Key": key} if key else {})}
        if secret := self.credentials.get("secret"):
            signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
            headers["X-Mastoscore-Signature"] = f"sha256={signature}"
        answer = self.ask("POST", "", data=body, headers=headers)
        if not 200 <= answer.status_code < 300:
            raise self.refuse(answer)
        return self.credentials


SAVERS: dict[str, type[Saver]] = {
    "instapaper": Instapaper,
    "wallabag": Wallabag,
    "linkding": Linkding,
    "readeck": Readeck,
    "webhook": Webhook,
}


def saving_policy() -> GatePolicy:
    """Never unencrypted but to private hosts of the settings: what is sent holds a password or a token."""
    return replace(
        policy_from_settings(), total_seconds=TOTAL_SECONDS, read_seconds=TOTAL_SECONDS, max_bytes=MAX_BYTES
    )

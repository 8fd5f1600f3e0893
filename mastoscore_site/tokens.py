"""Personal tokens: made, recognised, taken back."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from common.api.access import Scope
from common.errors import ConfigurationError
from mastoscore_site.models import ApiToken

MAX_DAYS = 3660
MAX_TOKENS_PER_USER = 50
USE_NOTED_EVERY = timedelta(minutes=1)

_ALPHABET = string.ascii_letters + string.digits
_PREFIX_LENGTH = 12
_SECRET_LENGTH = 43  # of 62 letters: 256 bits
_SHAPE = re.compile(rf"ms_([a-z0-9]{{{_PREFIX_LENGTH}}})_[A-Za-z0-9]{{{_SECRET_LENGTH}}}", re.ASCII)
_NO_DIGEST = "0" * 64
_FEVER_KEY = re.compile(r"[0-9a-f]{32}", re.ASCII)
_APP_KEY = re.compile(rf"([a-z0-9]{{{_PREFIX_LENGTH}}})/([0-9a-f]{{64}})", re.ASCII)


def make_token(user: Any, name: str, scopes: Collection[Scope], *, days: int | None = None) -> tuple[ApiToken, str]:
    """The row and the text, which cannot be had again. ``days`` None: it does not expire.

    ConfigurationError with a sentence when there is something wrong with a value.
    """
    name = name.strip()
    _check(user, name, days)
    prefix = "".join(secrets.choice(string.ascii_lowercase + string.digits) for _ in range(_PREFIX_LENGTH))
    text = f"ms_{prefix}_" + "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_LENGTH))
    try:
        with transaction.atomic():
            token = ApiToken.objects.create(
                user=user,
                name=name,
                prefix=prefix,
                digest=_digest(text),
                fever_digest=_digest(fever_key(user.get_username(), text)),
                scopes=" ".join(scope for scope in Scope if scope is Scope.READ or scope in scopes),
                expires_at=None if days is None else timezone.now() + timedelta(days=days),
            )
    except IntegrityError:
        raise ConfigurationError(
            f"{user} has a token called “{name}” already; revoke it or choose another name."
        ) from None
    return token, text


def _check(user: Any, name: str, days: int | None) -> None:
    if not name or len(name) > 100 or not name.isprintable():
        raise ConfigurationError("A token needs a name of 1 to 100 letters that says what it is for.")
    if days is not None and not 1 <= days <= MAX_DAYS:
        raise ConfigurationError(f"A token can be good for 1 to {MAX_DAYS} days.")
    if ApiToken.objects.filter(user=user, revoked_at__isnull=True).count() >= MAX_TOKENS_PER_USER:
        raise ConfigurationError(f"{user} has {MAX_TOKENS_PER_USER} tokens; revoke one that is not needed any more.")


def parse_scopes(words: Iterable[str]) -> frozenset[Scope]:
    """ConfigurationError for a word that is no scope, and when there is none at all."""
    wanted = {word.strip().lower() for word in words if word.strip()}
    unknown = sorted(wanted - set(Scope))
    if unknown or not wanted:
        problem = f"“{unknown[0]}” is not a scope" if unknown else "No scope is given"
        raise ConfigurationError(f"{problem}; there are {', '.join(Scope)}.")
    return frozenset(Scope(word) for word in wanted)


def find_token(text: str) -> ApiToken | None:
    """The valid token with that text, with its user; None for any other text."""
    shape = _SHAPE.fullmatch(text)
    if shape is None:
        return None
    token = ApiToken.objects.select_related("user").filter(prefix=shape.group(1)).first()
    is_right = hmac.compare_digest(token.digest if token else _NO_DIGEST, _digest(text))
    return _usable(token) if is_right else None


def _usable(token: ApiToken | None) -> ApiToken | None:
    return token if token and token.is_valid() and token.user.is_active else None


# --- for phone apps -------------------------------------------------------------------------------------------------
def fever_key(username: str, text: str) -> str:
    """What Fever apps make of a user's name and the token that was typed in as the password."""
    return hashlib.md5(f"{username}:{text}".encode(), usedforsecurity=False).hexdigest()


def find_fever_token(key: str) -> ApiToken | None:
    """The valid token of that key; tokens from before there were such keys have none."""
    key = key.strip().lower()
    if not _FEVER_KEY.fullmatch(key):
        return None
    digest = _digest(key)
    token = ApiToken.objects.select_related("user").filter(fever_digest=digest).first()
    is_right = hmac.compare_digest(token.fever_digest if token else _NO_DIGEST, digest)
    return _usable(token) if is_right else None


def app_key(token: ApiToken) -> str:
    """What an app is given for the token when it signs in: it opens the phone's calls and nothing else of the API.

    Not kept anywhere, as it can be worked out again; it ends with its token.
    """
    return f"{token.prefix}/{_seal(token, settings.SECRET_KEY)}"


def find_app_token(key: str) -> ApiToken | None:
    """The valid token for which ``app_key`` gave this."""
    shape = _APP_KEY.fullmatch(key)
    if shape is None:
        return None
    token = ApiToken.objects.select_related("user").filter(prefix=shape[1]).first()
    if token is None:
        return None
    secrets_known = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    is_right = any(hmac.compare_digest(_seal(token, secret), shape[2]) for secret in secrets_known)
    return _usable(token) if is_right else None


def _seal(token: ApiToken, secret: str) -> str:
    salted = salted_hmac("mastoscore_site.tokens.app_key", token.digest, secret=secret, algorithm="sha256")
    return salted.hexdigest()


def note_use(token: ApiToken) -> None:
    """At most one write a minute, so that reading stays reading."""
    now = timezone.now()
    limit = now - USE_NOTED_EVERY
    if token.last_used_at is None or token.last_used_at <= limit:
        stale = Q(last_used_at__isnull=True) | Q(last_used_at__lte=limit)
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
        token.last_used_at = now


def revoke(token_id: int, *, user: Any) -> ApiToken | None:
    """None if the user has no such token. One that was revoked before stays as it is."""
    mine = ApiToken.objects.filter(pk=token_id, user=user)
    mine.filter(revoked_at__isnull=True).update(revoked_at=timezone.now())
    return mine.first()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

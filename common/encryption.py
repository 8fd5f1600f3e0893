"""Secrets at rest: Fernet with keys derived from the site's secret key (and its predecessors)."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from common.errors import MastoscoreError


class UnreadableSecret(MastoscoreError):
    """A stored secret was encrypted under a key that is no longer known."""


def cipher(secrets: Sequence[str]) -> MultiFernet:
    """A cipher that writes under the first secret and reads under any of them."""
    return MultiFernet([Fernet(_derived_key(secret)) for secret in secrets])


def encrypt(text: str, secrets: Sequence[str]) -> str:
    return cipher(secrets).encrypt(text.encode()).decode()


def decrypt(stored: str, secrets: Sequence[str]) -> str:
    """The text again; UnreadableSecret when none of the secrets fits."""
    try:
        return cipher(secrets).decrypt(stored.encode()).decode()
    except InvalidToken as error:
        raise UnreadableSecret(
            "stored secret does not open with the current SECRET_KEY",
            user_message="A stored token cannot be read with the current secret key. Add the old key to "
            "SECRET_KEY_FALLBACKS, or connect the account again.",
        ) from error


def _derived_key(secret: str) -> bytes:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"mastoscore stored secrets").derive(
        secret.encode()
    )
    return base64.urlsafe_b64encode(derived)

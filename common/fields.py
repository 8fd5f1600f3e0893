"""Model fields shared by the apps."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models

from common.encryption import decrypt, encrypt


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Text that is encrypted in the database and plain in Python. Cannot be searched."""

    def get_prep_value(self, value: Any) -> Any:
        return encrypt(value, _secrets()) if value else value

    def from_db_value(self, value: Any, expression: object, connection: object) -> Any:
        return decrypt(value, _secrets()) if value else value


def _secrets() -> list[str]:
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]

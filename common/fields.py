"""Model fields shared by the apps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models.query_utils import DeferredAttribute

from common.encryption import decrypt, encrypt


@dataclass(frozen=True, slots=True)
class Sealed:
    """A secret as the database holds it, not opened yet."""

    stored: str

    def open(self) -> str:
        """The secret; UnreadableSecret when it was encrypted under a key that is not known any more."""
        return decrypt(self.stored, _secrets())


class _OpenedOnAccess(DeferredAttribute):
    """Opens a secret when somebody asks for it, so that a lost key spoils no page that merely lists its owner."""

    def __get__(self, instance: Any, cls: Any = None) -> Any:
        value = super().__get__(instance, cls)
        if isinstance(value, Sealed):
            value = instance.__dict__[self.field.attname] = value.open()
        return value

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value  # with a setter, Python asks __get__ even when a value is there


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Text that is encrypted in the database and plain in Python. Cannot be searched."""

    descriptor_class = _OpenedOnAccess

    def get_prep_value(self, value: Any) -> Any:
        if isinstance(value, Sealed):
            return value.stored
        return encrypt(value, _secrets()) if value else value

    def from_db_value(self, value: Any, expression: object, connection: object) -> Any:
        return Sealed(value) if value else value

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        return model_instance.__dict__.get(self.attname, "")  # as it is: saving opens nothing


def has_secret(instance: models.Model, name: str) -> bool:
    """Whether an encrypted field holds something, without opening it."""
    if name in instance.get_deferred_fields():
        instance.refresh_from_db(fields=[name])
    return bool(instance.__dict__.get(name))


def _secrets() -> list[str]:
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]

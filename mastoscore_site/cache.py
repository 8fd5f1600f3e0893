"""The cache in the database, with a counter that may be used by several processes at once."""

from __future__ import annotations

import base64
import pickle
from typing import Any

from django.core.cache.backends.db import DatabaseCache
from django.db import connections, router, transaction
from django.utils import timezone


class SharedDatabaseCache(DatabaseCache):
    """Django's own reads a number, adds to it and writes it back, so that of two at once one is lost."""

    _table: str  # set by Django's

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """As that of Redis: nothing is lost, and the entry ends when it would have. ValueError if there is none."""
        row_key = self.make_and_validate_key(key, version=version)
        alias = router.db_for_write(self.cache_model_class)
        with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
            number = self._read_locked(cursor, alias, row_key)
            if number is None:
                raise ValueError(f"Key {key!r} not found")
            number += delta
            stored = base64.b64encode(pickle.dumps(number, self.pickle_protocol)).decode("ascii")
            cursor.execute(f"UPDATE {self._quoted(alias)} SET value = %s WHERE cache_key = %s", [stored, row_key])  # noqa: S608
            return number

    def _read_locked(self, cursor: Any, alias: str, row_key: str) -> int | None:
        """The number, and nobody else changes it until the transaction ends (SQLite locks as a whole with BEGIN)."""
        operations, features = connections[alias].ops, connections[alias].features
        now = operations.adapt_datetimefield_value(timezone.now().replace(microsecond=0))
        lock = " FOR UPDATE" if features.has_select_for_update else ""
        cursor.execute(
            f"SELECT value FROM {self._quoted(alias)} WHERE cache_key = %s AND expires >= %s{lock}",  # noqa: S608
            [row_key, now],
        )
        row = cursor.fetchone()
        return None if row is None else int(pickle.loads(base64.b64decode(row[0])))  # noqa: S301  (our own table)

    def _quoted(self, alias: str) -> str:
        return connections[alias].ops.quote_name(self._table)

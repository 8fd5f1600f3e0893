"""A full disk is no fault of the program, and whoever reads of it can make room."""

from __future__ import annotations

import sqlite3

import pytest
from django.db import OperationalError

from common.database_trouble import explain_database_trouble


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("database or disk is full", "disk is full"),
        ("could not extend file base/1/2: No space left on device", "disk is full"),
        ("disk I/O error", "may be full, read-only or broken"),
        ("attempt to write a readonly database", "permissions of the data folder"),
        ("no such table: events_event", "manage.py prepare"),
    ],
)
def test_trouble_a_person_can_mend_is_said_so(text: str, says: str) -> None:
    assert says in str(explain_database_trouble(OperationalError(text)))


def test_cause_behind_another_error_is_found() -> None:
    try:
        try:
            raise sqlite3.OperationalError("database or disk is full")
        except sqlite3.OperationalError as cause:
            raise OperationalError("cannot rollback - no transaction is active") from cause
    except OperationalError as error:
        assert "disk is full" in str(explain_database_trouble(error))


def test_other_trouble_is_left_to_the_log() -> None:
    assert explain_database_trouble(OperationalError("near SELEC: syntax error")) is None

"""Troubles of the database that are no fault of the program, as sentences for the person who can mend them."""

from __future__ import annotations

# Words of SQLite (https://www.sqlite.org/rescode.html) and PostgreSQL (SQLSTATE classes 53 and 58).
_SENTENCES = (
    (
        ("disk is full", "no space left", "disk full", "could not extend file"),
        "The disk is full, so nothing more could be stored. Make room and start it again; it goes on where it stood.",
    ),
    (
        ("disk i/o error",),
        "The disk did not take what was to be stored: it may be full, read-only or broken. Look after it and start "
        "again; what was stored before is safe.",
    ),
    (
        ("readonly database", "read-only transaction", "unable to open database file"),
        "The database cannot be written to. Look at the permissions of the data folder.",
    ),
    (
        ("no such table", "does not exist"),
        "The database is not set up for this version of the program; run: manage.py prepare",
    ),
)


def explain_database_trouble(error: BaseException) -> str | None:
    """A sentence for an error of the database, its causes included; None when it says nothing a person could mend."""
    seen: BaseException | None = error
    while seen is not None:
        text = str(seen).casefold()
        for marks, sentence in _SENTENCES:
            if any(mark in text for mark in marks):
                return sentence
        seen = seen.__cause__ or seen.__context__
    return None

"""The index behind ``feeds.search``, in what each database has for it; made after every ``migrate``.

Not a migration: on SQLite, Django changes a table by making it anew, which loses its triggers.
"""

from __future__ import annotations

from typing import Any

from django.db import connections

_SQLITE_TABLE = """
CREATE VIRTUAL TABLE feeds_entry_search USING fts5(
    title, text, content='feeds_entry', content_rowid='id', tokenize="unicode61 remove_diacritics 2"
)
"""
_SQLITE_TRIGGERS = (
    """
    CREATE TRIGGER IF NOT EXISTS feeds_entry_search_added AFTER INSERT ON feeds_entry BEGIN
        INSERT INTO feeds_entry_search (rowid, title, text) VALUES (new.id, new.title, new.text);
    END
    """,
    """
    CREATE TRIGGER IF NOT EXISTS feeds_entry_search_removed AFTER DELETE ON feeds_entry BEGIN
        INSERT INTO feeds_entry_search (feeds_entry_search, rowid, title, text)
        VALUES ('delete', old.id, old.title, old.text);
    END
    """,
    """
    CREATE TRIGGER IF NOT EXISTS feeds_entry_search_changed AFTER UPDATE OF title, text ON feeds_entry BEGIN
        INSERT INTO feeds_entry_search (feeds_entry_search, rowid, title, text)
        VALUES ('delete', old.id, old.title, old.text);
        INSERT INTO feeds_entry_search (rowid, title, text) VALUES (new.id, new.title, new.text);
    END
    """,
)
# A tsvector holds at most 1 MB; the text is bounded far below that.
_POSTGRESQL = (
    """
    ALTER TABLE feeds_entry ADD COLUMN IF NOT EXISTS search tsvector
    GENERATED ALWAYS AS (to_tsvector('simple', title || ' ' || text)) STORED
    """,
    "CREATE INDEX IF NOT EXISTS feeds_entry_search ON feeds_entry USING gin (search)",
)


def ensure_index(using: str = "default", **signal: Any) -> None:
    """Make what is missing of it. Receiver of ``post_migrate``; safe at any time."""
    connection = connections[using]
    tables = connection.introspection.table_names(include_views=True)
    if "feeds_entry" not in tables:  # migrated back to nothing
        return
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for statement in _POSTGRESQL:
                cursor.execute(statement)
            return
        is_new = "feeds_entry_search" not in tables
        if is_new:
            cursor.execute(_SQLITE_TABLE)
        cursor.execute("SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'feeds_entry'")
        is_cut_off = cursor.fetchone()[0] < len(_SQLITE_TRIGGERS)
        for statement in _SQLITE_TRIGGERS:
            cursor.execute(statement)
        if is_new or is_cut_off:
            cursor.execute("INSERT INTO feeds_entry_search (feeds_entry_search) VALUES ('rebuild')")

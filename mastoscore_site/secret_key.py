"""The site's secret key, made once and kept in a file that only its owner can read."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def load_or_make_secret_key(path: Path) -> str:
    """The key in the file; a new one is written first if there is no file. Two processes at once get the same key.

    ImproperlyConfigured in a sentence when the folder cannot be used.
    """
    try:
        return _load_or_make(path)
    except OSError as error:
        raise ImproperlyConfigured(
            f"The data folder {path.parent} cannot be used: {error.strerror}. Make it readable and writable, or name "
            "another one in MASTOSCORE_DATA_DIR."
        ) from error


def _load_or_make(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        beside = path.with_name(f"{path.name}.{os.getpid()}")
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "w") as stream:
                stream.write(secrets.token_urlsafe(64) + "\n")
                stream.flush()
                os.fsync(stream.fileno())
            with contextlib.suppress(FileExistsError):  # another process was first: its key counts
                os.link(beside, path)
        finally:
            beside.unlink()
    return path.read_text().strip()

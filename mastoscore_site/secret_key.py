"""The site's secret key, made once and kept in a file that only its owner can read."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path


def load_or_make_secret_key(path: Path) -> str:
    """The key in the file; a new one is written first if there is no file. Two processes at once get the same key."""
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

"""Files appear whole or not at all: written beside, flushed to disk, then renamed."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import orjson

from common.errors import MastoscoreError


class FileTrouble(MastoscoreError):
    """A file of ours could not be written (disk full, no permission)."""


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """What was written: absolute path, size in bytes, sha256 in hex."""

    path: Path
    size: int
    sha256: str


@contextmanager
def atomic_writer(path: Path, *, mode: int = 0o644) -> Iterator[IO[bytes]]:
    """A binary file that becomes ``path`` when the block ends well, and leaves no trace when it does not.

    Raises FileTrouble with a sentence for the person when the disk refuses.
    """
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:60]}.", suffix=".part")
        temporary = Path(name)
        with os.fdopen(handle, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(mode)
        temporary.replace(path)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise FileTrouble(
            f"cannot write {path}: {reason}", user_message=f"Could not write {path.name}: {reason}."
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextmanager
def nameless_file(folder: Path) -> Iterator[IO[bytes]]:
    """A file to put things aside in, gone with the block or the process; FileTrouble when the disk refuses."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as stream:
            yield stream
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise FileTrouble(
            f"cannot write to {folder}: {reason}", user_message=f"Could not write to the data folder: {reason}."
        ) from error


def write_chunks(path: Path, chunks: Iterable[bytes], *, mode: int = 0o644) -> WrittenFile:
    """Write the chunks in order as one file, atomically, without holding them all in memory."""
    digest, size = hashlib.sha256(), 0
    with atomic_writer(path, mode=mode) as stream:
        for chunk in chunks:
            digest.update(chunk)
            size += len(chunk)
            stream.write(chunk)
    return WrittenFile(path, size, digest.hexdigest())


def write_bytes(path: Path, content: bytes, *, mode: int = 0o644) -> WrittenFile:
    return write_chunks(path, [content], mode=mode)


def write_text(path: Path, content: str) -> WrittenFile:
    return write_bytes(path, content.encode())


def write_json(path: Path, value: Any) -> WrittenFile:
    """Indented JSON with a newline at the end; keys keep their order."""
    return write_bytes(path, orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))


def safe_name(text: str, *, fallback: str = "unnamed", max_length: int = 120) -> str:
    """A name for one path component: letters, digits, ``.``, ``_``, ``-`` of any script; never hidden or empty.

    Everything else (separators, controls, spaces, a leading dot) becomes ``_``.
    """
    name = re.sub(r"[^\w.\-]", "_", text).lstrip(".")
    while len(name.encode()) > max_length:
        name = name[:-1]
    return name or fallback

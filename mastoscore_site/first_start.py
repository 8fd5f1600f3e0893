"""What must be there before the first page: tables, schedules, somebody who may log in. Again, it does nothing."""

from __future__ import annotations

import fcntl
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from common.errors import ConfigurationError
from jobs.schedules import ensure_schedules
from pipeline.mock import demo

ADMIN_NAME = "admin"


def prepare(say: Callable[[str], None], *, make_admin: bool = True) -> None:
    """``make_admin``: when nobody can log in yet, make an admin and say the password, which is told this once."""
    with _one_at_a_time(Path(settings.DATA_DIR)):
        if is_behind():
            say("Bringing the database up to date ...")
            call_command("migrate", interactive=False, verbosity=0)
        call_command("createcachetable", verbosity=0)
        Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)  # whitenoise wants to see it
        ensure_schedules()
        password = _make_first_admin() if make_admin else None
        if password is not None:
            say(f"Log in as “{ADMIN_NAME}” with the password {password}")
            say("(It is shown this once; change it after the first login.)")


@contextmanager
def _one_at_a_time(folder: Path) -> Iterator[None]:
    """Of several processes on this machine one prepares and the others wait."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "prepare.lock").open("w")
    except OSError as error:
        raise ConfigurationError(f"The data folder {folder} cannot be written to: {error.strerror}.") from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # let go when the file is closed
        yield


def is_behind() -> bool:
    """Whether the database lacks a migration of this version of the program."""
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _make_first_admin() -> str | None:
    """The new admin's password; None if there is a user. The demo's login does not count: its password is gone."""
    users = get_user_model()
    if users.objects.exclude(username=demo.USERNAME).exists():
        return None
    password = secrets.token_urlsafe(12)
    try:
        with transaction.atomic():
            users.objects.create_superuser(ADMIN_NAME, "", password)
    except IntegrityError:  # a process on another machine was first
        return None
    return password

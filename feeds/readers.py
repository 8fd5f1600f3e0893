"""Whose feeds a command is about."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model

from feeds.errors import UnknownUser


def find_reader(username: str | None) -> Any:
    """The user of that name; without a name the only user there is. UnknownUser otherwise."""
    users = get_user_model()._default_manager.all()
    if username:
        user = users.filter(username=username).first()
        if user is None:
            raise UnknownUser(f"There is no user {username!r}.")
        return user
    few = list(users[:2])
    if len(few) != 1:
        reason = "There is no user yet." if not few else "There are several users."
        raise UnknownUser(f"{reason} Say whose feeds are meant: --user NAME")
    return few[0]

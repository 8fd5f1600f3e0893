"""Who may call what: the scope of a token and the permissions of its user, declared by each view."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.core.exceptions import ImproperlyConfigured


class Scope(StrEnum):
    """What a token may be used for, on top of what its user may do. Each of the other two includes ``read``."""

    READ = "read"
    RUN = "run"
    POST = "post"

    @property
    def meaning(self) -> str:
        return _MEANINGS[self]


_MEANINGS = {
    Scope.READ: "look at everything you may look at",
    Scope.RUN: "change events and run their phases",
    Scope.POST: "approve and send threads",
}


@dataclass(frozen=True, slots=True)
class Needs:
    """``permissions``: all of them, as ``app.codename``. ``scope`` None: anybody, signed in or not."""

    scope: Scope | None
    permissions: tuple[str, ...] = ()


def reads(*permissions: str) -> Needs:
    """Looking at something."""
    return Needs(Scope.READ, permissions)


def runs(*permissions: str) -> Needs:
    """Changing something, or asking for a job."""
    return Needs(Scope.RUN, permissions)


def posts(*permissions: str) -> Needs:
    """Saying something in public."""
    return Needs(Scope.POST, permissions)


ANYBODY = Needs(None)


def find_needs(view: Any) -> Needs | None:
    """What the call needs that the view is about to answer; None for a method the view does not have (405).

    ImproperlyConfigured when the view forgot to say it.
    """
    name = _call_name(view)
    if name is None:
        return None
    access: Mapping[str, Needs] = getattr(view, "access", {})
    # HEAD is answered as GET; OPTIONS tells what the view is, to whoever may call any of it.
    if name == "head" and name not in access:
        name = "get"
    if name in ("options", "metadata"):
        return _least(access)
    try:
        return access[name]
    except KeyError:
        raise ImproperlyConfigured(f"{type(view).__name__}.access says nothing about {name!r}") from None


def _call_name(view: Any) -> str | None:
    if hasattr(view, "action_map"):
        action: str | None = getattr(view, "action", None)
        return action
    method = str(view.request.method).lower()
    return method if method in view.http_method_names and hasattr(view, method) else None


def _least(access: Mapping[str, Needs]) -> Needs:
    """Signed in with scope ``read``, unless everybody may call some of the view."""
    return ANYBODY if ANYBODY in access.values() else Needs(Scope.READ)


def may(request: Any, needs: Needs) -> bool:
    """Whether this caller could make a call with those needs; for views where what is asked for decides."""
    if needs.scope is None:
        return True
    granted = getattr(request.auth, "granted", None)  # a session has no scopes
    return (granted is None or needs.scope in granted) and request.user.has_perms(needs.permissions)

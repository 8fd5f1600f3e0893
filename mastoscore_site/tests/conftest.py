"""Callers of the API."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from rest_framework.test import APIClient

from common.api.access import Scope
from mastoscore_site.tokens import make_token


@pytest.fixture
def fresh_allowances(db: None, settings: Any) -> None:
    """Redis outlives a test's transaction, and tests at the same time share it."""
    default = {**settings.CACHES["default"], "KEY_PREFIX": uuid.uuid4().hex}
    settings.CACHES = {**settings.CACHES, "default": default}


@pytest.fixture
def make_user(db: None) -> Callable[..., User]:
    """A function that makes a user who has the permissions named as ``app.codename``."""

    def make(name: str = "ines", *permissions: str, **values: Any) -> User:
        user = User.objects.create_user(name, **values)
        for permission in permissions:
            app, codename = permission.split(".")
            user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
        return user

    return make


@pytest.fixture
def make_caller(fresh_allowances: None) -> Callable[..., APIClient]:
    """A function that makes a client with a token of the user, for these scopes."""

    def make(user: User, *scopes: Scope) -> APIClient:
        _, text = make_token(user, f"for tests {len(user.api_tokens.all())}", scopes or list(Scope))
        client = APIClient(raise_request_exception=False)
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {text}")
        return client

    return make


@pytest.fixture
def stranger(fresh_allowances: None) -> APIClient:
    """Somebody who is not signed in."""
    return APIClient(raise_request_exception=False)


@pytest.fixture
def root(make_user: Callable[..., User], make_caller: Callable[..., APIClient]) -> APIClient:
    """A client with a token that may do everything."""
    return make_caller(make_user("root", is_superuser=True, is_staff=True))

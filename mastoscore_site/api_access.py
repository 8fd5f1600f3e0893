"""The default permission of the API: what a view declares in ``access`` (see ``common.api.access``)."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from common.api.access import find_needs
from mastoscore_site.models import ApiToken


class HasAccess(BasePermission):
    """The token's scope AND the permissions of its user; by session the permissions alone.

    Whoever is not signed in gets 401, who may not 403 with the reason.
    """

    message: str | None = None

    def has_permission(self, request: Request, view: Any) -> bool:
        needs = find_needs(view)
        if needs is not None and needs.scope is None:
            return True
        user = request.user
        if user is None or not user.is_authenticated:
            return False
        if needs is None or needs.scope is None:
            return True  # there is no such method: 405 is the view's answer
        token = request.auth
        if isinstance(token, ApiToken) and needs.scope not in token.granted:
            self.message = f"This token lacks the scope “{needs.scope}”."
            return False
        return user.has_perms(needs.permissions)

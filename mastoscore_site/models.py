"""What belongs to the site as a whole: personal tokens of the API."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from common.api.access import Scope

# ``run`` and ``post`` include ``read``, so these are all there are.
SCOPE_SETS = ("read", "read run", "read post", "read run post")


class ApiToken(models.Model):
    """Lets a program act as its user, within ``scopes``.

    Of the text ``ms_<prefix>_<secret>`` only ``prefix`` (to find the row) and ``digest`` (SHA-256 of the whole text)
    are kept; the secret has 256 random bits, so a fast hash is enough.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100, help_text="What it is for.")
    prefix = models.CharField(max_length=12, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    fever_digest = models.CharField(
        max_length=64, blank=True, editable=False, db_index=True, help_text="SHA-256 of the key that Fever apps send."
    )
    scopes = models.CharField(max_length=40, help_text="Space separated; run and post include read.")
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-id"]
        verbose_name = "API token"
        verbose_name_plural = "API tokens"
        constraints = [
            models.CheckConstraint(condition=Q(scopes__in=SCOPE_SETS), name="token_scopes_known"),
            models.UniqueConstraint(
                fields=["user", "name"], condition=Q(revoked_at__isnull=True), name="one_token_per_user_and_name"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} (ms_{self.prefix}_…)"

    @property
    def granted(self) -> frozenset[Scope]:
        return frozenset(Scope(word) for word in self.scopes.split())

    def is_valid(self, now: datetime | None = None) -> bool:
        now = now or timezone.now()
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

"""What is known of servers beyond one crawl: which software they run, for 30 days."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from common.nodeinfo import Software
from common.times import now_utc
from pipeline.models import ServerFacts

KEPT = timedelta(days=30)


def find_software(servers: Iterable[str]) -> dict[str, Software]:
    """Of those whose NodeInfo was asked for in the last 30 days."""
    rows = ServerFacts.objects.filter(server__in=list(servers), asked_at__gt=now_utc() - KEPT)
    return {server: Software(name, version) for server, name, version in rows.values_list(*_COLUMNS)}


def remember_software(server: str, software: Software) -> None:
    ServerFacts.objects.update_or_create(
        server=server, defaults={"software": software.name, "version": software.version, "asked_at": now_utc()}
    )


_COLUMNS = ("server", "software", "version")

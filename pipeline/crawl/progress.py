"""What a fetch tells while it runs; the keys are part of the contract with clients of the API."""

from __future__ import annotations

from collections import Counter
from typing import Any

from events.models import Event
from pipeline.models import Crawl, Visit


def snapshot(event: Event, crawl: Crawl, current_server: str) -> dict[str, Any]:
    visits = list(crawl.visits.order_by("id").values_list("server", "state", "toots"))
    states = Counter(state for _, state, _ in visits)
    done, failed = states[Visit.State.DONE], states[Visit.State.FAILED]
    return {
        "servers_todo": states[Visit.State.PENDING] + states[Visit.State.RUNNING],
        "servers_done": done,
        "servers_fail": failed,
        "total_servers": len(visits),
        "completed_servers": done + failed,
        "progress_percent": 100 * (done + failed) // len(visits) if visits else 0,
        "total_toots": event.toots.count(),
        "max_toots": crawl.max_toots,
        "current_server": current_server,
        "server_status": {server: {"state": state, "toots": toots} for server, state, toots in visits},
        "message": f"{done + failed} of {len(visits)} servers",
    }

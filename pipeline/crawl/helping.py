"""Other workers on the same crawl: asked in by the one that runs it, when they have nothing else to do.

A helper is a job like any other. It claims visits from the same table, makes way as soon as other work waits, and
may be killed at any time: its visits go back to the table.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from common.http import Gate, policy_from_settings
from common.times import now_utc
from jobs.context import JobContext
from jobs.models import Beat, Job
from jobs.recovery import WORKER_BEAT
from jobs.services import AlreadyActive, enqueue, request_cancel
from pipeline.crawl.coordinator import Coordinator
from pipeline.crawl.terms import terms_from_settings
from pipeline.models import Crawl

KIND = "fetch_help"
# A worker that showed no sign of life for so long is not there.
_BEAT_AGE = timedelta(minutes=3)


def run(ctx: JobContext) -> dict[str, Any]:
    """Walk visits of the crawl ``params["crawl"]`` until none is left or other work waits."""
    wanted = Crawl.objects.select_related("event__home_account").filter(pk=int(ctx.params.get("crawl") or 0))
    crawl = wanted.first()
    if crawl is None or crawl.state != Crawl.State.RUNNING or crawl.is_mock:
        return {"servers": 0}
    account = crawl.event.home_account
    terms = terms_from_settings(home_token=account.token if account is not None else "")
    ctx.say(f"Helping with #{crawl.hashtag}.")
    with Gate(replace(policy_from_settings(), stays_on_server=True)) as gate:
        coordinator = Coordinator(ctx, crawl.event, crawl, gate, terms, may_stay=lambda: not is_work_waiting())
        coordinator.run()
    return {"servers": coordinator.ended_walks}


def ask_for_help(crawl: Crawl, most: int) -> None:
    """Queue up to ``most`` helpers, if there are workers with nothing else to do."""
    lives = Beat.objects.filter(name=WORKER_BEAT, at__gte=now_utc() - _BEAT_AGE).exists()
    if not lives or is_work_waiting():
        return
    for number in range(1, most + 1):
        try:
            enqueue(KIND, subject=crawl.event.slug, params={"crawl": crawl.pk}, exclusive_key=_key(crawl, number))
        except AlreadyActive:
            continue


def send_helpers_away(crawl: Crawl) -> None:
    """Cancel those that have not begun; the others find nothing left to do."""
    waiting = Job.objects.filter(kind=KIND, status=Job.Status.QUEUED, exclusive_key__startswith=_key(crawl, ""))
    for job_id in waiting.values_list("pk", flat=True):
        request_cancel(job_id)


def is_work_waiting() -> bool:
    return Job.objects.filter(status=Job.Status.QUEUED).exclude(kind=KIND).exists()


def _key(crawl: Crawl, number: int | str) -> str:
    return f"crawl:{crawl.pk}/helper:{number}"

"""Jobs that go on until the test lets them go, by making the file ``go`` in the data folder."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings

from jobs.context import JobContext


def held(context: JobContext) -> dict[str, Any]:
    context.keep_partial({"partial": True})
    context.progress(done=1, total=2)
    while not (settings.DATA_DIR / "go").exists():
        context.wait(0.02)
    return {"attempt": context.job.attempts}


def deaf(context: JobContext) -> dict[str, Any]:
    """Never looks whether it shall stop."""
    while not (settings.DATA_DIR / "go").exists():
        time.sleep(0.02)
    return {"attempt": context.job.attempts}

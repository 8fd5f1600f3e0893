"""The real settings with fast clocks, and kinds of jobs that tests can hold and let go."""

from __future__ import annotations

import os

from mastoscore_site.settings import *  # noqa: F403
from mastoscore_site.settings import CACHES, INSTALLED_APPS, Q_CLUSTER

INSTALLED_APPS = [*INSTALLED_APPS, "tests.cluster.work"]

# Redis is one for all houses of a run, and their users have the same numbers.
CACHES = {**CACHES, "default": {**CACHES["default"], "KEY_PREFIX": os.environ["MASTOSCORE_TEST_QUEUE"]}}
Q_CLUSTER = {**Q_CLUSTER, "name": os.environ["MASTOSCORE_TEST_QUEUE"], "poll": 0.05, "guard_cycle": 0.1}
JOBS_POLL_SECONDS = 0.1
JOBS_PULSE_SECONDS = 0.5
JOBS_RECOVERY_SECONDS = 0.5
JOBS_CANCEL_GRACE_SECONDS = 1.0
JOBS_RELEASE_GRACE_SECONDS = 1.0
WORKER_STOP_SECONDS = 6.0
WORKER_SILENT_SECONDS = float(os.environ.get("MASTOSCORE_TEST_SILENT_SECONDS", "120"))

"""A pytest plugin: each process of a run on Redis has a database of its own there.

Tests empty the cache and count in it; in one that two processes share, they would undo each other's counts.
"""

from __future__ import annotations

import os

_WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
# Before the settings are read, therefore when this module is imported.
os.environ["REDIS_URL"] = (
    f"{os.environ['MASTOSCORE_TEST_REDIS']}/{int(_WORKER.removeprefix('gw')) + 1 if _WORKER else 0}"
)

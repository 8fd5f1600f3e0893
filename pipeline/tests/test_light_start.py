"""What every fetch and every worker has in memory: nothing that only pages and pictures need."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
_START = """
import sys, django
django.setup()
import pipeline.management.commands.fetch, pipeline.phases.fetch
print(*sorted(set(sys.argv[1:]) & set(sys.modules)))
"""
_HEAVY = ("PIL", "matplotlib", "numpy", "rich", "feedparser", "events.admin", "rest_framework.views")


def test_start_of_a_fetch_imports_nothing_for_pages_and_pictures(settings: Any) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "mastoscore_site.settings",
        "SECRET_KEY": settings.SECRET_KEY,
        "MASTOSCORE_DATA_DIR": str(settings.DATA_DIR),
    }
    command = [sys.executable, "-c", _START, *_HEAVY]
    done = subprocess.run(command, cwd=_ROOT, env=environment, capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.split() == []

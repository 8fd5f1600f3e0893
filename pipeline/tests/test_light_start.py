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
# An outpost knows no database, and most ask for nothing that requests or lxml are needed for.
_OUTPOST_START = """
import sys
import pipeline.crawl.outpost_work
print(*sorted(set(sys.argv[1:]) & set(sys.modules)))
"""


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


def test_start_of_an_outpost_imports_only_what_asking_takes() -> None:
    command = [sys.executable, "-c", _OUTPOST_START, *_HEAVY, "django", "requests", "lxml.etree"]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.split() == []

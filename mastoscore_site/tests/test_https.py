"""What HTTPS=true means for whoever comes over plain http."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPT = """
import json
import django
django.setup()
from django.test import Client
client = Client(SERVER_NAME="localhost")
plain, well = client.get("/login/"), client.get("/healthz")
safe = client.get("/healthz", headers={"x-forwarded-proto": "https"})
print(json.dumps([plain.status_code, plain.get("Location"), well.status_code, well.get("Strict-Transport-Security"),
                  safe.status_code, safe.get("Strict-Transport-Security")]))
"""


def answers(tmp_path: Path, **variables: str) -> list[object]:
    given = {"MASTOSCORE_DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "mastoscore_site.settings", **variables}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=ROOT,
        env={**os.environ, **given},
        capture_output=True,
        text=True,
        check=True,
    )
    found: list[object] = json.loads(done.stdout)
    return found


def test_plain_http_is_led_to_https_but_for_the_sign_of_life(tmp_path: Path) -> None:
    wanted = [301, "https://localhost/login/", 200, None, 200]
    assert answers(tmp_path, HTTPS="true") == [*wanted, "max-age=2592000"]
    assert answers(tmp_path, HTTPS="true", HSTS_SECONDS="0") == [*wanted, None]


def test_without_it_nothing_is_led_anywhere(tmp_path: Path) -> None:
    assert answers(tmp_path, HTTPS="false") == [200, None, 200, None, 200, None]

"""The README's way from a token to a posted thread, line by line as it stands there."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.mock.server import Fediverse, start_fediverse
from tests.cluster.house import ROOT, House

_SECONDS = 150
_START = datetime(2026, 10, 5, 0, 0, tzinfo=UTC)
_WAIT = re.compile(r'^api ("\$JOB/wait\?seconds=25").*$', re.MULTILINE)
_PATIENT = r"""until api \1 | tee "$0.job" | grep -q '"is_active":false'; do sleep 1; done; cat "$0.job" """


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_readme_leads_from_a_token_to_a_posted_thread(house: House, tmp_path: Path) -> None:
    with start_fediverse("jellynight", _START, timedelta(hours=1), timedelta(hours=1)) as fediverse:
        house.environment["MASTOSCORE_PRIVATE_HOSTS"] = ",".join(fediverse.private_hosts)
        prepare_demo(house, fediverse, tmp_path)
        _, address = house.start_site()
        script = tmp_path / "walk"
        script.write_text(commands_of_the_readme(address.rstrip("/")))
        done = subprocess.run(
            ["bash", "-eu", script],
            cwd=ROOT,
            env=house.environment,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        answers = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        sent = answers[-1]
        assert (sent["kind"], sent["status"], sent["result"]["in_doubt"]) == ("send", "complete", 0), sent
        posted = {entry.path for entry in fediverse.requests[fediverse.home] if entry.method == "POST"}
    draft = next(answer for answer in answers if "toots" in answer)
    assert len(sent["result"]["urls"]) == len(draft["toots"]) == sent["result"]["sent"] > 3
    assert all(url.startswith(f"http://{fediverse.home}/@host/") for url in sent["result"]["urls"])
    assert {"/api/v1/statuses", "/api/v2/media"} <= posted
    assert all("message" not in answer or "kind" in answer for answer in answers), "one was refused"


def prepare_demo(house: House, fediverse: Fediverse, folder: Path) -> None:
    """What `make demo` leaves: its login, and an account on the home server of the fediverse that is on the air."""
    token = folder / "token"
    token.write_text(fediverse.token)
    login = house.manage("shell", "-c", "from pipeline.mock.demo import renew_login; renew_login()")
    assert login.returncode == 0, login.stderr
    added = house.manage("add_account", "--url", f"http://{fediverse.home}", "--token-file", str(token))
    assert added.returncode == 0, added.stderr


def commands_of_the_readme(address: str) -> str:
    chapter = (ROOT / "README.md").read_text().partition("## The API")[2]
    found = chapter.split("```")[1].strip("\n")
    assert found.startswith("SITE=http://127.0.0.1:8000/api/v1\n")
    commands = found.replace("http://127.0.0.1:8000", address).replace(".venv/bin/python", sys.executable)
    patient, waits = _WAIT.subn(_PATIENT, commands)  # a person asks again
    assert waits == 2
    return patient

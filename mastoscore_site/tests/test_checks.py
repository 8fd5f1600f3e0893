from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import SystemCheckError

from mastoscore_site import checks


def test_settings_as_they_come_are_fine() -> None:
    call_command("check", "--fail-level", "WARNING")


@pytest.mark.parametrize(
    ("name", "value", "number"),
    [
        ("DATA_DIR", Path("/proc/nowhere"), "E001"),
        ("Q_CLUSTER", {"timeout": 100, "retry": 60}, "E002"),
        ("JOBS_DEAD_AFTER_SECONDS", 6, "E003"),
        ("WORKER_STOP_SECONDS", 1, "E004"),
        ("WORKERS", 0, "E005"),
        ("MASTOSCORE_PRIVATE_HOSTS", ["127.0.0.1:8000", "nonsense/99"], "E006"),
    ],
)
def test_setting_that_cannot_work_stops_every_command(settings: Any, name: str, value: Any, number: str) -> None:
    setattr(settings, name, value)
    with pytest.raises(SystemCheckError, match=f"mastoscore.{number}"):
        call_command("check")


def test_wrong_private_host_is_named(settings: Any) -> None:
    settings.MASTOSCORE_PRIVATE_HOSTS = ["nonsense/99"]
    [message] = checks.check_private_hosts()
    assert "nonsense/99" in message.msg


def test_short_secret_key_is_a_warning(settings: Any) -> None:
    settings.SECRET_KEY = "short"
    assert [message.id for message in checks.check_secret_key()] == ["mastoscore.W001"]


def test_command_of_ours_says_it_in_one_sentence(settings: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings.DATA_DIR = Path("/proc/nowhere")
    with pytest.raises(SystemExit) as ended:
        call_command("export_event", "any", skip_checks=False)
    told = capsys.readouterr().err
    assert ended.value.code == 1
    assert told == (
        "The data folder /proc/nowhere cannot be written to. Make it writable, or name another one in "
        "MASTOSCORE_DATA_DIR.\n"
    )


def test_first_start_in_a_folder_that_cannot_be_used_is_one_sentence() -> None:
    manage = Path(__file__).resolve().parents[2] / "manage.py"
    environment = {**os.environ, "MASTOSCORE_DATA_DIR": "/proc/nowhere", "SECRET_KEY": ""}
    ended = subprocess.run(
        [sys.executable, manage, "export_event", "any"], env=environment, capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr.startswith("The data folder /proc/nowhere cannot be used: ")
    assert ended.stderr.count("\n") == 1

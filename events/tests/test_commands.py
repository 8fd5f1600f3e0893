"""The commands of this app: plain sentences, exit codes, nothing half-done."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from common.commands import HouseCommand
from events.models import Event, MastodonAccount
from events.tests.conftest import TokenServer

ROOT = Path(__file__).resolve().parent.parent.parent
pytestmark = pytest.mark.django_db


def run(name: str, *arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    try:
        call_command(name, *arguments, stdout=out, stderr=err, no_color=True)
    except SystemExit as left:
        code = int(left.code or 0)
    return code, out.getvalue(), err.getvalue()


@pytest.fixture
def ini_file(tmp_path: Path, sample: str) -> Path:
    path = tmp_path / "monsterdon-20260222.ini"
    path.write_text(sample)
    return path


def test_import_then_export(ini_file: Path, tmp_path: Path) -> None:
    code, out, err = run("import_event", str(ini_file))
    assert (code, err) == (0, "")
    assert out == (
        "Created monsterdon-20260222: Monsterdon: 100% The Blob (1958), 2026-02-22 21:00 America/New_York.\n"
    )
    code, exported, err = run("export_event", "monsterdon-20260222")
    assert (code, err) == (0, "")
    assert "episode_title = 100% The Blob (1958)\n" in exported
    target = tmp_path / "new" / "out.ini"
    assert run("export_event", "ini/monsterdon-20260222.ini", "--output", str(target))[0] == 0
    assert target.read_text() == exported
    assert run("import_event", str(target))[1].startswith("Updated monsterdon-20260222")
    assert run("export_event", "monsterdon-20260222")[1] == exported


def test_import_from_standard_input(monkeypatch: Any, sample: str) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(sample.encode("utf-8-sig"))))
    assert run("import_event", "-", "--slug", "night")[0] == 0
    assert Event.objects.get().slug == "night"


def test_warnings_go_to_standard_error(ini_file: Path) -> None:
    ini_file.write_text(ini_file.read_text() + "\n[odd]\nx = 1\n")
    code, _, err = run("import_event", str(ini_file))
    assert (code, err) == (0, "Warning: [odd] is not a section we know; it is kept but not used.\n")


def test_import_with_credentials_never_prints_the_token(ini_file: Path, tmp_path: Path) -> None:
    secret = tmp_path / "token.secret"
    secret.write_text("s3cret\nhttps://home.example\n")
    code, out, err = run("import_event", str(ini_file), "--credentials", str(secret))
    assert code == 0
    assert MastodonAccount.objects.get().token == "s3cret"
    assert "s3cret" not in out + err
    assert "s3cret" not in run("export_event", "monsterdon-20260222")[1]


def test_wrong_values_are_told_a_line_each(ini_file: Path) -> None:
    ini_file.write_text(ini_file.read_text().replace("= 5", "= many").replace("1:30:00", "-1"))
    code, out, err = run("import_event", str(ini_file))
    assert (code, out) == (1, "")
    assert err.splitlines() == [
        "[analyse] top_n: “many” is not a whole number.",
        "[mastoscore] event_duration: “-1” is not a duration above zero of the form H:MM:SS.",
    ]
    assert not Event.objects.exists()


def test_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    binary, huge = tmp_path / "binary", tmp_path / "huge"
    binary.write_bytes(b"\x7fELF\0")
    huge.write_bytes(b"#" * 300_000)
    for name, sentence in [
        (str(tmp_path / "missing.ini"), "No such file or directory."),
        (str(tmp_path), "Is a directory."),
        (str(binary), "The file is not a text file."),
        (str(huge), "is too large: at most 256 KB are read."),
        ("a\0b", "not a file name."),
    ]:
        code, out, err = run("import_event", name)
        assert (code, out) == (1, "")
        assert err.endswith(f"{sentence}\n")
        assert err.count("\n") == 1


def test_unknown_event_is_one_sentence() -> None:
    assert run("export_event", "nope") == (1, "", "There is no event “nope”.\n")


def test_export_to_a_place_that_cannot_be_written_is_one_sentence(make_event: Any, tmp_path: Path) -> None:
    make_event(slug="night")
    (tmp_path / "file").write_text("")
    code, out, err = run("export_event", "night", "--output", str(tmp_path / "file" / "out.ini"))
    assert (code, out) == (1, "")
    assert err.startswith("Could not write out.ini: ")


def test_add_account_shows_whose_the_token_is(token_server: TokenServer, tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("right-token\n")
    url = f"http://{token_server.name}"
    code, out, err = run("add_account", "--url", url, "--token-file", str(secret))
    assert (code, out, err) == (0, f"Added @host@{token_server.name} (token confirmed).\n", "")
    secret.write_text("wrong-token\n")
    code, out, err = run("add_account", "--url", url, "--token-file", str(secret))
    assert (code, out) == (1, "")
    assert err == f"{token_server.name} does not accept this token (it answered 401).\n"
    assert MastodonAccount.objects.get().token == "right-token"


def test_add_account_reads_the_token_from_standard_input(token_server: TokenServer, monkeypatch: Any) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"right-token\n")))
    assert run("add_account", "--url", token_server.name, "--token-file", "-")[0] == 0


def test_add_account_without_a_token(tmp_path: Path) -> None:
    assert run("add_account", "--url", "https://home.example") == (0, "Added home.example (without a token).\n", "")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\0")
    code, _, err = run("add_account", "--url", "home.example", "--token-file", str(tmp_path / "binary"))
    assert (code, err) == (1, "The token file is not a text file.\n")


def test_missing_arguments_are_wrong_usage() -> None:
    with pytest.raises(CommandError):
        call_command("import_event")


class Interrupted(HouseCommand):
    def run(self, **options: Any) -> int | None:
        raise KeyboardInterrupt


class Quiet(HouseCommand):
    def run(self, **options: Any) -> int | None:
        return 3


@pytest.mark.parametrize(("command", "code"), [(Interrupted, 130), (Quiet, 3)])
def test_exit_codes_of_a_command(command: type[HouseCommand], code: int) -> None:
    err = io.StringIO()
    with pytest.raises(SystemExit) as left:
        call_command(command(), stderr=err)
    assert left.value.code == code


def test_command_from_a_shell(tmp_path: Path, sample: str) -> None:
    environment = {**os.environ, "MASTOSCORE_DATA_DIR": str(tmp_path / "data"), "DATABASE_URL": ""}
    environment = {name: value for name, value in environment.items() if name != "DATABASE_URL"}

    def shell(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, input=given, capture_output=True,
            timeout=120, check=False,
        )  # fmt: skip

    unprepared = shell("export_event", "night")
    assert unprepared.returncode == 1
    assert b"Traceback" not in unprepared.stderr
    assert b"manage.py prepare" in unprepared.stderr
    assert shell("migrate", "-v", "0").returncode == 0
    done = shell("import_event", "-", "--slug", "night", given=sample.encode())
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.startswith(b"Created night")
    assert shell("import_event").returncode == 2
    failed = shell("import_event", "-", given=b"nonsense")
    assert (failed.returncode, failed.stdout) == (1, b"")
    assert failed.stderr == b"Line 1 stands before any section; the file must begin with [mastoscore].\n"

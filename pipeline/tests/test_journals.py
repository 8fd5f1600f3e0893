from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from common.files import FileTrouble, nameless_file
from pipeline.journal_import import server_of_file
from pipeline.models import Artifact, Crawl, Toot
from pipeline.tests.fetch_help import allow, event_at_noon, picture, run_fetch
from tests.remote.fediverse import Fediverse, make_status

pytestmark = pytest.mark.django_db


@pytest.fixture
def fediverse(settings: Any) -> Iterator[Fediverse]:
    with Fediverse() as servers:
        home, second = servers.add(), servers.add()
        home.toot(1, 0, content="<p>Ünïcode &amp; <b>bold</b> #monsterdon</p>", language="de", replies_count=2)
        home.toot(2, 1, account={"note": "<p>#nobot please</p>", "noindex": True, "discoverable": False})
        home.toot(3, 2, in_reply_to_id="1", spoiler_text="film", edited_at="2026-02-23T12:30:00.000Z")
        home.show(second.toot(4, 3, media_attachments=[{"id": "1", "type": "image"}], account={"bot": True}))
        second.show(home.statuses[0], replies_count=1)
        allow(settings, servers)
        yield servers


@pytest.fixture
def event(make_event: Any, fediverse: Fediverse) -> Any:
    return event_at_noon(make_event, fediverse.servers[0])


def import_journal(event: Any, directory: Path) -> tuple[int, str]:
    output, code = StringIO(), 0
    try:
        call_command("import_journal", event.slug, str(directory), stdout=output, stderr=output)
    except SystemExit as leaving:
        code = int(leaving.code or 0)
    return code, output.getvalue()


def test_fetch_writes_a_journal_per_server_and_a_report(fediverse: Fediverse, event: Any, data_dir: Path) -> None:
    result = run_fetch(event)

    home, second = fediverse.servers
    folder = data_dir / "2026/02/23"
    journal = json.loads((folder / f"monsterdon-{home.name.replace(':', '_')}.json").read_text())
    assert [status["uri"].rpartition("/")[2] for status in journal] == ["1", "2", "3", "4"]
    assert journal[0]["content"] == "<p>Ünïcode &amp; <b>bold</b> #monsterdon</p>"
    report = json.loads((folder / "data-monsterdon-fetch.json").read_text())
    assert {row["server"]: (row["outcome"], row["toots"]) for row in report["servers"]} == {
        home.name: ("complete", 4),
        second.name: ("complete", 2),
    }
    assert report["coverage"] == {
        "toots": 4,
        "seen_by_one": 2,
        "seen_by_two": 2,
        "toots_by_servers": {"1": 2, "2": 2},
        "not_shown_by_origin": 0,
        "estimated_toots": 4,
        "estimated_unseen": 0,
        "unseen_low": 0,
        "unseen_high": 0,
        "refused_share": 0.0,
    }
    assert report["window"] == {"start": "2026-02-23T11:00:00Z", "end": "2026-02-23T14:30:00Z"}
    assert report["totals"]["toots"] == 4
    assert sorted(result["files"]) == sorted(Artifact.objects.values_list("path", flat=True))
    assert set(Artifact.objects.values_list("kind", flat=True)) == {"journal", "fetch-report"}


def test_journal_that_cannot_be_written_is_said_and_the_others_are_kept_in_mind(
    fediverse: Fediverse, event: Any, data_dir: Path
) -> None:
    home, second = (server.name.replace(":", "_") for server in fediverse.servers)
    blocked, other = sorted([home, second])
    folder = data_dir / "2026/02/23"
    (folder / f"monsterdon-{blocked}.json").mkdir(parents=True)

    with pytest.raises(FileTrouble, match="cannot write"):
        run_fetch(event)

    assert [artifact.path for artifact in Artifact.objects.all()] == [f"2026/02/23/monsterdon-{other}.json"]
    assert not list(folder.glob(".*.part"))


def test_journal_of_a_server_that_several_crawls_asked_has_each_toot_once(
    fediverse: Fediverse, event: Any, data_dir: Path
) -> None:
    run_fetch(event)
    home = fediverse.servers[0]
    home.toot(9, 4)

    run_fetch(event)

    journal = json.loads((data_dir / f"2026/02/23/monsterdon-{home.name.replace(':', '_')}.json").read_text())
    assert [status["uri"].rpartition("/")[2] for status in journal] == ["1", "2", "3", "4", "9"]


def test_journals_bring_the_same_toots_back(fediverse: Fediverse, event: Any, data_dir: Path, tmp_path: Path) -> None:
    run_fetch(event)
    columns = [field.name for field in Toot._meta.fields if field.name not in {"id", "told_in", "revision"}]
    before, rows = picture(event), list(Toot.objects.values(*columns))
    shutil.copytree(data_dir / "2026/02/23", tmp_path / "old")
    event.crawls.all().delete()
    event.toots.all().delete()

    code, output = import_journal(event, tmp_path / "old")

    assert code == 0, output
    assert picture(event) == before
    assert list(Toot.objects.values(*columns)) == rows
    assert "data-monsterdon-fetch.json: passed over" in output
    assert "4 new toots" in output
    assert Crawl.objects.get().state == Crawl.State.COMPLETE


def test_importing_again_changes_nothing(fediverse: Fediverse, event: Any, data_dir: Path) -> None:
    run_fetch(event)
    before = picture(event)

    assert import_journal(event, data_dir / "2026/02/23")[0] == 0

    assert picture(event) == before


def test_old_journal_does_not_undo_what_a_fetch_found_since(
    fediverse: Fediverse, event: Any, data_dir: Path, tmp_path: Path
) -> None:
    run_fetch(event)
    shutil.copytree(data_dir / "2026/02/23", tmp_path / "old")
    fediverse.servers[0].statuses[0]["replies_count"] = 50
    run_fetch(event)

    import_journal(event, tmp_path / "old")

    assert Toot.objects.get(uri=fediverse.servers[0].statuses[0]["uri"]).replies == 50


def test_bad_files_are_told_and_do_not_lose_the_good_ones(event: Any, tmp_path: Path) -> None:
    status = make_status("one.example", 1, event.start)
    files: dict[str, bytes] = {
        "monsterdon-one.example.json": json.dumps([status, None, {"id": 3}, "x"]).encode(),
        "monsterdon-two.example_8443.json": json.dumps([status]).encode(),
        "monsterdon-three.example.json": b"[{",
        "monsterdon-four.example.json": b'{"not": "a list"}',
        "monsterdon-.json": b"[]",
        "notes.txt": b"not looked at",
        "readme.json": b"[]",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)

    code, output = import_journal(event, tmp_path)

    assert code == 0
    assert "monsterdon-one.example.json: 1 toots from one.example, 3 passed over" in output
    assert "monsterdon-two.example_8443.json: 1 toots from two.example:8443" in output
    assert "monsterdon-three.example.json: passed over, no JSON" in output
    assert "monsterdon-four.example.json: passed over, no list of toots" in output
    assert "readme.json: passed over" in output and "notes.txt" not in output
    assert Toot.objects.get().is_authoritative


@pytest.mark.parametrize("content", [None, b"[{"])
def test_import_of_nothing_fails_and_changes_nothing(event: Any, tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "monsterdon-one.example.json").write_bytes(content)

    code, output = import_journal(event, tmp_path)

    assert code == 1
    assert output.strip()
    assert not Crawl.objects.exists()


def test_missing_directory_is_one_sentence(event: Any, tmp_path: Path) -> None:
    code, output = import_journal(event, tmp_path / "nowhere")

    assert code == 1
    assert len(output.strip().splitlines()) == 1


def test_journals_of_servers_that_are_gone_are_removed(fediverse: Fediverse, event: Any, data_dir: Path) -> None:
    run_fetch(event, mock=True)
    invented = list((data_dir / "2026/02/23").glob("monsterdon-127.1.0.*"))
    assert invented

    run_fetch(event)

    assert not any(path.exists() for path in invented)
    assert Artifact.objects.filter(kind="journal").count() == 2


@pytest.mark.parametrize(
    ("name", "server"),
    [
        ("monsterdon-mastodon.social.json", "mastodon.social"),
        ("Monsterdon-my-server.example.json", "my-server.example"),
        ("monsterdon-127.1.0.3_8000.json", "127.1.0.3:8000"),
        ("oldname-mastodon.social.json", "mastodon.social"),
        ("monsterdon.json", None),
        ("monsterdon-nonsense.json", None),
    ],
)
def test_name_of_a_journal_tells_its_server(name: str, server: str | None) -> None:
    assert server_of_file(name, "monsterdon") == server


def test_disk_that_refuses_is_said_in_a_sentence() -> None:
    with pytest.raises(FileTrouble, match="cannot write to /proc/nowhere"), nameless_file(Path("/proc/nowhere")):
        pass

"""The Mastoscore web API row by row, over real HTTP, with a live site and real workers.

The rows stand in the order in which a client calls them, and share one installation: fetched once, posted once.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from PIL import Image

from tests.cluster.house import ROOT, House, copy_sqlite, wait_until
from tests.remote.posting import TOKEN, PostingServer
from tests.remote.tmdb import KEY, Tmdb

pytestmark = pytest.mark.xdist_group("mastoscore-contract")

NAME = "monsterdon-20260222"
INI = f"ini/{NAME}.ini"
UNKNOWN = ("unknown", "../../etc/passwd", "/etc/passwd", "ini/../../secret.key", "%2e%2e/x", "ini/unknown.ini")


@dataclass
class Client:
    """Speaks to the site; ``call`` gives status and JSON of the answer, and holds every answer to the contract."""

    house: House
    address: str
    token: str
    poster_address: str
    posting: PostingServer

    def send(
        self, method: str, path: str, *, token: str | None = None, content_type: str = "", **options: Any
    ) -> requests.Response:
        credentials = self.token if token is None else token
        headers = {"Authorization": f"Bearer {credentials}"} if credentials else {}
        headers |= {"Content-Type": content_type} if content_type else {}
        return requests.request(
            method, f"{self.address}api{path}", headers=headers, timeout=60, allow_redirects=False, **options
        )

    def call(self, method: str, path: str, **options: Any) -> tuple[int, Any]:
        answer = self.send(method, path, **options)
        assert answer.headers["Content-Type"] == "application/json", answer.text[:300]
        assert str(self.house.data_dir) not in answer.text
        assert "Traceback" not in answer.text
        return answer.status_code, answer.json()

    def post(self, path: str, **body: Any) -> tuple[int, Any]:
        return self.call("POST", path, json={"config_file": NAME, **body})

    def get(self, path: str, **query: Any) -> tuple[int, Any]:
        return self.call("GET", path, params={"config_file": NAME, **query})

    def job(self, job_id: int) -> Any:
        return self.call("GET", f"/jobs/{job_id}")[1]

    def wait(self, job_id: int) -> Any:
        wait_until(lambda: self.job(job_id)["status"] not in ("queued", "running"), f"the end of job {job_id}")
        return self.job(job_id)


@pytest.fixture(scope="module")
def client(prepared: tuple[Path, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    house = House(tmp_path_factory.mktemp("contract"), "")
    copy_sqlite(prepared[0], house)
    with Tmdb() as tmdb, PostingServer() as posting:
        house.environment |= {
            "TMDB_API_KEY": KEY,
            "TMDB_API_URL": f"http://{tmdb.place}/3",
            "TMDB_IMAGE_URL": f"http://{tmdb.place}/t/p",
            "MASTOSCORE_PRIVATE_HOSTS": f"{tmdb.place},{posting.name}",
            "MASTOSCORE_RETRY_PAUSES": "0.05",
            "API_RATE_GENERAL": "100000",
            "API_RATE_JOBS": "100000",
        }
        try:
            _, address = house.start_site()
            add_account(house, posting)
            client = Client(house, address, make_token(house, "read,run,post"), f"http://{tmdb.place}/t/p", posting)
            assert client.call("POST", f"/config/{NAME}", json={"config": config(posting)})[0] == 201
            yield client
        finally:
            house.close()


def add_account(house: House, posting: PostingServer) -> None:
    made = subprocess.run(
        [sys.executable, "manage.py", "add_account", "--url", f"http://{posting.name}", "--token-file", "-"],
        cwd=ROOT,
        env=house.environment,
        input=TOKEN,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert made.returncode == 0, made.stderr


def make_token(house: House, scopes: str) -> str:
    made = house.manage("create_token", "admin", "--name", f"contract {scopes}", "--scopes", scopes)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def config(posting: PostingServer, **main: str) -> dict[str, dict[str, str]]:
    return {
        "mastoscore": {
            "hashtag": "monsterdon",
            "event_title": "Monsterdon",
            "episode_title": "The Blob (1958)",
            "event_start": "2026-02-22T21:00:00-05:00",
            "event_duration": "1:30:00",
            "timezone": "America/New_York",
            "api_base_url": f"http://{posting.name}",
            **main,
        },
        "post": {"dry_run": "yes"},
    }


# --- what holds for every route -------------------------------------------------------------------------------------
ROUTES = [
    ("GET", "/config/list", False),
    ("GET", f"/config/{NAME}", False),
    ("POST", f"/config/{NAME}", False),
    ("PUT", f"/config/{NAME}", False),
    ("DELETE", f"/config/{NAME}", False),
    ("POST", "/fetch", True),
    ("POST", "/fetch/cancel", False),
    ("GET", "/fetch/ready", True),
    ("POST", "/fetch/reset", True),
    ("POST", "/analyse", True),
    ("GET", f"/results/{NAME}", False),
    *(
        (method, f"/{kind}{end}", True)
        for kind in ("graph", "wordcloud")
        for method, end in (("POST", ""), ("GET", "/status"), ("GET", "/image"), ("GET", "/description"))
    ),
    ("GET", "/graphs/x.png", False),
    ("POST", "/post", True),
    *(
        (method, f"/blog/{end}", True)
        for end in ("ready", "content", "posts", "poster", "poster/image")
        for method in ("GET", "POST")
    ),
    ("POST", "/blog", True),
    ("POST", "/blog/search-posters", True),
    ("POST", "/blog/select-poster", True),
    ("GET", "/jobs/1", False),
]


@pytest.mark.parametrize(("method", "path", "needs_event"), ROUTES, ids=lambda value: str(value))
def test_route_wants_a_user_an_event_and_an_object(client: Client, method: str, path: str, needs_event: bool) -> None:
    assert client.call(method, path, token="", json={}) == (401, {"error": "Unauthenticated."})
    assert client.call(method, f"{path}/", token="", json={}) == (401, {"error": "Unauthenticated."})
    assert client.call(method, path, token="ms_wrong", json={})[0] == 401
    if method in ("POST", "PUT"):
        for body in (b"[]", b'"x"', b"{", b"\xff"):
            status, answer = client.call(method, path, data=body, content_type="application/json")
            assert status == 400, body
            assert answer["error"], body
    if not needs_event:
        return
    where = "params" if method == "GET" else "json"
    assert client.call(method, path, **{where: {}}) == (400, {"error": "config_file parameter required"})
    for name in UNKNOWN:
        given: dict[str, Any] = {where: {"config_file": name}}
        assert client.call(method, path, **given) == (404, {"error": "Config file not found"}), name


def test_posting_needs_its_own_scope(client: Client) -> None:
    assert (
        client.call("POST", "/post", token=make_token(client.house, "read,run"), json={"config_file": NAME})[0] == 403
    )


# --- GET, POST, PUT, DELETE /config ---------------------------------------------------------------------------------
def test_config_list(client: Client) -> None:
    status, answer = client.call("GET", "/config/list")
    assert status == 200
    assert [(row["name"], row["path"], row["hashtag"]) for row in answer["configs"]] == [(NAME, INI, "monsterdon")]
    assert isinstance(answer["configs"][0]["modified"], float)


@pytest.mark.parametrize("name", [NAME, INI, f"{NAME}.ini", f"{INI}/"])
def test_config_read(client: Client, name: str) -> None:
    status, answer = client.call("GET", f"/config/{name}")
    assert status == 200
    assert answer["config"]["mastoscore"]["hashtag"] == "monsterdon"
    assert all(isinstance(text, str) for options in answer["config"].values() for text in options.values())


@pytest.mark.parametrize("name", UNKNOWN)
def test_config_read_of_what_is_none(client: Client, name: str) -> None:
    body = {"config": config(client.posting)}
    for method in ("GET", "PUT", "DELETE"):
        assert client.call(method, f"/config/{quote(name, safe='')}", json=body)[0] == 404


def test_config_create_replace_and_delete(client: Client) -> None:
    other = {"config": config(client.posting, hashtag="otherdon")}
    assert client.call("POST", "/config/ini/otherdon-1.ini", json=other) == (
        201,
        {"success": True, "path": "ini/otherdon-1.ini"},
    )
    status, answer = client.call("POST", "/config/otherdon-1", json=other)
    assert status == 409
    assert "already" in answer["error"]
    assert client.call("POST", "/config/otherdon-1", json={**other, "overwrite": True})[0] == 201
    changed = {"config": config(client.posting, hashtag="otherdon", episode_title="Them!")}
    assert client.call("PUT", "/config/otherdon-1", json=changed) == (
        200,
        {"success": True, "path": "ini/otherdon-1.ini"},
    )
    assert client.call("GET", "/config/otherdon-1")[1]["config"]["mastoscore"]["episode_title"] == "Them!"
    job = client.house.enqueue("held", slug="otherdon-1")
    status, answer = client.call("DELETE", "/config/otherdon-1")
    assert (status, answer["job_id"]) == (409, job)
    assert client.post("/fetch/cancel", job_id=job)[0] == 200
    assert client.call("DELETE", "/config/otherdon-1") == (200, {"success": True})
    assert client.call("GET", "/config/otherdon-1")[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_config_that_cannot_be_used_names_its_options(client: Client, method: str) -> None:
    path = "/config/new" if method == "POST" else f"/config/{NAME}"
    for body in ({}, {"config": {}}, {"config": []}, {"config": {"mastoscore": "x"}}, {"config": {"a": {"b": None}}}):
        status, answer = client.call(method, path, json=body)
        assert status == 400, body
        assert answer["error"], body
    wrong = {"config": config(client.posting, timezone="Nowhere", top_n="many")}
    status, answer = client.call(method, path, json=wrong)
    assert status == 400
    assert set(answer["errors"]) == {"mastoscore.timezone", "mastoscore.top_n"}


# --- before the fetch -----------------------------------------------------------------------------------------------
def test_nothing_is_there_before_the_fetch(client: Client) -> None:
    status, answer = client.get("/fetch/ready")
    assert (status, answer["ready"], answer["config_file"]) == (200, False, NAME)
    assert answer["expected_file"].endswith("data-monsterdon-fetch.json")
    assert answer["message"]
    status, answer = client.post("/analyse")
    assert (status, answer["success"]) == (404, False)
    assert answer["error"]
    assert answer["expected_file"].endswith(".json")
    for kind in ("graph", "wordcloud"):
        assert client.post(f"/{kind}")[0] == 404
        assert client.get(f"/{kind}/status") == (200, {"image_ready": False, "description_ready": False})
        assert client.get(f"/{kind}/image")[0] == 404
        assert client.get(f"/{kind}/description")[0] == 404
    assert client.call("GET", f"/results/{NAME}")[0] == 404
    assert client.post("/blog")[0] == 404
    status, answer = client.post("/blog/ready")
    assert (status, answer["ready"], answer["config_file"]) == (404, False, NAME)
    assert client.post("/blog/content")[0] == 404
    status, answer = client.post("/blog/posts")
    assert (status, answer["exists"], answer["config_file"]) == (404, False, NAME)
    assert answer["message"]
    status, answer = client.post("/blog/poster")
    assert (status, answer["exists"], "poster_path" in answer) == (200, False, False)
    assert client.post("/blog/poster/image")[0] == 404


def test_reset_of_nothing_is_fine(client: Client) -> None:
    status, answer = client.post("/fetch/reset")
    assert (status, answer["success"], answer["files_deleted"], answer["total_size"]) == (200, True, [], 0)


# --- POST /fetch, /fetch/cancel, GET /jobs --------------------------------------------------------------------------
def test_cancel_of_what_cannot_be_cancelled(client: Client) -> None:
    assert client.call("POST", "/fetch/cancel", json={}) == (400, {"error": "job_id parameter required"})
    for job_id in (999999, "nonsense", "9" * 30):
        status, answer = client.call("POST", "/fetch/cancel", json={"job_id": job_id})
        assert (status, answer["success"], answer["job_id"]) == (400, False, job_id)
        assert answer["error"]
        assert answer["partial_results"] == {}


def test_running_job_keeps_others_away_and_is_cancelled(client: Client) -> None:
    job = client.house.enqueue("held", slug=NAME)
    client.house.wait_for(job, "running")
    wait_until(lambda: "progress" in client.job(job), "progress")
    assert client.job(job)["progress"] == {"done": 1, "total": 2}
    for path in ("/fetch", "/fetch/reset"):
        status, answer = client.post(path)
        assert (status, answer["job_id"]) == (409, job), path
        assert answer["error"], path
    status, answer = client.post("/fetch/cancel", job_id=str(job))
    assert (status, answer["success"], answer["job_id"]) == (200, True, str(job))
    assert answer["partial_results"] == {"done": 1, "total": 2}
    assert answer["message"]
    assert (client.job(job)["status"], client.job(job)["result"]) == ("cancelled", {"partial": True})
    status, answer = client.post("/fetch/cancel", job_id=job)
    assert (status, answer["success"]) == (400, False)


def test_fetch_of_the_bundled_fediverse(client: Client) -> None:
    assert client.call("GET", "/jobs/999999") == (200, {"status": "not_found"})
    status, answer = client.post("/fetch", mock=True)
    assert status == 202
    assert (answer["status"], answer["config_file"]) == ("running", NAME)
    job = client.wait(answer["job_id"])
    assert (job["status"], job["job_id"]) == ("complete", answer["job_id"])
    assert datetime.fromisoformat(job["started_at"]).tzinfo is not None
    assert job["result"]["toots"] > 100
    progress = job["progress"]
    assert {"max_toots", "current_server", "total_toots", "progress_percent"} <= set(progress)
    assert progress["total_servers"] == sum(progress[f"servers_{state}"] for state in ("todo", "done", "fail"))
    assert progress["completed_servers"] == progress["servers_done"] + progress["servers_fail"]
    assert {row["state"] for row in progress["server_status"].values()} <= {"pending", "running", "done", "failed"}
    assert all(isinstance(row["toots"], int) for row in progress["server_status"].values())
    assert client.post("/fetch", mock="perhaps")[0] == 400


def test_failed_job_says_why(client: Client) -> None:
    broken = config(client.posting, hashtag="homeless")
    del broken["mastoscore"]["api_base_url"]
    assert client.call("POST", "/config/homeless", json={"config": broken})[0] == 201
    _, answer = client.call("POST", "/fetch", json={"config_file": "homeless"})
    job = client.wait(answer["job_id"])
    assert job["status"] == "error"
    assert "home account" in job["error"]


def test_fetch_is_ready(client: Client) -> None:
    status, answer = client.get("/fetch/ready", config_file=INI)
    assert (status, answer["ready"], answer["config_file"]) == (200, True, INI)
    assert (client.house.data_dir / answer["data_file"]).is_file()


# --- POST /analyse, GET /results ------------------------------------------------------------------------------------
def test_analyse_and_results(client: Client) -> None:
    status, first = client.post("/analyse")
    assert (status, first["success"], first["cached"]) == (200, True, False)
    results = first["results"]
    for key in ("preamble", "num_toots", "most_toots", "hashtag", "generated"):
        assert isinstance(results[key], str), key
    assert results["generated"].endswith("Z")
    assert results["unique_ids"] > 10
    for key in ("max_boosts", "max_faves", "max_replies"):
        assert 0 < len(results[key]) <= results["top_n"], key
    assert client.post("/analyse")[1]["cached"] is True
    assert client.post("/analyse", refresh=True)[1]["cached"] is False
    assert client.call("GET", f"/results/{INI}")[1]["results"]["unique_ids"] == results["unique_ids"]


# --- graph and word cloud -------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["graph", "wordcloud"])
def test_pictures(client: Client, kind: str) -> None:
    status, answer = client.post(f"/{kind}")
    assert (status, answer["success"], answer["config_file"]) == (200, True, NAME)
    assert answer["message"]
    assert client.get(f"/{kind}/status") == (200, {"image_ready": True, "description_ready": True})
    image = client.send("GET", f"/{kind}/image", params={"config_file": NAME})
    assert (image.status_code, image.headers["Content-Type"]) == (200, "image/png")
    assert Image.open(BytesIO(image.content)).format == "PNG"
    request = {"method": "GET", "url": image.url, "timeout": 60}
    headers = {"Authorization": f"Bearer {client.token}", "If-None-Match": image.headers["ETag"]}
    assert requests.request(**request, headers=headers).status_code == 304
    status, answer = client.get(f"/{kind}/description")
    assert (status, answer["config_file"]) == (200, NAME)
    assert len(answer["description"]) > 20


def test_graph_by_file_name(client: Client) -> None:
    found = client.send("GET", "/graphs/monsterdon-20260222.png")
    assert (found.status_code, found.headers["Content-Type"]) == (200, "image/png")
    for name in ("unknown.png", "../../secret.key", "wordcloud-monsterdon-20260222-reduce.png", "index.md"):
        assert client.call("GET", f"/graphs/{quote(name, safe='')}")[0] == 404


# --- blog and poster ------------------------------------------------------------------------------------------------
def test_blog(client: Client) -> None:
    status, answer = client.post("/blog", tags=["film"], copyFiles=False)
    assert (status, answer["success"], answer["config_file"]) == (200, True, NAME)
    assert client.post("/blog", tags="film")[0] == 400
    assert client.post("/blog", copyFiles=True)[0] == 400  # no Hugo site is configured
    for call in (client.post, client.get):
        status, answer = call("/blog/ready")
        assert (status, answer["ready"], answer["config_file"]) == (200, True, NAME)
        assert answer["blog_file"].endswith("index.md")
        status, answer = call("/blog/content")
        assert (status, answer["config_file"]) == (200, NAME)
        assert "film" in answer["content"]
        assert isinstance(answer["modified"], float)


def test_posters(client: Client) -> None:
    status, answer = client.post("/blog/search-posters")
    assert (status, answer["search_title"], answer["search_year"]) == (200, "The Blob", "1958")
    status, answer = client.post("/blog/search-posters", query="The Blob")
    assert (status, answer["search_year"], answer["config_file"]) == (200, None, NAME)
    poster = answer["posters"][0]
    assert set(poster) == {"id", "title", "poster_path", "poster_url", "year", "overview", "keywords"}
    assert isinstance(poster["id"], str)
    assert "/w342/" in poster["poster_url"]
    status, answer = client.post("/blog/select-poster", poster_url=poster["poster_url"])
    assert (status, answer["success"], answer["config_file"]) == (200, True, NAME)
    assert answer["thumb_file"].endswith("thumb.jpg")
    status, answer = client.get("/blog/poster")
    assert (status, answer["exists"]) == (200, True)
    assert answer["poster_path"].endswith("thumb.jpg")
    for method, where in (("GET", "params"), ("POST", "json")):
        image = client.send(method, "/blog/poster/image", **{where: {"config_file": NAME}})
        assert (image.status_code, image.headers["Content-Type"]) == (200, "image/jpeg")


def test_what_is_no_poster(client: Client) -> None:
    assert client.post("/blog/select-poster")[0] == 400
    for address in ("https://elsewhere.example/x.jpg", "file:///etc/passwd", "nonsense", 7):
        assert client.post("/blog/select-poster", poster_url=address)[0] == 400
    assert client.post("/blog/select-poster", poster_url=f"{client.poster_address}/w342/none.jpg")[0] == 502
    untitled = {"config": config(client.posting, hashtag="untitled", episode_title="")}
    assert client.call("POST", "/config/untitled", json=untitled)[0] == 201
    assert client.call("POST", "/blog/search-posters", json={"config_file": "untitled"})[0] == 400


# --- POST /post -----------------------------------------------------------------------------------------------------
def test_post_drafts_then_sends_once(client: Client) -> None:
    status, answer = client.post("/post")  # the event says: dry run
    assert (status, answer["status"], answer["config_file"]) == (202, "running", NAME)
    job = client.wait(answer["job_id"])
    assert job["status"] == "complete", job
    assert job["result"]["toots"] > 3
    assert client.posting.statuses == {}
    status, answer = client.post("/post", dry_run=False)
    assert status == 202
    job = client.wait(answer["job_id"])
    assert job["status"] == "complete", job
    assert len(client.posting.statuses) == job["result"]["sent"] > 3
    for dry_run in (True, False):
        status, answer = client.post("/post", dry_run=dry_run)
        assert (status, "already posted" in answer["error"]) == (409, True)
    status, answer = client.post("/blog/posts")
    assert (status, answer["exists"], answer["config_file"]) == (200, True, NAME)
    assert len(answer["posts"]) == len(client.posting.statuses)


# --- POST /fetch/reset ----------------------------------------------------------------------------------------------
def test_reset_deletes_what_was_fetched(client: Client) -> None:
    status, answer = client.post("/fetch/reset")
    assert (status, answer["success"], answer["config_file"]) == (200, True, NAME)
    assert answer["total_size"] == sum(row["size"] for row in answer["files_deleted"]) > 1000
    assert not any((client.house.data_dir / row["path"]).exists() for row in answer["files_deleted"])
    assert client.get("/fetch/ready")[1]["ready"] is False
    assert client.post("/analyse")[0] == 404

"""Site and worker under one command."""

from __future__ import annotations

import http.client
import os
import signal
import socket
from urllib.parse import urlsplit

import pytest

from tests.cluster.house import DEADLINE_SECONDS, House, wait_until


def answers(url: str) -> bool:
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=5)
    try:
        connection.request("GET", "/admin/login/")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_site_and_worker_start_work_and_stop_together(house: House, number: int) -> None:
    serve, url = house.start_site()
    assert answers(url)
    job = house.enqueue("held")
    house.wait_for(job, "running")
    serve.send_signal(number)
    assert serve.wait(DEADLINE_SECONDS) == 0
    assert not house.living()
    assert house.job(job)["status"] == "queued"


def test_first_start_says_the_password_of_the_new_admin_once(house: House) -> None:
    serve, _ = house.start_site()
    serve.terminate()
    serve.wait(DEADLINE_SECONDS)
    assert house.output().count("Log in as “admin” with the password ") == 1
    again = house.manage("prepare")
    assert (again.returncode, again.stdout) == (0, "")


def test_several_first_starts_at_once_make_one_of_everything(house: House) -> None:
    house.environment["DATABASE_URL"] = f"sqlite:///{house.data_dir / 'empty.sqlite3'}"
    refused = house.manage("worker")
    assert (refused.returncode, refused.stderr) == (
        1,
        "The database is not up to date; run manage.py prepare first.\n",
    )
    starts = [house.start("prepare") for _ in range(3)]
    assert [start.wait(DEADLINE_SECONDS) for start in starts] == [0, 0, 0]
    assert house.output().count("the password ") == 1
    assert house.ask(do="schedules") == 1


def test_nothing_lives_on_after_a_kill_of_serve(house: House) -> None:
    serve, _ = house.start_site()
    house.wait_for(house.enqueue("held"), "running")
    serve.kill()
    serve.wait(DEADLINE_SECONDS)
    wait_until(lambda: not house.living(), "the end of every process")


def test_killed_site_and_killed_worker_come_back(house: House) -> None:
    _, url = house.start_site()
    job = house.enqueue("held")
    house.wait_for(job, "running")
    worker = os.getsid(int(house.job(job)["worker"].rpartition("/")[2]))
    [web_server] = house.find("gunicorn: master")
    os.kill(worker, signal.SIGKILL)
    os.kill(web_server, signal.SIGKILL)
    wait_until(lambda: [pid for pid in house.find("gunicorn: master") if pid != web_server], "a new web server")
    wait_until(lambda: answers(url), "an answer at the same address")
    wait_until(lambda: house.job(job)["attempts"] == 2, "the second attempt")
    house.let_go()
    house.wait_for(job, "complete")


def test_worker_without_a_sign_of_life_is_replaced(house: House) -> None:
    house.start_site(MASTOSCORE_TEST_SILENT_SECONDS="6")
    wait_until(lambda: house.ask(do="beats"), "the first beat")
    stuck = house.find("qcluster")
    assert len(stuck) >= 6
    for pid in stuck:
        os.kill(pid, signal.SIGSTOP)
    house.let_go()
    job = house.enqueue("held")
    house.wait_for(job, "complete")
    assert not set(stuck) & set(house.living())


def test_taken_port_is_told_in_a_sentence(house: House) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = house.manage("serve", "--bind", f"127.0.0.1:{port}")
    assert done.returncode == 1
    assert done.stderr == f"Port {port} of 127.0.0.1 is taken by another program; choose one with --bind.\n"
    assert done.stdout == ""

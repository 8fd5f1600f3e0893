"""Real workers: at work, cancelled, killed, stopped. How django-q2 alone behaves then is what we guard against."""

from __future__ import annotations

import os
import signal

from tests.cluster.house import DEADLINE_SECONDS, House, wait_until


def pid_of(house: House, job_id: int) -> int:
    return int(house.job(job_id)["worker"].rpartition("/")[2])


def test_worker_does_jobs_and_leaves_nothing_behind_on_sigterm(house: House) -> None:
    worker = house.start_worker()
    job = house.enqueue("held")
    house.wait_for(job, "running")
    wait_until(lambda: house.job(job)["progress"] == {"done": 1, "total": 2}, "progress in the row")
    house.let_go()
    assert house.wait_for(job, "complete")["result"] == {"attempt": 1}
    worker.terminate()
    assert worker.wait(DEADLINE_SECONDS) == 0
    wait_until(lambda: not house.living(), "the end of every process")


def test_cancel_stops_a_running_job_and_a_deaf_one_is_killed(house: House) -> None:
    house.start_worker()
    polite, deaf = house.enqueue("held"), house.enqueue("deaf")
    house.wait_for(polite, "running")
    house.wait_for(deaf, "running")
    deaf_process = pid_of(house, deaf)
    house.ask(do="cancel", id=polite)
    house.ask(do="cancel", id=deaf)
    assert house.wait_for(polite, "cancelled")["result"] == {"partial": True}
    house.wait_for(deaf, "cancelled")
    wait_until(lambda: deaf_process not in house.living(), "the end of the deaf process")
    house.let_go()
    again = [house.enqueue("held") for _ in range(3)]
    assert [house.wait_for(job, "complete")["attempts"] for job in again] == [1, 1, 1]


def test_job_of_a_killed_process_is_completed_by_another(house: House) -> None:
    house.start_worker()
    job = house.enqueue("held")
    house.wait_for(job, "running")
    os.kill(pid_of(house, job), signal.SIGKILL)
    wait_until(lambda: house.job(job)["attempts"] == 2, "the second attempt")
    house.let_go()
    assert house.wait_for(job, "complete")["result"] == {"attempt": 2}


def test_all_jobs_are_completed_after_everything_was_killed(house: House) -> None:
    house.start_worker()
    jobs = [house.enqueue("held") for _ in range(5)]
    for job in jobs[:2]:
        wait_until(lambda: sum(house.job(job)["status"] == "running" for job in jobs) == 2, "two running jobs")
    house.kill_everything()
    house.let_go()
    house.start("worker")
    attempts = [house.wait_for(job, "complete")["attempts"] for job in jobs]
    assert sorted(attempts) == [1, 1, 1, 2, 2]


def test_stopped_worker_gives_its_jobs_back_uncounted(house: House) -> None:
    worker = house.start_worker()
    jobs = [house.enqueue("held"), house.enqueue("deaf"), house.enqueue("held")]
    for job in jobs[:2]:
        house.wait_for(job, "running")
    worker.terminate()
    assert worker.wait(DEADLINE_SECONDS) == 0
    assert not house.living()
    assert [house.job(job)["status"] for job in jobs] == ["queued"] * 3
    house.let_go()
    house.start("worker")
    assert [house.wait_for(job, "complete")["attempts"] for job in jobs] == [1, 1, 1]


def test_nothing_lives_on_after_a_kill_of_the_main_process(house: House) -> None:
    worker = house.start_worker()
    house.wait_for(house.enqueue("held"), "running")
    worker.kill()
    worker.wait(DEADLINE_SECONDS)
    wait_until(lambda: not house.living(), "the end of every process")


def test_sigterm_to_every_process_at_once_ends_them_all(house: House) -> None:
    worker = house.start_worker()
    job = house.enqueue("held")
    house.wait_for(job, "running")
    os.killpg(worker.pid, signal.SIGTERM)
    worker.wait(DEADLINE_SECONDS)
    wait_until(lambda: not house.living(), "the end of every process")
    house.let_go()
    house.start("worker")
    house.wait_for(job, "complete")

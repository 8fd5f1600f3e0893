"""Work in a process of its own: answered, or ended when it takes too much."""

from __future__ import annotations

import os
import threading
import time

import pytest

from common.confined import Confined, WorkFailed


def echo(payload: bytes) -> bytes:
    print("noise of a library")
    return payload[::-1]


def misbehave(payload: bytes) -> bytes:
    if payload == b"memory":
        return bytes(2_000_000_000)[:1]
    if payload == b"time":
        while True:
            pass
    if payload == b"crash":
        raise RuntimeError("choked")
    if payload == b"flood":
        return bytes(30_000_000)
    return str(os.getpid()).encode()


def environment(payload: bytes) -> bytes:
    return " ".join(sorted(os.environ)).encode()


def test_answers_come_back_whole_from_any_thread() -> None:
    answers: list[bool] = []
    with Confined("common.tests.test_confined:echo", max_megabytes=300, max_seconds=20) as work:

        def ask(number: int) -> None:
            payload = bytes([number]) * 3_000_000 + b"end"
            answers.append(work(payload) == payload[::-1])

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert work(b"") == b""
    assert answers == [True] * 4


@pytest.mark.parametrize("kind", [b"memory", b"crash", b"flood"])
def test_work_that_dies_is_a_failure_and_the_next_call_finds_a_new_process(kind: bytes) -> None:
    with Confined("common.tests.test_confined:misbehave", max_megabytes=300, max_seconds=20) as work:
        first = work(b"who")
        assert work(b"who") == first
        with pytest.raises(WorkFailed):
            work(kind)
        assert work(b"who") != first


def test_work_without_end_is_killed() -> None:
    with Confined("common.tests.test_confined:misbehave", max_megabytes=300, max_seconds=20) as work:
        process = int(work(b"who"))
        work._max_seconds = 0.3
        with pytest.raises(WorkFailed):
            work(b"time")
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


def test_process_ends_with_its_owner_and_knows_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY", "hush")
    work = Confined("common.tests.test_confined:environment", max_megabytes=300, max_seconds=20)
    assert b"SECRET_KEY" not in work(b"")
    process = work._process
    assert process is not None and process.stdin is not None
    process.stdin.close()  # as when the owner dies
    deadline = time.monotonic() + 10
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    assert process.poll() == 0
    work.close()

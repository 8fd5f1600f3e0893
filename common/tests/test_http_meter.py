from __future__ import annotations

import pytest

from common.http import AddressNotAllowed, Answer, LeadsElsewhere
from common.tests.loopback import answering, open_gate, reply, serve


class Book:
    """A meter that writes down what it is told, and refuses after ``most`` requests."""

    def __init__(self, most: int = 100) -> None:
        self.most = most
        self.waits = 0
        self.begun: list[str] = []
        self.ended: list[tuple[int, int | None]] = []

    def wait(self) -> None:
        self.waits += 1

    def begin(self, server: str) -> None:
        if len(self.begun) >= self.most:
            raise LookupError("enough")
        self.begun.append(server)

    def end(self, received_bytes: int, seconds: float, answer: Answer | None) -> None:
        assert seconds >= 0
        self.ended.append((received_bytes, answer.status_code if answer else None))


def onward(location: str) -> bytes:
    return reply(status="302 Found", headers=(f"Location: {location}",))


def test_every_exchange_is_told_to_the_meter_redirects_too() -> None:
    answers = {b"/": onward("/next"), b"/next": reply(b"x" * 1000)}
    book = Book()
    with serve(answering(lambda request: answers[request.split()[1]])) as server, open_gate() as gate:
        answer = gate.metered(book).get(server.url())

    assert answer.body == b"x" * 1000
    assert (book.waits, len(book.begun), [status for _, status in book.ended]) == (1, 2, [302, 200])
    assert book.ended[1][0] > 1000


def test_request_that_the_meter_refuses_does_not_leave() -> None:
    book = Book(most=1)
    with serve(answering(lambda _: reply(b"ok"))) as server, open_gate() as gate:
        metered = gate.metered(book)
        metered.get(server.url())
        with pytest.raises(LookupError):
            metered.get(server.url())
        gate.get(server.url())

    assert len(server.requests) == 2


def test_abort_of_the_gate_ends_its_metered_ones() -> None:
    with open_gate() as gate:
        metered = gate.metered(Book())
        gate.abort()
        with pytest.raises(Exception, match="stopped on request"):
            metered.get("http://127.0.0.1:1/")


def test_visitor_who_stays_is_told_of_the_other_server_and_does_not_go_there() -> None:
    with serve(answering(lambda _: reply(b"ok"))) as other:
        with serve(answering(lambda _: onward(other.url("/there")))) as server:
            with open_gate(stays_on_server=True) as gate, pytest.raises(LeadsElsewhere) as led:
                gate.get(server.url())

    assert led.value.onward == f"127.0.0.1:{other.port}"
    assert other.requests == []


@pytest.mark.parametrize("host", ["169.254.169.254", "[::ffff:10.0.0.1]", "0x7f.1", "localhost"])
def test_visitor_who_stays_is_not_told_of_closed_addresses(host: str) -> None:
    with serve(answering(lambda _: onward(f"http://{host}/latest"))) as server:
        with open_gate(stays_on_server=True) as gate, pytest.raises(AddressNotAllowed):
            gate.get(server.url())


def test_redirects_on_the_same_server_are_followed_by_who_stays() -> None:
    answers = {b"/": onward("/next"), b"/next": reply(b"ok")}
    with serve(answering(lambda request: answers[request.split()[1]])) as server:
        with open_gate(stays_on_server=True) as gate:
            assert gate.get(server.url()).body == b"ok"

# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A task's threads and a loop's items share a few connections, and none outlives its deadline."""

from __future__ import annotations

import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler
from typing import Any

import httpcore
import httpx
import pytest

from ansible_collections.irishtek.kong.plugins.module_utils import _client, _deadline
from ansible_collections.irishtek.kong.plugins.module_utils._client import (
    MOST_CONNECTIONS,
    Client,
)
from ansible_collections.irishtek.kong.plugins.module_utils._connection import Connection
from ansible_collections.irishtek.kong.plugins.module_utils._deadline import Deadline
from ansible_collections.irishtek.kong.plugins.module_utils._errors import KongError, Unreachable
from ansible_collections.irishtek.kong.plugins.module_utils._gateway._refusal import admin_refusal
from ansible_collections.irishtek.kong.plugins.module_utils._module import MOST_GATEWAYS, Session
from ansible_collections.irishtek.kong.plugins.module_utils._parallel import WORKERS, for_each
from ansible_collections.irishtek.kong.plugins.module_utils._sender import Sender
from unit.scripted import Clock, Scripted, answer


def _client_of(url: str, **settings: Any) -> Client:
    return Client(Connection(url, **settings), admin_refusal)


class Counting(socketserver.ThreadingTCPServer):
    """Answers every request with an entity, and counts connections."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.opened = 0
        self.closed = threading.Semaphore(0)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self.closed.release()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        assert isinstance(self.server, Counting)
        self.server.opened += 1

    def do_GET(self) -> None:
        """An entity; after that of ``/last`` the connection is closed, which no header says."""
        self.close_connection = self.path == "/last"
        body = json.dumps({"id": "1"}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def _counting() -> Iterator[Counting]:
    with Counting() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def test_a_loop_of_many_items_opens_a_connection_for_each_worker() -> None:
    with _counting() as server:
        session = Session()
        for _item in range(20):
            client = session.client(Connection(server.url))
            client.request("GET", "/upstreams/web")
            for_each(partial(client.request, "GET"), [f"/x/{number}" for number in range(30)])
        assert server.opened <= WORKERS + 1
        session.close()
        for _connection in range(server.opened):
            assert server.closed.acquire(timeout=60), "a connection stayed open"
        assert client.request("GET", "/x") == {"id": "1"}, "a closed client opens again"
        session.close()


def test_requests_one_after_another_need_one_connection() -> None:
    with _counting() as server:
        client = _client_of(server.url)
        for _number in range(5):
            client.request("GET", "/x")
        client.close()
        assert server.opened == 1


def test_what_the_server_closed_is_opened_again() -> None:
    with _counting() as server:
        client = _client_of(server.url, retries=0)
        client.request("GET", "/last")
        assert server.closed.acquire(timeout=60)
        assert client.request("POST", "/last") == {"id": "1"}
        assert server.opened == 2
        client.close()


def test_more_threads_than_connections_wait_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Sender] = []
    make = vars(_client)["new_sender"]

    def counted(*args: Any) -> Sender:
        made.append(make(*args))
        return made[-1]

    monkeypatch.setattr(_client, "new_sender", counted)
    with _counting() as server:
        client = _client_of(server.url)
        for_each(lambda number: client.request("GET", "/x"), range(200), workers=40)
        assert server.opened == len(made) <= MOST_CONNECTIONS
        client.close()
        for _each in made:
            assert server.closed.acquire(timeout=60), "a connection stayed open"


def test_a_loop_over_many_gateways_keeps_few_open() -> None:
    with _counting() as server:
        session = Session()
        gateways = MOST_GATEWAYS + 5
        for number in range(gateways):
            session.client(Connection(f"{server.url}/{number}")).request("GET", "/x")
        for _evicted in range(gateways - MOST_GATEWAYS):
            assert server.closed.acquire(timeout=60), "a connection stayed open"
        assert not server.closed.acquire(blocking=False)
        session.close()


class Dripping:
    """A server, as httpcore's backend and its connection, that sends a byte in each 0.3 s."""

    def __init__(self, clock: Clock, response: bytes) -> None:
        self.clock = clock
        self.left = response

    def connect_tcp(self, *args: Any, **settings: Any) -> Dripping:
        return self

    def read(self, max_bytes: int, timeout: float) -> bytes:
        if timeout < 0.3:
            self.clock.now += timeout
            raise httpx.ReadTimeout("too slow")
        self.clock.now += 0.3
        byte, self.left = self.left[:1], self.left[1:]
        return byte

    def write(self, buffer: bytes, timeout: float) -> None:
        """Whatever is asked, it drips."""

    def close(self) -> None:
        """Nothing is open."""

    def get_extra_info(self, info: str) -> Any:
        return None


HEADERS = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n"


@pytest.mark.parametrize("response", [HEADERS, HEADERS[:17] + b"\r\n" + b"x" * 9000],
                         ids=["headers", "body"])  # fmt: skip
def test_a_server_that_drips_is_given_up_when_the_time_is_over(
    response: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(_deadline, "time", clock)

    monkeypatch.setattr(httpcore, "SyncBackend", lambda: Dripping(clock, response))
    start = clock.now
    with pytest.raises(Unreachable, match=r"timed out after 1 s"):
        _client_of("http://127.0.0.1", timeout=1.0, retries=0).request("GET", "/x")
    assert clock.now - start == pytest.approx(1.0)


class Routed(Dripping):
    """Responds at one of the addresses that its name has; what is sent to others is lost."""

    asked: list[str]

    def connect_tcp(self, host: str, port: int, timeout: float, **settings: Any) -> Dripping:
        self.asked.append(host)
        if host != "198.51.100.3":
            self.clock.now += timeout
            raise httpcore.ConnectTimeout("timed out")
        return self


@pytest.mark.parametrize("last", ["198.51.100.3", "198.51.100.4"])
def test_each_address_of_a_host_has_its_share_of_the_time(
    last: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = ["2001:db8::1", "198.51.100.2", "198.51.100.2", last]
    clock = Clock()
    backend = Routed(clock, HEADERS.replace(b"9000", b"2") + b"\r\n{}")
    backend.asked = []
    monkeypatch.setattr(backend, "read", lambda size, timeout: backend.left)
    monkeypatch.setattr(_deadline, "time", clock)
    monkeypatch.setattr(httpcore, "SyncBackend", lambda: backend)
    found = [(2, 1, 6, "", (each, 80)) for each in addresses]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **more: found)
    start, client = clock.now, _client_of("http://gw.test", timeout=3.0, retries=0)
    if last == "198.51.100.3":
        assert client.request("GET", "/x") == {}
        assert clock.now - start == pytest.approx(2.0)
    else:
        with pytest.raises(Unreachable, match=r"timed out after 3 s"):
            client.request("GET", "/x")
        assert clock.now - start == pytest.approx(3.0)
    assert backend.asked == list(dict.fromkeys(addresses))


def test_an_outer_deadline_ends_what_is_inside_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(_deadline, "time", clock)
    outer = Deadline(5)
    with outer.running():
        inner = Deadline(100)
        inner.extend(100)
        assert for_each(lambda number: Deadline(100).left(), range(3)) == [5, 5, 5]
    assert inner.left() == 5
    assert not inner.pause(5)
    assert inner.pause(4)
    assert clock.pauses == [4]
    clock.now += 60
    assert inner.left() == 0
    assert not inner.pause(0.1), "who slept too long does not go on"


def test_a_pause_that_took_too_long_ends_with_the_last_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Sleepy(Clock):
        """Sleeps ten times as long as asked."""

        def sleep(self, seconds: float) -> None:
            super().sleep(seconds * 1000)

    monkeypatch.setattr(_deadline, "time", Sleepy())

    def refuse(base_url: str, tls: dict[str, Any], headers: dict[str, str]) -> Sender:
        return Sender(Scripted(lambda request: answer(503, {"message": "no"})), headers)

    monkeypatch.setattr(_client, "new_sender", refuse)
    with pytest.raises(KongError, match=r"^no \(HTTP 503\)$"):
        _client_of("http://gw.test").request("GET", "/x")

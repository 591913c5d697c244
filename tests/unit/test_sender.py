# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A connection is kept where it can be, and what is no whole response of HTTP/1.1 is an error."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpcore
import httpx
import pytest

from ansible_collections.irishtek.kong.plugins.module_utils import _deadline
from ansible_collections.irishtek.kong.plugins.module_utils._sender import KEPT_SECONDS, Sender
from ansible_collections.irishtek.kong.plugins.module_utils._transport import (
    TimedStream,
    new_sender,
)
from unit.scripted import Clock

LENGTH = b"Content-Length: 8\r\n"
OK = b"HTTP/1.1 200 OK\r\n"
BODY = b'{"a": 1}'
PLAIN = OK + LENGTH + b"\r\n" + BODY


@dataclass
class Server:
    """Opens connections on which it responds with one of these after each request."""

    responses: list[bytes]
    piece: int = 65536
    opened: list[httpx.URL] = field(default_factory=list)
    received: list[bytes] = field(default_factory=list)
    closed: int = 0
    is_readable: bool = False
    _left: bytes = b""

    def __call__(self, url: httpx.URL, timeout: float) -> Server:
        self.opened.append(url)
        return self

    def get_extra_info(self, info: str) -> Any:
        return self.is_readable

    def write(self, buffer: bytes, timeout: float) -> None:
        self.received.append(buffer)
        self._left = self.responses.pop(0)

    def read(self, max_bytes: int, timeout: float) -> bytes:
        assert self.closed < len(self.opened), "it is closed"
        size = min(max_bytes, self.piece)
        part, self._left = self._left[:size], self._left[size:]
        return part

    def close(self) -> None:
        self.closed += 1


def get(server: Server, method: str = "GET") -> Any:
    return Sender(server, {}).request(method, "http://gw.test/x", timeout=1)


CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
WHOLE = {
    "a length": PLAIN,
    "chunks": CHUNKED + b'3\r\n{"a\r\n5;x=y\r\n": 1}\r\n0\r\nX-Sum: 1\r\n\r\n',
    "before it, that it continues": b"HTTP/1.1 100 Continue\r\n\r\n" + PLAIN,
    "before it, hints": b"HTTP/1.1 102 X\r\n\r\nHTTP/1.1 103 X\r\nLink: x\r\n\r\n" + PLAIN,
    "a kept HTTP/1.0": PLAIN.replace(b"1.1", b"1.0", 1).replace(
        b"\r\n\r\n", b"\r\nConnection: Keep-Alive\r\n\r\n"
    ),
    "no reason": PLAIN.replace(b" OK", b""),
    "line feeds": PLAIN.replace(b"\r", b""),
}
ENDED = {
    "the end of the connection": OK + b"\r\n" + BODY,
    "an announced end": PLAIN.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"),
    "HTTP/1.0": PLAIN.replace(b"1.1", b"1.0", 1),
}


@pytest.mark.parametrize("piece", [1, 7, 65536])
@pytest.mark.parametrize("name", [*WHOLE, *ENDED])
def test_a_response_is_read_whole_and_the_connection_kept_where_it_can_be(
    name: str, piece: int
) -> None:
    server = Server([{**WHOLE, **ENDED}[name], PLAIN], piece)
    sender = Sender(server, {})
    for _number in range(2):
        response = sender.request("GET", "http://gw.test/x", timeout=1)
        assert (response.status_code, response.json(), response.is_success) == (200, {"a": 1}, True)
    assert len(server.opened) == (1 if name in WHOLE else 2)
    assert server.closed == len(server.opened) - 1


@pytest.mark.parametrize("header", [LENGTH, b"Transfer-Encoding: chunked\r\n"])
@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("DELETE", 204), ("GET", 304)])
def test_responses_without_a_body_are_not_waited_for(
    method: str, status: int, header: bytes
) -> None:
    server = Server([b"HTTP/1.1 %d X\r\n%s\r\n" % (status, header)])
    assert get(server, method).content == b""
    assert not server.closed


BROKEN = {
    "nothing": b"",
    "half a line": b"HTTP/1.1 20",
    "another protocol": b"SSH-2.0-OpenSSH\r\n",
    "half the headers": OK + LENGTH,
    "headers without an end": OK + b"X: 1\r\n" * 1000 + b"\r\n",
    "half a body": PLAIN[:-1],
    "no chunks": CHUNKED + BODY,
    "half a chunk": CHUNKED + b"9\r\n" + BODY,
    "chunks without an end": CHUNKED + b"8\r\n" + BODY + b"\r\n",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_response_is_an_error_and_ends_the_connection(name: str) -> None:
    server = Server([BROKEN[name], PLAIN])
    sender = Sender(server, {})
    with pytest.raises(httpx.RemoteProtocolError):
        sender.request("GET", "http://gw.test/x", timeout=1)
    assert server.closed == 1
    assert sender.request("GET", "http://gw.test/x", timeout=1).json() == {"a": 1}


def test_headers_that_users_give_replace_those_of_a_request() -> None:
    server = Server([PLAIN, PLAIN])
    given = {"HOST": "kong.test", "Content-Type": "application/x", "Accept": "b/c"}
    sender = Sender(server, given)
    sender.request("POST", "http://gw.test:8001/x?y=1", json={"ü": [1, None]}, timeout=1)
    head, _end, body = server.received[0].partition(b"\r\n\r\n")
    assert body == '{"ü":[1,null]}'.encode()
    assert head.split(b"\r\n") == [
        b"POST /x?y=1 HTTP/1.1", b"Accept-Encoding: identity", b"Content-Length: 15",
        b"HOST: kong.test", b"Content-Type: application/x", b"Accept: b/c",
    ]  # fmt: skip
    sender = Sender(server, {})
    sender.request("GET", "http://[::1]:80/x", params={"name": "a&b"}, timeout=1)
    assert server.received[1].startswith(b"GET /x?name=a%26b HTTP/1.1\r\nHost: [::1]\r\n")
    assert b"Content-" not in server.received[1]


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://gw.test:80/x", b"gw.test"),
        ("https://gw.test:443/x", b"gw.test"),
        ("https://gw.test:80/x", b"gw.test:80"),
        ("http://gw.test:443/x", b"gw.test:443"),
        ("https://[fd00::1]:8444/x", b"[fd00::1]:8444"),
        ("http://gw\u00e4.test/x", b"xn--gw-wia.test"),
    ],
)
def test_the_host_is_sent_with_a_port_that_its_scheme_does_not_imply(
    url: str, host: bytes
) -> None:
    server = Server([PLAIN])
    Sender(server, {}).request("GET", url, timeout=1)
    assert b"\r\nHost: %s\r\n" % host in server.received[0]


def test_what_is_not_a_response_is_not_shown() -> None:
    # The alert by which TLS refuses a request in plain text.
    with pytest.raises(httpx.RemoteProtocolError, match="^the response is not one of HTTP$"):
        get(Server([b"\x15\x03\x01\x00\x02\x02F"]))


def test_a_connection_that_may_be_closed_or_is_of_another_server_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    monkeypatch.setattr(_deadline, "time", clock)
    server = Server([PLAIN] * 5)
    sender = Sender(server, {})

    def opened(url: str = "http://gw.test/x") -> int:
        sender.request("GET", url, timeout=1)
        return len(server.opened)

    assert (opened(), opened()) == (1, 1)
    clock.now += KEPT_SECONDS + 1
    assert opened() == 2
    assert opened("http://gw.test:8002/x") == 3
    server.is_readable = True
    assert opened() == 4


def test_errors_of_the_network_have_the_types_of_httpx() -> None:
    class Failing(Server):
        def read(self, max_bytes: int, timeout: float) -> bytes:
            raise httpcore.ReadTimeout("late")

    server = Failing([PLAIN])
    with pytest.raises(httpx.ReadTimeout, match="late"):
        get(server)
    assert server.closed == 1


def test_a_response_is_read_that_comes_before_the_whole_request_is_sent() -> None:
    class Refusing(Server):
        def write(self, buffer: bytes, timeout: float) -> None:
            super().write(buffer, timeout)
            raise httpcore.WriteError("closed")

    assert get(Refusing([PLAIN.replace(b"200 OK", b"413 Too Large")])).status_code == 413


def test_a_large_body_is_written_in_pieces_that_each_have_a_timeout() -> None:
    class Recording:
        sent: list[int] = []

        def write(self, buffer: bytes, timeout: float) -> None:
            self.sent.append(len(buffer))

    TimedStream(Recording()).write(b"x" * 70000, 1)
    assert Recording.sent == [65536, 4464]


def test_a_proxy_is_left_to_httpx(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy.test:3128")
    sender = new_sender("http://gw.test", {}, {"User-Agent": "us"})
    assert isinstance(sender, httpx.Client)
    assert sender.headers["user-agent"] == "us"
    sender.close()
    assert isinstance(new_sender("http://127.0.0.1", {}, {}), Sender)

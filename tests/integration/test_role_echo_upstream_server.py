# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The echo server of the role: it tells what it was asked, whatever that is."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest

from harness.echo import PROGRAM, Echo, echo_server


@pytest.fixture(scope="module")
def echo() -> Iterator[Echo]:
    """One echo server for the module's tests, which leave nothing behind in it."""
    with echo_server("echo-1") as started:
        yield started


def _ask(echo: Echo, method: str, path: str, **options: object) -> httpx.Response:
    with httpx.Client(trust_env=False) as client:
        return client.request(method, f"http://{echo.target}{path}", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE"])
def test_every_method_is_answered_with_the_request(echo: Echo, method: str) -> None:
    answer = _ask(
        echo, method, "/a/b?x=1&x=2&y=", headers={"X-Colour": "blue"}, content="tea: \u2615"
    )
    assert answer.status_code == 200
    assert answer.headers["X-Echo-Server"] == "echo-1"
    told = answer.json()
    assert next(iter(told)) == "server"
    headers = {name.lower(): value for name, value in told.pop("headers").items()}
    assert headers["x-colour"] == "blue"
    assert told == {
        "server": "echo-1", "host": echo.target, "method": method, "path": "/a/b",
        "query": {"x": ["1", "2"], "y": [""]}, "body": "tea: \u2615",
    }


def test_repeated_headers_are_all_told(echo: Echo) -> None:
    told = _ask(echo, "GET", "/", headers=[("X-Way", "one"), ("X-Way", "two")]).json()
    assert told["headers"]["X-Way"] == "one, two"


def test_head_is_answered_without_a_body(echo: Echo) -> None:
    answer = _ask(echo, "HEAD", "/")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 0


def test_chunked_bodies_are_read_and_the_connection_stays_usable(echo: Echo) -> None:
    with httpx.Client(base_url=f"http://{echo.target}", trust_env=False) as client:
        for words in ([b"one ", b"two"], [b"three"]):
            assert client.post("/", content=iter(words)).json()["body"] == b"".join(words).decode()


def test_health_names_the_server(echo: Echo) -> None:
    answer = _ask(echo, "GET", "/health?verbose=1")
    assert answer.status_code == 200
    assert answer.json()["server"] == "echo-1"


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"Content-Length: 1048577\r\n", b"413"),
        (b"Content-Length: -1\r\n", b"400"),
        (b"Transfer-Encoding: chunked\r\n", b"400"),
    ],
)
def test_bodies_that_cannot_be_read_are_refused(echo: Echo, head: bytes, status: bytes) -> None:
    with socket.create_connection(("127.0.0.1", echo.port), timeout=10) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\n" + head + b"\r\nnonsense\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 " + status)
    assert b"Connection: close" in answer


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(number: signal.Signals) -> None:
    command = [sys.executable, str(PROGRAM), "--port", "0", "--name", "ends"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "ends listens on" in process.stderr.readline()
        process.send_signal(number)
        said = process.communicate(timeout=30)[1]
    assert (process.returncode, said) == (0, "")


def test_a_taken_port_is_told_in_one_line(echo: Echo) -> None:
    command = [sys.executable, str(PROGRAM), "--port", str(echo.port), "--name", "late"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"cannot listen on 127.0.0.1 port {echo.port}: ")
    assert done.stderr.count("\n") == 1


def test_a_name_that_is_no_header_value_is_refused() -> None:
    command = [sys.executable, str(PROGRAM), "--port", "0", "--name", "a\nSet-Cookie: b"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert "--name" in done.stderr

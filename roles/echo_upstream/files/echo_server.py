# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An HTTP server that responds with the request, to see what a gateway sends to a target.

Every method and path is answered with 200 and the request as JSON; ``/health`` is meant for
health checks. The header ``X-Echo-Server`` and the JSON's first key ``server`` name the server.
It needs Python 3.9 and nothing else, and ends cleanly on SIGTERM and SIGINT.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import socket
import socketserver
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import FrameType
from typing import Any, Callable
from urllib.parse import parse_qs, urlsplit

# Larger bodies are refused: a request is held in memory and sent back whole.
MAX_BODY = 1024 * 1024
# A client that sends nothing for so long loses its connection and frees its thread, in seconds.
IDLE_TIMEOUT = 75.0


class BodyError(Exception):
    """A request body that is not read: the status to answer with and the reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class EchoServer(ThreadingHTTPServer):
    """Listens on one address and port; `name` is what it calls itself."""

    daemon_threads = True
    # Health checks and probes of many gateway workers arrive at once.
    request_queue_size = 128

    def __init__(self, bind: str, port: int, name: str, quiet: bool) -> None:
        family, address = _resolve(bind, port)
        self.address_family = family
        self.name = name
        self.quiet = quiet
        super().__init__(address[:2], EchoHandler)

    def server_bind(self) -> None:
        """Bind without the look-up of the host's full name, which can take seconds."""
        socketserver.TCPServer.server_bind(self)


class EchoHandler(BaseHTTPRequestHandler):
    """Answers one connection's requests, one after the other."""

    server: EchoServer
    protocol_version = "HTTP/1.1"
    timeout = IDLE_TIMEOUT

    def __getattr__(self, name: str) -> Callable[[], None]:
        # The base class looks for do_<METHOD>; every method is answered alike.
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def version_string(self) -> str:
        """The `Server` header, without the version of Python."""
        return "echo"

    def answer(self) -> None:
        """Send the request back, or the reason why its body was not read."""
        try:
            body = self.read_body()
        except BodyError as error:
            # The unread rest of the body must not be taken for the next request.
            self.close_connection = True
            self.send_json(error.status, {"server": self.server.name, "message": str(error)})
            return
        url = urlsplit(self.path)
        if url.path == "/health":
            health = {"server": self.server.name, "status": "healthy", "pid": os.getpid()}
            self.send_json(200, health)
            return
        self.send_json(
            200,
            {
                "server": self.server.name,
                "host": self.headers.get("Host", ""),
                "method": self.command,
                "path": url.path,
                "query": parse_qs(url.query, keep_blank_values=True),
                "headers": self.joined_headers(),
                "body": body.decode("utf-8", errors="replace"),
            },
        )

    def joined_headers(self) -> dict[str, str]:
        """The request's headers by name as sent; repeated ones joined by a comma (RFC 9110 5.3)."""
        return {name: ", ".join(self.headers.get_all(name, [])) for name in self.headers}

    def read_body(self) -> bytes:
        """The request's body, at most `MAX_BODY` bytes long; raises `BodyError`."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self.read_chunks()
        text = self.headers.get("Content-Length", "0")
        if not text.isascii() or not text.isdigit():
            raise BodyError(400, "Content-Length is not a number")
        length = int(text)
        if length > MAX_BODY:
            raise BodyError(413, f"The body is larger than {MAX_BODY} bytes")
        return self.rfile.read(length)

    def read_chunks(self) -> bytes:
        """A chunked body (RFC 9112 7.1) without its framing; raises `BodyError`."""
        body = b""
        while True:
            text = self.rfile.readline(64).split(b";")[0].strip()
            if not re.fullmatch(rb"[0-9a-fA-F]{1,8}", text):
                raise BodyError(400, "A chunk has no size")
            size = int(text, 16)
            if len(body) + size > MAX_BODY:
                raise BodyError(413, f"The body is larger than {MAX_BODY} bytes")
            if size == 0:
                break
            body += self.rfile.read(size)
            self.rfile.readline(3)
        while self.rfile.readline(8192).strip():
            pass
        return body

    def send_json(self, status: int, document: dict[str, Any]) -> None:
        """Answer with a JSON document, and with its length alone to HEAD."""
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Echo-Server", self.server.name)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # pylint: disable=redefined-builtin
        """One line a request to standard error, unless the server is quiet."""
        if not self.server.quiet:
            super().log_message(format, *args)


def _resolve(bind: str, port: int) -> tuple[socket.AddressFamily, tuple[Any, ...]]:
    """The address family and address of `bind`, which may be a name, IPv4 or IPv6."""
    found = socket.getaddrinfo(bind, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return found[0][0], found[0][4]


def server_name(text: str) -> str:
    """A name that is valid in a header and in a file's name; raises `ValueError`."""
    if not re.fullmatch(r"[A-Za-z0-9._-]+", text):
        raise ValueError(text)
    return text


def arguments(argv: list[str]) -> argparse.Namespace:
    """The command line, whose options the role's process backend and unit file give."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bind", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, required=True, help="port to listen on")
    parser.add_argument("--name", type=server_name, required=True, help="what it calls itself")
    parser.add_argument("--digest", default="", help="marks the version of this file; not used")
    parser.add_argument("--quiet", action="store_true", help="do not log requests")
    return parser.parse_args(argv)


def main(argv: list[str]) -> int:
    """Serve until a signal arrives; returns the exit status."""
    options = arguments(argv)
    try:
        server = EchoServer(options.bind, options.port, options.name, options.quiet)
    except OSError as error:
        print(f"cannot listen on {options.bind} port {options.port}: {error}", file=sys.stderr)
        return 1

    def end(signum: int, frame: FrameType | None) -> None:
        # shutdown() waits for the loop that this handler interrupts: it needs another thread.
        threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    with server:
        print(f"{server.name} listens on {server.server_address}", file=sys.stderr, flush=True)
        server.serve_forever(poll_interval=0.1)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

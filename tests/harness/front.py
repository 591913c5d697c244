# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that speaks TLS before another one, and asks for a client certificate or a header."""

from __future__ import annotations

import http.client
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from harness.certificates import Pair

_DROPPED = {"transfer-encoding", "connection", "content-length", "date", "server"}


@contextmanager
def tls_front(
    url: str, pair: Pair, *, clients: str = "", key: tuple[str, str] = ("", ""), path: str = ""
) -> Iterator[str]:
    """Serve what is at `url` until the block ends; yield the URL.

    :param clients: file with the authority whose certificates clients need.
    :param key: name and value of a header that each request needs.
    :param path: where it is; nothing else is found.
    """
    address = urlsplit(url).netloc

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _send(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers:
                if name.lower() not in _DROPPED:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if key[0] and self.headers.get(key[0]) != key[1]:
                return self._send(401, [], b'{"message": "No API key found in request"}')
            if not self.path.startswith(path):
                return self._send(404, [], b'{"message": "no Route matched with those values"}')
            connection = http.client.HTTPConnection(address, timeout=30)
            target = self.path.removeprefix(path) or "/"
            connection.request(self.command, target, body, dict(self.headers))
            answer = connection.getresponse()
            self._send(answer.status, answer.getheaders(), answer.read())
            connection.close()

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _serve

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.socket = _server_context(pair, clients).wrap_socket(
            server.socket, server_side=True
        )
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"https://127.0.0.1:{server.server_port}{path}"
        finally:
            server.shutdown()


def _server_context(pair: Pair, clients: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=clients or None)
    context.load_cert_chain(pair.certificate, pair.key)
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
    return context

# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Serve the database of sandbox gateways: `python -m image.database --port 5432 --password X`.

`GET` and `PUT` of `/NAME` read and write a document; it says so in one line when it is ready.
"""

from __future__ import annotations

import argparse
import base64
import pathlib
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Documents(ThreadingHTTPServer):
    """Documents by their paths, in a folder or in memory only."""

    daemon_threads = True

    def __init__(self, port: int, credentials: str, folder: pathlib.Path | None) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.credentials = "Basic " + base64.b64encode(credentials.encode()).decode()
        self.folder = folder
        self.kept: dict[str, bytes] = {}
        if folder is not None:
            self.kept = {f"/{path.stem}": path.read_bytes() for path in folder.glob("*.json")}

    def keep(self, path: str, document: bytes) -> None:
        """Store a document in the place of the one before."""
        self.kept[path] = document
        if self.folder is not None:
            (self.folder / f"{path.strip('/')}.json").write_bytes(document)


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    server: Documents

    def do_GET(self) -> None:
        """The document, 404 where there is none."""
        if self._allowed():
            document = self.server.kept.get(self.path)
            self._answer(404 if document is None else 200, document or b"")

    def do_PUT(self) -> None:
        """Keep the document."""
        document = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self._allowed():
            self.server.keep(self.path, document)
            self._answer(200)

    def _allowed(self) -> bool:
        allowed = self.headers.get("Authorization") == self.server.credentials
        if not allowed:
            self._answer(401)
        return allowed

    def _answer(self, status: int, body: bytes = b"") -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not worth a line."""


def main() -> int:
    """Serve until a signal ends it."""
    parser = argparse.ArgumentParser(prog="image.database")
    parser.add_argument("--port", type=int, default=5432)
    parser.add_argument("--user", default="kong")
    parser.add_argument("--password", default="kong")
    parser.add_argument("--folder", type=pathlib.Path)
    given = parser.parse_args()
    server = Documents(given.port, f"{given.user}:{given.password}", given.folder)
    print(f"database ready port={server.server_address[1]}", flush=True)
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())

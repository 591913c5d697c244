# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Serve the database of sandbox gateways: `python -m image.database --port 5432 --password X`.

`GET` of `/NAME` reads a document, `PATCH` changes what it names of it; it says so in one line when
it is ready. With `--teardown` an upgrade leaves migrations pending until `kong migrations finish`.
"""

from __future__ import annotations

import argparse
import base64
import json
import pathlib
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Document = dict[str, Any]


class Documents(ThreadingHTTPServer):
    """Documents by their paths, in a folder or in memory only."""

    daemon_threads = True

    def __init__(
        self, port: int, credentials: str, folder: pathlib.Path | None, teardown: bool
    ) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.teardown = teardown
        self._changing = threading.Lock()
        self.credentials = "Basic " + base64.b64encode(credentials.encode()).decode()
        self.folder = folder
        self.kept: dict[str, Document] = {}
        for path in [] if folder is None else folder.glob("*.json"):
            self.kept[f"/{path.stem}"] = json.loads(path.read_bytes())

    def change(self, path: str, news: Document) -> None:
        """Store what is new of a document, and keep the rest: more than one client writes."""
        with self._changing:
            document = {**self.kept.get(path, {}), **news}
            self.kept[path] = document
            if self.folder is not None:
                text = json.dumps(document)
                (self.folder / f"{path.strip('/')}.json").write_text(text, encoding="utf-8")


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    server: Documents

    def do_GET(self) -> None:
        """The document, 404 where there is none."""
        if self._allowed():
            document = self.server.kept.get(self.path)
            if document is None:
                self._answer(404)
            else:
                said = {**document, "teardown": self.server.teardown}
                self._answer(200, json.dumps(said).encode())

    def do_PATCH(self) -> None:
        """Change the document, or make it."""
        news = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self._allowed():
            self.server.change(self.path, json.loads(news))
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
    parser.add_argument("--teardown", action="store_true")
    given = parser.parse_args()
    credentials = f"{given.user}:{given.password}"
    server = Documents(given.port, credentials, given.folder, given.teardown)
    print(f"database ready port={server.server_address[1]}", flush=True)
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())

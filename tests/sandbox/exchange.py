# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One request through the proxy: what came in, and the ASGI ends of it."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, MutableMapping
from email.utils import formatdate
from typing import Any

import httpx

from .router import Request

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
RawHeaders = list[tuple[bytes, bytes]]


class ClientGone(Exception):
    """The client closed its connection before its request was complete."""


class RequestBody(httpx.AsyncByteStream):
    """The client's body, passed on as it arrives; it can be read once."""

    def __init__(self, receive: Receive, present: bool) -> None:
        self._receive = receive
        self._present = present
        self.begun = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if not self._present:
            return
        self.begun = True
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            if message.get("body"):
                yield message["body"]
            if not message.get("more_body"):
                return


class Exchange:
    """A client's request, and the gateway's own answers to it."""

    def __init__(self, scope: Message, receive: Receive, send: Send, version: str) -> None:
        self.request_id = uuid.uuid4().hex
        self.started = time.perf_counter()
        self.headers: RawHeaders = list(scope["headers"])
        self.query: bytes = scope["query_string"]
        self.client_ip: str = (scope.get("client") or ("127.0.0.1", 0))[0]
        self.server_port: int = (scope.get("server") or ("127.0.0.1", 80))[1]
        self.http_version: str = scope["http_version"]
        self.send = send
        self.receive = receive
        self.gateway = f"kong/{version}"
        names = {name for name, value in self.headers}
        self.body = RequestBody(receive, bool(names & {b"content-length", b"transfer-encoding"}))
        self.request = Request(
            method=scope["method"],
            path=scope["raw_path"].decode("utf-8", "surrogateescape"),
            host=self.header("host") or "",
            scheme=scope["scheme"],
            headers=self._by_name(),
        )

    def _by_name(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name, value in self.headers:
            found.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
        return found

    def header(self, name: str) -> str | None:
        """A request header, several of the name joined by commas; none where it is missing."""
        values = [value for key, value in self.headers if key == name.encode()]
        return b", ".join(values).decode("latin-1") if values else None

    def elapsed(self) -> int:
        """Milliseconds since the request came in."""
        return round((time.perf_counter() - self.started) * 1000)

    async def refuse(
        self, status: int, message: str, headers: Iterable[tuple[str, str]] = ()
    ) -> None:
        """Answer with the gateway's own error."""
        body = {"message": message, "request_id": self.request_id}
        text = json.dumps(body, separators=(",", ":")).encode()
        kind = ("Content-Type", "application/json; charset=utf-8")
        await self.answer(status, text, [kind, *headers])

    async def answer(self, status: int, body: bytes, headers: Iterable[tuple[str, str]]) -> None:
        """Answer as the gateway itself, with the headers that mark such an answer."""
        own = [
            ("Date", formatdate(usegmt=True)),
            *headers,
            ("Content-Length", str(len(body))),
            ("X-Kong-Response-Latency", str(self.elapsed())),
            ("Server", self.gateway),
            ("X-Kong-Request-Id", self.request_id),
        ]
        raw = [(name.encode(), value.encode("latin-1")) for name, value in own]
        await self.send({"type": "http.response.start", "status": status, "headers": raw})
        await self.send({"type": "http.response.body", "body": body})

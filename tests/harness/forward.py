# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An ASGI application that sends each request on to another HTTP server, and the answer back.

It speaks HTTP/1.1 itself: httpx would take longer than the gateway.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from sandbox.asgi import Receive, Scope, Send, whole_body
from sandbox.exchange import RawHeaders
from sandbox.forward import DEFAULT_PORTS, end_to_end

# What goes wrong between here and the other server.
LOST = (OSError, EOFError, asyncio.LimitOverrunError, ValueError, IndexError)


class Unanswered(Exception):
    """The other server could not be reached, or did not answer to the end."""


@dataclass
class Answer:
    """What the other server answered; the connection may be used again where it `lasts`."""

    status: int
    headers: RawHeaders
    body: bytes
    bodiless: bool
    lasts: bool


@dataclass
class Line:
    """A connection to the other server."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def ask(self, request: bytes, method: str) -> Answer:
        """Send a request and read its answer."""
        self.writer.write(request)
        first, headers = await self._head()
        while first[1] == b"100":
            first, headers = await self._head()
        status = int(first[1])
        bodiless = method == "HEAD" or status in (204, 304)
        body, ends = (b"", False) if bodiless else await self._body(headers)
        lasts = not ends and (_header(headers, b"connection") or b"").lower() != b"close"
        return Answer(status, headers, body, bodiless, lasts)

    async def _head(self) -> tuple[list[bytes], RawHeaders]:
        first, *lines = (await self.reader.readuntil(b"\r\n\r\n")).splitlines()[:-1]
        pairs = (line.partition(b":") for line in lines)
        return first.split(b" ", 2), [(name, value.strip()) for name, colon, value in pairs]

    async def _body(self, headers: RawHeaders) -> tuple[bytes, bool]:
        """The body, and whether the connection ended with it (RFC 9112, 6.3)."""
        if (_header(headers, b"transfer-encoding") or b"").lower() == b"chunked":
            return b"".join([chunk async for chunk in self._chunks()]), False
        if length := _header(headers, b"content-length"):
            return await self.reader.readexactly(int(length)), False
        return await self.reader.read(), True

    async def _chunks(self) -> AsyncIterator[bytes]:
        while size := int((await self.reader.readline()).partition(b";")[0], 16):
            yield (await self.reader.readexactly(size + 2))[:-2]
        while (await self.reader.readline()).strip():
            continue


class Forward:
    """Sends requests on to `url`; connections are kept for the next ones."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url.rstrip("/"))
        self.address = (parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme])
        self.tls = ssl.create_default_context() if parts.scheme == "https" else None
        self.host = parts.netloc.rpartition("@")[2].encode()
        self.prefix = parts.path.encode()
        self._idle: list[Line] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; `Unanswered` where the other server does not."""
        request = self._request(scope, await whole_body(receive))
        answer = await self._ask(request, scope["method"])
        own = {} if answer.bodiless else {b"content-length": b"%d" % len(answer.body)}
        kept = end_to_end(answer.headers)
        headers = [each for each in kept if each[0].lower() not in own] + list(own.items())
        await send(
            {"type": "http.response.start", "status": answer.status, "headers": headers}
        )
        await send({"type": "http.response.body", "body": answer.body})

    def _request(self, scope: Scope, body: bytes) -> bytes:
        target = self.prefix + scope["raw_path"]
        if scope["query_string"]:
            target += b"?" + scope["query_string"]
        dropped = (b"host", b"expect", b"content-length")
        headers = [each for each in end_to_end(scope["headers"]) if each[0] not in dropped]
        headers.insert(0, (b"Host", self.host))
        if body or _header(scope["headers"], b"content-length"):
            headers.append((b"Content-Length", str(len(body)).encode()))
        lines = b"".join(b"%s: %s\r\n" % each for each in headers)
        return b"%s %s HTTP/1.1\r\n%s\r\n%s" % (scope["method"].encode(), target, lines, body)

    async def _ask(self, request: bytes, method: str) -> Answer:
        try:
            async with self._line() as line:
                answer = await line.ask(request, method)
        except LOST as error:
            raise Unanswered(str(error)) from error
        if answer.lasts:
            self._idle.append(line)
        else:
            line.writer.close()
        return answer

    @asynccontextmanager
    async def _line(self) -> AsyncIterator[Line]:
        """A connection that was kept, else a new one; closed where the request fails."""
        line = None
        while self._idle and line is None:
            line = self._idle.pop()
            if line.reader.at_eof():
                line.writer.close()
                line = None
        if line is None:
            line = Line(*await asyncio.open_connection(*self.address, ssl=self.tls))
        try:
            yield line
        except BaseException:
            line.writer.close()
            raise

    def close(self) -> None:
        """Close the connections that were kept."""
        while self._idle:
            self._idle.pop().writer.close()


def _header(headers: RawHeaders, name: bytes) -> bytes | None:
    return next((value for key, value in headers if key.lower() == name), None)

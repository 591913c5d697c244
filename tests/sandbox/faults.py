# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Misbehaviour on demand: answers in the gateway's stead, cut connections, delays."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from .asgi import App, Message, Receive, Scope, Send

KINDS = ("answer", "cut_before", "cut_after", "delay")

#: Open connections by the peer's address, so that one of them can be closed.
CONNECTIONS: dict[tuple[str, int], asyncio.Transport] = {}


class CuttableProtocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
    """The server's HTTP protocol, which also tells where its connections are."""

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Remember the connection."""
        CONNECTIONS[transport.get_extra_info("peername")[:2]] = transport
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        CONNECTIONS.pop(self.transport.get_extra_info("peername")[:2], None)
        super().connection_lost(exc)


async def cut(scope: Scope, receive: Receive) -> None:
    """Close the request's connection without another byte, and wait until it is closed."""
    CONNECTIONS[tuple(scope["client"])].abort()
    while (await receive())["type"] != "http.disconnect":
        continue


class BadFault(ValueError):
    """A fault that cannot be made; the message says why."""


class Fault:
    """One fault: whom it meets (`match`), what it does, how often (`skip` first, then `times`)."""

    def __init__(self, spec: dict[str, Any]) -> None:
        if spec.get("kind") not in KINDS:
            raise BadFault(f"kind must be one of {', '.join(KINDS)}")
        self.spec = {"skip": 0, "times": 1, **spec}
        match = spec.get("match") or {}
        self.method: str | None = match.get("method")
        try:
            self.path = re.compile(match.get("path", ""))
        except re.error as error:
            raise BadFault(f"match.path is no regular expression: {error}") from error
        self.skip: int = self.spec["skip"]
        self.left: int | None = self.spec["times"]

    def meets(self, scope: Scope) -> bool:
        """Whether this request is met; counts it."""
        if self.left == 0 or self.method not in (None, scope["method"]):
            return False
        if not self.path.search(scope["path"]):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.left is not None:
            self.left -= 1
        return True

    async def answer(self, send: Send) -> None:
        """Answer in the gateway's stead."""
        headers = {"content-type": self.spec.get("content_type", "application/json")}
        headers |= {key.lower(): value for key, value in self.spec.get("headers", {}).items()}
        pairs = [(key.encode(), str(value).encode()) for key, value in headers.items()]
        status = self.spec.get("status", 500)
        await send({"type": "http.response.start", "status": status, "headers": pairs})
        body = self.spec.get("body", '{"message":"a fault that was asked for"}')
        await send({"type": "http.response.body", "body": body.encode()})


async def _unsent(message: Message) -> None:
    """Where an answer goes that nobody is to get."""


class Faults:
    """ASGI middleware that lets the first fault that meets a request have it."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.faults: list[Fault] = []

    def add(self, spec: dict[str, Any]) -> None:
        """Ask for a fault (BadFault where it cannot be made)."""
        self.faults.append(Fault(spec))

    def listed(self) -> list[dict[str, Any]]:
        """The faults as they were asked for, with how often they will still meet (`left`)."""
        return [{**fault.spec, "left": fault.left} for fault in self.faults]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or not."""
        fault = next((fault for fault in self.faults if fault.meets(scope)), None)
        if fault is None:
            await self.app(scope, receive, send)
        elif fault.spec["kind"] == "answer":
            await fault.answer(send)
        elif fault.spec["kind"] == "cut_before":
            await cut(scope, receive)
        elif fault.spec["kind"] == "cut_after":
            await self.app(scope, receive, _unsent)
            await cut(scope, receive)
        else:
            await asyncio.sleep(fault.spec.get("seconds", 1))
            await self.app(scope, receive, send)

# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on demand: answers in the gateway's stead, cut connections, delays, slow answers."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from .asgi import App, Message, Receive, Scope, Send
from .connections import Connections, disconnected

KINDS = ("answer", "cut_before", "cut_after", "delay", "drip")


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
        #: Set when the fault is withdrawn: what it still holds up is dropped.
        self.withdrawn = asyncio.Event()

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

    async def pause(self) -> bool:
        """Wait `seconds`; whether the fault still holds then."""
        try:
            await asyncio.wait_for(self.withdrawn.wait(), self.spec.get("seconds", 1))
        except TimeoutError:
            return True
        return False


async def _unsent(message: Message) -> None:
    """Where an answer goes that nobody is to get."""


class Faults:
    """ASGI middleware that lets the first fault that meets a request have it."""

    def __init__(self, app: App, connections: Connections) -> None:
        self.app = app
        self.connections = connections
        self.faults: list[Fault] = []

    def add(self, spec: dict[str, Any]) -> None:
        """Ask for a fault (BadFault where it cannot be made)."""
        self.faults.append(Fault(spec))

    def listed(self) -> list[dict[str, Any]]:
        """The faults as they were asked for, with how often they will still meet (`left`)."""
        return [{**fault.spec, "left": fault.left} for fault in self.faults]

    def clear(self) -> None:
        """Withdraw all faults; the requests that they hold up are cut off and never served."""
        for fault in self.faults:
            fault.withdrawn.set()
        self.faults.clear()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or not."""
        fault = next((fault for fault in self.faults if fault.meets(scope)), None)
        if fault is None:
            await self.app(scope, receive, send)
            return
        match fault.spec["kind"]:
            case "answer":
                await fault.answer(send)
            case "cut_before":
                await self.connections.cut(scope, receive)
            case "cut_after":
                await self.app(scope, receive, _unsent)
                await self.connections.cut(scope, receive)
            case "delay":
                await self._delay(fault, scope, receive, send)
            case "drip":
                await self._drip(fault, scope, receive, send)

    async def _delay(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        if await fault.pause():
            await self.app(scope, receive, send)
        else:
            await self.connections.cut(scope, receive)

    async def _drip(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, and let `seconds` go by before each byte of the body."""
        answer: list[Message] = []

        async def keep(message: Message) -> None:
            answer.append(message)

        await self.app(scope, receive, keep)
        start, *pieces = answer
        await send(start)
        leaving = asyncio.create_task(disconnected(receive))
        try:
            for byte in b"".join(piece.get("body", b"") for piece in pieces):
                if leaving.done() or not await fault.pause():
                    await self.connections.cut(scope, receive)
                    return
                piece = {"type": "http.response.body", "body": bytes([byte]), "more_body": True}
                await send(piece)
            await send({"type": "http.response.body", "body": b""})
        finally:
            leaving.cancel()

# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway that answers by a script, and a clock that only moves when somebody sleeps."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from ansible_collections.irishtek.kong.plugins.module_utils import _client, _deadline
from ansible_collections.irishtek.kong.plugins.module_utils._client import Client
from ansible_collections.irishtek.kong.plugins.module_utils._connection import Connection
from ansible_collections.irishtek.kong.plugins.module_utils._gateway._admin import AdminGateway
from ansible_collections.irishtek.kong.plugins.module_utils._gateway._refusal import admin_refusal
from ansible_collections.irishtek.kong.plugins.module_utils._sender import Sender

URL = "http://gateway.test:8001"
NO_BODY = object()


def answer(
    status: int = 200, body: Any = NO_BODY, text: str | None = None, **headers: str
) -> httpx.Response:
    """A JSON answer, one with text, or an empty one; ``retry_after`` is the header Retry-After."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if text is not None:
        return httpx.Response(status, text=text, headers=named)
    if body is NO_BODY:
        return httpx.Response(status, headers=named)
    return httpx.Response(status, json=body, headers=named)


@dataclass(frozen=True)
class Step:
    """One expected request, and what comes of it: an answer, or an exception of httpx.

    :param target: path with the query as sent.
    :param body: the expected JSON body; not compared when left out.
    """

    method: str
    target: str
    result: httpx.Response | type[httpx.TransportError]
    body: Any = NO_BODY


class Script:
    """Answers the expected requests in their order; any other request fails the test."""

    def __init__(self, expected: Sequence[Step]) -> None:
        self._left = list(expected)
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        target = request.url.raw_path.decode()
        assert self._left, f"nothing was to be sent any more: {request.method} {target}"
        step = self._left.pop(0)
        assert (request.method, target) == (step.method, step.target)
        if step.body is not NO_BODY:
            assert json.loads(request.content or "null") == step.body
        if isinstance(step.result, httpx.Response):
            return step.result
        raise step.result("it failed", request=request)

    def finish(self) -> None:
        assert not self._left, f"never sent: {[(each.method, each.target) for each in self._left]}"


class Clock:
    """Stands for ``time``: ``pauses`` are the seconds that were slept."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


Handler = Callable[[httpx.Request], httpx.Response]


@dataclass
class Scripted:
    """Opens connections whose requests ``handler`` answers; each is one."""

    handler: Handler
    sent: bytes = b""
    url: httpx.URL = field(default_factory=httpx.URL)
    _left: bytes = b""

    def __call__(self, url: httpx.URL, timeout: float) -> Scripted:
        return Scripted(self.handler, url=url)

    def get_extra_info(self, info: str) -> Any:
        return None

    def close(self) -> None:
        """Nothing is open."""

    def write(self, buffer: bytes, timeout: float) -> None:
        self.sent += buffer

    def read(self, max_bytes: int, timeout: float) -> bytes:
        """What is left of the response; a new one where a request was sent."""
        if self.sent:
            self._left = self._answered(timeout)
        part, self._left = self._left[:max_bytes], self._left[max_bytes:]
        return part

    def _answered(self, timeout: float) -> bytes:
        head, _end, content = self.sent.partition(b"\r\n\r\n")
        self.sent = b""
        first, *lines = head.decode().split("\r\n")
        method, target, _version = first.split(" ")
        headers = [tuple(line.split(": ", 1)) for line in lines]
        response = self.handler(
            httpx.Request(
                method, self.url.copy_with(raw_path=target.encode()), headers=headers,  # type: ignore[arg-type]
                content=content, extensions={"timeout": {"read": timeout}},
            )  # fmt: skip
        )
        named = {"content-length": str(len(response.content)), **response.headers}
        lines = [f"HTTP/1.1 {response.status_code} Said", *map(": ".join, named.items()), "", ""]
        return "\r\n".join(lines).encode() + response.content


def client_for(
    handler: Handler, monkeypatch: pytest.MonkeyPatch, **connection: Any
) -> tuple[Client, Clock]:
    """A client whose requests ``handler`` answers; it sleeps on the returned clock."""

    def make(base_url: str, tls: dict[str, Any], headers: dict[str, str]) -> Sender:
        return Sender(Scripted(handler), headers)

    # The clock of the test, where it has one already.
    current = vars(_deadline)["time"]
    clock = current if isinstance(current, Clock) else Clock()
    monkeypatch.setattr(_client, "new_sender", make)
    monkeypatch.setattr(_deadline, "time", clock)
    return Client(Connection(**{"url": URL, **connection}), admin_refusal), clock


def gateway_for(
    handler: Handler, monkeypatch: pytest.MonkeyPatch, **connection: Any
) -> AdminGateway:
    return AdminGateway(client_for(handler, monkeypatch, **connection)[0])

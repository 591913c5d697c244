# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A reverse proxy before any Admin API: it records the requests, and misbehaves on demand.

It runs in the tests' own process, in a thread of its own. The log, the faults and the count of
connections are those of the sandbox (`sandbox.interception`).
"""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, TypeVar

import uvicorn

from harness.forward import Forward, Unanswered
from harness.gateway import Gateway
from sandbox.__main__ import listening
from sandbox.asgi import Receive, Scope, Send
from sandbox.interception import Interception

Found = TypeVar("Found")
# Seconds for which a gateway's own server keeps a connection without requests open.
KEPT_OPEN = 75


class RecordingProxy:
    """One proxy that listens on `url`; its methods may be called from any thread."""

    def __init__(self, upstream: str) -> None:
        self._forward = Forward(upstream)
        self._interception = Interception(self._serve)
        self._socket = listening("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._server = uvicorn.Server(
            uvicorn.Config(
                self._interception, http=self._interception.connections.protocol(),
                lifespan="off", log_config=None, access_log=False, proxy_headers=False,
                timeout_keep_alive=KEPT_OPEN, timeout_graceful_shutdown=1,
            )
        )  # fmt: skip

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._forward(scope, receive, send)
        except Unanswered:
            # What the client would see of a gateway that is gone.
            await self._interception.connections.cut(scope, receive)

    async def start(self) -> None:
        """Listen."""
        config = self._server.config
        config.load()
        self._server.lifespan = config.lifespan_class(config)
        await self._server.startup(sockets=[self._socket])

    async def stop(self) -> None:
        """Drop what is held up, close all connections and listen no more."""
        self._interception.faults.clear()
        await self._server.shutdown(sockets=[self._socket])
        self._forward.close()

    def requests(self) -> list[dict[str, Any]]:
        """Each request since the last reset: method, path, query, status, body."""
        return _in_loop(lambda: [dict(entry) for entry in self._interception.journal.entries])

    def reset_requests(self) -> None:
        """Forget the requests, and count connections anew."""
        _in_loop(self._interception.journal.entries.clear)
        _in_loop(self._interception.connections.reset)

    def connections(self) -> tuple[int, int]:
        """How many connections clients opened since the last reset, and how many at once."""
        counted = self._interception.connections
        return _in_loop(lambda: (counted.opened, counted.most))

    def add_fault(self, spec: dict[str, Any]) -> None:
        """Ask for a fault; see the README of the sandbox for the keys."""
        _in_loop(lambda: self._interception.faults.add(spec))

    def clear_faults(self) -> None:
        """Withdraw all faults; what they hold up is never served."""
        _in_loop(self._interception.faults.clear)


@functools.cache
def _loop() -> asyncio.AbstractEventLoop:
    """The loop of all proxies, in a thread that ends with the process."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="recording proxies", daemon=True).start()
    return loop


def _run(work: Coroutine[Any, Any, Found]) -> Found:
    return asyncio.run_coroutine_threadsafe(work, _loop()).result()


def _in_loop(work: Callable[[], Found]) -> Found:
    """Call something in the loop's thread, where no request is between two of its steps."""

    async def called() -> Found:
        return work()

    return _run(called())


@contextmanager
def recording_proxy(upstream: str) -> Iterator[RecordingProxy]:
    """Run a proxy before the Admin API at `upstream` until the block ends."""
    proxy = RecordingProxy(upstream)
    _run(proxy.start())
    try:
        yield proxy
    finally:
        _run(proxy.stop())


@contextmanager
def recorded(gateway: Gateway) -> Iterator[Gateway]:
    """The gateway with a recording proxy before its Admin API until the block ends."""
    with recording_proxy(gateway.admin_url) as proxy:
        yield replace(gateway, admin_url=proxy.url, interceptor=proxy)

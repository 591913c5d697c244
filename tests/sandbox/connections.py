# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The open connections of one HTTP server: counted, and closed where a test asks for it."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from .asgi import Receive, Scope


async def disconnected(receive: Receive) -> None:
    """Wait until the request's connection is closed, by whichever side."""
    while (await receive())["type"] != "http.disconnect":
        continue


class Connections:
    """What a server's clients have open: `opened` since the last `reset`, and `most` at once."""

    def __init__(self) -> None:
        self._open: dict[tuple[str, int], asyncio.Transport] = {}
        self.reset()

    def reset(self) -> None:
        """Count anew; connections that are open count as being open at once, not as opened."""
        self.opened = 0
        self.most = len(self._open)

    def add(self, transport: asyncio.Transport) -> None:
        """Note a connection that a client has opened."""
        self._open[_peer(transport)] = transport
        self.opened += 1
        self.most = max(self.most, len(self._open))

    def remove(self, transport: asyncio.Transport) -> None:
        """Note that a connection is closed."""
        self._open.pop(_peer(transport), None)

    async def cut(self, scope: Scope, receive: Receive) -> None:
        """Close the request's connection without another byte, and wait until it is closed."""
        # A client that did not wait has closed it already.
        if transport := self._open.get(tuple(scope["client"])):
            transport.abort()
        await disconnected(receive)

    def protocol(self) -> type[asyncio.Protocol]:
        """The HTTP protocol for a server of which these are the connections."""
        connections = self

        class Counted(AutoHTTPProtocol):  # type: ignore[misc, valid-type]
            def connection_made(self, transport: asyncio.Transport) -> None:
                connections.add(transport)
                super().connection_made(transport)

            def connection_lost(self, exc: Exception | None) -> None:
                connections.remove(self.transport)
                super().connection_lost(exc)

        return Counted


def _peer(transport: asyncio.Transport) -> tuple[str, int]:
    host, port = transport.get_extra_info("peername")[:2]
    return host, port

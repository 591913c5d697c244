# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The websocket of a cluster, `/v1/outlet`: binary messages, pings with a hash, empty pongs."""

from __future__ import annotations

import asyncio
import collections
import urllib.parse
from dataclasses import dataclass
from typing import Literal

from wsproto import ConnectionType, WSConnection, events
from wsproto.utilities import ProtocolError

from .link import Broken, Closed

PATH = "/v1/outlet"

#: The longest message, bytes (`cluster_max_payload`).
LIMIT = 16 * 1024 * 1024

CHUNK = 65536


@dataclass(frozen=True)
class Frame:
    """What the other side sent: a whole message, a ping's or a pong's payload."""

    kind: Literal["binary", "ping", "pong"]
    data: bytes


class Outlet:
    """One end of the websocket over a connection that has done its TLS handshake."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        kind: ConnectionType,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._connection = WSConnection(kind)
        self._pending: collections.deque[events.Event] = collections.deque()
        self._message = bytearray()

    async def connect(self, host: str, query: dict[str, str]) -> None:
        """Open the websocket as a data plane; `Broken` where it is not accepted."""
        target = f"{PATH}?{urllib.parse.urlencode(query)}"
        await self._send(events.Request(host=host, target=target))
        event = await self._event()
        if isinstance(event, events.RejectConnection):
            raise Broken(f"unexpected HTTP response code: {event.status_code}")
        if not isinstance(event, events.AcceptConnection):
            raise Closed

    async def accept(self) -> dict[str, str]:
        """Open the websocket as a control plane; the query of the data plane's request."""
        event = await self._event()
        if not isinstance(event, events.Request):
            raise Closed
        path, _mark, query = event.target.partition("?")
        found = dict(urllib.parse.parse_qsl(query))
        status = 404 if path != PATH else 400
        if path != PATH or not {"node_id", "node_version"} <= found.keys():
            await self._send(events.RejectConnection(status_code=status))
            raise Broken(f"refused a request of {path} with {status}")
        await self._send(events.AcceptConnection())
        return found

    async def receive(self) -> Frame:
        """The next frame; `Broken` when the other side went away or speaks something else."""
        while True:
            event = await self._event()
            if isinstance(event, events.Ping):
                return Frame("ping", bytes(event.payload))
            if isinstance(event, events.Pong):
                return Frame("pong", bytes(event.payload))
            if isinstance(event, events.BytesMessage):
                self._message += event.data
                if len(self._message) > LIMIT:
                    raise Broken(f"a message of more than {LIMIT} bytes is too long")
                if event.message_finished:
                    message, self._message = bytes(self._message), bytearray()
                    return Frame("binary", message)
            elif isinstance(event, events.CloseConnection):
                raise Closed
            else:
                raise Broken(f"a {type(event).__name__} was not expected")

    async def send(self, data: bytes) -> None:
        """Send a binary message."""
        await self._send(events.BytesMessage(data=data))

    async def ping(self, running: str) -> None:
        """Tell the hash of the configuration that runs."""
        await self._send(events.Ping(payload=running.encode()))

    async def pong(self) -> None:
        """Answer a ping, without its payload."""
        await self._send(events.Pong())

    async def close(self) -> None:
        """Say good-bye."""
        await self._send(events.CloseConnection(code=1000))

    async def _send(self, event: events.Event) -> None:
        try:
            self._writer.write(self._connection.send(event))
        except ProtocolError as error:
            raise Closed from error
        await self._writer.drain()

    async def _event(self) -> events.Event:
        while not self._pending:
            data = await self._reader.read(CHUNK)
            try:
                self._connection.receive_data(data or None)
                self._pending.extend(self._connection.events())
            except ProtocolError as error:
                raise (Broken(f"no websocket: {error}") if data else Closed()) from error
            if not data and not self._pending:
                raise Closed
        return self._pending.popleft()

# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data plane's side of a cluster: it joins, takes what it is sent, and tries again."""

from __future__ import annotations

import asyncio
import logging
import socket

from . import link
from .clustering import digest
from .config import NONE_LOADED
from .declarative import LEFT_OUT
from .gateway import Gateway
from .store import Store

log = logging.getLogger("sandbox.clustering")

#: A handshake that ends without a word: asyncio does not pass the other side's alert on.
NOT_TAKEN = "closed by the control plane, which may not know this node's certificate"

#: Seconds until the next try; the gateway takes five to ten.
RETRY = 1.0

#: Seconds between two signs of life, as the gateway's.
HEARTBEAT = 30.0


class DataPlane:
    """Follows a control plane; `hash` is that of the configuration which `store` holds."""

    def __init__(
        self, cluster: link.Cluster, gateway: Gateway, store: Store, node_id: str
    ) -> None:
        """`OSError` (`ssl.SSLError`) for certificates that are no good.

        A store that holds something already is what an earlier run was sent: it is served until
        the control plane says otherwise.
        """
        self.cluster = cluster
        self.gateway = gateway
        self.store = store
        self.node_id = node_id
        self._context = link.client_context(cluster)
        self._revision = store.revision
        kept = {kind: item for kind, item in store.document().items() if kind not in LEFT_OUT}
        self._hash = digest(kept)

    @property
    def hash(self) -> str:
        """Zeros where there is no configuration, or none any more."""
        return self._hash if self.store.revision == self._revision else NONE_LOADED

    async def run(self) -> None:
        """Follow the control plane until cancelled."""
        host, port = self.cluster.control_plane or ("", 0)
        while True:
            try:
                await self._follow(host, port)
            except (link.Broken, OSError, TimeoutError) as error:
                reason = link.handshake_error(error) if isinstance(error, OSError) else str(error)
                log.error(
                    "[clustering] connection to control plane %s:%d broken: %s "
                    "(retrying after %d seconds)", host, port, reason, RETRY,
                )
            await asyncio.sleep(RETRY)

    async def _follow(self, host: str, port: int) -> None:
        name = link.expected_name(self.cluster)
        reader, writer = await asyncio.open_connection(
            host, port, ssl=self._context, server_hostname=name, limit=link.LIMIT
        )
        beating = asyncio.create_task(self._beat(writer))
        try:
            self._take(await self._greeted(reader, writer))
            while True:
                await link.send(writer, {"type": "seen", "hash": self.hash})
                self._take(await link.receive(reader))
        finally:
            beating.cancel()
            writer.close()

    async def _greeted(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> link.Message:
        """The first answer: from here on the control plane has taken the certificate."""
        try:
            await link.send(writer, self._hello())
            return await link.receive(reader)
        except (link.Closed, ConnectionError) as error:
            raise link.Broken(NOT_TAKEN) from error

    async def _beat(self, writer: asyncio.StreamWriter) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT)
            await link.send(writer, {"type": "seen", "hash": self.hash})

    def _hello(self) -> link.Message:
        return {
            "type": "hello",
            "id": self.node_id,
            "hostname": socket.gethostname(),
            "version": self.gateway.server,
            "plugins": sorted(self.gateway.plugins),
            "labels": dict(self.cluster.labels),
            "hash": self.hash,
        }

    def _take(self, message: link.Message) -> None:
        if message["type"] == "refused":
            raise link.Broken(f"refused by the control plane: {message.get('reason')}")
        if message["type"] != "configuration":
            raise link.Broken(f"a {message['type']} was not expected")
        entities = message["entities"]
        with self.store.lock:
            self.store.load({kind: entities.get(kind, []) for kind in self.store.kinds})
            self._hash, self._revision = message["hash"], self.store.revision

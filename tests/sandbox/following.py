# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The data plane's side of a cluster: it joins, takes what it is sent, and tries again."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from typing import Any

from wsproto import ConnectionType

from . import declarative, errors, link, reconfigure
from .gateway import Gateway
from .outlet import Outlet
from .reconfigure import NONE_LOADED
from .store import Store

log = logging.getLogger("sandbox.clustering")

#: A handshake that ends without a word: asyncio does not pass the other side's alert on.
NOT_TAKEN = "closed by the control plane, which may not know this node's certificate"

#: What a control plane says to a node which is not of its cluster's versions: nothing.
NOT_FED = "closed by the control plane, which may not take this node's version; its log says why"

#: Seconds until the next try; the gateway takes five to ten.
RETRY = 1.0

#: Seconds between two signs of life, as the gateway's; and without one of the control plane's.
HEARTBEAT = 30.0
PONG_WAIT = 45.0

#: Parts of a table that are no entities of a data plane.
SURROUNDINGS = ("workspaces", "parameters")

#: The kind of which a data plane keeps one row: what it was sent last, with the hash.
OWN_ROW = "clustering_data_planes"

#: How a data plane tells Konnect that it cannot read a configuration.
PARSE_FAILURE = {
    "source": "kong.db.declarative.parse_table",
    "name": "declarative configuration parse failure",
    "flattened_errors": [],
}


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

    @property
    def hash(self) -> str:
        """Zeros where there is no configuration, or none any more."""
        row = next(self.store.all(OWN_ROW), None)
        return NONE_LOADED if row is None else str(row["config_hash"])

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
            host, port, ssl=self._context, server_hostname=name
        )
        outlet = Outlet(reader, writer, ConnectionType.CLIENT)
        beating = asyncio.create_task(self._beat(outlet))
        try:
            await self._join(outlet, f"{host}:{port}")
            while True:
                await self._hear(outlet)
        finally:
            beating.cancel()
            writer.close()

    async def _join(self, outlet: Outlet, address: str) -> None:
        """Open the websocket and say who this is; from then on the certificate is taken."""
        query = {
            "node_id": self.node_id,
            "node_hostname": socket.gethostname(),
            "node_version": self.gateway.server,
        }
        try:
            await outlet.connect(address, query)
        except (link.Closed, ConnectionError) as error:
            raise link.Broken(NOT_TAKEN) from error
        try:
            await outlet.send(json.dumps(self._basic_info()).encode())
            await outlet.ping(self.hash)
            await self._hear(outlet)
        except (link.Closed, ConnectionError) as error:
            raise link.Broken(NOT_FED) from error

    async def _hear(self, outlet: Outlet) -> None:
        try:
            frame = await asyncio.wait_for(outlet.receive(), PONG_WAIT)
        except TimeoutError as error:
            waited = f"did not receive pong frame from control plane within {PONG_WAIT:.0f} seconds"
            raise link.Broken(waited) from error
        if frame.kind != "binary":
            return
        failure = self._take(frame.data)
        if failure is None:
            await outlet.ping(self.hash)
        elif self.cluster.konnect_mode:
            await outlet.send(json.dumps({"type": "error", "error": failure}).encode())

    async def _beat(self, outlet: Outlet) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT)
            await outlet.ping(self.hash)

    def _basic_info(self) -> dict[str, Any]:
        version = ".".join(self.gateway.version.split(".")[:3])
        plugins = [{"name": name, "version": version} for name in sorted(self.gateway.plugins)]
        return {
            "type": "basic_info",
            "plugins": plugins,
            "process_conf": {
                "role": "data_plane",
                "database": "off",
                "plugins": ["bundled"],
                "router_flavor": "traditional_compatible",
            },
            "filters": [],
            "labels": dict(self.cluster.labels),
        }

    def _take(self, message: bytes) -> dict[str, Any] | None:
        """Run what a message brings; None, or why it does not."""
        try:
            body = reconfigure.unpacked(message)
        except ValueError as error:
            raise link.Broken(f"no message: {error}") from error
        if body.get("type") != "reconfigure":
            return None
        table: dict[str, Any] = body["config_table"]
        running = str(body.get("config_hash") or reconfigure.hashes(table)["config"])
        if running == self.hash:
            return None
        try:
            entities = {name: table[name] for name in table if name not in SURROUNDINGS}
            read = declarative.Reader(self.gateway).read(entities)
        except errors.Refusal as refusal:
            log.error("[clustering] unable to update running config: %s", refusal)
            return {**refusal.body, **PARSE_FAILURE, "config_hash": running}
        row = {"id": self.node_id, "config_hash": running}
        with self.store.lock:
            self.store.load({**read.document(), OWN_ROW: [row]}, read)
        return None

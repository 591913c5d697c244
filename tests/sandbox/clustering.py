# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control plane's side of a cluster: who joins, what they are sent, what is known of them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import socket
import ssl
import time
from typing import Any

from . import link
from .config import NONE_LOADED
from .declarative import LEFT_OUT
from .gateway import Gateway
from .store import Entity, Store
from .workspaces import Workspaces

log = logging.getLogger("sandbox.clustering")

#: Seconds for which a data plane that is gone stays listed (`cluster_data_plane_purge_delay`).
TTL = 1209600

#: Seconds between two looks at what has changed.
TICK = 0.05

#: Seconds that a handshake, and the first message after it, may take.
PATIENCE = 10.0

Document = dict[str, list[Entity]]


def digest(document: Document) -> str:
    """The hash of a configuration; zeros for one that holds nothing."""
    if not any(document.values()):
        return NONE_LOADED
    text = json.dumps(document, sort_keys=True)
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def document_of(workspaces: Workspaces) -> Document:
    """What data planes are sent: the entities of all workspaces."""
    merged: Document = {}
    for document in workspaces.documents():
        for kind, entities in document.items():
            if kind not in LEFT_OUT:
                merged.setdefault(kind, []).extend(entities)
    return merged


def incompatible(control_plane: str, data_plane: str) -> str | None:
    """Why two versions cannot work together: the data plane may not be the newer one."""
    own, other = (_release(version) for version in (control_plane, data_plane))
    versions = f"data plane version {data_plane} is incompatible with"
    if own[0] != other[0]:
        return f"{versions} control plane version {control_plane} ({own[0]}.x.y are accepted)"
    if other > own:
        return f"{versions} older control plane version {control_plane}"
    return None


def _release(version: str) -> tuple[int, int]:
    major, minor = (version.split(".") + ["0"])[:2]
    return (int(major), int(minor)) if major.isdigit() and minor.isdigit() else (0, 0)


class ControlPlane:
    """Lets data planes join and keeps them up to date; `store` lists them."""

    def __init__(self, cluster: link.Cluster, gateway: Gateway, workspaces: Workspaces) -> None:
        """`OSError` (`ssl.SSLError`) for certificates that are no good."""
        self.cluster = cluster
        self.gateway = gateway
        self.workspaces = workspaces
        self.store: Store = workspaces.default
        self._context = link.server_context(cluster)
        self._revision = -1
        self._document: Document = {}
        self._hash = NONE_LOADED

    async def serve(self, listener: socket.socket) -> None:
        """Serve the cluster's port until cancelled."""
        server = await asyncio.start_server(self._connected, sock=listener)
        async with server:
            await server.serve_forever()

    def _current(self) -> tuple[str, Document]:
        if self._revision != self.workspaces.revision:
            self._revision = self.workspaces.revision
            self._document = document_of(self.workspaces)
            self._hash = digest(self._document)
        return self._hash, self._document

    async def _connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        address = writer.get_extra_info("peername")[0]
        try:
            certificate = await self._handshake(writer)
            await self._joined(reader, writer, address, certificate)
        except (link.Broken, OSError, TimeoutError) as error:
            reason = link.handshake_error(error) if isinstance(error, OSError) else str(error)
            log.error("[clustering] data plane at %s: %s", address, reason)
        except asyncio.CancelledError:
            # The node ends; raised on, asyncio would log a failure of this connection.
            log.debug("[clustering] data plane at %s: left", address)
        finally:
            writer.close()

    async def _handshake(self, writer: asyncio.StreamWriter) -> dict[str, Any]:
        if self.cluster.mtls == "pinned":
            # As in Konnect, a certificate is known from the moment in which it was added.
            self._context = link.server_context(self.cluster)
        try:
            await writer.start_tls(self._context, ssl_handshake_timeout=PATIENCE)
        except ConnectionResetError as error:
            raise link.Broken("the data plane broke the handshake off") from error
        presented: ssl.SSLObject = writer.get_extra_info("ssl_object")
        reason = link.stranger(self.cluster, presented)
        if reason is not None:
            await link.send(writer, {"type": "refused", "reason": reason})
            raise link.Broken(reason)
        return dict(presented.getpeercert() or {})

    async def _joined(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        address: str,
        certificate: dict[str, Any],
    ) -> None:
        hello = await asyncio.wait_for(link.receive(reader), PATIENCE)
        reason = incompatible(self.gateway.version, str(hello.get("version")))
        status = "normal" if reason is None else "kong_version_incompatible"
        node = _listed(hello, address, certificate, status)
        self._seen(node, hello)
        if reason is not None:
            await link.send(writer, {"type": "refused", "reason": reason})
            raise link.Broken(reason)
        pushing = asyncio.create_task(self._push(writer))
        try:
            while True:
                self._seen(node, await link.receive(reader))
        finally:
            pushing.cancel()

    async def _push(self, writer: asyncio.StreamWriter) -> None:
        sent: str | None = None
        while True:
            current, document = self._current()
            if current != sent:
                message = {"type": "configuration", "hash": current, "entities": document}
                await link.send(writer, message)
                sent = current
            await asyncio.sleep(TICK)

    def _seen(self, node: Entity, message: link.Message) -> None:
        now = int(time.time())
        news = {"config_hash": message.get("hash"), "last_seen": now, "updated_at": now}
        self.store.put("clustering_data_planes", {**node, **news})


def _listed(
    hello: link.Message, address: str, certificate: dict[str, Any], status: str
) -> Entity:
    """A data plane as `/clustering/data-planes` shows it, without what changes."""
    expiry = int(ssl.cert_time_to_seconds(certificate["notAfter"]))
    return {
        "id": hello["id"],
        "hostname": hello["hostname"],
        "ip": address,
        "version": hello["version"],
        "sync_status": status,
        "labels": hello.get("labels") or None,
        "ttl": TTL,
        "cert_details": {"expiry_timestamp": expiry},
        "rpc_capabilities": None,
    }

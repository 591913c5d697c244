# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The control plane's side of a cluster: who joins, what they are sent, what is known of them."""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from wsproto import ConnectionType

from . import link
from .outlet import Outlet
from .reconfigure import NONE_LOADED, Configuration, Exporter, known_to, tailored
from .store import Entity

log = logging.getLogger("sandbox.clustering")

#: Seconds for which a data plane that is gone stays listed (`cluster_data_plane_purge_delay`).
TTL = 1209600

#: Seconds between two looks at what has changed.
TICK = 0.05

#: Seconds that a handshake, and the first message after it, may take.
PATIENCE = 10.0

#: Seconds without a ping after which a data plane is dropped.
PING_WAIT = 45.0

#: Settings of a data plane that Konnect shows.
PROCESS = ("plugins", "lmdb_map_size", "router_flavor", "cluster_max_payload")

#: How a data plane stands to what its control plane has (`sync_status`).
NORMAL, UNKNOWN = "normal", "unknown"
WRONG_VERSION = "kong_version_incompatible"
WRONG_PLUGINS = "plugin_set_incompatible"
WRONG_PLUGIN_VERSION = "plugin_version_incompatible"


def incompatible(control_plane: str, data_plane: str) -> str | None:
    """Why two versions cannot work together: the data plane may not be the newer one."""
    own, other = (_release(version) for version in (control_plane, data_plane))
    versions = f"data plane version {data_plane} is incompatible with"
    if own[0] != other[0]:
        return f"{versions} control plane version {control_plane} ({own[0]}.x.y are accepted)"
    if other > own:
        return f"{versions} older control plane version {control_plane}"
    return None


def _runs(own: str, other: str) -> bool:
    """Whether a data plane's version of a plugin can run what a control plane's made."""
    return _release(own)[0] == _release(other)[0] and _release(other) <= _release(own)


def _release(version: str) -> tuple[int, int]:
    major, minor = (version.split(".") + ["0"])[:2]
    return (int(major), int(minor)) if major.isdigit() and minor.isdigit() else (0, 0)


@dataclass(frozen=True)
class Visitor:
    """Who has done the TLS handshake; `certificate_id` where certificates are known one by one.

    `taken` tells whether the certificate is still known.
    """

    address: str
    expiry: int
    certificate_id: str | None
    taken: Callable[[], bool]


@dataclass
class Member:
    """A data plane on its connection: its row in the list, and the versions of its plugins."""

    row: Entity
    plugins: dict[str, str]

    @property
    def version(self) -> str:
        """The node's."""
        return str(self.row["version"])


class ControlPlane:
    """Judges data planes, keeps them up to date, and lists them in the default store."""

    def __init__(self, exporter: Exporter, of_konnect: bool = False) -> None:
        """`of_konnect`: it knows who is connected, and is told what could not be applied."""
        self.exporter = exporter
        self.gateway = exporter.gateway
        self.store = exporter.workspaces.default
        self.of_konnect = of_konnect
        self._messages: dict[str, bytes] = {}
        self._messages_of = ""

    async def attend(self, outlet: Outlet, visitor: Visitor) -> None:
        """Serve one data plane until its connection breaks (`Broken`, `OSError`)."""
        query = await asyncio.wait_for(outlet.accept(), PATIENCE)
        info = await asyncio.wait_for(_basic_info(outlet), PATIENCE)
        member = Member(_listed(query, info, visitor), _versions(info["plugins"]))
        reason = incompatible(self.gateway.version, member.version)
        if reason is not None:
            self._seen(member, sync_status=WRONG_VERSION)
            await outlet.close()
            raise link.Broken(reason)
        tasks = [
            asyncio.create_task(self._push(outlet, member, visitor)),
            asyncio.create_task(self._listen(outlet, member)),
        ]
        try:
            ended, _others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in ended:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            self._left(member)

    async def _listen(self, outlet: Outlet, member: Member) -> None:
        while True:
            await self._heard(outlet, member)

    async def _heard(self, outlet: Outlet, member: Member) -> None:
        try:
            frame = await asyncio.wait_for(outlet.receive(), PING_WAIT)
        except TimeoutError as error:
            waited = f"did not receive ping frame from data plane within {PING_WAIT:.0f} seconds"
            raise link.Broken(waited) from error
        if frame.kind == "binary" and self.of_konnect:
            log.error("[clustering] data plane %s reports: %s", member.row["id"],
                      frame.data.decode("utf-8", "replace"))
            return
        if frame.kind != "ping" or len(frame.data) != len(NONE_LOADED):
            raise link.Broken(f"invalid websocket frame received from data plane: {frame.kind}")
        self._seen(member, config_hash=frame.data.decode("ascii", "replace"))
        await outlet.pong()

    # -- what is sent

    async def _push(self, outlet: Outlet, member: Member, visitor: Visitor) -> None:
        """Send each configuration that the data plane can run; judge it anew with each."""
        sent: str | None = None
        while True:
            if not visitor.taken():
                await outlet.close()
                raise link.Broken("the data plane's certificate was removed")
            current = self.exporter.current()
            if current.hash != sent:
                sent = current.hash
                status, reason = self._judged(current, member)
                known = member.row["sync_status"]
                member.row["sync_status"] = status
                if reason is None:
                    await outlet.send(self._message(current, member.version))
                else:
                    log.warning("[clustering] unable to send updated configuration to data plane "
                                "%s: %s", member.row["id"], reason)
                if known not in (UNKNOWN, status):
                    self._seen(member)
            await asyncio.sleep(TICK)

    def _judged(self, current: Configuration, member: Member) -> tuple[str, str | None]:
        """Whether a data plane has the plugins that are configured, and why not."""
        own = ".".join(self.gateway.version.split(".")[:3])
        for name in sorted(current.plugins):
            other = member.plugins.get(name)
            if other is None:
                return WRONG_PLUGINS, f"configured {name} plugin {own} is missing from data plane"
            if other and not _runs(own, other):
                return WRONG_PLUGIN_VERSION, (
                    f"configured data plane {name} plugin version {other} is different to "
                    f"control plane plugin version {own}"
                )
        return NORMAL, None

    def _message(self, current: Configuration, version: str) -> bytes:
        if self._messages_of != current.hash:
            self._messages, self._messages_of = {}, current.hash
        if version not in self._messages:
            table = tailored(current.table, known_to(version))
            self._messages[version] = current.message(table)
        return self._messages[version]

    # -- what is known

    def _seen(self, member: Member, **news: Any) -> None:
        now = int(time.time())
        with self.store.lock:
            member.row |= {"last_seen": now, "updated_at": now, **news}
            connected = {"connected": True} if self.of_konnect else {}
            self.store.put("clustering_data_planes", {**member.row, **connected})

    def _left(self, member: Member) -> None:
        """Note that a data plane is no longer connected, unless it was removed from the list."""
        with self.store.lock:
            known = self.store.get("clustering_data_planes", member.row["id"])
            if self.of_konnect and known is not None:
                self.store.put("clustering_data_planes", {**known, "connected": False})


async def _basic_info(outlet: Outlet) -> dict[str, Any]:
    """What a data plane says of itself first."""
    frame = await outlet.receive()
    try:
        info = json.loads(frame.data) if frame.kind == "binary" else None
    except ValueError as error:
        raise link.Broken(f"failed to decode websocket basic info data: {error}") from error
    if not isinstance(info, dict) or info.get("type") != "basic_info":
        raise link.Broken("invalid basic info data type")
    if not isinstance(info.get("plugins"), list):
        raise link.Broken("missing plugins in basic info data")
    return info


def _versions(plugins: list[Entity]) -> dict[str, str]:
    return {str(each["name"]): str(each.get("version") or "") for each in plugins}


def _listed(query: dict[str, str], info: dict[str, Any], visitor: Visitor) -> Entity:
    """A data plane as `/clustering/data-planes` shows it, when it has just come."""
    return {
        "id": query["node_id"],
        "hostname": query.get("node_hostname", ""),
        "ip": visitor.address,
        "version": query["node_version"],
        "config_hash": NONE_LOADED,
        "sync_status": UNKNOWN,
        "labels": info.get("labels"),
        "ttl": TTL,
        "cert_details": {"expiry_timestamp": visitor.expiry},
        "rpc_capabilities": [],
        **(_of_konnect(visitor.certificate_id, info) if visitor.certificate_id else {}),
    }


def _of_konnect(certificate_id: str, info: dict[str, Any]) -> Entity:
    """What Konnect keeps of a data plane beside the others."""
    process = info.get("process_conf")
    known = process if isinstance(process, dict) else {}
    kept = {name: known[name] for name in PROCESS if name in known}
    return {"cert_id": certificate_id, "process_conf": kept}


# -- the port


class Admission(Protocol):
    """Whose certificates are taken, and to which control plane they lead."""

    def context(self) -> ssl.SSLContext:
        """What judges the handshake."""

    def admitted(self, presented: ssl.SSLObject) -> tuple[ControlPlane, str | None]:
        """The control plane, and the id of the certificate; `link.Broken` for a stranger."""

    def taken(self, certificate_id: str | None) -> bool:
        """Whether a certificate that was admitted still is."""


class OneControlPlane:
    """A cluster of its own: all who are taken join the one control plane."""

    def __init__(self, cluster: link.Cluster, control_plane: ControlPlane) -> None:
        """`OSError` (`ssl.SSLError`) for certificates that are no good."""
        self.cluster = cluster
        self.control_plane = control_plane
        self._context = link.server_context(cluster)

    def context(self) -> ssl.SSLContext:
        """As Konnect, `pinned` knows a certificate from the moment in which it was added."""
        if self.cluster.mtls == "pinned":
            self._context = link.server_context(self.cluster)
        return self._context

    def admitted(self, presented: ssl.SSLObject) -> tuple[ControlPlane, str | None]:
        """The control plane, unless the certificate is not one of its cluster's."""
        reason = link.stranger(self.cluster, presented)
        if reason is not None:
            raise link.Broken(reason)
        return self.control_plane, None

    def taken(self, certificate_id: str | None) -> bool:
        """A connection stays, whatever becomes of its certificate."""
        return True


class ClusterPort:
    """Where data planes join."""

    def __init__(self, admission: Admission) -> None:
        self.admission = admission

    async def serve(self, listener: socket.socket) -> None:
        """Serve until cancelled."""
        server = await asyncio.start_server(self._connected, sock=listener)
        async with server:
            await server.serve_forever()

    async def _connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        address = writer.get_extra_info("peername")[0]
        try:
            control_plane, visitor = await self._handshake(writer, address)
            await control_plane.attend(Outlet(reader, writer, ConnectionType.SERVER), visitor)
        except (link.Broken, OSError, TimeoutError) as error:
            reason = link.handshake_error(error) if isinstance(error, OSError) else str(error)
            log.error("[clustering] data plane at %s: %s", address, reason)
        except asyncio.CancelledError:
            # The node ends; raised on, asyncio would log a failure of this connection.
            log.debug("[clustering] data plane at %s: left", address)
        finally:
            writer.close()

    async def _handshake(
        self, writer: asyncio.StreamWriter, address: str
    ) -> tuple[ControlPlane, Visitor]:
        context = self.admission.context()
        try:
            await writer.start_tls(context, ssl_handshake_timeout=PATIENCE)
        except ConnectionResetError as error:
            raise link.Broken("the data plane broke the handshake off") from error
        presented: ssl.SSLObject = writer.get_extra_info("ssl_object")
        control_plane, identifier = self.admission.admitted(presented)
        end = (presented.getpeercert() or {})["notAfter"]
        expiry = int(ssl.cert_time_to_seconds(str(end)))
        taken = functools.partial(self.admission.taken, identifier)
        return control_plane, Visitor(address, expiry, identifier, taken)

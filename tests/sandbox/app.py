# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a sandbox put together, and served on the ports of one process."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn

from . import errors
from .about import About, Node
from .admin import Admin
from .asgi import App
from .balancer import Balancers
from .clustering import ClusterPort, ControlPlane, OneControlPlane
from .config import Config
from .control import Control
from .entities import Entities
from .following import DataPlane
from .gateway import Gateway
from .health import Health
from .interception import Interception
from .konnect import Konnect
from .link import handshake_error
from .membership import Membership
from .options import Options, Refused, Unloadable
from .organization import Organization
from .pinned import PinnedControlPlanes
from .proxy import proxy_app
from .reconfigure import Exporter
from .resources import Finder, Resources
from .status import Status
from .store import Store
from .workspaces import WorkspaceEntities, WorkspacePaths, Workspaces

#: The ports that speak HTTP and are always named.
HTTP = ("admin", "proxy")

#: How often a state file is brought up to date, seconds.
SAVE_EVERY = 0.5


class Server(uvicorn.Server):
    """A server that leaves signals to the process that runs two of them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """No handlers of its own."""
        yield


class Sandbox:
    """One gateway on bound sockets; `run` serves until a signal comes."""

    def __init__(self, options: Options, sockets: dict[str, socket.socket]) -> None:
        """`sockets` by name, as `Options.ports`. `Refused`: its document or its certificates."""
        self.options = options
        self.sockets = sockets
        ports = {name: sock.getsockname()[1] for name, sock in self.sockets.items()}
        self.node = Node(options.node_id or str(uuid.uuid4()), options.mode, ports)
        counts = options.mode not in ("dbless", "control_plane")
        self.gateway = Gateway(options.version, options.edition, counts)
        konnect = options.mode == "konnect"
        self.organization = (
            Organization(self.gateway, options.organization, options.state) if konnect else None
        )
        self.workspaces = Workspaces(self.gateway, None if konnect else options.state)
        self.balancers = Balancers(self.workspaces, options.propagation)
        self.config: Config | None = None
        if options.mode == "dbless":
            self.config = Config(self.gateway, self.workspaces.default)
            self._load(self.config)
        self.member = self._member()

    def _member(self) -> ClusterPort | DataPlane | None:
        """This node's side of a cluster."""
        cluster = self.options.cluster
        if cluster is None:
            return None
        try:
            if self.organization is not None:
                return ClusterPort(PinnedControlPlanes(cluster, self.organization))
            if self.options.mode == "control_plane":
                control_plane = ControlPlane(Exporter(self.gateway, self.workspaces))
                return ClusterPort(OneControlPlane(cluster, control_plane))
            return DataPlane(cluster, self.gateway, self.workspaces.default, self.node.id)
        except OSError as error:
            reason = handshake_error(error)
            message = f"The sandbox cannot use {cluster.cert} and {cluster.key}: {reason}."
            raise Refused(message) from error

    @property
    def running(self) -> Callable[[], str] | None:
        """What tells the hash of the configuration that runs, on a node without a database."""
        source = self.config or self.member
        if isinstance(source, Config | DataPlane):
            return lambda: source.hash
        return None

    def _load(self, config: Config) -> None:
        path = self.options.config
        if path is None:
            return
        try:
            config.load_text(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, errors.Refusal) as error:
            raise Unloadable(path, str(error)) from error

    def _finders(self, store: Store) -> list[Finder]:
        """What finds the paths of one workspace."""
        options = self.options
        entities = Entities(self.gateway, store, writable=self.node.database != "off")
        resources = Resources(entities, self._health(entities))
        finders: list[Finder] = [self._about(entities).find, resources.find]
        if options.edition == "enterprise":
            workspaces = WorkspaceEntities(self.workspaces, entities, resources)
            finders = [workspaces.find, Membership(resources).find, *finders]
        return finders if self.config is None else [self.config.find, *finders]

    def _health(self, entities: Entities) -> Health:
        options = self.options
        return Health(
            entities, self.balancers, self.node.id, options.health_delay, options.proxies
        )

    def _about(self, entities: Entities) -> About:
        return About(entities, self.node, self.running)

    def _status_app(self) -> App:
        entities = Entities(self.gateway, self.workspaces.default, writable=False)
        alone = self.node.database == "off"
        resources = Resources(entities, self._health(entities)) if alone else None
        status = Status(self._about(entities), self.running, resources)
        return Admin([status.find], self.gateway.server, None).app()

    @property
    def kept(self) -> Organization | Workspaces:
        """All that outlives the run, and that a reset empties."""
        return self.organization or self.workspaces

    def _admin(self) -> Admin:
        """What answers on the admin port."""
        if self.organization is not None:
            return Konnect(self.organization, self.options.admin_token, self._endpoint)
        finders = self._finders(self.workspaces.default)
        if self.options.edition == "enterprise":
            finders = [WorkspacePaths(self.workspaces, self._finders).find]
        return Admin(finders, self.gateway.server, self.options.admin_token)

    def _endpoint(self, control_plane: str) -> str:
        """Where data planes of a control plane of Konnect join."""
        port = self.node.ports.get("cluster")
        if port is None:
            return f"https://{control_plane[:8]}.cp.sandbox.test:443"
        name = self.options.cluster.server_name if self.options.cluster else None
        return f"https://{name or self.options.host}:{port}"

    def _servers(self) -> dict[str, Server]:
        tls = self.options.admin_tls or (None, None)
        interception = Interception(self._admin().app())
        common: dict[str, Any] = {"log_level": "warning", "access_log": False, "lifespan": "off"}
        # The library of the cluster's link must not make it serve websockets here.
        common["ws"] = "none"
        common |= {"server_header": False, "proxy_headers": False, "timeout_graceful_shutdown": 1}
        # As a gateway's own server: a client may send just when a connection is closed.
        common["timeout_keep_alive"] = 75
        admin = uvicorn.Config(
            Control(interception, self.kept),
            http=interception.connections.protocol(),
            ssl_certfile=tls[0],
            ssl_keyfile=tls[1],
            **common,
        )
        servers = {"admin": Server(admin)}
        common_proxy = {"date_header": False, **common}
        proxy = proxy_app(self.workspaces, self.balancers, self.gateway.server)
        servers["proxy"] = Server(uvicorn.Config(proxy, **common_proxy))
        if self.options.proxy_tls is not None:
            cert, key = self.options.proxy_tls
            tls_config = uvicorn.Config(
                proxy, ssl_certfile=cert, ssl_keyfile=key, **common_proxy
            )
            servers["proxy_tls"] = Server(tls_config)
        if "status" in self.sockets:
            servers["status"] = Server(uvicorn.Config(self._status_app(), **common))
        return {name: server for name, server in servers.items() if name in self.sockets}

    def _ready(self) -> str:
        scheme = "https" if self.options.admin_tls else "http"
        host, ports = self.options.host, self.node.ports
        urls = {name: f"http://{host}:{ports[name]}" if name in ports else "off" for name in HTTP}
        urls["admin"] = urls["admin"].replace("http:", f"{scheme}:")
        more = {name: port for name, port in ports.items() if name not in HTTP}
        return (
            f"sandbox ready admin={urls['admin']} proxy={urls['proxy']} mode={self.options.mode}"
            f" version={self.gateway.version} edition={self.options.edition}"
        ) + "".join(f" {name}={host}:{port}" for name, port in more.items())

    async def run(self) -> None:
        """Serve the ports, say so in one line, and end on SIGINT or SIGTERM."""
        servers = self._servers()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
            loop.add_signal_handler(number, self._end, list(servers.values()))
        if self.sockets.keys() & {"proxy", "proxy_tls"}:
            self.balancers.start()
        tasks = [
            asyncio.create_task(server.serve(sockets=[self.sockets[name]]))
            for name, server in servers.items()
        ]
        others = [asyncio.create_task(self._save()), *self._following()]
        while not all(server.started or server.should_exit for server in servers.values()):
            await asyncio.sleep(0.01)
        print(self._ready(), flush=True)
        try:
            await asyncio.gather(*tasks)
        finally:
            for other in others:
                other.cancel()
            await self.balancers.stop()
            self.kept.save()

    def _following(self) -> list[asyncio.Task[None]]:
        """The node's side of its cluster at work."""
        if isinstance(self.member, DataPlane):
            return [asyncio.create_task(self.member.run())]
        if isinstance(self.member, ClusterPort) and "cluster" in self.sockets:
            return [asyncio.create_task(self.member.serve(self.sockets["cluster"]))]
        return []

    @staticmethod
    def _end(servers: list[Server]) -> None:
        for server in servers:
            server.should_exit = True

    async def _save(self) -> None:
        while True:
            await asyncio.sleep(SAVE_EVERY)
            self.kept.save()

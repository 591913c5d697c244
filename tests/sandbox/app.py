# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of a sandbox put together, and served on two ports of one process."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import uuid
from collections.abc import Iterator
from typing import Any

import uvicorn

from .about import About
from .admin import Admin
from .balancer import Balancers
from .control import Control
from .entities import Entities
from .faults import CuttableProtocol, Faults
from .gateway import Gateway
from .health import Health
from .journal import Journal
from .options import Options
from .proxy import proxy_app
from .resources import Resources
from .store import Store

#: How often a state file is brought up to date, seconds.
SAVE_EVERY = 0.5


class Server(uvicorn.Server):
    """A server that leaves signals to the process that runs two of them."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """No handlers of its own."""
        yield


class Sandbox:
    """One gateway on two bound sockets; `run` serves until a signal comes."""

    def __init__(self, options: Options, admin: socket.socket, proxy: socket.socket) -> None:
        self.options = options
        self.sockets = {"admin": admin, "proxy": proxy}
        self.ports = {name: sock.getsockname()[1] for name, sock in self.sockets.items()}
        self.gateway = Gateway(options.version)
        kinds = self.gateway.kinds
        self.store = Store(
            {name: kind.unique for name, kind in kinds.items()},
            {name: tuple(kind.foreign) for name, kind in kinds.items()},
            options.state,
        )
        self.balancers = Balancers(self.store, options.propagation)

    def _admin_app(self) -> Control:
        node_id = str(uuid.uuid4())
        entities = Entities(self.gateway, self.store)
        about = About(entities, node_id, self.options.edition, self.ports)
        health = Health(entities, self.balancers, node_id, self.options.health_delay)
        resources = Resources(entities, health)
        finders = [about.find, resources.find]
        admin = Admin(finders, self.gateway.version, self.options.admin_token)
        faults = Faults(admin.app())
        journal = Journal(faults)
        return Control(journal, self.store, faults, journal)

    def _servers(self) -> dict[str, Server]:
        tls = self.options.admin_tls or (None, None)
        common: dict[str, Any] = {"log_level": "warning", "access_log": False, "lifespan": "off"}
        common |= {"server_header": False, "proxy_headers": False, "timeout_graceful_shutdown": 1}
        admin = uvicorn.Config(
            self._admin_app(),
            http=CuttableProtocol,
            ssl_certfile=tls[0],
            ssl_keyfile=tls[1],
            **common,
        )
        proxy = uvicorn.Config(
            proxy_app(self.store, self.balancers, self.gateway.version),
            date_header=False,
            **common,
        )
        return {"admin": Server(admin), "proxy": Server(proxy)}

    def _ready(self) -> str:
        scheme = "https" if self.options.admin_tls else "http"
        host = self.options.host
        return (
            f"sandbox ready admin={scheme}://{host}:{self.ports['admin']}"
            f" proxy=http://{host}:{self.ports['proxy']} mode={self.options.mode}"
            f" version={self.gateway.version} edition={self.options.edition}"
        )

    async def run(self) -> None:
        """Serve both ports, say so in one line, and end on SIGINT or SIGTERM."""
        servers = self._servers()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._end, list(servers.values()))
        self.balancers.start()
        tasks = [
            asyncio.create_task(server.serve(sockets=[self.sockets[name]]))
            for name, server in servers.items()
        ]
        saver = asyncio.create_task(self._save())
        while not all(server.started or server.should_exit for server in servers.values()):
            await asyncio.sleep(0.01)
        print(self._ready(), flush=True)
        try:
            await asyncio.gather(*tasks)
        finally:
            saver.cancel()
            await self.balancers.stop()
            self.store.save()

    @staticmethod
    def _end(servers: list[Server]) -> None:
        for server in servers:
            server.should_exit = True

    async def _save(self) -> None:
        while True:
            await asyncio.sleep(SAVE_EVERY)
            self.store.save()

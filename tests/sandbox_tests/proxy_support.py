# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the proxy side share: a small store, targets, a running proxy."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import json
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import uvicorn

from sandbox.balancer import Balancers
from sandbox.proxy import SERVER_OPTIONS, proxy_app

Entity = dict[str, Any]
VERSION = "3.10.0"
GATEWAY = f"kong/{VERSION}"

NO_CHECKS: Entity = {
    "active": {
        "concurrency": 10,
        "headers": None,
        "healthy": {"http_statuses": [200, 302], "interval": 0, "successes": 0},
        "http_path": "/",
        "https_sni": None,
        "https_verify_certificate": True,
        "timeout": 1,
        "type": "http",
        "unhealthy": {
            "http_failures": 0,
            "http_statuses": [429, 404, 500, 501, 502, 503, 504, 505],
            "interval": 0,
            "tcp_failures": 0,
            "timeouts": 0,
        },
    },
    "passive": {
        "healthy": {"http_statuses": [200, 201, 204, 302], "successes": 0},
        "type": "http",
        "unhealthy": {
            "http_failures": 0,
            "http_statuses": [429, 500, 503],
            "tcp_failures": 0,
            "timeouts": 0,
        },
    },
    "threshold": 0,
}


def merged(base: Entity, change: Entity) -> Entity:
    """A copy of `base` with `change` merged into it, deep."""
    result = copy.deepcopy(base)
    for key, value in change.items():
        old = result.get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            result[key] = merged(old, value)
        else:
            result[key] = value
    return result


def upstream(name: str = "echo.test", checks: Entity | None = None, **fields: Any) -> Entity:
    """An upstream as the Admin API answers it; `checks` is merged into switched-off checks."""
    return {
        "id": f"id-{name}",
        "name": name,
        "algorithm": "round-robin",
        "hash_on": "none",
        "hash_fallback": "none",
        "hash_on_cookie_path": "/",
        "host_header": None,
        "healthchecks": merged(NO_CHECKS, checks or {}),
        **fields,
    }


def target(address: str, weight: int = 100, name: str = "echo.test", created_at: int = 0) -> Entity:
    return {
        "id": f"id-{address}",
        "target": address,
        "weight": weight,
        "upstream": {"id": f"id-{name}"},
        "created_at": created_at,
    }


def service(name: str = "echo", host: str = "echo.test", **fields: Any) -> Entity:
    return {
        "id": f"id-{name}",
        "name": name,
        "host": host,
        "port": 80,
        "protocol": "http",
        "path": None,
        "retries": 5,
        "connect_timeout": 2000,
        "read_timeout": 2000,
        "write_timeout": 2000,
        "enabled": True,
        "tls_verify": None,
        **fields,
    }


def route(name: str = "echo", service_name: str | None = "echo", **fields: Any) -> Entity:
    return {
        "id": f"id-{name}",
        "name": name,
        "protocols": ["http", "https"],
        "methods": None,
        "hosts": None,
        "paths": None,
        "headers": None,
        "snis": None,
        "regex_priority": 0,
        "path_handling": "v0",
        "strip_path": True,
        "preserve_host": False,
        "https_redirect_status_code": 426,
        "service": {"id": f"id-{service_name}"} if service_name else None,
        "created_at": 0,
        **fields,
    }


class FakeStore:
    """A store of the proxied kinds only; every change is a new revision."""

    def __init__(self, **entities: list[Entity]) -> None:
        self.revision = 1
        self._entities: dict[str, list[Entity]] = {
            kind: entities.get(kind, []) for kind in ("services", "routes", "upstreams", "targets")
        }

    def snapshot(self) -> dict[str, list[Entity]]:
        return copy.deepcopy(self._entities)

    def change(self, **entities: list[Entity]) -> None:
        self._entities = {**self._entities, **entities}
        self.revision += 1


def eventually(condition: Callable[[], Any], seconds: float = 10.0) -> Any:
    """The first true value of `condition`, asked again and again until the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"still {value!r} after {seconds} s"
        time.sleep(0.01)


class EchoHandler(BaseHTTPRequestHandler):
    """Answers with what it got; the request's path and headers can ask for more."""

    protocol_version = "HTTP/1.1"
    server: EchoServer

    def handle_any(self) -> None:
        body = self._body()
        self.server.requests.append((self.command, self.path, body))
        if self.server.held.is_set():
            self.server.released.wait(10)
        text = json.dumps(
            {
                "server": self.server.address,
                "method": self.command,
                "path": self.path,
                "headers": [[name.lower(), value] for name, value in self.headers.items()],
                "size": len(body),
            }
        ).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(text)))
        self.send_header("X-Echo", "one")
        self.send_header("X-Echo", "two")
        self.send_header("Keep-Alive", "timeout=5")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_PURGE = handle_any

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: what came in is in `requests`."""


class EchoServer(ThreadingHTTPServer):
    """A target on loopback. `status` is what it answers; while `held` is set it does not."""

    daemon_threads = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), EchoHandler)
        self.requests: list[tuple[str, str, bytes]] = []
        self.status = 200
        self.held = threading.Event()
        self.released = threading.Event()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    def kill(self) -> None:
        """Refuse connections from now on."""
        self.shutdown()
        self.server_close()


@contextlib.contextmanager
def echo_servers(count: int) -> Iterator[list[EchoServer]]:
    servers = [EchoServer() for number in range(count)]
    for server in servers:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield servers
    finally:
        for server in servers:
            server.released.set()
            server.kill()


@contextlib.contextmanager
def echo_server() -> Iterator[EchoServer]:
    """One of them alone."""
    with echo_servers(1) as servers:
        yield servers[0]


def refused(answer: httpx.Response, status: int, message: str) -> None:
    """The answer is the gateway's own, with the headers that mark it."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    body = answer.json()
    assert body["message"] == message
    assert re.fullmatch("[0-9a-f]{32}", body["request_id"])
    assert answer.headers["x-kong-request-id"] == body["request_id"]
    assert answer.headers["server"] == GATEWAY
    assert answer.headers["x-kong-response-latency"].isdecimal()
    assert "via" not in answer.headers and "x-kong-upstream-latency" not in answer.headers


def free_port() -> int:
    """A port of loopback that refuses connections."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RunningProxy:
    """A proxy on loopback in a thread of its own, and a client for it."""

    def __init__(self, store: FakeStore, propagation: float = 0.0) -> None:
        self.store = store
        self.balancers = Balancers(store, propagation)
        config = uvicorn.Config(
            proxy_app(store, self.balancers, VERSION),
            port=0,
            log_config=None,
            **SERVER_OPTIONS,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    async def _run(self) -> None:
        self.balancers.start()
        await self._server.serve()
        await self.balancers.stop()

    def __enter__(self) -> RunningProxy:
        self._thread.start()
        eventually(lambda: self._server.started and self.balancers.generation)
        self.port = int(self._server.servers[0].sockets[0].getsockname()[1])
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", trust_env=False)
        return self

    def __exit__(self, *error: object) -> None:
        self.client.close()
        self._server.should_exit = True
        self._thread.join(10)
        assert not self._thread.is_alive()

    def change(self, **entities: list[Entity]) -> None:
        """Change the store and wait until the proxy works with it."""
        before = self.balancers.generation
        self.store.change(**entities)
        eventually(lambda: self.balancers.generation > before)

    def served_by(self, count: int, path: str = "/", **options: Any) -> list[str]:
        """The servers that answered `count` requests, in order."""
        answers = [self.client.get(path, **options) for number in range(count)]
        assert [answer.status_code for answer in answers] == [200] * count
        return [answer.json()["server"] for answer in answers]


def balanced(servers: list[EchoServer], checks: Entity | None = None, **fields: Any) -> FakeStore:
    """A store with a route for everything to an upstream with these targets of equal weight."""
    return FakeStore(
        upstreams=[upstream(checks=checks, **fields)],
        targets=[target(each.address, created_at=n) for n, each in enumerate(servers)],
        services=[service()],
        routes=[route(paths=["/"], strip_path=False)],
    )

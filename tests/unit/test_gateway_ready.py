# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway is ready when it serves; else the reason is said, from its log where it is there."""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._gateway_role._ready import (
    SPEC,
    NotReady,
    wait,
)
from unit.gateway_role import run_command

HASH = "5b1b1a5a6e2f3c4d5b1b1a5a6e2f3c4d"


class Gateway:
    """Answers by path: a list is used up to its last entry, which stays."""

    def __init__(self) -> None:
        self.answers: dict[str, list[tuple[int, Any]]] = {}
        self.headers = {"Server": "kong/3.9.1"}
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = gateway.answers.get(self.path, [(404, {})])
                status, body = found.pop(0) if len(found) > 1 else found[0]
                self.send_response_only(status)
                for name, value in gateway.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, format: str, *args: object) -> None:
                """Requests are not worth a line."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    made = Gateway()
    yield made
    made.server.shutdown()
    made.server.server_close()


def status(*pids: int, hash_: str = HASH) -> tuple[int, Any]:
    rows = [{"pid": pid} for pid in pids]
    return 200, {"memory": {"workers_lua_vms": rows}, "configuration_hash": hash_}


def waited(gateway: Gateway, **more: Any) -> dict[str, Any]:
    defaults = {name: option["default"] for name, option in SPEC.items()}
    asked = {**defaults, "status_url": gateway.url, "timeout": 0.2, **more}
    return wait(run_command, asked, pause=0.01)


def log_of(text: str) -> list[str]:
    return [sys.executable, "-c", f"print({text!r})"]


def test_a_gateway_that_serves_is_ready(gateway: Gateway) -> None:
    gateway.answers = {"/status": [(503, {}), status(1, 2)], "/status/ready": [(200, {})]}
    found = waited(gateway, proxy_url=gateway.url, timeout=5)
    assert found == {
        "configuration_hash": HASH,
        "workers": [1, 2],
        "ready": True,
        "proxy_status": 404,
    }


def test_a_data_plane_without_entities_is_ready_enough(gateway: Gateway) -> None:
    gateway.answers = {"/status": [status(1, hash_="0" * 32)], "/status/ready": [(503, {})]}
    assert waited(gateway)["ready"] is False


def test_a_gateway_that_is_not_ready_says_why(gateway: Gateway) -> None:
    gateway.answers = {"/status": [status(1)], "/status/ready": [(503, {"message": "loading"})]}
    with pytest.raises(NotReady, match="Timed out after 0.2 s: not ready: loading"):
        waited(gateway)


def test_a_reload_counts_once_all_workers_are_new(gateway: Gateway) -> None:
    gateway.answers = {
        "/status": [status(1, 2), status(1, 2), status(2, 3), status(3, 4)],
        "/status/ready": [(200, {})],
    }
    assert waited(gateway, reload=["true"], timeout=5)["workers"] == [3, 4]


def test_workers_that_stay_are_a_failure(gateway: Gateway) -> None:
    gateway.answers = {"/status": [status(1)], "/status/ready": [(200, {})]}
    with pytest.raises(NotReady, match="the workers from before the reload still serve"):
        waited(gateway, reload=["true"])


def test_a_reload_that_fails_is_told_in_its_own_words(gateway: Gateway) -> None:
    failing = [sys.executable, "-c", "import sys; sys.exit('nginx: no such file')"]
    with pytest.raises(NotReady, match="The reload failed: nginx: no such file"):
        waited(gateway, reload=failing)


def test_another_server_on_the_proxys_port_is_no_gateway(gateway: Gateway) -> None:
    gateway.headers = {"Server": "nginx"}
    with pytest.raises(NotReady, match="is not a gateway"):
        waited(gateway, status_url="", proxy_url=gateway.url, timeout=0.05)


@pytest.mark.parametrize(
    "line",
    [
        "nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)",
        "2026/11/30 [error] 12#0: certificate verify failed: unable to get issuer",
        "Error: the database needs bootstrapping",
    ],
)
def test_the_log_gives_the_reason(gateway: Gateway, line: str) -> None:
    gateway.answers = {"/status": [(500, {})]}
    with pytest.raises(NotReady, match=re.escape(f"returned 500. Its log contains: {line}")):
        waited(gateway, timeout=0, log=log_of(f"[error] before\n{line}\n[notice] after"))

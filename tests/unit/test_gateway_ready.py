# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway is ready when it serves; else the reason is said, from its log where it is there."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._gateway_role._ready import (
    NotReady,
    Ready,
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


def ready(gateway: Gateway, **more: Any) -> Ready:
    asked = {"status_url": gateway.url, "timeout": 0.2, "pause": 0.01, **more}
    asked["run_command"] = run_command
    return Ready(**asked)


def log_of(text: str) -> list[str]:
    return [sys.executable, "-c", f"print({text!r})"]


def test_a_gateway_that_serves_is_ready(gateway: Gateway) -> None:
    gateway.answers = {"/status": [(503, {}), status(1, 2)], "/status/ready": [(200, {})]}
    found = ready(gateway, proxy_url=gateway.url, timeout=5).wait()
    assert found == {
        "configuration_hash": HASH,
        "workers": [1, 2],
        "ready": True,
        "proxy_status": 404,
    }


def test_a_data_plane_without_entities_is_ready_enough(gateway: Gateway) -> None:
    gateway.answers = {"/status": [status(1, hash_="0" * 32)], "/status/ready": [(503, {})]}
    assert ready(gateway).wait()["ready"] is False


def test_a_gateway_that_is_not_ready_says_why(gateway: Gateway) -> None:
    gateway.answers = {"/status": [status(1)], "/status/ready": [(503, {"message": "loading"})]}
    with pytest.raises(NotReady, match="Timed out after 0.2 s: not ready: loading"):
        ready(gateway).wait()


def test_a_reload_counts_once_all_workers_are_new(gateway: Gateway) -> None:
    gateway.answers = {
        "/status": [status(1, 2), status(1, 2), status(2, 3), status(3, 4)],
        "/status/ready": [(200, {})],
    }
    assert ready(gateway, reload=["true"], timeout=5).wait()["workers"] == [3, 4]


def test_workers_that_stay_are_a_failure(gateway: Gateway) -> None:
    gateway.answers = {"/status": [status(1)], "/status/ready": [(200, {})]}
    with pytest.raises(NotReady, match="the workers from before the reload still serve"):
        ready(gateway, reload=["true"]).wait()


def test_a_reload_that_fails_is_told_in_its_own_words(gateway: Gateway) -> None:
    failing = [sys.executable, "-c", "import sys; sys.exit('nginx: no such file')"]
    with pytest.raises(NotReady, match="The reload failed: nginx: no such file"):
        ready(gateway, reload=failing).wait()


def test_another_server_on_the_proxys_port_is_no_gateway(gateway: Gateway) -> None:
    gateway.headers = {"Server": "nginx"}
    with pytest.raises(NotReady, match="served by no gateway"):
        ready(gateway, status_url="", proxy_url=gateway.url, timeout=0.05).wait()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)",
            "A port is taken",
        ),
        (
            "[error] certificate verify failed: unable to get issuer",
            "accept each other's certificates",
        ),
        ("[error] error parsing declarative config file", "refuses the state file"),
        (
            "Error: new migrations available; run 'kong migrations up'",
            "not prepared for this version",
        ),
        ("[error] connection to control plane broken", "The control plane ends the connection"),
        ("[crit] something else entirely", "Its log contains: [crit] something else entirely"),
    ],
)
def test_the_log_gives_the_reason(line: str, words: str) -> None:
    with pytest.raises(NotReady) as failure:
        log = log_of(line)
        asked = Ready(status_url="http://127.0.0.1:9", timeout=0, log=log, run_command=run_command)
        asked.wait()
    assert words in str(failure.value)


def listed(gateway: Gateway) -> dict[str, Any]:
    node = {"control_plane_url": gateway.url, "hostname": "dp1", "configuration_hash": HASH}
    return ready(gateway, status_url="", timeout=0, **node).wait()


def row(**more: Any) -> dict[str, Any]:
    return {"hostname": "dp1", "sync_status": "normal", "config_hash": HASH, "last_seen": 2, **more}


def test_the_control_plane_lists_the_newest_node_of_that_name(gateway: Gateway) -> None:
    rows = [row(config_hash="old", last_seen=1), row(), row(hostname="other")]
    gateway.answers = {"/clustering/data-planes": [(200, {"data": rows})]}
    assert listed(gateway)["last_seen"] == 2


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((200, {"data": []}), "lists dp1 not"),
        ((200, {"data": [row(config_hash="old")]}), "with another configuration"),
        (
            (200, {"data": [row(sync_status="kong_version_incompatible")]}),
            "as kong_version_incompatible",
        ),
        ((401, {}), "set kong_admin_token"),
    ],
)
def test_a_node_that_is_refused_or_not_listed_is_a_sentence(
    gateway: Gateway, answer: tuple[int, Any], words: str
) -> None:
    gateway.answers = {"/clustering/data-planes": [answer]}
    with pytest.raises(NotReady, match=words):
        listed(gateway)

# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the role data_plane share: a host in a folder of the test's own."""

from __future__ import annotations

import contextlib
import getpass
import grp
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from harness.paths import ROOT
from harness.playbook import LOCAL, Player, Run

PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - name: Data plane
      ansible.builtin.include_role:
        name: irishtek.kong.data_plane
"""


def free_ports(count: int) -> list[int]:
    """Ports of the loopback address that nobody listens on."""
    probes = [socket.socket() for number in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def openssl(*words: str | Path) -> str:
    """What the openssl command prints."""
    done = subprocess.run(["openssl", *words], capture_output=True, text=True, check=True)
    return done.stdout


@contextlib.contextmanager
def answering(body: object) -> Iterator[str]:
    """A server that answers every GET with this body; its URL."""
    text = json.dumps(body).encode()

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:
            """Stay silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


class Host:
    """An inventory host of the role: this machine, with the gateway's files in a folder."""

    def __init__(self, player: Player, folder: Path, method: str) -> None:
        self.player = player
        self.root = folder
        self.folder = folder / "kong"
        self.method = method
        # What the role asks of this machine does not change from test to test.
        self.environment = {
            "ANSIBLE_CACHE_PLUGIN": "ansible.builtin.jsonfile",
            "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(folder.parent / "facts"),
        }
        self.variables: dict[str, Any] = {}

    def run(self, *, check: bool = False, play: str = PLAY, **variables: Any) -> Run:
        """Run the role; `variables` carry their names without the role's."""
        group = grp.getgrgid(os.getgid()).gr_name
        own = {
            "method": self.method, "directory": str(self.folder), "owner": getpass.getuser(),
            "group": group, **self.variables, **variables,
        }
        host = {**LOCAL, **{f"data_plane_{name}": value for name, value in own.items()}}
        return self.player(
            play, inventory={"all": {"hosts": {"gw": host}}}, check=check, diff=True,
            environment=self.environment,
        )

    def put_command(self, name: str, words: list[str]) -> None:
        """Put a command that starts these words first on PATH."""
        folder = self.root / "bin"
        folder.mkdir(exist_ok=True)
        path = folder / name
        path.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
        path.chmod(0o755)
        self.environment["PATH"] = f"{folder}:{os.environ['PATH']}"

    def certificate(self) -> Path:
        """The certificate in use."""
        return self.folder / "certificates/tls.crt"


class EngineHost(Host):
    """A host whose container engine is the harness's."""

    def __init__(self, player: Player, folder: Path, method: str, ports: list[int]) -> None:
        super().__init__(player, folder, method)
        self.engine = folder / "engine"
        self.engine.mkdir()
        self.ports = ports
        program = str(ROOT / "tests/harness/fake_engine.py")
        name = "docker" if method == "compose" else method
        self.put_command(name, [sys.executable, program])
        self.environment["FAKE_ENGINE"] = str(self.engine)
        self.variables = {
            "config": self.config(), "unit": "none", "start_timeout": 20, "connect_timeout": 1,
        }

    def config(self, **more: Any) -> Mapping[str, Any]:
        """Settings whose listeners are the test's own."""
        proxy, status = self.ports
        listens = {
            "proxy_listen": f"127.0.0.1:{proxy}", "status_listen": f"127.0.0.1:{status}",
            "admin_listen": "off",
        }
        return {**listens, **more}

    def containers(self) -> dict[str, Any]:
        """The engine's containers by name."""
        path = self.engine / "state.json"
        return dict(json.loads(path.read_text())["containers"]) if path.exists() else {}

    def end(self) -> None:
        """End the gateways that run still."""
        for container in self.containers().values():
            with contextlib.suppress(KeyError, ProcessLookupError):
                os.kill(container["pid"], signal.SIGTERM)

    def calls(self) -> list[list[str]]:
        """What the engine was asked to change since the last call of this method."""
        path = self.engine / "calls.jsonl"
        asked = [json.loads(line) for line in path.read_text().splitlines()]
        path.unlink()
        reads = ("--version", "container", "image", "version", "logs")
        # A container that goes with its command judges a candidate or says who its user is.
        return [
            words for words in asked
            if words[0] not in reads and words[1:] != ["version"] and words[:2] != ["run", "--rm"]
        ]

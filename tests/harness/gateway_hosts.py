# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts of the role gateway whose gateways start from the files that the role writes.

The gateways are the sandbox's, or those whose commands GATEWAY_KONG names (paths, with colons
between).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from harness.paths import ROOT
from harness.playbook import LOCAL, Player, Run
from sandbox_tests.proxy_support import free_port

PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.include_role:
        name: irishtek.kong.gateway
"""
COMMANDS = [path for path in os.environ.get("GATEWAY_KONG", "").split(":") if path]


@dataclass
class Host:
    """An inventory host of the role, and the gateway that is started on its files."""

    name: str
    player: Player
    root: Path
    command: list[str]
    options: dict[str, Any]
    ports: dict[str, int] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.root / self.name

    def port(self, name: str) -> int:
        return self.ports.setdefault(name, free_port())

    def variables(self, **more: Any) -> dict[str, Any]:
        """The variables of the inventory host; options of the role without their prefix."""
        config = {
            "prefix": str(self.root / f"{self.name}-prefix"),
            "nginx_worker_processes": 1,
            "status_listen": f"127.0.0.1:{self.port('status')}",
            **self.options.get("config", {}),
        }
        given = {
            "method": "files",
            "directory": str(self.folder),
            "version": "3.9.1",
            **self.options,
            "config": config,
            **more,
        }
        return {**LOCAL, **{f"gateway_{key}": value for key, value in given.items()}}

    def run(
        self, *, check: bool = False, diff: bool = False,
        environment: Mapping[str, str] | None = None, **more: Any,
    ) -> Run:
        """Run the role on this host."""
        hosts = {"all": {"hosts": {self.name: self.variables(**more)}}}
        return self.player(PLAY, inventory=hosts, check=check, diff=diff, environment=environment)

    def kong(self, *words: str) -> str:
        """Run the gateway's command to its end; its output."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith("KONG_")}
        log = self.root / f"{self.name}.log"
        with log.open("w") as output:
            status = subprocess.run(
                [*self.command, *words],
                env={**kept, "PYTHONPATH": str(ROOT / "tests")},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=60,
                check=False,
            ).returncode
        assert status == 0, log.read_text()
        return log.read_text()

    def conf(self) -> str:
        return str(self.folder / "kong.conf")

    def start(self) -> None:
        assert "is valid" in self.kong("check", self.conf())
        self.kong("start", "-c", self.conf())

    def stop(self) -> None:
        if (self.root / f"{self.name}-prefix").exists():
            subprocess.run(
                [*self.command, "stop", "-p", str(self.root / f"{self.name}-prefix")],
                env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
                check=False,
                timeout=60,
                capture_output=True,
            )

    def admin(self, path: str = "/") -> dict[str, Any]:
        """An answer of the Admin API; an empty one while nobody answers."""
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.port('admin')}{path}", trust_env=False)
        except httpx.TransportError:
            return {}
        return dict(answer.json())

    def message(self, path: str) -> str:
        """What the proxy says of a path; empty while nobody answers."""
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.port('proxy')}{path}", trust_env=False)
        except httpx.TransportError:
            return ""
        return "routed" if answer.status_code in (502, 503) else str(answer.json().get("message"))


class Lab:
    """Hosts of one test, whose gateways end with it."""

    def __init__(self, root: Path, command: list[str]) -> None:
        self.root, self.command, self.hosts = root, command, []

    root: Path
    command: list[str]
    hosts: list[Host]

    def host(self, alias: str, **options: Any) -> Host:
        folder = self.root / f"{alias}-player"
        folder.mkdir()
        self.hosts.append(Host(alias, Player(folder, {}), self.root, self.command, options))
        return self.hosts[-1]


@contextmanager
def lab_of(command: str) -> Iterator[Lab]:
    """A lab whose gateways are those of a command, or the sandbox's where it is empty."""
    # A prefix holds sockets, whose paths must be short.
    root = Path(tempfile.mkdtemp(prefix="gw-"))
    # The workers of a real gateway are another user's.
    root.chmod(0o755)
    made = Lab(root, [command] if command else [sys.executable, "-m", "image.kong"])
    try:
        yield made
    finally:
        for host in made.hosts:
            host.stop()
        shutil.rmtree(root, ignore_errors=True)

# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real data planes, where there is a gateway's command."""

from __future__ import annotations

import contextlib
import os
import pathlib
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import httpx

from sandbox_tests.cluster_support import Pair
from sandbox_tests.proxy_support import free_port

#: Seconds until a real data plane has started and joined; it tries again after five to ten.
PATIENCE = 120


def konnect_settings(name: str, trusted: pathlib.Path) -> dict[str, str]:
    """What a data plane of Konnect needs beside its certificate, to join a control plane."""
    return {
        "cluster_mtls": "pki", "cluster_server_name": name, "konnect_mode": "on",
        "lua_ssl_trusted_certificate": str(trusted), "vitals": "off",
    }  # fmt: skip


@dataclass(frozen=True)
class Real:
    """A real data plane that runs."""

    proxy: str
    status: str

    def hash(self) -> str:
        """The hash of the configuration that runs."""
        answer = httpx.get(f"{self.status}/status", trust_env=False)
        return str(answer.json().get("configuration_hash"))

    def served(self) -> str:
        """Which server answers behind it; the status where none does."""
        answer = httpx.get(self.proxy, trust_env=False)
        return str(answer.json()["server"] if answer.status_code == 200 else answer.status_code)


@contextlib.contextmanager
def real_data_plane(
    command: str, folder: pathlib.Path, pair: Pair, address: str, **settings: str
) -> Iterator[Real]:
    """Run a real data plane until the block ends."""
    proxy, status = free_port(), free_port()
    written = {
        "role": "data_plane", "database": "off", "prefix": str(folder / "prefix"),
        "cluster_control_plane": address, "cluster_cert": str(pair.certificate),
        "cluster_cert_key": str(pair.key), "proxy_listen": f"127.0.0.1:{proxy}",
        "status_listen": f"127.0.0.1:{status}", "anonymous_reports": "off",
        "nginx_worker_processes": "1", "nginx_user": "root", **settings,
    }  # fmt: skip
    file = folder / "kong.conf"
    file.write_text("".join(f"{name} = {value}\n" for name, value in written.items()))
    _run(command, "start", "-c", str(file))
    try:
        yield Real(f"http://127.0.0.1:{proxy}", f"http://127.0.0.1:{status}")
    finally:
        _run(command, "stop", "-p", written["prefix"])


def _run(*command: str) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KONG_")}
    ended = subprocess.run(
        command, env=kept, capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr

# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real data planes at the sandbox's control planes, and the sandbox's at a real one.

KONG_BIN names the gateway's command, several of them separated by colons, and
KONG_CLUSTER=ADMIN_URL,HOST:PORT,CERTIFICATE,KEY a real control plane with a shared certificate.
"""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
from typing import Any

import pytest

from harness.gateway import PREFIX, Gateway
from sandbox_tests.cluster_support import Authority, Pair, control_plane, data_plane
from sandbox_tests.konnect_support import konnect_with_cluster
from sandbox_tests.proxy_support import echo_server, echo_servers, eventually
from sandbox_tests.real_support import PATIENCE, Real, konnect_settings, real_data_plane
from sandbox_tests.test_konnect_nodes import NAME, routed

COMMANDS = [command for command in os.environ.get("KONG_BIN", "").split(":") if command]
CLUSTER = os.environ.get("KONG_CLUSTER", "")

needs_gateway = pytest.mark.skipif(not COMMANDS, reason="KONG_BIN names no gateway's command")
needs_cluster = pytest.mark.skipif(not CLUSTER, reason="KONG_CLUSTER names no control plane")


@pytest.fixture
def authority(tmp_path: pathlib.Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture(params=COMMANDS or [""])
def command(request: pytest.FixtureRequest) -> str:
    """The command of each gateway at hand."""
    return str(request.param)


def _version(command: str) -> str:
    said = subprocess.run([command, "version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"\d+\.\d+\.\d+", said)
    assert found is not None, said
    return found[0]


def _route(call: Any, target: str, prefix: str = "") -> None:
    call("POST", "/upstreams", {"name": f"{prefix}echo.test"})
    call("POST", f"/upstreams/{prefix}echo.test/targets", {"target": target})
    call("POST", "/services", {"name": f"{prefix}echo", "host": f"{prefix}echo.test"})
    route = {"name": f"{prefix}echo", "paths": ["/"]}
    call("POST", f"/services/{prefix}echo/routes", route)


@needs_gateway
def test_a_real_data_plane_joins_the_control_plane_and_follows(
    authority: Authority, command: str
) -> None:
    shared, folder = authority.alone(), authority.folder
    with (
        echo_servers(2) as (old, new),
        control_plane(folder, shared) as control,
        real_data_plane(command, folder, shared, control.cluster) as real,
    ):
        call = control.gateway.call
        _route(call, old.address)
        call("POST", "/consumers", {"username": "bob"})
        call("POST", "/consumers/bob/basic-auth", {"username": "bob", "password": "p"})
        call("POST", "/plugins", {"name": "rate-limiting", "config": {"second": 1000}})
        eventually(lambda: real.served() == old.address, PATIENCE)
        call("POST", "/upstreams/echo.test/targets", {"target": new.address})
        call("PATCH", f"/upstreams/echo.test/targets/{old.address}", {"weight": 0})
        eventually(lambda: real.served() == new.address, PATIENCE)
        (listed,) = eventually(
            lambda: [row for row in control.data_planes() if row["config_hash"] == real.hash()],
            PATIENCE,
        )
        assert (listed["version"], listed["sync_status"]) == (_version(command), "normal")


@needs_gateway
def test_a_real_data_plane_joins_konnect_and_follows(authority: Authority, command: str) -> None:
    folder, own, pair = authority.folder, authority.alone(NAME), authority.alone("dp")
    settings = konnect_settings(NAME, own.certificate)
    with (
        echo_server() as server,
        konnect_with_cluster(folder, own) as started,
        real_data_plane(command, folder, pair, started[1].cluster, **settings) as real,
    ):
        client = started[0]
        plane = client.control_plane()
        certificate = {"cert": pair.certificate.read_text()}
        client.made(f"{plane}/dp-client-certificates", **certificate)
        target = routed(client, plane, server.address)
        eventually(lambda: real.served() == server.address, PATIENCE)
        client.call("PUT", target, {"target": server.address, "weight": 0})
        eventually(lambda: real.served() == "503", PATIENCE)
        expected = client.call("GET", f"{plane}/expected-config-hash")["expected_hash"]
        (listed,) = eventually(
            lambda: [
                item for item in client.call("GET", f"{plane}/nodes")["items"]
                if item["config_hash"] == expected
            ],
            PATIENCE,
        )
        assert real.hash() == expected
        assert listed["compatibility_status"]["state"] == "COMPATIBILITY_STATE_FULLY_COMPATIBLE"


@needs_cluster
def test_the_sandboxs_data_plane_joins_a_real_control_plane(authority: Authority) -> None:
    admin_url, address, certificate, key = CLUSTER.split(",")
    gateway = Gateway(admin_url, "")
    release = gateway.call("GET", "/")["version"]
    pair = Pair(pathlib.Path(certificate), pathlib.Path(key), 0)
    gateway.remove_leftovers()
    with (
        echo_servers(2) as (old, new),
        data_plane(authority.folder / "dp.log", pair, address, "--version", release) as node,
    ):
        try:
            _route(gateway.call, old.address, PREFIX)
            proxy = Real(node.gateway.proxy_url, f"http://{node.status}")
            eventually(lambda: proxy.served() == old.address, PATIENCE)
            targets = f"/upstreams/{PREFIX}echo.test/targets"
            gateway.call("POST", targets, {"target": new.address})
            gateway.call("PATCH", f"{targets}/{old.address}", {"weight": 0})
            eventually(lambda: proxy.served() == new.address, PATIENCE)
            rows = gateway.entities("/clustering/data-planes")
            assert node.hash() in [row["config_hash"] for row in rows]
            assert {row["sync_status"] for row in rows} == {"normal"}
        finally:
            gateway.remove_leftovers()

# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A control plane and its data planes: what is written at the one is served by the others."""

from __future__ import annotations

import asyncio
import pathlib
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from sandbox import link
from sandbox.following import DataPlane
from sandbox.gateway import Gateway
from sandbox.store import Store
from sandbox_tests.cluster_support import Authority, Node, Pair, control_plane, data_plane
from sandbox_tests.proxy_support import echo_servers, eventually

NO_HASH = "0" * 32
NOT_READY = (503, "no configuration available (empty configuration present)")


@dataclass(frozen=True)
class Cluster:
    """A control plane and two data planes that share a certificate."""

    shared: Pair
    control_plane: Node
    data_planes: tuple[Node, Node]

    def same(self) -> bool:
        """Whether all data planes run one configuration, and the control plane knows it."""
        listed = {each["config_hash"] for each in self.control_plane.data_planes()}
        return {each.hash() for each in self.data_planes} == listed and len(listed) == 1


@pytest.fixture
def authority(tmp_path: pathlib.Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    shared = Authority(folder).alone()
    with (
        control_plane(folder, shared) as control,
        data_plane(folder / "1.log", shared, control.cluster, "--label", "region:eu") as one,
        data_plane(folder / "2.log", shared, control.cluster) as two,
    ):
        eventually(lambda: len(control.data_planes()) == 2)
        yield Cluster(shared, control, (one, two))


@pytest.fixture(autouse=True)
def emptied(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "cluster" in request.fixturenames:
        found: Cluster = request.getfixturevalue("cluster")
        found.control_plane.gateway.reset()


def _routed(control: Node, target: str) -> None:
    """Write an upstream, its target, and a route for everything."""
    call = control.gateway.call
    call("POST", "/upstreams", {"name": "echo.test"})
    call("POST", "/upstreams/echo.test/targets", {"target": target})
    call("POST", "/services", {"name": "echo", "host": "echo.test"})
    call("POST", "/services/echo/routes", {"name": "echo", "paths": ["/"]})


def _serves(node: Node, server: str) -> None:
    """Wait until a server answers behind a node."""
    eventually(lambda: _served(node) == server)


def _served(node: Node) -> str:
    """Which server answers behind a node; the status where none does."""
    answer = httpx.get(node.gateway.proxy_url, trust_env=False)
    return str(answer.json()["server"] if answer.status_code == 200 else answer.status_code)


def test_an_upstream_written_at_the_control_plane_is_served_by_both(cluster: Cluster) -> None:
    with echo_servers(1) as (server,):
        _routed(cluster.control_plane, server.address)
        for node in cluster.data_planes:
            _serves(node, server.address)


def test_a_change_reaches_both(cluster: Cluster) -> None:
    with echo_servers(2) as (old, new):
        _routed(cluster.control_plane, old.address)
        for node in cluster.data_planes:
            _serves(node, old.address)
        call = cluster.control_plane.gateway.call
        call("POST", "/upstreams/echo.test/targets", {"target": new.address})
        call("PATCH", f"/upstreams/echo.test/targets/{old.address}", {"weight": 0})
        for node in cluster.data_planes:
            _serves(node, new.address)


def test_the_control_plane_lists_who_has_joined_and_what_they_run(cluster: Cluster) -> None:
    began = int(time.time())
    cluster.control_plane.gateway.call("POST", "/upstreams", {"name": "u.test"})
    eventually(lambda: cluster.data_planes[0].hash() != NO_HASH and cluster.same())
    listed = cluster.control_plane.data_planes()
    assert sorted(str(each["labels"]) for each in listed) == ["{'region': 'eu'}", "{}"]
    for each in listed:
        assert (each["ip"], each["version"]) == ("127.0.0.1", "3.10.0")
        assert (each["sync_status"], each["ttl"]) == ("normal", 1209600)
        assert each["rpc_capabilities"] == []
        assert each["cert_details"] == {"expiry_timestamp": cluster.shared.expiry}
        assert began <= each["last_seen"] <= time.time()


def test_a_data_plane_is_ready_once_it_has_a_configuration(authority: Authority) -> None:
    shared, folder = authority.alone(), authority.folder
    with control_plane(folder, shared) as control:
        address = control.cluster
    with data_plane(folder / "dp.log", shared, address) as node:
        node.logged("retrying after")
        assert (node.ready(), node.hash()) == (NOT_READY, NO_HASH)
        # One without entities is one, too: seen on real gateways.
        with control_plane(folder, shared, "--cluster-port", address.rpartition(":")[2]):
            eventually(lambda: node.ready() == (200, "ready"))
            assert node.hash() != NO_HASH


def test_a_data_plane_that_drains_is_not_ready(authority: Authority) -> None:
    shared, folder = authority.alone(), authority.folder
    with (
        control_plane(folder, shared) as control,
        data_plane(folder / "dp.log", shared, control.cluster) as node,
    ):
        control.gateway.call("POST", "/upstreams", {"name": "u.test"})
        eventually(lambda: node.ready() == (200, "ready"))
        url = f"http://{node.status}/status/ready"
        assert httpx.post(url, json={"status": "draining"}, trust_env=False).status_code == 204
        assert node.ready() == (503, "draining")


def test_a_data_plane_is_written_to_by_its_control_plane_only(cluster: Cluster) -> None:
    gateway = cluster.data_planes[0].gateway
    assert gateway.call("GET", "/")["configuration"]["role"] == "data_plane"
    answer = httpx.post(f"{gateway.admin_url}/upstreams", json={"name": "u"}, trust_env=False)
    assert (answer.status_code, answer.json()["code"]) == (405, 12)


def test_a_data_plane_serves_what_it_was_sent_while_its_control_plane_is_away(
    authority: Authority,
) -> None:
    shared, folder = authority.alone(), authority.folder
    kept = ("--state", str(folder / "kept.json"))
    with echo_servers(1) as (server,):
        with control_plane(folder, shared) as control:
            address = control.cluster
            with data_plane(folder / "dp.log", shared, address, *kept) as node:
                _routed(control, server.address)
                _serves(node, server.address)
                known = node.hash()
        with data_plane(folder / "again.log", shared, address, *kept) as node:
            node.logged("connection to control plane .* broken: .*refused")
            assert (_served(node), node.hash(), node.ready()[0]) == (server.address, known, 200)


def test_a_data_plane_joins_once_its_control_plane_is_back(authority: Authority) -> None:
    shared, folder = authority.alone(), authority.folder
    with control_plane(folder, shared) as control:
        address = control.cluster
    with data_plane(folder / "dp.log", shared, address) as node:
        node.logged("retrying after")
        port = address.rpartition(":")[2]
        with control_plane(folder, shared, "--cluster-port", port) as control:
            eventually(lambda: [each["sync_status"] for each in control.data_planes()])


@pytest.mark.parametrize(
    ("control", "data", "status", "logged"),
    [
        ("3.10", "3.9", "normal", None),
        ("3.9", "3.10", "kong_version_incompatible", "3.10.0 is incompatible with older .* 3.9.1"),
    ],
)
def test_a_data_plane_may_be_older_than_its_control_plane_and_never_newer(
    authority: Authority, control: str, data: str, status: str, logged: str | None
) -> None:
    shared, folder = authority.alone(), authority.folder
    with (
        control_plane(folder, shared, "--version", control) as server,
        data_plane(folder / "dp.log", shared, server.cluster, "--version", data) as node,
    ):
        server.gateway.call("POST", "/upstreams", {"name": "u.test"})
        listed = eventually(server.data_planes)
        assert [each["sync_status"] for each in listed] == [status]
        if logged is None:
            eventually(lambda: node.ready()[0] == 200)
        else:
            server.logged(logged)
            node.logged("closed by the control plane, which may not take this node's version")
            assert node.ready() == NOT_READY


def test_a_data_plane_tells_its_hosts_name_with_the_domain(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared, gateway = authority.alone(), Gateway("3.10", "community")
    monkeypatch.setattr(socket, "gethostname", lambda: "gw1.kong.test")

    async def join(control: Node) -> None:
        host, _colon, port = control.cluster.rpartition(":")
        place = link.Cluster(shared.certificate, shared.key, control_plane=(host, int(port)))
        store = Store(gateway.unique, gateway.foreign)
        following = asyncio.create_task(DataPlane(place, gateway, store, "dp").run())
        await asyncio.to_thread(eventually, control.data_planes)
        following.cancel()

    with control_plane(authority.folder, shared) as control:
        asyncio.run(join(control))
        (listed,) = control.data_planes()
    assert (listed["id"], listed["hostname"]) == ("dp", "gw1.kong.test")

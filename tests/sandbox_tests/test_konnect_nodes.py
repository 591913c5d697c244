# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data planes of Konnect's control planes: pinned certificates, nodes, and what they run."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest

from sandbox_tests.cluster_support import Authority, Node, Pair, data_plane
from sandbox_tests.konnect_support import Entity, Konnect, konnect_with_cluster
from sandbox_tests.proxy_support import echo_server, eventually

NAME = "cp.konnect.test"


@dataclass(frozen=True)
class Place:
    """Konnect, its cluster port, and who makes certificates."""

    client: Konnect
    control: Node
    authority: Authority
    own: Pair

    def pinned(self, control_plane: str, name: str = "dp") -> tuple[Pair, Entity]:
        """A certificate that a control plane knows, and its item."""
        pair = self.authority.alone(name)
        certificates = f"{control_plane}/dp-client-certificates"
        return pair, self.client.made(certificates, cert=pair.certificate.read_text())["item"]

    def joining(self, pair: Pair, *options: str) -> contextlib.AbstractContextManager[Node]:
        """A data plane that joins with a certificate."""
        trust = ["--cluster-mtls", "pki", "--cluster-server-name", NAME, "--cluster-trusted",
                 str(self.own.certificate)]
        log = self.authority.folder / f"{pair.certificate.stem}.log"
        return data_plane(log, pair, self.control.cluster, *trust, *options)

    def nodes(self, control_plane: str) -> list[Entity]:
        """The nodes of a control plane."""
        return list(self.client.call("GET", f"{control_plane}/nodes")["items"])


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    authority = Authority(tmp_path_factory.mktemp("konnect"))
    own = authority.alone(NAME)
    with konnect_with_cluster(authority.folder, own) as (client, control):
        yield Place(client, control, authority, own)


@pytest.fixture
def place(running: Place) -> Place:
    running.client.reset()
    return running


def routed(client: Konnect, control_plane: str, target: str) -> str:
    """Write an upstream, its target and a route for everything; the path of the target."""
    core = f"{control_plane}/core-entities"
    upstream = client.made(f"{core}/upstreams", name="echo.test")
    targets = f"{core}/upstreams/{upstream['id']}/targets"
    made = client.made(targets, target=target)
    service = client.made(f"{core}/services", name="echo", host="echo.test")
    route = {"paths": ["/"], "protocols": ["http", "https"], "name": "echo"}
    client.made(f"{core}/services/{service['id']}/routes", **route)
    return f"{targets}/{made['id']}"


def test_a_node_joins_proxies_and_runs_what_is_expected(place: Place) -> None:
    client, plane = place.client, place.client.control_plane()
    described = client.call("GET", plane)["config"]
    assert described["control_plane_endpoint"] == f"https://{place.control.cluster}"
    pair, item = place.pinned(plane)
    with echo_server() as server, place.joining(pair, "--label", "region:eu") as node:
        routed(client, plane, server.address)
        url = node.gateway.proxy_url
        eventually(lambda: httpx.get(url, trust_env=False).status_code == 200)
        expected = client.call("GET", f"{plane}/expected-config-hash")["expected_hash"]
        (listed,) = eventually(
            lambda: [each for each in place.nodes(plane) if each["config_hash"] == expected]
        )
        assert node.hash() == expected
        assert client.call("GET", f"{plane}/nodes/{listed['id']}")["item"] == listed
        assert listed["version"] == "3.10.0" and listed["type"] == "kong-proxy"
        assert listed["compatibility_status"]["state"] == "COMPATIBILITY_STATE_FULLY_COMPATIBLE"
        assert listed["data_plane_cert_id"] == item["id"]
        assert listed["labels"] == {"region": "eu"}
        assert listed["process_conf"]["router_flavor"] == "traditional_compatible"
        assert listed["connection_state"] == {"is_connected": True}
        assert abs(listed["last_ping"] - time.time()) < 30
        ended = client.call("GET", f"{plane}/nodes/eol")["items"]
        assert [each["id"] for each in ended] == [listed["id"]]
    # It stays listed when it is gone; deleted while it runs, it comes again with its next ping.
    eventually(lambda: not place.nodes(plane)[0]["connection_state"]["is_connected"])
    client.call("DELETE", f"{plane}/nodes/{listed['id']}", status=204)
    client.call("GET", f"{plane}/nodes/{listed['id']}", status=404)


def test_a_certificate_leads_to_its_own_control_plane(place: Place) -> None:
    client = place.client
    planes = [client.control_plane()]
    planes.append(f"/control-planes/{client.made('/control-planes', name='other')['id']}")
    pairs = [place.pinned(plane, f"dp-{index}")[0] for index, plane in enumerate(planes)]
    with place.joining(pairs[0]), place.joining(pairs[1]):
        eventually(lambda: [len(place.nodes(plane)) for plane in planes] == [1, 1])
        assert place.nodes(planes[0])[0]["id"] != place.nodes(planes[1])[0]["id"]


def test_a_stranger_does_not_join_until_it_is_pinned(place: Place) -> None:
    plane, pair = place.client.control_plane(), place.authority.alone("late")
    with place.joining(pair) as node:
        node.logged("may not know this node's certificate")
        assert place.nodes(plane) == []
        certificate = {"cert": pair.certificate.read_text()}
        item = place.client.made(f"{plane}/dp-client-certificates", **certificate)["item"]
        eventually(lambda: len(place.nodes(plane)) == 1)
        assert place.nodes(plane)[0]["connection_state"] == {"is_connected": True}
        path = f"{plane}/dp-client-certificates/{item['id']}"
        place.client.call("DELETE", path, status=204)
        place.control.logged("the data plane's certificate was removed")
        eventually(lambda: not place.nodes(plane)[0]["connection_state"]["is_connected"])


def test_nodes_are_paged_by_cursor(place: Place) -> None:
    client, plane = place.client, place.client.control_plane()
    pair, _item = place.pinned(plane)
    with place.joining(pair), place.joining(pair):
        eventually(lambda: len(place.nodes(plane)) == 2)
        first = client.call("GET", f"{plane}/nodes?page[size]=1")
        assert first["page"]["total_count"] == 2
        rest = client.call("GET", f"{plane}{first['page']['next']}")
        assert "next" not in rest["page"]
        ids = {each["items"][0]["id"] for each in (first, rest)}
        assert ids == {each["id"] for each in place.nodes(plane)}
    client.call("GET", f"{plane}/nodes?page[size]=x", status=400)


def test_a_node_of_a_group_serves_what_its_members_have(place: Place) -> None:
    client, member = place.client, place.client.control_plane()
    group_type = "CLUSTER_TYPE_CONTROL_PLANE_GROUP"
    group = client.made("/control-planes", name="all", cluster_type=group_type)
    plane = f"/control-planes/{group['id']}"
    pair, _item = place.pinned(plane)
    with echo_server() as server, place.joining(pair) as node:
        routed(client, member, server.address)
        eventually(lambda: node.ready()[0] == 200)
        assert httpx.get(node.gateway.proxy_url, trust_env=False).status_code == 404
        members = {"members": [{"id": member.split("/")[-1]}]}
        client.call("PUT", f"{plane}/group-memberships", members, 204)
        url = node.gateway.proxy_url
        eventually(lambda: httpx.get(url, trust_env=False).status_code == 200)
        expected = client.call("GET", f"{plane}/expected-config-hash")["expected_hash"]
        assert node.hash() == expected
        # Its members have no data planes of their own.
        assert place.nodes(member) == []


def test_a_node_tells_what_it_cannot_apply_and_goes_on_with_what_it_has(place: Place) -> None:
    client, plane = place.client, place.client.control_plane()
    upstreams = f"{plane}/core-entities/upstreams"
    pair, _item = place.pinned(plane)
    with place.joining(pair, "--konnect-mode") as node:
        eventually(lambda: node.ready()[0] == 200)
        known = node.hash()
        body = {"name": "u", "algorithm": "sticky-sessions", "sticky_sessions_cookie": "c"}
        upstream = client.made(upstreams, **body)
        said = place.control.logged(r"reports: .*parse failure")
        assert "sticky-sessions" not in said and "algorithm" in said
        assert node.hash() == known
        # The connection holds: the next configuration is applied.
        client.call("DELETE", f"{upstreams}/{upstream['id']}", status=204)
        client.made(upstreams, name="v")
        expected = client.call("GET", f"{plane}/expected-config-hash")["expected_hash"]
        eventually(lambda: node.hash() == expected)


def test_an_older_node_gets_what_it_knows(place: Place) -> None:
    client, plane = place.client, place.client.control_plane()
    core = f"{plane}/core-entities"
    group = client.made(f"{core}/consumer_groups", name="gold")
    client.made(f"{core}/consumer_groups/{group['id']}/plugins", name="request-size-limiting")
    pair, _item = place.pinned(plane)
    with echo_server() as server, place.joining(pair, "--version", "3.9") as node:
        routed(client, plane, server.address)
        url = node.gateway.proxy_url
        eventually(lambda: httpx.get(url, trust_env=False).status_code == 200)
        assert node.gateway.entities("/plugins") == []
        assert "failover" not in node.gateway.entities("/upstreams/echo.test/targets")[0]

# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook follow_service: an upstream has the pods of a Kubernetes Service as its targets."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.api_server import ApiServer, Slices, reason_against
from harness.cluster import Cluster, Pod, stand_in
from harness.echo import Echo
from harness.gateway import PREFIX, Gateway
from harness.playbook import Player, Run
from harness.traffic import traffic

PLAYBOOK = "irishtek.kong.follow_service"
NAME = f"{PREFIX}orders"
NAMESPACE = f"{PREFIX}shop"
PODS = [Pod(f"10.1.0.{number}") for number in (11, 12, 13)]
FOLLOW = "Bring the upstream to them"


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """The API server of KUBECONFIG, or one that has EndpointSlices only."""
    if reason_against() is None:
        server = ApiServer(os.environ["KUBECONFIG"])
        server.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        yield (slices := Slices(server, NAMESPACE))
        slices.clear()
        return
    with stand_in(tmp_path, NAMESPACE) as started:
        yield started


@pytest.fixture
def follow(playbook: Player, cluster: Cluster, gateway: Gateway) -> Any:
    """Runs the playbook for the Service `orders` on the gateway under test."""
    inventory = {"kong_gateways": {"hosts": {"kong-1": {}}}}

    def run(check: bool = False, **variables: Any) -> Run:
        shared = {
            "follow_service_name": "orders",
            "follow_service_namespace": NAMESPACE,
            "follow_service_upstream": NAME,
            "follow_service_kubeconfig": cluster.kubeconfig,
        }
        gateway.reset_requests()
        known = {**shared, **variables}
        return playbook(PLAYBOOK, inventory=inventory, extra_vars=known, check=check, diff=check)

    return run


def weights(gateway: Gateway) -> dict[str, int]:
    found = gateway.entities(f"/upstreams/{NAME}/targets")
    return {each["target"]: each["weight"] for each in found}


def test_targets_follow_the_pods_from_one_to_three_to_two(
    follow: Any, cluster: Cluster, gateway: Gateway
) -> None:
    cluster.scale("orders", PODS[0])
    assert follow().ok().changed() == [FOLLOW]
    assert weights(gateway) == {"10.1.0.11:8080": 100}
    (first,) = gateway.entities(f"/upstreams/{NAME}/targets")

    cluster.scale("orders", *PODS)
    assert follow().ok().changed() == [FOLLOW]
    assert weights(gateway) == {pod.target: 100 for pod in PODS}
    assert follow().ok().changed() == []
    assert gateway.writes() == []

    cluster.scale("orders", *PODS[:2], Pod("10.1.0.13", terminating=True))
    assert follow().ok().changed() == [FOLLOW]
    assert weights(gateway) == {"10.1.0.11:8080": 100, "10.1.0.12:8080": 100, "10.1.0.13:8080": 0}
    assert follow().ok().changed() == []

    cluster.scale("orders", *PODS[:2])
    assert follow().ok().changed() == [FOLLOW]
    assert weights(gateway) == {"10.1.0.11:8080": 100, "10.1.0.12:8080": 100}
    kept = [each["id"] for each in gateway.entities(f"/upstreams/{NAME}/targets")]
    assert first["id"] in kept


def test_pods_that_are_not_ready_are_left_out_and_options_apply(
    follow: Any, cluster: Cluster, gateway: Gateway
) -> None:
    cluster.scale("orders", PODS[0], Pod("10.1.0.12", ready=False))
    options = {"follow_service_weight": 7, "follow_service_tags": ["shop"]}
    follow(follow_service_port="http", **options).ok()
    (target,) = gateway.entities(f"/upstreams/{NAME}/targets")
    assert (target["target"], target["weight"], target["tags"]) == ("10.1.0.11:8080", 7, ["shop"])
    assert follow(follow_service_port="8080", **options).ok().changed() == []
    run = follow(follow_service_port="https")
    assert run.rc and "has no port https (it has http 8080)" in run.stdout


def test_check_mode_shows_the_changes_and_writes_nothing(
    follow: Any, cluster: Cluster, gateway: Gateway
) -> None:
    cluster.scale("orders", PODS[0])
    follow().ok()
    cluster.scale("orders", PODS[1])
    run = follow(check=True).ok()
    assert run.changed() == [FOLLOW]
    assert gateway.writes() == [] and weights(gateway) == {"10.1.0.11:8080": 100}
    changes = [(each["operation"], each["target"]) for each in run.result(FOLLOW)["changes"]]
    assert sorted(changes) == [("create", "10.1.0.12:8080"), ("delete", "10.1.0.11:8080")]


def test_a_service_without_pods_empties_no_upstream_unless_that_is_asked_for(
    follow: Any, cluster: Cluster, gateway: Gateway
) -> None:
    cluster.scale("orders", *PODS)
    follow().ok()
    full = weights(gateway)
    # A slice without endpoints, then none at all, as of a Service that does not exist.
    for empty in (lambda: cluster.scale("orders"), cluster.clear):
        empty()
        for check in (True, False):
            run = follow(check=check)
            assert run.rc and "allow_empty" in run.stdout
            assert gateway.writes() == [] and weights(gateway) == full
    follow(follow_service_allow_empty=True).ok()
    assert weights(gateway) == {}


def test_one_run_removes_at_most_as_many_targets_as_it_may(
    follow: Any, cluster: Cluster, gateway: Gateway
) -> None:
    cluster.scale("orders", *PODS)
    follow().ok()
    cluster.scale("orders", PODS[0])
    run = follow(follow_service_max_deletes=1)
    assert run.rc and "max_deletes" in run.stdout
    assert len(weights(gateway)) == 3
    follow(follow_service_max_deletes=2).ok()
    assert weights(gateway) == {"10.1.0.11:8080": 100}


def test_a_service_has_to_be_named(follow: Any) -> None:
    run = follow(follow_service_name="")
    assert run.rc and "follow_service_name is required" in run.stdout


def test_no_request_fails_while_the_pods_scale(
    follow: Any, cluster: Cluster, gateway: Gateway, echo_servers: list[Echo]
) -> None:
    pods = [Pod(*_address(echo)) for echo in echo_servers]
    if isinstance(cluster, Slices) and pods[0].address.startswith("127."):
        pytest.skip("an API server refuses pods on loopback: KONG_ECHO_HOST names no other address")
    names = [echo.name for echo in echo_servers]
    cluster.scale("orders", pods[0])
    follow().ok()
    gateway.call("POST", "/services", {"name": NAME, "host": NAME})
    route = {"name": NAME, "paths": [f"/{NAME}"]}
    gateway.call("POST", f"/services/{NAME}/routes", route)
    with traffic(f"{gateway.proxy_url}/{NAME}") as seen:
        seen.until_servers_are({names[0]})
        cluster.scale("orders", *pods)
        follow().ok()
        seen.until_servers_are(set(names))
        leaving = Pod(pods[2].address, pods[2].port, terminating=True)
        cluster.scale("orders", *pods[:2], leaving)
        follow().ok()
        seen.until_servers_are(set(names[:2]))
        cluster.scale("orders", *pods[:2])
        follow().ok()
        seen.until_servers_are(set(names[:2]))
    assert seen.failed == {}


def _address(echo: Echo) -> tuple[str, int]:
    host, _colon, port = echo.target.rpartition(":")
    return host, int(port)

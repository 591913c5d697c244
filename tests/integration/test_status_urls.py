# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On a control plane a wait is over when every data plane balances so; check mode refuses alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from harness.engine import Engine
from harness.gateway import Gateway, sandbox
from sandbox_tests.cluster_support import Authority, Node, control_plane, data_plane

UPSTREAM = "web"
ONE, TWO = "127.0.0.1:18111", "127.0.0.1:18112"
OFF = "HEALTHCHECKS_OFF"
CHECK = pytest.mark.parametrize("check", [False, True], ids=["real", "check"])


@dataclass(frozen=True)
class Cluster:
    """A control plane with two data planes; the second one follows a second later."""

    engine: Engine
    planes: tuple[Node, Node]

    @property
    def urls(self) -> list[str]:
        """The status URLs of the data planes."""
        return [f"http://{plane.status}" for plane in self.planes]

    def weights(self, address: str) -> list[Any]:
        """The weight of a target in each data plane's balancer."""
        found = []
        for url in self.urls:
            seen = Gateway(url, "").call("GET", f"/upstreams/{UPSTREAM}/health")
            weights = {each["target"]: each["data"]["nodeWeight"] for each in seen["data"]}
            found.append(weights[address])
        return found


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    folder = tmp_path_factory.mktemp("cluster")
    shared = Authority(folder).alone()
    with (
        control_plane(folder, shared) as control,
        data_plane(folder / "1.log", shared, control.cluster) as one,
        data_plane(folder / "2.log", shared, control.cluster, "--propagation", "1") as two,
    ):
        engine = Engine(control.gateway)
        pool = [{"target": ONE}, {"target": TWO}]
        engine.ok("kong_upstream", name=UPSTREAM, targets=pool)
        yield Cluster(engine, (one, two))


def _target(**options: Any) -> dict[str, Any]:
    return {"upstream": UPSTREAM, "target": ONE, "wait": True, **options}


def test_a_drain_is_over_when_every_data_plane_has_it(cluster: Cluster) -> None:
    written = _target(status_urls=cluster.urls)
    for state, weight in ({"weight": 7}, 7), ({"state": "drained"}, 0), ({"weight": 100}, 100):
        result = cluster.engine.ok("kong_target", **written, **state)
        assert cluster.weights(ONE) == [weight, weight]
        assert result["nodes"] == {url: {ONE: OFF} for url in cluster.urls}
        again = cluster.engine.ok("kong_target", **written, **state)
        assert (again["changed"], again["health"]) == (False, {ONE: OFF})


def test_the_control_plane_says_where_its_data_planes_are(cluster: Cluster) -> None:
    port = cluster.planes[0].status.rpartition(":")[2]
    result = cluster.engine.ok("kong_target", **_target(status_urls=[f"http://{{ip}}:{port}"]))
    assert list(result["nodes"]) == [cluster.urls[0]]


@CHECK
def test_a_control_plane_without_the_urls_is_refused(cluster: Cluster, check: bool) -> None:
    result = cluster.engine.refused("kong_target", check=check, **_target(state="drained"))
    assert "no balancer to wait for; set status_urls to the status URLs" in result["msg"]


@CHECK
@pytest.mark.parametrize("url", ["nonsense", "http://user:hidden@127.0.0.1:8007"])
def test_a_url_that_cannot_be_one_is_refused(cluster: Cluster, check: bool, url: str) -> None:
    options = _target(state="drained", status_urls=[url])
    result = cluster.engine.refused("kong_target", check=check, **options)
    assert "status_urls" in result["msg"] and "hidden" not in str(result)


def test_targets_are_listed_with_the_health_at_every_node(cluster: Cluster) -> None:
    cluster.engine.ok("kong_target", **_target(status_urls=cluster.urls))
    options = {"kinds": ["target"], "status_urls": cluster.urls}
    (found,) = cluster.engine.ok("kong_info", health=True, **options)["entities"]
    one = found["entities"][0]
    assert [(node["url"], node["health"], node["weight"]) for node in one["nodes"]] == [
        (url, OFF, 100) for url in cluster.urls
    ]
    assert one["health"] is None, "a control plane knows none"
    result = cluster.engine.refused("kong_info", **options)
    assert result["msg"] == "status_urls needs health; set health to true"


def test_the_status_port_of_a_node_with_a_database_is_refused_at_once() -> None:
    with sandbox("--status-port", "0") as gateway:
        engine = Engine(gateway)
        engine.ok("kong_upstream", name=UPSTREAM, targets=[{"target": ONE}, {"target": TWO}])
        options = _target(state="drained", status_urls=[gateway.status_url], wait_timeout=600)
        result = engine.refused("kong_target", **options)
        assert "status port of a node with a database" in result["msg"]
        assert result["changed"] and result["target"]["weight"] == 0
        engine.ok("kong_target", **{**options, "status_urls": [gateway.admin_url]})


def test_a_node_that_refuses_is_named_and_not_the_gateway() -> None:
    with sandbox() as gateway, sandbox() as node:
        Engine(gateway).ok("kong_upstream", name=UPSTREAM, targets=[{"target": ONE}])
        node.faults(kind="answer", status=403, times=None)
        result = Engine(gateway).refused(
            "kong_info", kinds=["target"], health=True, status_urls=[node.admin_url]
        )
        assert node.admin_url in result["msg"] and gateway.admin_url not in result["msg"]

# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox as the control plane of a hybrid deployment: it balances nothing itself."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator

import httpx
import pytest

from harness.gateway import Gateway, sandbox
from sandbox_tests.proxy_support import eventually

#: As a data plane that has joined is listed (the gateway's schema of this kind).
DATA_PLANE = {
    "id": "ac9d62c0-27a9-4b3f-ae2b-2b3ad3bbd8f6",
    "hostname": "dp-1",
    "ip": "127.0.0.1",
    "version": "3.10.0",
    "config_hash": "a9a166c59873245db8f1a747ba9a80a7",
    "last_seen": 1700000000,
    "updated_at": 1700000000,
    "sync_status": "normal",
    "labels": {"region": "eu"},
    "ttl": 1209592,
    "cert_details": {"expiry_timestamp": 2000000000},
}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A control plane that one data plane has joined; new targets show their health at once."""
    state = tmp_path_factory.mktemp("state") / "state.json"
    state.write_text(json.dumps({"clustering_data_planes": [DATA_PLANE]}))
    options = ("--mode", "control_plane", "--health-delay", "0", "--propagation", "0")
    with sandbox(*options, "--state", str(state)) as running:
        yield running


def test_it_says_that_it_is_a_control_plane_without_a_proxy(gateway: Gateway) -> None:
    configuration = gateway.call("GET", "/")["configuration"]
    assert (configuration["role"], configuration["database"]) == ("control_plane", "postgres")
    assert configuration["proxy_listen"] == ["off"]
    assert gateway.proxy_url == "off"


def test_it_lists_its_data_planes(gateway: Gateway) -> None:
    assert gateway.entities("/clustering/data-planes") == [DATA_PLANE]


def test_other_gateways_have_no_data_planes() -> None:
    with sandbox() as traditional:
        answer = httpx.get(f"{traditional.admin_url}/clustering/data-planes", trust_env=False)
    assert answer.status_code == 400
    assert "configured to run as Control Plane" in answer.json()["message"]


def test_it_keeps_entities_and_never_knows_their_health(gateway: Gateway) -> None:
    checks = {"passive": {"unhealthy": {"http_failures": 1}}}
    gateway.call("POST", "/upstreams", {"name": "u.test", "healthchecks": checks})
    made = gateway.call("POST", "/upstreams/u.test/targets", {"target": "127.0.0.1:9"})
    health = gateway.call("GET", "/upstreams/u.test/health")
    assert [target["id"] for target in health["data"]] == [made["id"]]
    assert "health" not in health["data"][0]
    assert gateway.call("GET", "/upstreams/u.test/health?balancer_health=1")["data"] == {}


@pytest.mark.parametrize("path", ["healthy", "unhealthy", "127.0.0.1:9/healthy"])
def test_health_cannot_be_set_on_it(gateway: Gateway, path: str) -> None:
    gateway.call("PUT", "/upstreams/set.test", {})
    gateway.call("POST", "/upstreams/set.test/targets", {"target": "127.0.0.1:9"})
    url = f"{gateway.admin_url}/upstreams/set.test/targets/127.0.0.1:9/{path}"
    answer = httpx.put(url, trust_env=False)
    assert (answer.status_code, answer.json()) == (404, {"message": "Not found"})
    gateway.call("DELETE", "/upstreams/set.test")


def test_a_control_plane_does_not_know_what_a_balancer_knew(tmp_path: pathlib.Path) -> None:
    options = ("--state", str(tmp_path / "state.json"), "--health-delay", "0", "--propagation", "0")
    with sandbox(*options) as traditional:
        traditional.call("POST", "/upstreams", {"name": "kept.test"})
        traditional.call("POST", "/upstreams/kept.test/targets", {"target": "127.0.0.1:9"})
        path = "/upstreams/kept.test/health"
        eventually(lambda: traditional.entities(path)[0].get("health") == "HEALTHCHECKS_OFF")
    with sandbox("--mode", "control_plane", *options) as control_plane:
        (kept,) = control_plane.entities(path)
    assert kept["target"] == "127.0.0.1:9"
    assert "health" not in kept

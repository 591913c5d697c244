# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbook first_upstream_target: the tutorial's five entities, on any number of gateways."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.echo import Echo
from harness.gateway import Gateway, sandbox
from harness.paths import BINARIES, ROOT
from harness.playbook import Player, Run

PLAYBOOK = "irishtek.kong.first_upstream_target"
KONNECT_TOKEN = "kpat_1414213562"
TAGS = ["first-upstream-target"]
# What the tutorial's state file says of each entity, but for ids, times and foreign keys.
UPSTREAM = {
    "name": "upstream-example", "algorithm": "round-robin", "hash_on": "none",
    "hash_fallback": "none", "hash_on_cookie_path": "/", "slots": 10000, "tags": TAGS,
}
SERVICE = {
    "name": "Upstream-Example", "host": "upstream-example", "port": 80, "protocol": "http",
    "retries": 5, "connect_timeout": 60000, "read_timeout": 60000, "write_timeout": 60000,
    "enabled": True, "tags": TAGS,
}
ROUTE = {
    "name": "Upstream-example", "paths": ["/api"], "protocols": ["http", "https"],
    "strip_path": True, "preserve_host": False, "path_handling": "v0",
    "https_redirect_status_code": 426, "regex_priority": 0, "request_buffering": True,
    "response_buffering": True, "tags": TAGS,
}
PATHS = ("/routes/Upstream-example", "/services/Upstream-Example", "/upstreams/upstream-example")


def _inventory(*gateways: Gateway, **variables: Any) -> dict[str, Any]:
    hosts = {
        f"kong-{number}": {"kong_admin_url": gateway.admin_url, "kong_admin_token": gateway.token}
        for number, gateway in enumerate(gateways, 1)
    }
    return {"kong_gateways": {"hosts": hosts, "vars": variables}}


def _subset(entity: dict[str, Any] | None, wanted: dict[str, Any]) -> dict[str, Any]:
    return {key: (entity or {}).get(key) for key in wanted}


def _assert_tutorial(gateway: Gateway, targets: dict[str, int]) -> None:
    route, service, upstream = (gateway.call("GET", path) for path in PATHS)
    assert _subset(upstream, UPSTREAM) == UPSTREAM
    assert _subset(service, SERVICE) == SERVICE
    assert _subset(route, ROUTE) == ROUTE
    assert route["service"] == {"id": service["id"]}
    stored = gateway.entities("/upstreams/upstream-example/targets")
    assert {target["target"]: target["weight"] for target in stored} == targets
    assert all(target["tags"] == TAGS for target in stored)


@pytest.fixture
def tutorial_gateway(gateway: Gateway) -> Iterator[Gateway]:
    """A gateway without the tutorial's entities, before and after."""
    if any(gateway.call("GET", path) for path in PATHS):
        pytest.skip("the gateway has entities of the tutorial's names, which are left alone")
    yield gateway
    for path in PATHS:
        gateway.call("DELETE", path)


def test_first_run_sets_the_tutorial_up_and_the_second_changes_nothing(
    playbook: Player, tutorial_gateway: Gateway
) -> None:
    first = playbook(PLAYBOOK, inventory=_inventory(tutorial_gateway)).ok()
    names = ["Create the upstream with its targets", "Create the service", "Create the route"]
    assert [name for name in names if name in first.changed()] == names
    _assert_tutorial(tutorial_gateway, {"google.com:80": 100, "httpbin.org:80": 100})
    tutorial_gateway.reset_requests()
    assert playbook(PLAYBOOK, inventory=_inventory(tutorial_gateway)).ok().total("changed") == 0
    assert tutorial_gateway.writes() == []


def test_it_begins_by_telling_which_gateway_of_which_version_it_is(
    playbook: Player, tutorial_gateway: Gateway
) -> None:
    run = playbook(PLAYBOOK, inventory=_inventory(tutorial_gateway), check=True).ok()
    version = tutorial_gateway.call("GET", "/")["version"]
    told = run.result("Show which gateway it is")["first_upstream_target_ping.msg"]
    assert version in told
    assert tutorial_gateway.admin_url in told
    assert told in run.stdout


def test_check_mode_shows_all_five_entities_and_writes_none(
    playbook: Player, tutorial_gateway: Gateway
) -> None:
    run = playbook(PLAYBOOK, inventory=_inventory(tutorial_gateway), check=True, diff=True).ok()
    assert run.total("changed") == 3
    for word in ("google.com:80", "httpbin.org:80", "Upstream-Example", "Upstream-example", "/api"):
        assert word in run.stdout
    assert [tutorial_gateway.call("GET", path) for path in PATHS] == [None, None, None]
    assert tutorial_gateway.writes() == []


def test_echo_servers_take_the_public_targets_place_and_answer_through_the_proxy(
    playbook: Player, tutorial_gateway: Gateway, echo_servers: list[Echo]
) -> None:
    playbook(PLAYBOOK, inventory=_inventory(tutorial_gateway)).ok()
    targets = {echo.target: 100 for echo in echo_servers[:2]}
    inventory = _inventory(
        tutorial_gateway,
        kong_proxy_url=f"{tutorial_gateway.proxy_url}/",
        first_upstream_target_targets=[
            {"target": target, "weight": weight} for target, weight in targets.items()
        ],
        first_upstream_target_statuses=[200],
    )
    run = playbook(PLAYBOOK, inventory=inventory).ok()
    assert run.changed() == ["Create the upstream with its targets"]
    assert run.result("Probe the way through the proxy")["statuses"] == {"200": 1}
    _assert_tutorial(tutorial_gateway, targets)


def test_absent_takes_all_of_it_away_once(playbook: Player, tutorial_gateway: Gateway) -> None:
    playbook(PLAYBOOK, inventory=_inventory(tutorial_gateway)).ok()
    absent = _inventory(tutorial_gateway, first_upstream_target_state="absent")
    assert playbook(PLAYBOOK, inventory=absent, check=True).ok().total("changed") == 3
    _assert_tutorial(tutorial_gateway, {"google.com:80": 100, "httpbin.org:80": 100})
    assert playbook(PLAYBOOK, inventory=absent).ok().total("changed") == 3
    assert [tutorial_gateway.call("GET", path) for path in PATHS] == [None, None, None]
    assert playbook(PLAYBOOK, inventory=absent).ok().total("changed") == 0


def test_one_run_serves_many_gateways(
    playbook: Player, empty_gateway: Gateway, second_gateway: Gateway
) -> None:
    inventory = _inventory(empty_gateway, second_gateway)
    run = playbook(PLAYBOOK, inventory=inventory).ok()
    assert [run.stats[host]["changed"] for host in ("kong-1", "kong-2")] == [3, 3]
    for gateway in (empty_gateway, second_gateway):
        _assert_tutorial(gateway, {"google.com:80": 100, "httpbin.org:80": 100})
    second_gateway.call("DELETE", PATHS[0])
    run = playbook(PLAYBOOK, inventory=inventory).ok()
    assert [run.stats[host]["changed"] for host in ("kong-1", "kong-2")] == [0, 1]


def test_the_control_planes_of_an_inventory_of_konnect_are_gateways_like_others(
    playbook: Player, tmp_path: Path
) -> None:
    with sandbox("--admin-token", KONNECT_TOKEN, control_plane="default") as started:
        default = replace(started, token=KONNECT_TOKEN)
        default.call("POST", "/v2/control-planes", {"name": "team-a"})
        default.call("POST", "/v2/control-planes", {"name": "other"})
        inventory = tmp_path / "konnect.yml"
        groups = {"kong_gateways": "inventory_hostname != 'other'"}
        inventory.write_text(json.dumps({
            "plugin": "irishtek.kong.konnect", "konnect_url": default.admin_url, "groups": groups,
        }))
        planes = [default, replace(default, control_plane="team-a")]

        def run(**variables: Any) -> Run:
            return playbook(
                PLAYBOOK, inventory=inventory, extra_vars=variables,
                environment={"KONNECT_TOKEN": KONNECT_TOKEN},
            ).ok()

        done = [run(), run()]
        assert [{host: each["changed"] for host, each in one.stats.items()} for one in done] == [
            {"default": 3, "team-a": 3}, {"default": 0, "team-a": 0},
        ]
        assert "Successfully Konnected to the Kong organization!" in done[0].stdout
        assert KONNECT_TOKEN not in "".join(one.stdout + json.dumps(one.tasks) for one in done)
        for plane in planes:
            _assert_tutorial(plane, {"google.com:80": 100, "httpbin.org:80": 100})
        assert run(first_upstream_target_state="absent").total("changed") == 6
        assert [plane.call("GET", path) for plane in planes for path in PATHS] == [None] * 6


def test_hosts_without_a_url_use_the_modules_environment(
    playbook: Player, tutorial_gateway: Gateway
) -> None:
    inventory: dict[str, Any] = {"my_gateways": {"hosts": {"kong": {}}}}
    run = playbook(
        PLAYBOOK, inventory=inventory, extra_vars={"kong_hosts": "my_gateways"}, check=True
    )
    assert tutorial_gateway.admin_url in run.ok().stdout


def test_a_token_opens_the_gateway_and_is_never_shown(playbook: Player) -> None:
    token = "opens-kong-3141592653"
    with sandbox("--admin-token", token) as guarded:
        inventory = _inventory(guarded)
        host = inventory["kong_gateways"]["hosts"]["kong-1"]
        host["kong_admin_token"] = "not-the-token-2718281828"
        refused = playbook(PLAYBOOK, inventory=inventory, diff=True)
        assert refused.rc != 0
        host["kong_admin_token"] = token
        opened = playbook(PLAYBOOK, inventory=inventory, diff=True).ok()
    for run in (refused, opened):
        shown = run.stdout + json.dumps(run.tasks)
        assert token not in shown
        assert "not-the-token-2718281828" not in shown


def test_another_state_is_refused(playbook: Player, tutorial_gateway: Gateway) -> None:
    inventory = _inventory(tutorial_gateway, first_upstream_target_state="gone")
    run = playbook(PLAYBOOK, inventory=inventory)
    assert run.rc != 0
    assert "first_upstream_target_state is either present or absent" in run.stdout
    assert tutorial_gateway.call("GET", PATHS[2]) is None


@pytest.mark.parametrize(("name", "count"), [("one_gateway", 1), ("two_gateways", 2)])
def test_example_inventories_hold_gateways_with_both_urls(name: str, count: int) -> None:
    path = ROOT / f"playbooks/inventories/{name}.yml"
    done = subprocess.run(
        [BINARIES / "ansible-inventory", "--inventory", path, "--list"],
        capture_output=True, text=True, check=True, timeout=60, env=dict(os.environ),
    )
    listed = json.loads(done.stdout)
    hosts = listed["kong_gateways"]["hosts"]
    assert len(hosts) == count
    for host in hosts:
        variables = listed["_meta"]["hostvars"][host]
        assert variables["kong_admin_url"] and variables["kong_proxy_url"]

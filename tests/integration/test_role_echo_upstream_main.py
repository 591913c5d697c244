# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role echo_upstream, entry point main: what leads to the echo servers, and the probe."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from harness.echo import Echo
from harness.gateway import Gateway
from harness.playbook import Player

PLAY = """
- hosts: kong_gateways
  gather_facts: false
  module_defaults:
    group/irishtek.kong.kong:
      admin_url: "{{ kong_admin_url }}"
      admin_token: "{{ kong_admin_token }}"
  tasks:
    - name: Echo upstream
      ansible.builtin.include_role:
        name: irishtek.kong.echo_upstream
"""
NAME = "irishtek-test-echo"
PATHS = (f"/routes/{NAME}", f"/services/{NAME}", f"/upstreams/{NAME}")
TAGS = ["irishtek-test-tag"]
REPORT, PROBE = "Report the responses", "Probe the way through the proxy"


def _inventory(
    *gateways: Gateway, echo: dict[str, dict[str, Any]] | None = None, **variables: Any
) -> dict[str, Any]:
    hosts = {
        f"kong-{number}": {
            "kong_admin_url": gateway.admin_url,
            "kong_admin_token": gateway.token,
            "kong_proxy_url": gateway.proxy_url,
        }
        for number, gateway in enumerate(gateways, 1)
    }
    role = {
        "echo_upstream_name": NAME, "echo_upstream_path": f"/{NAME}", "echo_upstream_tags": TAGS,
        **variables,
    }
    return {
        "kong_gateways": {"hosts": hosts, "vars": role},
        "echo_servers": {"hosts": echo or {}},
    }


def _hosts(echo_servers: list[Echo], **weights: int) -> dict[str, dict[str, Any]]:
    """The echo servers with a weight as inventory hosts."""
    return {
        echo.name: {
            "ansible_host": echo.target.rpartition(":")[0],
            "echo_upstream_port": echo.port,
            "echo_upstream_weight": weights[echo.name.replace("-", "_")],
        }
        for echo in echo_servers
        if echo.name.replace("-", "_") in weights
    }


def _targets(gateway: Gateway) -> dict[str, int]:
    stored = gateway.entities(f"/upstreams/{NAME}/targets")
    return {target["target"]: target["weight"] for target in stored}


@pytest.fixture
def clean_gateway(gateway: Gateway) -> Iterator[Gateway]:
    """The gateway without the tests' entities, before and after."""
    for path in PATHS:
        gateway.call("DELETE", path)
    gateway.reset_requests()
    yield gateway
    for path in PATHS:
        gateway.call("DELETE", path)


def test_equal_weights_get_equal_shares_and_a_second_run_changes_nothing(
    playbook: Player, clean_gateway: Gateway, echo_servers: list[Echo]
) -> None:
    inventory = _inventory(
        clean_gateway, echo=_hosts(echo_servers, echo_a=100, echo_b=100),
        echo_upstream_group="echo_servers",
    )
    run = playbook(PLAY, inventory=inventory).ok()
    assert run.total("changed") == 3
    assert "echo-a 2 (weight 100), echo-b 2 (weight 100)" in run.result(REPORT)["msg"]
    for path in PATHS:
        assert clean_gateway.call("GET", path)["tags"] == TAGS
    stored = clean_gateway.entities(f"{PATHS[2]}/targets")
    assert [target["tags"] for target in stored] == [TAGS, TAGS]
    clean_gateway.reset_requests()
    run = playbook(PLAY, inventory=inventory).ok()
    assert run.total("changed") == 0
    assert "4 of 4 requests" in run.result(REPORT)["msg"]
    assert clean_gateway.writes() == []


def test_a_changed_weight_is_waited_for_until_the_answers_show_it(
    playbook: Player, clean_gateway: Gateway, echo_servers: list[Echo]
) -> None:
    for weights, told in (
        ({"echo_a": 100, "echo_b": 100}, {"echo-a": 2, "echo-b": 2}),
        ({"echo_a": 300, "echo_b": 100}, {"echo-a": 6, "echo-b": 2}),
        ({"echo_a": 0, "echo_b": 100, "echo_c": 100}, {"echo-b": 2, "echo-c": 2}),
    ):
        inventory = _inventory(
            clean_gateway, echo=_hosts(echo_servers, **weights), echo_upstream_group="echo_servers"
        )
        run = playbook(PLAY, inventory=inventory).ok()
        assert run.result(PROBE)["counts"] == told
    assert len(_targets(clean_gateway)) == 3


def test_a_list_of_targets_is_counted_by_its_servers_names(
    playbook: Player, clean_gateway: Gateway, echo_servers: list[Echo]
) -> None:
    first, second = echo_servers[:2]
    inventory = _inventory(
        clean_gateway,
        echo_upstream_targets=[
            {"target": first.target, "weight": 300, "server": first.name},
            {"target": second.target, "tags": ["irishtek-test-own"], "server": second.name},
        ],
    )
    run = playbook(PLAY, inventory=inventory).ok()
    assert "echo-a 6 (weight 300), echo-b 2 (weight 100)" in run.result(REPORT)["msg"]
    tags = {t["target"]: t["tags"] for t in clean_gateway.entities(f"{PATHS[2]}/targets")}
    assert tags == {first.target: TAGS, second.target: ["irishtek-test-own"]}


def test_targets_whose_servers_nobody_named_are_counted_by_size(
    playbook: Player, clean_gateway: Gateway, echo_servers: list[Echo]
) -> None:
    inventory = _inventory(
        clean_gateway,
        echo_upstream_targets=[
            {"target": echo_servers[0].target, "weight": 100},
            # Unlike any shares, also rounded, that another test leaves in a real gateway's proxy.
            {"target": echo_servers[1].target, "weight": 900},
        ],
    )
    run = playbook(PLAY, inventory=inventory).ok()
    assert "echo-b 18 (weight 900), echo-a 2 (weight 100)" in run.result(REPORT)["msg"]


def test_weights_without_a_short_round_are_counted_within_a_tenth(
    playbook: Player, clean_gateway: Gateway, echo_servers: list[Echo]
) -> None:
    inventory = _inventory(
        clean_gateway, echo=_hosts(echo_servers, echo_a=100, echo_b=99),
        echo_upstream_group="echo_servers",
    )
    assert "100 of 100 requests" in playbook(PLAY, inventory=inventory).ok().result(REPORT)["msg"]


def test_answers_of_the_wrong_servers_fail_with_the_counts(
    playbook: Player, clean_gateway: Gateway, echo_servers: list[Echo]
) -> None:
    first, second = echo_servers[:2]
    addresses = ((first.target, 300), (second.target, 100))
    # What another test had under this path, or one that this path begins with, answers for some
    # seconds yet. Weights without a short round gave by chance, once in ten, what is wrong here.
    key = uuid.uuid4().hex[:8]

    def answering(*names: str, **variables: Any) -> dict[str, Any]:
        targets = [
            {"target": target, "weight": weight, "server": name}
            for (target, weight), name in zip(addresses, names, strict=True)
        ]
        own = {"echo_upstream_name": f"{NAME}-{key}", "echo_upstream_path": f"/{key}", **variables}
        return _inventory(clean_gateway, echo_upstream_targets=targets, **own)

    # Once the right names are proven, the proxy has the change and its shares stay as they are:
    # what the probe then counts does not depend on when a change arrives.
    playbook(PLAY, inventory=answering(first.name, second.name)).ok()
    wrong = answering(second.name, first.name, echo_upstream_probe_timeout=1)
    run = playbook(PLAY, inventory=wrong)
    assert run.rc != 0 and run.total("changed") == 0, run.result(REPORT)["msg"]
    told = run.result(PROBE)["msg"]
    assert "echo-b 2 (weight 300), echo-a 6 (weight 100)" in told
    assert "not as expected within" in told


def test_targets_that_are_no_echo_servers_are_proven_by_status_only(
    playbook: Player, clean_gateway: Gateway, echo_servers: list[Echo]
) -> None:
    inventory = _inventory(
        clean_gateway, echo_upstream_targets=[{"target": echo_servers[0].target}],
        echo_upstream_probe_counts=False,
    )
    run = playbook(PLAY, inventory=inventory).ok()
    result = run.result(PROBE)
    assert result["url"] == f"{clean_gateway.proxy_url}/{NAME}"
    assert (result["statuses"], result["counts"]) == ({"200": 1}, {})


def test_a_host_with_several_servers_gives_several_targets(
    playbook: Player, clean_gateway: Gateway, echo_servers: list[Echo]
) -> None:
    servers = [{"name": echo.name, "port": echo.port} for echo in echo_servers]
    address = echo_servers[0].target.rpartition(":")[0]
    host = {"gateway_side_address": address, "echo_upstream_servers": servers}
    inventory = _inventory(
        clean_gateway, echo={"web": host}, echo_upstream_group="echo_servers",
        echo_upstream_address_variable="gateway_side_address",
    )
    run = playbook(PLAY, inventory=inventory).ok()
    assert _targets(clean_gateway) == {echo.target: 100 for echo in echo_servers}
    assert run.result(PROBE)["counts"] == {echo.name: 2 for echo in echo_servers}


def test_check_mode_predicts_and_neither_writes_nor_asks(
    playbook: Player, clean_gateway: Gateway, echo_servers: list[Echo]
) -> None:
    inventory = _inventory(
        clean_gateway, echo_upstream_targets=[{"target": echo_servers[0].target}]
    )
    run = playbook(PLAY, inventory=inventory, check=True, diff=True).ok()
    assert run.total("changed") == 3
    assert "check mode sends no requests to" in run.result(PROBE)["msg"]
    assert [clean_gateway.call("GET", path) for path in PATHS] == [None, None, None]
    assert clean_gateway.writes() == []


def test_an_empty_group_does_not_empty_the_pool(
    playbook: Player, clean_gateway: Gateway, echo_servers: list[Echo]
) -> None:
    variables: dict[str, Any] = {
        "echo_upstream_group": "echo_servers", "echo_upstream_probe": False
    }
    hosts = _hosts(echo_servers, echo_a=100, echo_b=100)
    playbook(PLAY, inventory=_inventory(clean_gateway, echo=hosts, **variables)).ok()
    for group in ("echo_servers", "no_such_group"):
        variables["echo_upstream_group"] = group
        run = playbook(PLAY, inventory=_inventory(clean_gateway, **variables))
        assert run.rc != 0
        assert f"The group {group} has no hosts: the upstream would lose" in run.stdout
        assert len(_targets(clean_gateway)) == 2


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({}, "Give either echo_upstream_targets or echo_upstream_group"),
        (
            {"echo_upstream_targets": [{"target": "t:1"}], "echo_upstream_group": "echo_servers"},
            "Give either echo_upstream_targets or echo_upstream_group",
        ),
        (
            {"echo_upstream_group": "echo_servers", "echo_upstream_address_variable": "nowhere"},
            "echo-a of the group echo_servers lack the variable nowhere",
        ),
        (
            {"echo_upstream_targets": [{"target": "t:1"}], "echo_upstream_proxy_url": ""},
            "The probe needs echo_upstream_proxy_url and a target with a weight above 0",
        ),
        (
            {"echo_upstream_targets": [{"target": "t:1", "weight": 0}]},
            "The probe needs echo_upstream_proxy_url and a target with a weight above 0",
        ),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_written(
    playbook: Player, clean_gateway: Gateway, echo_servers: list[Echo],
    variables: dict[str, Any], reason: str,
) -> None:
    inventory = _inventory(clean_gateway, echo=_hosts(echo_servers, echo_a=100), **variables)
    run = playbook(PLAY, inventory=inventory)
    assert run.rc != 0
    assert reason in " ".join(run.stdout.split())
    assert clean_gateway.call("GET", PATHS[2]) is None


def test_absent_takes_all_of_it_away_once(
    playbook: Player, clean_gateway: Gateway, echo_servers: list[Echo]
) -> None:
    targets = [{"target": echo_servers[0].target}]
    present = _inventory(
        clean_gateway, echo_upstream_targets=targets, echo_upstream_probe=False
    )
    playbook(PLAY, inventory=present).ok()
    absent = _inventory(clean_gateway, echo_upstream_state="absent")
    assert playbook(PLAY, inventory=absent, check=True).ok().total("changed") == 1
    assert len(_targets(clean_gateway)) == 1
    assert playbook(PLAY, inventory=absent).ok().total("changed") == 1
    assert [clean_gateway.call("GET", path) for path in PATHS] == [None, None, None]
    assert playbook(PLAY, inventory=absent).ok().total("changed") == 0


def test_each_gateway_is_probed_through_its_own_proxy(
    playbook: Player, empty_gateway: Gateway, second_gateway: Gateway, echo_servers: list[Echo]
) -> None:
    inventory = _inventory(
        empty_gateway, second_gateway, echo=_hosts(echo_servers, echo_a=100, echo_b=100),
        echo_upstream_group="echo_servers",
    )
    run = playbook(PLAY, inventory=inventory).ok()
    for number, gateway in enumerate((empty_gateway, second_gateway), 1):
        told = run.result(REPORT, f"kong-{number}")["msg"]
        assert f"4 of 4 requests to {gateway.proxy_url}/{NAME}" in told

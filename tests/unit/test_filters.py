# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts of an inventory become targets; a host that cannot is named."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleFilterError

from ansible_collections.irishtek.kong.plugins.filter import kong_target_address as address_file
from ansible_collections.irishtek.kong.plugins.filter import kong_targets as targets_file
from ansible_collections.irishtek.kong.plugins.filter.kong_target_address import kong_target_address
from ansible_collections.irishtek.kong.plugins.filter.kong_targets import kong_targets

HOSTVARS: dict[str, dict[str, Any]] = {
    "web1": {
        "inventory_hostname": "web1",
        "ansible_host": "10.0.0.1",
        "port": 81,
        "load": "30",
        "bound": "10.0.0.1:90",
    },
    "web2": {
        "inventory_hostname": "web2",
        "ansible_host": "::1",
        "port": "82",
        "load": 0,
        "bound": "[::1]:90",
    },
    "bare": {"inventory_hostname": "bare", "ansible_host": "", "load": None, "bad": "a b"},
    "odd": {
        "ansible_host": "010.0.0.1",
        "load": 65536,
        "some": 1.5,
        "yes": True,
        "word": "x",
        "minus": -1,
    },
}
LOOPBACK = "[0000:0000:0000:0000:0000:0000:0000:0001]"


def _is_filter(found: Any, name: str, function: Any) -> bool:
    return bool(found.FilterModule().filters() == {name: function})


def test_each_file_offers_its_filter() -> None:
    assert _is_filter(address_file, "kong_target_address", kong_target_address)
    assert _is_filter(targets_file, "kong_targets", kong_targets)


def test_an_address_is_written_as_the_gateway_stores_it() -> None:
    assert kong_target_address("010.0.0.1") == "10.0.0.1:8000"
    assert kong_target_address("[::1]:080") == f"{LOOPBACK}:80"


@pytest.mark.parametrize("address", ["a b", "1.2.3.4:65536", "", 8000, None, ["10.0.0.1"]])
def test_what_is_no_address_is_refused_and_named(address: Any) -> None:
    with pytest.raises(AnsibleFilterError, match=re.escape(repr(address))):
        kong_target_address(address)


@pytest.mark.parametrize(
    ("options", "targets"),
    [
        ({}, [{"target": "10.0.0.1:8000"}, {"target": f"{LOOPBACK}:8000"}]),
        ({"port": 8080}, [{"target": "10.0.0.1:8080"}, {"target": f"{LOOPBACK}:8080"}]),
        ({"port": "8080"}, [{"target": "10.0.0.1:8080"}, {"target": f"{LOOPBACK}:8080"}]),
        ({"port": "port"}, [{"target": "10.0.0.1:81"}, {"target": f"{LOOPBACK}:82"}]),
        ({"address": "bound"}, [{"target": "10.0.0.1:90"}, {"target": f"{LOOPBACK}:90"}]),
        (
            {"address": "inventory_hostname", "weight": "load"},
            [{"target": "web1:8000", "weight": 30}, {"target": "web2:8000", "weight": 0}],
        ),
        (
            {"address": "inventory_hostname", "weight": 5, "tags": ["a"]},
            [
                {"target": "web1:8000", "weight": 5, "tags": ["a"]},
                {"target": "web2:8000", "weight": 5, "tags": ["a"]},
            ],
        ),
    ],
)
def test_hosts_become_targets(options: dict[str, Any], targets: list[dict[str, Any]]) -> None:
    assert kong_targets(["web1", "web2"], HOSTVARS, **options) == targets


def test_no_hosts_are_no_targets() -> None:
    assert kong_targets([], HOSTVARS, port=1, weight="load") == []


def test_targets_share_no_list_of_tags() -> None:
    tags = ["a"]
    first, second = kong_targets(["web1", "web2"], HOSTVARS, tags=tags)
    first["tags"].append("b")
    assert (second["tags"], tags) == (["a"], ["a"])


@pytest.mark.parametrize(
    ("hosts", "options", "message"),
    [
        (["web3"], {}, "host web3 is not in the inventory"),
        (["web1", "bare"], {}, "no variable ansible_host; set address to inventory_hostname"),
        (["odd"], {"address": "fqdn"}, "host odd has no variable fqdn"),
        (["bare"], {"address": "inventory_hostname", "port": "port"}, "bare has no variable port"),
        (["bare"], {"address": "inventory_hostname", "weight": "load"}, "no variable load"),
        (["bare"], {"address": "bad"}, "host bare: bad: target 'a b' is not a valid"),
        (["web1"], {"address": "bound", "port": 1}, "host web1: bound 10.0.0.1:90 has a port"),
        (["web2"], {"address": "bound", "port": 1}, r"host web2: bound \[::1\]:90 has a port"),
        (["odd"], {"weight": "load"}, "host odd: weight load is 65536, and must be"),
        (["odd"], {"weight": "some"}, "host odd: weight some is 1.5, and must be"),
        (["odd"], {"weight": "yes"}, "host odd: weight yes is True, and must be"),
        (["odd"], {"weight": "word"}, "host odd: weight word is 'x', and must be"),
        (["odd"], {"weight": "minus"}, "host odd: weight minus is -1, and must be"),
        (["odd"], {"port": 70000}, "host odd: port is 70000, and must be"),
        (["web1", "odd"], {}, "hosts web1 and odd are one target: 10.0.0.1:8000"),
        ("web1", {}, "takes a list of hosts, not 'web1'"),
        ({"web1": 1}, {}, "takes a list of hosts"),
    ],
)
def test_a_host_that_cannot_be_a_target_is_named(
    hosts: Any, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(AnsibleFilterError, match=message):
        kong_targets(hosts, HOSTVARS, **options)


def test_an_address_whose_last_group_may_be_a_port_is_warned_about(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    warnings: list[str] = []
    for file in (address_file, targets_file):
        monkeypatch.setattr(file, "Display", lambda: SimpleNamespace(warning=warnings.append))
    hostvars = {"a": {"ansible_host": "fd00::7c46:80"}}
    target = "[fd00:0000:0000:0000:0000:0000:7c46:0080]"
    assert kong_target_address("fd00::7c46:80") == f"{target}:8000"
    assert kong_targets(["a"], hostvars) == [{"target": f"{target}:8000"}]
    assert ["write [fd00::7c46]:80 if" in warning for warning in warnings] == [True, True]
    warnings.clear()
    assert kong_targets(["a"], hostvars, port=9) == [{"target": f"{target}:9"}]
    assert warnings == []

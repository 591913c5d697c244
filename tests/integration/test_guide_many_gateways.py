# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory and the commands of the guide on many gateways do what the page says."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from harness.echo import PROGRAM
from harness.engine import Engine
from harness.examples import WITHOUT_PACKAGES, of
from harness.gateway import Gateway
from harness.playbook import LOCAL
from harness.processes import server
from harness.walkthrough import Step, Walk, commands

EXAMPLES = [
    *of("guide_many_gateways", "inventory.yml", "ansible-playbook", "drain.yml", "upgrade.yml"),
    *of("site/playbooks"),
]
# What the rollout brings to the gateways of the page.
STATE = """
_format_version: "3.0"
_info: {select_tags: [platform]}
upstreams: [{name: orders, targets: [{target: "10.0.0.11:8080"}, {target: "10.0.0.12:8080"}]}]
services: [{name: orders, host: orders, routes: [{name: orders, paths: [/orders]}]}]
"""
# Groups that the page speaks of.
GROUPS = """
orders_v1:
  hosts:
    orders-1:
orders_v2:
  hosts:
    orders-2:
"""
# The weights of the two targets on both gateways after each command; a rollout makes them.
BOTH, DRAINED = [100, 100], [0, 100]
WEIGHTS: list[tuple[str, list[int]]] = [
    ("rollout --check", []), ("rollout", BOTH), ("mode=plan", BOTH), ("mode=saved", BOTH),
    ("drain.yml --check", BOTH), ("drain.yml", DRAINED), ("irishtek.kong.drain", BOTH),
    ("irishtek.kong.blue_green", DRAINED), ("irishtek.kong.drain", BOTH),
]  # fmt: skip


@contextmanager
def _servers(port: int) -> Iterator[None]:
    """Both servers of the inventory."""
    with ExitStack() as stack:
        for number in (1, 2):
            bound = ["--bind", f"127.0.0.1{number}", "--port", str(port)]
            command = [str(PROGRAM), *bound, "--name", f"orders-{number}", "--quiet"]
            stack.enter_context(server(command, "listens on"))
        yield


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _weights(gateway: Gateway) -> list[int]:
    if not gateway.entities("/upstreams"):
        return []
    targets = gateway.entities("/upstreams/orders/targets")
    return [each["weight"] for each in sorted(targets, key=lambda each: each["target"])]


@pytest.fixture
def walk(empty_gateway: Gateway, second_gateway: Gateway, tmp_path: Path) -> Iterator[Walk]:
    """A reader whose gateways and servers are on this machine."""
    if empty_gateway.token or empty_gateway.echo_host != "127.0.0.1":
        pytest.skip("the page's servers are on this machine, and its gateways ask for no token")
    port = _free_port()
    # A busy machine takes longer.
    replaced = {"10.0.0.1": "127.0.0.1", "8080": str(port), "max_latency: 0.5": "max_latency: 50"}
    for name, each in {"dublin": empty_gateway, "cork": second_gateway}.items():
        replaced[f"https://kong-{name}.example.com:8444"] = each.admin_url
        replaced[f"https://kong-{name}.example.com:8443"] = each.proxy_url
    own: dict[str, Any] = {
        **LOCAL, "ansible_become": False, "rollout_directory": str(tmp_path / "rollouts"),
        "drain_seconds": 0, "drain_port": port, "blue_green_port": port,
    }  # fmt: skip
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/all.yml").write_text(json.dumps(own))
    with _servers(port):
        yield Walk(tmp_path, {**replaced, **WITHOUT_PACKAGES})


def test_each_command_leaves_the_weights_that_the_page_says(
    walk: Walk, empty_gateway: Gateway, second_gateway: Gateway
) -> None:
    walk.take(Step(name="kong.yaml", text=STATE))
    expected = iter(WEIGHTS)
    for example in EXAMPLES:
        if example.name:
            more = GROUPS if example.name == "inventory.yml" else ""
            walk.take(Step(name=example.name, text=example.text + more))
            continue
        for step in commands(example.text):
            if "irishtek.kong.drain" in step.command:
                _bring_back(empty_gateway, second_gateway)
            walk.take(step)
            part, weights = next(expected)
            assert part in step.command
            assert [_weights(each) for each in (empty_gateway, second_gateway)] == [weights] * 2
    assert list(expected) == []


def _bring_back(*gateways: Gateway) -> None:
    """Give drained targets their weight again, as the page says."""
    for gateway in gateways:
        targets = gateway.entities("/upstreams/orders/targets")
        back = [{"target": each["target"], "weight": 100} for each in targets]
        Engine(gateway).ok("kong_target", upstream="orders", targets=back)

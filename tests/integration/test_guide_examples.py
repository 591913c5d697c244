# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guides' plays and tasks that a gateway alone serves run as they stand."""

from __future__ import annotations

import json
import re
import textwrap

import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]

from harness.engine import Engine
from harness.gateway import Gateway
from harness.paths import ROOT
from harness.playbook import LOCAL, Player

BLOCK = re.compile(
    r"^\.\. code-block:: yaml\n(?:   :caption: .*\n)?\n((?:    .*\n|\n)+)", re.MULTILINE
)
# Examples with these need more than a gateway: another host, Konnect, a cluster or a role's host.
MORE = ("example.com", "kong-1.example", "konnect_token", "kubernetes.core", "builtin.package",
        "include_role", "sources")  # fmt: skip
GUIDES = {"connection": 2, "basics": 4, "many_gateways": 3, "migration": 4}


def _plays(guide: str, gateway: Gateway) -> list[dict[str, object]]:
    """The examples as plays; tasks get a play of their own."""
    text = (ROOT / f"docs/docsite/rst/guide_{guide}.rst").read_text(encoding="utf-8")
    plays = []
    for block in BLOCK.findall(text.replace("http://127.0.0.1:8001", gateway.admin_url)):
        found = yaml.safe_load(textwrap.dedent(block))
        if isinstance(found, dict) or any(word in block for word in MORE):
            continue
        whole = all("hosts" in item for item in found)
        plays += found if whole else [
            {"name": "Tasks", "hosts": "localhost", "gather_facts": False, "tasks": found}
        ]
    return plays


def test_the_examples_run_as_they_stand(empty_gateway: Gateway, playbook: Player) -> None:
    if empty_gateway.token:
        pytest.skip("the examples' gateway asks for no token")
    engine = Engine(empty_gateway)
    for name in ("orders", "orders.pool"):
        targets = [{"target": f"10.0.0.1{number}:8080"} for number in (1, 2)]
        engine.ok("kong_upstream", name=name, targets=targets)
    engine.ok("kong_service", name="orders", host="orders")
    plays = {guide: _plays(guide, empty_gateway) for guide in GUIDES}
    assert {guide: len(found) for guide, found in plays.items()} == GUIDES
    gateways = {"here": {**LOCAL, "kong_admin_url": empty_gateway.admin_url}}
    servers = {f"orders-{number}": {"ansible_host": f"10.0.0.1{number}"} for number in (1, 2)}
    playbook(
        json.dumps([play for found in plays.values() for play in found]) + "\n",
        inventory={"all": {"hosts": {"localhost": LOCAL}}, "kong_gateways": {"hosts": gateways},
                   "orders_servers": {"hosts": servers}},
        extra_vars={"orders_paths": ["/orders"], "orders_targets": [{"target": "10.0.0.11:8080"}]},
        environment={"KONG_ADMIN_URL": empty_gateway.admin_url},
    ).ok()  # fmt: skip

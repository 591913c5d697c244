# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guides' plays and tasks that need an Admin API run as they stand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.certificates import self_signed
from harness.engine import Engine
from harness.examples import WITHOUT_PACKAGES, Example, of
from harness.front import tls_front
from harness.gateway import Gateway
from harness.playbook import LOCAL, Player

# Options of a task without the task.
NODES = of("guide_basics", "# Two more nodes", "# A control plane")
WORKFLOW = of("guide_plans", "Plan", "Apply")
EXAMPLES = [
    *(each for each in of("guide_basics") if each not in NODES), *NODES,
    *of("guide_connection", "Create the upstream", "Through the host's own", "As a user",
        "With a client certificate", "Through a route"),
    *of("guide_events", "Bring a target back"),
    *of("guide_many_gateways", "The servers of a group", "Take the lock"),
    *of("guide_migration", "Create a target", "Create or update a target", "Take over", "Bring"),
    *WORKFLOW,
    *of("guide_security", "With a client certificate"),
]  # fmt: skip
KEY = "4e1f7ac2-key-of-the-route"
VARIABLES = {
    "orders_paths": ["/orders"],
    "orders_targets": [{"target": "10.0.0.11:8080"}, {"target": "10.0.0.12:8080"}],
    "vaulted_admin_token": "a-token-of-the-workspace",
    "vaulted_admin_key": KEY,
    # The plan that the first job of the workflow passes to the next one.
    "orders_plan": "{{ hostvars.localhost.planned.plan }}",
}


@pytest.fixture
def addresses(
    empty_gateway: Gateway, enterprise: Gateway, tmp_path: Path
) -> Iterator[dict[str, dict[str, str]]]:
    """The addresses at hand in the place of those of the examples, by a part of the title."""
    server, client = (self_signed(tmp_path, name) for name in ("server", "client"))
    for name, source in (("ca.crt", server.certificate), ("ansible.crt", client.certificate),
                         ("ansible.key", client.key)):  # fmt: skip
        (tmp_path / name).write_bytes(Path(source).read_bytes())
    url = empty_gateway.admin_url
    with (
        tls_front(enterprise.admin_url, server) as https,
        tls_front(url, server, clients=client.certificate) as guarded,
        tls_front(url, server, key=("apikey", KEY), path="/admin-api") as routed,
    ):
        yield {
            "": {
                **WITHOUT_PACKAGES,
                "http://127.0.0.1:8001": url,
                "https://kong-1.example:8444": url,
                # The gateway in the place of each of its nodes.
                **{f"http://{node}": url for node in
                   ("10.0.0.2:8001", "10.0.0.3:8001", "{ip}:8007")},
            },
            "As a user": {"https://kong.example.com:8444": https},
            "With a client certificate": {
                "https://kong.example.com:8444": guarded, "/etc/ssl/kong/": f"{tmp_path}/",
            },
            "Through a route": {"https://kong.example.com:8443/admin-api": routed},
        }  # fmt: skip


def _plays(example: Example, addresses: dict[str, dict[str, str]]) -> list[dict[str, Any]]:
    for title, replaced in addresses.items():
        if title in example.title:
            example = example.on(replaced)
    if isinstance(example.loaded(), list):
        return example.plays()
    task = {"upstream": "orders.pool", "target": "10.0.0.11:8080", "wait": True}
    tasks = [{"name": str(example), "irishtek.kong.kong_target": {**task, **example.loaded()}}]
    return [{"name": "Nodes", "hosts": "localhost", "gather_facts": False, "tasks": tasks}]


def test_the_examples_run_as_they_stand(
    empty_gateway: Gateway, enterprise: Gateway, playbook: Player,
    addresses: dict[str, dict[str, str]], tmp_path: Path,
) -> None:
    if empty_gateway.token:
        pytest.skip("the examples' gateway asks for no token")
    engine = Engine(empty_gateway)
    for name in ("orders", "orders.pool"):
        engine.ok("kong_upstream", name=name, targets=VARIABLES["orders_targets"])
    engine.ok("kong_service", name="orders", host="orders")
    Engine(enterprise).ok("kong_workspace", name="shop")
    (state_file,) = of("guide_plans", "orders.yaml")
    (tmp_path / "orders.yaml").write_text(state_file.text)
    plays = [play for each in EXAMPLES for play in _plays(each, addresses)]
    gateways = {"here": {**LOCAL, "kong_admin_url": empty_gateway.admin_url}}
    servers = {f"orders-{at}": {**LOCAL, "ansible_become": False, "ansible_host": f"10.0.0.1{at}"}
               for at in (1, 2)}  # fmt: skip
    run = playbook(
        json.dumps(plays) + "\n",
        inventory={"all": {"hosts": {"localhost": LOCAL}}, "kong_gateways": {"hosts": gateways},
                   "orders_servers": {"hosts": servers}},
        extra_vars={**VARIABLES, "kong_admin_url": empty_gateway.admin_url},
        environment={"KONG_ADMIN_URL": empty_gateway.admin_url,
                     "KONG_CA_PATH": str(tmp_path / "ca.crt")},
    ).ok()  # fmt: skip
    assert enterprise.call("GET", "/shop/upstreams/orders")["name"] == "orders"
    taken_over = run.result("Bring the gateway to the file")
    assert not taken_over["changed"] and empty_gateway.entities("/services")
    assert KEY not in run.stdout

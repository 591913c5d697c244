# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of filters, of the lookup, and of modules that write files run as they stand."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]

from harness.echo import Echo, echo_server
from harness.engine import Engine
from harness.examples import of
from harness.gateway import Gateway, sandbox
from harness.paths import BINARIES, ROOT
from harness.playbook import LOCAL, Player, environment_of
from unit.gateway_role import FACTS, options

# Those that ask a Kubernetes cluster run in test_guide_kubernetes.
FILTERS = [
    path.stem for path in sorted((ROOT / "plugins/filter").glob("*.yml"))
    if path.stem not in ("endpoint_slices_to_targets", "kong_upstream_policy", "rollout_undo")
]  # fmt: skip
READY = of("gateway_ready", "Wait until")
MODULES = ("gateway_files", "gateway_host_info", "rollout_files")
# First those that need the gateway as it was filled.
FIRST = ("kong", "rollout_undo")
PLAYS = [*(each for page in (*FIRST, *FILTERS, *MODULES) for each in of(page)), *READY]
INVENTORIES = of("upstreams")
EXAMPLES = [*PLAYS, *INVENTORIES]
SECRET = "secret-of-the-issuer-8446744"
STATE = """
_format_version: "3.0"
_info: {select_tags: [shop]}
upstreams: [{name: shop}]
"""


@pytest.fixture
def servers(empty_gateway: Gateway) -> Iterator[list[Echo]]:
    """The servers of the group echo."""
    with ExitStack() as stack:
        names = ("web1", "web2")
        yield [stack.enter_context(echo_server(name, empty_gateway.echo_host)) for name in names]


def _variables(engine: Engine) -> dict[str, Any]:
    """What the examples take from tasks before them."""
    whole = {"with_ids": True, "secrets": "keep"}
    before = engine.ok("kong_dump", **whole)
    document = {"_format_version": "3.0", "upstreams": [{"name": "echo", "slots": 100}]}
    planned = engine.ok("kong_plan", content=document)
    engine.ok("kong_state", content=document)
    return {
        "before": before, "after": engine.ok("kong_dump", **whole), "planned": planned,
        "dumped": before, "pinged": engine.ok("kong_ping"), "host": {"facts": FACTS},
        "options": options(method="files"), "ansible_failed_result": {"msg": "It failed"},
    }  # fmt: skip


def _fill(engine: Engine) -> None:
    targets = [{"target": f"10.0.0.1{number}:8080"} for number in (1, 2)]
    engine.ok("kong_upstream", name="echo", targets=targets)
    engine.ok("kong_service", name="echo", host="echo")
    engine.ok("kong_route", name="echo", service="echo", paths=["/api"])
    engine.ok("kong_consumer", username="alice")
    engine.ok("kong_credential", type="jwt", consumer="alice", key="https://issuer.example",
              secret=SECRET)  # fmt: skip


def _inventory(servers: list[Echo], weight: int = 100) -> dict[str, Any]:
    hosts = {
        each.name: {**LOCAL, "ansible_host": each.target.rpartition(":")[0],
                    "echo_upstream_port": each.port, "echo_port": each.port, "echo_weight": weight}
        for each in servers
    }  # fmt: skip
    groups = {name: {"hosts": hosts} for name in ("echo", "canary")}
    return {"all": {"hosts": {"localhost": LOCAL}}, **groups}


def test_the_examples_run_as_they_stand(
    empty_gateway: Gateway, playbook: Player, servers: list[Echo], tmp_path: Path
) -> None:
    engine = Engine(empty_gateway)
    _fill(engine)
    (tmp_path / "kong.yaml").write_text(STATE)
    (tmp_path / "etc").mkdir()
    with sandbox("--mode", "dbless", "--status-port", "0") as dbless:
        of_page = {
            "to_dbless": {"http://127.0.0.1:8001": dbless.admin_url},
            # All servers have the address of this machine.
            "kong_targets": {"port=8080": "port='echo_port'",
                             "address='inventory_hostname'": "address='ansible_host'"},
            "gateway_ready": {"http://127.0.0.1:8100": dbless.status_url,
                              "http://127.0.0.1:8000": dbless.proxy_url},
            # The oldest gateway that the tests run on.
            "rollout_problems": {"min_version='3.9'": "min_version='3.4'"},
        }  # fmt: skip
        replaced = {
            "http://127.0.0.1:8001": empty_gateway.admin_url,
            "http://127.0.0.1:8000": empty_gateway.proxy_url,
            "/etc/kong": f"{tmp_path}/etc",
            "/var/lib/rollouts": f"{tmp_path}/rollouts",
        }
        plays = [play for each in PLAYS
                 for play in each.on(of_page.get(each.page, {})).on(replaced).plays()]  # fmt: skip
        done = playbook(
            json.dumps(plays) + "\n", inventory=_inventory(servers),
            extra_vars=_variables(engine),
        ).ok()  # fmt: skip
        assert [each["name"] for each in dbless.entities("/upstreams")] == ["shop"]
    assert done.result("Show 10.0.0.11:8000")["msg"] == "10.0.0.11:8000"
    assert done.result("Show one line for each difference")["msg"]
    weights = {each["weight"] for each in empty_gateway.entities("/upstreams/echo/targets")}
    assert weights == {100}
    assert SECRET not in done.stdout
    assert json.loads((tmp_path / "etc/kong.yml").read_text())["upstreams"]


def test_the_inventories_are_what_a_gateway_balances_to(
    empty_gateway: Gateway, tmp_path: Path
) -> None:
    engine = Engine(empty_gateway)
    targets = [{"target": "10.0.0.11:8080"}, {"target": "10.0.0.12:8080", "weight": 0}]
    engine.ok("kong_upstream", name="echo", targets=targets)
    for example in INVENTORIES:
        path = tmp_path / "upstreams.yml"
        replaced = {"http://127.0.0.1:8001": empty_gateway.admin_url}
        written = {**yaml.safe_load(example.on(replaced).text), **empty_gateway.connection}
        path.write_text(json.dumps(written))
        done = subprocess.run(
            [BINARIES / "ansible-inventory", "-i", path, "--list"],
            capture_output=True, text=True, check=False,
            env={**environment_of(tmp_path), "ANSIBLE_INVENTORY_ENABLED": "auto"},
        )  # fmt: skip
        assert done.returncode == 0 and "Failed to parse" not in done.stderr, done.stderr
        assert json.loads(done.stdout)["drained"]["hosts"] == ["10.0.0.12"]

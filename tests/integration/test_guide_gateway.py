# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of the role gateway run in check mode, which plans with the facts of this machine.

A wrong option, a combination that contradicts itself and a control plane that is not there fail so.
No container is started and no package is installed: molecule and a real gateway do that.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped, unused-ignore]

from harness.engine import Engine
from harness.examples import Example, of
from harness.gateway import Gateway, sandbox
from harness.paths import BINARIES
from harness.playbook import LOCAL, Player
from harness.stand_ins import path_from, program
from harness.walkthrough import Step, Walk

GUIDE = of("guide_gateway", "A gateway", "Data planes")
README = of("roles/gateway/README", "Data planes")
VARIABLES = of("roles/gateway/README", "gateway_method")
INVENTORY = of("guide_gateway", "kong_cluster")
COMMANDS = of("guide_gateway", "ansible-playbook")
EXAMPLES = [*GUIDE, *README, *VARIABLES, *INVENTORY, *COMMANDS]
ROLE = "ansible.builtin.include_role"
STATE = '_format_version: "3.0"\nservices: [{name: orders, host: orders.test}]\n'
# The version of Podman on a bare host of a recent distribution; that of this machine may be older.
PODMAN = "#!/bin/sh\necho podman version 5.4.2\n"
PLANNED = "Print what a run would do"


@pytest.fixture(scope="module")
def konnect() -> Iterator[Gateway]:
    """Konnect with the control planes of the examples."""
    with sandbox(control_plane="default") as started:
        for name in ("production", "my-control-plane"):
            Engine(started).ok("konnect_control_plane", name=name)
        yield started


def _host(tmp_path: Path, name: str, **more: Any) -> dict[str, Any]:
    # A package has a directory of its own.
    directory = {} if name == "package" else {"gateway_directory": str(tmp_path / name)}
    return {**LOCAL, "ansible_become": False, **directory,
            "vaulted_password": "hush", "vaulted_pg_password": "hush",
            "vaulted_license": '{"license": "hush"}', **more}  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A search path with another Podman."""
    return path_from(program(tmp_path / "bin/podman", PODMAN).parent)


def _method(example: Example) -> str:
    return str(example.loaded()["gateway_method"])


def test_the_role_plans_each_example(konnect: Gateway, tmp_path: Path, path: str) -> None:
    (tmp_path / "kong.yaml").write_text(STATE)
    replaced = {
        "konnect_region: eu": f"konnect_url: {konnect.admin_url}", "/srv/kong": f"{tmp_path}/srv",
    }  # fmt: skip
    plays = [play for each in (*README, *GUIDE) for play in each.on(replaced).plays()]
    # What follows the plan in check mode is the same for all of them.
    plays[-1]["tasks"][0][ROLE]["tasks_from"] = "prepare"
    plays += [{"hosts": "methods", "gather_facts": False, "tasks": [
        {"name": "Plan", ROLE: {"name": "irishtek.kong.gateway", "tasks_from": "prepare"}},
    ]}]  # fmt: skip
    hosts = {_method(each): _host(tmp_path, _method(each), **each.on(replaced).loaded())
             for each in VARIABLES}  # fmt: skip
    inventory = {"kong_data_planes": {"hosts": {"dp": _host(tmp_path, "dp")}},
                 "methods": {"hosts": hosts}}  # fmt: skip
    player = Player(tmp_path, {"KONNECT_TOKEN": konnect.token, "PATH": path})
    run = player(json.dumps(plays) + "\n", inventory=inventory, check=True, diff=True).ok()
    assert len([task for task in run.tasks if task["name"].endswith(PLANNED)]) == len(plays) - 2
    assert all(run.stats[host]["ok"] >= 5 for host in hosts)
    assert not (tmp_path / "srv").exists()
    assert "hush" not in run.stdout


def test_the_commands_plan_the_cluster_of_the_inventory(
    tmp_path: Path, path: str
) -> None:
    (inventory,), (block,) = INVENTORY, COMMANDS
    walk = Walk(tmp_path, {})
    walk.environment["PATH"] = f"{BINARIES}{os.pathsep}{path}"
    walk.take(Step(name="inventory.yml", text=inventory.text))
    (tmp_path / "group_vars").mkdir()
    variables = _host(tmp_path, "{{ inventory_hostname }}")
    (tmp_path / "group_vars/all.yml").write_text(yaml.safe_dump(variables))
    planned, done = block.text.splitlines()
    walk.take(Step(command=planned, text="…"))
    # This one installs what the first one has shown.
    walk.take(Step(command=f"{done} --syntax-check", text="…"))

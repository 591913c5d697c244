# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The playbooks data_plane and quickstart, and the inventories that come with them."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.paths import BINARIES, COLLECTIONS, ROOT

INVENTORIES = ROOT / "playbooks/inventories"
ENDPOINTS = {
    "KONNECT_CONTROL_PLANE_ENDPOINT": "https://example.us.cp0.konghq.com",
    "KONNECT_TELEMETRY_ENDPOINT": "https://example.us.tp0.konghq.com",
    "KONG_PG_PASSWORD": "not-a-secret",
}


def _run(*command: str | Path) -> str:
    done = subprocess.run(
        [BINARIES / command[0], *command[1:]], capture_output=True, text=True, check=False,
        timeout=60, env={**os.environ, **ENDPOINTS, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _listed(name: str) -> dict[str, Any]:
    path = INVENTORIES / f"{name}.yml"
    found: dict[str, Any] = json.loads(_run("ansible-inventory", "--inventory", path, "--list"))
    return found


@pytest.mark.parametrize("name", ["data_plane_docker", "data_plane_hybrid", "data_plane_konnect"])
def test_playbooks_and_inventories_go_together(name: str) -> None:
    # The quickstart holds the whole of the other one.
    _run(
        "ansible-playbook", "--syntax-check", "--inventory", INVENTORIES / f"{name}.yml",
        "irishtek.kong.quickstart",
    )


@pytest.mark.parametrize(
    ("name", "topology", "planes"),
    [
        ("data_plane_docker", "dbless", 1),
        ("data_plane_hybrid", "hybrid", 2),
        ("data_plane_konnect", "konnect", 2),
    ],
)
def test_inventories_hold_data_planes_with_options_of_the_role(
    name: str, topology: str, planes: int
) -> None:
    listed = _listed(name)
    specs = ROOT / "roles/data_plane/meta/argument_specs.yml"
    options = yaml.safe_load(specs.read_text())["argument_specs"]["main"]["options"]
    hosts = listed["kong_data_planes"]["hosts"]
    assert len(hosts) == planes
    for host in hosts:
        variables = listed["_meta"]["hostvars"][host]
        assert variables["data_plane_topology"] == topology
        used = {key for key in variables if key.startswith("data_plane_")}
        assert used <= set(options)


def test_the_quickstarts_state_leads_to_its_echo_servers() -> None:
    listed = _listed("data_plane_docker")
    state = yaml.safe_load((ROOT / "playbooks/files/quickstart_state.yml").read_text())
    targets = [target["target"] for target in state["upstreams"][0]["targets"]]
    variables = [listed["_meta"]["hostvars"][host] for host in listed["echo_servers"]["hosts"]]
    assert targets == [f"{one['ansible_host']}:{one['echo_upstream_port']}" for one in variables]
    assert state["services"][0]["host"] == state["upstreams"][0]["name"]

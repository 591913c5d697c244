# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventories and the data of automation controllers in docs/ are what they say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.engine import Engine
from harness.gateway import Gateway, sandbox
from harness.paths import BINARIES, COLLECTIONS, ROOT
from harness.playbook import Player

INVENTORIES = ROOT / "docs/inventories"
CONTROLLER = ROOT / "docs/controller"
REGIONS = {"dublin": 4, "frankfurt": 3, "virginia": 3}
PASSWORD = {"ANSIBLE_VAULT_PASSWORD_FILE": str(INVENTORIES / "example_password.txt")}


def _parsed(folder: Path, environment: dict[str, str], *more: Path) -> Any:
    sources = [word for path in (folder, *more) for word in ("-i", str(path))]
    done = subprocess.run(
        [BINARIES / "ansible-inventory", *sources, "--list"],
        capture_output=True, text=True, check=False,
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS), **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr, done.stderr
    return json.loads(done.stdout, object_hook=_shown)


def _shown(found: dict[str, Any]) -> Any:
    """Newer versions of ansible-core mark texts that no one may use as templates."""
    return found["__ansible_unsafe"] if set(found) == {"__ansible_unsafe"} else found


@pytest.mark.parametrize(
    ("name", "gateways"),
    [
        ("ten_gateways", [f"kong-{region}-{number}" for region, hosts in REGIONS.items()
                          for number in range(1, hosts + 1)]),
        ("hybrid", ["kong-cp.example.com"]),
    ],
)  # fmt: skip
def test_each_gateway_has_its_way_and_its_secrets(
    tmp_path: Path, name: str, gateways: list[str]
) -> None:
    variables = _parsed(INVENTORIES / name, {**PASSWORD, "ANSIBLE_HOME": str(tmp_path)})
    hostvars = variables["_meta"]["hostvars"]
    ours = {host for host, found in hostvars.items() if "kong_admin_url" in found}
    assert ours == set(gateways)
    for host in ours:
        assert "__ansible_vault" in hostvars[host]["kong_admin_token"]
        assert "__ansible_vault" in hostvars[host]["rollout_vault_password"]


def test_control_planes_of_konnect_are_gateways(tmp_path: Path) -> None:
    plugin = yaml.safe_load((INVENTORIES / "konnect/konnect.yml").read_text())
    shutil.copytree(INVENTORIES / "konnect", tmp_path / "konnect")
    with sandbox(control_plane="default") as konnect:
        labels = {"env": "prod", "team": "shop", "domain": "shop.example"}
        Engine(konnect).ok("konnect_control_plane", name="shop", labels=labels)
        (tmp_path / "konnect/konnect.yml").write_text(
            yaml.safe_dump({**plugin, "konnect_url": konnect.admin_url})
        )
        environment = {"KONNECT_TOKEN": konnect.token, "ANSIBLE_HOME": str(tmp_path)}
        found = _parsed(tmp_path / "konnect", {**PASSWORD, **environment})
    assert found["konnect"]["hosts"] == found["team_shop"]["hosts"] == ["shop"]
    variables = found["_meta"]["hostvars"]["shop"]
    assert variables["konnect_control_plane"] == "shop"
    assert variables["rollout_select_tags"] == ["platform"]


def test_an_example_is_ready_for_a_rollout(
    empty_gateway: Gateway, playbook: Player, tmp_path: Path
) -> None:
    """With its secrets, its state files and the gateway of this test in the place of one of its."""
    here = {
        "kong_admin_url": empty_gateway.admin_url, "kong_admin_token": empty_gateway.token,
        "rollout_directory": str(tmp_path / "state"), "kong_hosts": "kong-virginia-3",
    }  # fmt: skip
    run = playbook(
        "irishtek.kong.rollout", inventory=INVENTORIES / "ten_gateways",
        extra_vars=here, check=True, environment=PASSWORD,
    ).ok()  # fmt: skip
    planned = run.result("Plan what would change", "kong-virginia-3")
    assert {(each["kind"], each.get("target") or each["name"]) for each in planned["changes"]} == {
        ("service", "orders"), ("route", "orders"), ("upstream", "orders"),
        ("target", "orders-1.virginia.example.com:8080"),
        ("target", "orders-2.virginia.example.com:8080"),
    }  # fmt: skip


def _controller() -> dict[str, Any]:
    return dict(yaml.safe_load((CONTROLLER / "controller.yml").read_text()))


def test_job_templates_run_playbooks_with_variables_that_these_have() -> None:
    for template in _controller()["controller_templates"]:
        name = template["playbook"].removeprefix("irishtek.kong.")
        known = (ROOT / f"playbooks/{name}.yml").read_text()
        if name == "rollout":
            known += (ROOT / "roles/rollout/meta/argument_specs.yml").read_text()
        questions = template["survey_spec"]["spec"]
        asked = [each["variable"] for each in questions]
        for variable in [*template.get("extra_vars", {}), *asked]:
            assert variable in known, f"{template['name']}: {variable}"
        for each in questions:
            assert each["type"] != "multiplechoice" or each["default"] in each["choices"]


def test_the_workflow_leads_from_the_plan_over_the_approval_to_the_change() -> None:
    data = _controller()
    (workflow,) = data["controller_workflows"]
    nodes = {node["identifier"]: node for node in workflow["simplified_workflow_nodes"]}
    assert nodes["plan"]["success_nodes"] == ["approval"]
    assert nodes["approval"]["success_nodes"] == ["apply"] and "approval_node" in nodes["approval"]
    templates = {each["name"]: each for each in data["controller_templates"]}
    modes = [
        templates[nodes[name]["unified_job_template"]]["extra_vars"]["rollout_mode"]
        for name in ("plan", "apply")
    ]
    assert modes == ["plan", "saved"]


def test_the_execution_environment_can_be_built(tmp_path: Path) -> None:
    builder = BINARIES / "ansible-builder"
    if not builder.exists():
        pytest.skip("ansible-builder is not installed")
    done = subprocess.run(
        [builder, "create", "--file", CONTROLLER / "execution-environment.yml",
         "--context", tmp_path / "context", "--output-filename", "Containerfile"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    collections = yaml.safe_load((tmp_path / "context/_build/requirements.yml").read_text())
    assert collections["collections"] == [{"name": "irishtek.kong"}]
    assert "age" in (tmp_path / "context/_build/bindep.txt").read_text()

# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The targets of ansible-test, run both ways."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from harness.gateway import Gateway, sandbox
from harness.paths import ROOT
from harness.playbook import LOCAL, Player

TARGETS = ROOT / "tests/integration/targets"
MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))
KONNECT = [name for name in MODULES if name.startswith("konnect_")]
# They act on the host of a gateway: the tests of the role gateway run them.
OF_A_HOST = [name for name in MODULES if name.startswith("gateway_")]
GATEWAY = [name for name in MODULES if name not in (*KONNECT, *OF_A_HOST)]
ENTERPRISE = ["kong_consumer_group", "kong_partial", "kong_workspace"]
PROCESS, CONTROLLER = "0", "1"
# Modules of nothing but a declaration run the same code: as processes, which take ten times as
# long, one of them stands for all.
DECLARED = [
    path.stem
    for path in (ROOT / "plugins/modules").glob("*.py")
    if "entity_operation(" in path.read_text(encoding="utf-8") and path.stem != "kong_service"
]


def _both_ways(targets: Sequence[str]) -> pytest.MarkDecorator:
    cases = [
        pytest.param(target, way, id=f"{target}-{'module' if way == PROCESS else 'controller'}")
        for target in targets
        for way in (PROCESS, CONTROLLER)
        if way == CONTROLLER or target not in DECLARED
    ]
    return pytest.mark.parametrize(("target", "way"), cases)


@_both_ways(GATEWAY)
def test_a_target_passes(playbook: Player, target: str, way: str) -> None:
    _passes(playbook, target, way)


@_both_ways(KONNECT)
def test_a_target_of_konnect_passes(tmp_path: Path, target: str, way: str) -> None:
    with sandbox(control_plane="default") as konnect:
        environment = {"KONNECT_URL": konnect.admin_url, "KONNECT_TOKEN": konnect.token}
        _passes(Player(tmp_path, environment), target, way)


@_both_ways(ENTERPRISE)
def test_a_target_of_the_enterprise_edition_passes(
    tmp_path: Path, enterprise: Gateway, target: str, way: str
) -> None:
    _passes(Player(tmp_path, enterprise.environment), target, way)


@pytest.mark.parametrize("target", ENTERPRISE)
def test_a_target_of_the_enterprise_edition_passes_on_an_old_open_one(
    tmp_path: Path, gateway_of: Callable[[str], Gateway], target: str
) -> None:
    _passes(Player(tmp_path, gateway_of("3.4").environment), target, CONTROLLER)


def _passes(playbook: Player, target: str, way: str) -> None:
    play = {"hosts": "gateways", "gather_facts": False, "roles": [target]}
    run = playbook(
        json.dumps([play]) + "\n",
        inventory={"gateways": {"hosts": {"here": LOCAL}}},
        environment={"ANSIBLE_ROLES_PATH": str(TARGETS), "KONG_ANSIBLE_IN_PROCESS": way},
    ).ok()
    asserted = [task for task in run.tasks if task["action"] == "ansible.builtin.assert"]
    assert asserted and {task["status"] for task in asserted} == {"ok"}
    ours = [task["result"] for task in run.tasks if task["action"].startswith("irishtek.kong.")]
    invoked = {"invocation" in result for result in ours if "results" not in result}
    assert invoked == {way == PROCESS}


def test_every_module_has_a_target() -> None:
    names = {path.parent.name for path in TARGETS.glob("*/aliases")}
    assert names == {*GATEWAY, *KONNECT, "setup_kong"}

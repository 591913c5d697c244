# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks turn hosts into targets and read entities back: as values, not as templates."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.engine import Engine
from harness.gateway import PREFIX, TAG
from harness.playbook import LOCAL, Player

NAME = f"{PREFIX}lookup"
HOSTS = {
    "web1": {"ansible_host": "10.0.0.1", "load": 30},
    "web2": {"ansible_host": "::1", "load": "{{ 2 * 10 }}"},
}
INVENTORY = {"echo": {"hosts": {name: {**LOCAL, **more} for name, more in HOSTS.items()}}}
TARGETS = "{{ groups['echo'] | irishtek.kong.kong_targets(hostvars, port=80, weight='load') }}"
LOOPBACK = "[0000:0000:0000:0000:0000:0000:0000:0001]"


def _play(*tasks: dict[str, Any]) -> str:
    play = {"hosts": "web1", "gather_facts": False, "tasks": list(tasks)}
    return json.dumps([play]) + "\n"


def _show(name: str, template: str) -> dict[str, Any]:
    return {"name": name, "ansible.builtin.debug": {"msg": f"{{{{ {template} }}}}"}}


def test_hosts_become_targets_that_are_read_back(engine: Engine, playbook: Player) -> None:
    engine.ok("kong_upstream", name=NAME, tags=[TAG])
    both = f"'[::1]:80', '10.0.0.1:80', parent='{NAME}'"
    run = playbook(
        _play(
            {
                "name": "pool",
                "irishtek.kong.kong_upstream": {"name": NAME, "targets": TARGETS},
            },
            _show("weights", f"query('irishtek.kong.kong', 'target', {both}, field='weight')"),
            _show("both", f"lookup('irishtek.kong.kong', 'target', {both}, field='target')"),
            _show("address", "'[::1]:80' | irishtek.kong.kong_target_address"),
        ),
        inventory=INVENTORY,
    ).ok()
    assert run.changed() == ["pool"]
    assert run.result("weights")["msg"] == [20, 30]
    assert run.result("both")["msg"] == f"{LOOPBACK}:80,10.0.0.1:80"
    assert run.result("address")["msg"] == f"{LOOPBACK}:80"


def test_what_a_gateway_holds_is_no_template(engine: Engine, playbook: Player) -> None:
    tags = [TAG, "{{ 6 * 7 }}"]
    engine.ok("kong_upstream", name=NAME, tags=tags)
    run = playbook(
        _play(_show("tags", f"lookup('irishtek.kong.kong', 'upstream', '{NAME}').tags | sort")),
        inventory=INVENTORY,
    ).ok()
    assert run.result("tags")["msg"] == sorted(tags)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (f"lookup('irishtek.kong.kong', 'upstream', '{NAME}-no')", f"upstream {NAME}-no does not"),
        (f"lookup('irishtek.kong.kong', 'target', 'a', parent='{NAME}-no')", "target a of"),
        ("lookup('irishtek.kong.kong', 'nothing', 'a')", "'nothing' is not a kind of entity"),
        ("['web1'] | irishtek.kong.kong_targets(hostvars, port='no')", "web1 has no variable no"),
        ("'a b' | irishtek.kong.kong_target_address", "'a b' is not a valid host name"),
    ],
)
def test_a_failure_is_a_sentence(playbook: Player, template: str, message: str) -> None:
    run = playbook(_play(_show("fails", template)), inventory=INVENTORY)
    assert run.total("failures") == 1
    assert message in run.result("fails")["msg"]


def test_what_is_missing_may_be_null(playbook: Player) -> None:
    missing = f"lookup('irishtek.kong.kong', 'upstream', '{NAME}-no', default=none)"
    run = playbook(_play(_show("none", f"({missing}) is none")), inventory=INVENTORY).ok()
    assert run.result("none")["msg"] is True

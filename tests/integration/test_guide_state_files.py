# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of the guide on state files run as they stand; twice, and nothing changes."""

from __future__ import annotations

import itertools
import json
import re
import textwrap
from pathlib import Path

import pytest
import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

from harness.certificates import self_signed
from harness.examples import of
from harness.gateway import Gateway
from harness.playbook import LOCAL, Player, Run

EXAMPLES = of("guide_state_files")
PASSWORD = "guide-3141"
KEYS = {"DECK_SHOP_KEY": 'of "shop"', "DECK_OLD_KEY": "old"}
# The page cuts the value short.
VAULTED = re.compile(r" +\$ANSIBLE_VAULT.*", re.DOTALL)
HEAD = '_format_version: "3.0"\n'
FILES = {
    "kong.yaml": f"{HEAD}_info: {{select_tags: [team-orders]}}\n"
    "services: [{name: team, host: team.test, routes: [{name: team, paths: [/team]}]}]\n",
    "shared.yaml": f"{HEAD}upstreams: [{{name: shared.test}}]\n",
    "teams/a.yaml": "services: [{name: a, host: shared.test}]\n",
    "teams/b.json": '{"services": [{"name": "b", "host": "shared.test"}]}\n',
}


def _documents() -> dict[str, str]:
    """The page's documents; one of them is a part of a document."""
    (part,) = of("guide_state_files", "consumers:")
    orders, vaulted = of("guide_state_files", "_format_version")
    secret = VaultLib([(None, VaultSecret(PASSWORD.encode()))]).encrypt("of-the-vault").decode()
    value = textwrap.indent(secret, " " * 10)
    return {
        "orders.yaml": orders.text,
        "keys.yaml": HEAD + part.text,
        "vaulted.yaml": VAULTED.sub(lambda found: value, vaulted.text),
    }


def _tasks() -> list[str]:
    """The page's tasks, and those that apply its documents which no task of it applies."""
    applied = [
        {"name": f"Apply {name}", "irishtek.kong.kong_state": {"src": name}, "environment": KEYS}
        for name in ("keys.yaml", "vaulted.yaml")
    ]
    found = [each.text for each in EXAMPLES if each.text.startswith("- name:")]
    return [*found, *(f"- {json.dumps(task)}\n" for task in applied)]


@pytest.fixture
def player(playbook: Player) -> Player:
    """Runs plays beside the files that the guide speaks of."""
    (playbook.folder / "password").write_text(PASSWORD)
    for name, text in {**FILES, **_documents()}.items():
        path = playbook.folder / "files" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return playbook


def _run(player: Player, certificate: str, tasks: list[str]) -> Run:
    play = "- hosts: localhost\n  gather_facts: false\n  tasks:\n"
    # Where the guide writes for the whole machine, the test does for itself.
    text = "\n".join(tasks).replace("/etc/kong/", f"{player.folder}/")
    orders = {f"orders-{at}": {"ansible_host": f"10.0.0.1{at}"} for at in (1, 2)}
    variables = {"orders_host": "a.test", "orders_port": 80, "orders_certificate": certificate}
    return player(
        play + textwrap.indent(text, "    "),
        inventory={"all": {"hosts": {"localhost": LOCAL}, "children": {
            "orders": {"hosts": orders}}}},
        extra_vars=variables,
        environment={"DECK_POOL": "pool.test",
                     "ANSIBLE_VAULT_PASSWORD_FILE": str(player.folder / "password")},
    ).ok()  # fmt: skip


def _count(block: str) -> int:
    return len(re.findall("^- ", block, re.MULTILINE))


def test_the_examples_run_as_they_stand(
    player: Player, empty_gateway: Gateway, tmp_path: Path
) -> None:
    certificate = Path(self_signed(tmp_path, "orders.test").certificate).read_text()
    blocks = _tasks()
    # Each twice in a row, as two of the files do not know of each other.
    run = _run(player, certificate, [block for block in blocks for _time in range(2)])
    done = iter(run.tasks)
    for block in blocks:
        first, again = (list(itertools.islice(done, _count(block))) for _time in range(2))
        assert [task["name"] for task in first] == [task["name"] for task in again]
        assert [task["name"] for task in again if task["status"] == "changed"] == []
    assert list(done) == []
    services = {each["name"] for each in empty_gateway.entities("/services")}
    assert {"team", "orders"} <= services
    pools = {each["name"] for each in empty_gateway.entities("/upstreams")}
    assert {"shared.test", "pool.test", "orders.pool"} <= pools
    assert len(empty_gateway.entities("/upstreams/orders.pool/targets")) == 2
    assert yaml.safe_load((player.folder / "kong.yml").read_text())["_format_version"] == "3.0"
    (stored,) = empty_gateway.entities("/certificates")
    assert stored["cert"].strip() == certificate.strip()
    keys = {each["key"] for each in empty_gateway.entities("/key-auths")}
    assert keys == {*KEYS.values(), "of-the-vault"}

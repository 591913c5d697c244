# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The examples of the guide on state files run as they stand; twice, and nothing changes."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest
import yaml

from harness.certificates import self_signed
from harness.gateway import Gateway
from harness.paths import ROOT
from harness.playbook import LOCAL, Player, Run

GUIDE = ROOT / "docs/docsite/rst/guide_state_files.rst"
BLOCK = re.compile(r"^\.\. code-block:: yaml(?:\+jinja)?\n\n((?:    .*\n|\n)+)", re.MULTILINE)
HEAD = '_format_version: "3.0"\n'
FILES = {
    "kong.yaml": f"{HEAD}_info: {{select_tags: [team-orders]}}\n"
    "services: [{name: team, host: team.test, routes: [{name: team, paths: [/team]}]}]\n",
    "shared.yaml": f"{HEAD}upstreams: [{{name: shared.test}}]\n",
    "teams/a.yaml": "services: [{name: a, host: shared.test}]\n",
    "teams/b.json": '{"services": [{"name": "b", "host": "shared.test"}]}\n',
}


def _blocks() -> list[str]:
    found = BLOCK.findall(GUIDE.read_text(encoding="utf-8"))
    return [textwrap.dedent(block).strip() + "\n" for block in found]


@pytest.fixture
def player(playbook: Player) -> Player:
    """Runs plays beside the files that the guide speaks of."""
    documents = [block for block in _blocks() if block.startswith("_format_version")]
    # The other one shows an encrypted value, which is cut short there.
    (orders,) = [block for block in documents if "!vault" not in block]
    for name, text in {**FILES, "orders.yaml": orders}.items():
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
        extra_vars=variables, environment={"DECK_POOL": "pool.test"},
    ).ok()  # fmt: skip


def test_the_examples_run_as_they_stand(
    player: Player, empty_gateway: Gateway, tmp_path: Path
) -> None:
    certificate = Path(self_signed(tmp_path, "orders.test").certificate).read_text()
    tasks = [block for block in _blocks() if block.startswith("- name:")]
    names = [re.findall(r"^- name: (.+)$", block, re.MULTILINE) for block in tasks]
    assert len(sum(names, [])) >= 8
    run = _run(player, certificate, tasks)
    assert [task["name"] for task in run.tasks] == sum(names, [])
    services = {each["name"] for each in empty_gateway.entities("/services")}
    assert {"team", "orders"} <= services
    pools = {each["name"] for each in empty_gateway.entities("/upstreams")}
    assert {"shared.test", "pool.test", "orders.pool"} <= pools
    assert len(empty_gateway.entities("/upstreams/orders.pool/targets")) == 2
    assert yaml.safe_load((player.folder / "kong.yml").read_text())["_format_version"] == "3.0"
    (stored,) = empty_gateway.entities("/certificates")
    assert stored["cert"].strip() == certificate.strip()
    # Each by itself, as two of the files do not know of each other.
    for block in tasks:
        twice = _run(player, certificate, [block, block]).tasks
        again = twice[len(twice) // 2 :]
        assert [task["name"] for task in again if task["status"] == "changed"] == []

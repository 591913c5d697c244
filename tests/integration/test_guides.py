# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guides' examples are plays and tasks that Ansible takes, with options that are there.

Examples that are neither are variables of the role data_plane or an inventory with such; what they
and those of the role's README say is judged by the role itself.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.paths import BINARIES, COLLECTIONS, ROOT
from harness.playbook import LOCAL, Player

GUIDES = sorted((ROOT / "docs/docsite/rst").glob("*.rst"))
BLOCK = re.compile(r"^\.\. code-block:: yaml\n\n((?:    .*\n|\n)+)", re.MULTILINE)
ENVIRONMENT = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)}
GUIDE = ROOT / "docs/docsite/rst/guide_data_plane.rst"
ROLE = ROOT / "roles/data_plane"
HOOK = ROOT / "playbooks/tasks/konnect_certificate.yml"
# Names of the role's that are none of its options.
OTHERS = {"data_plane_hook_certificate", "data_plane_hook_state", "data_plane_serial"}
JUDGE = f"""
- hosts: all
  gather_facts: false
  tasks:
    - name: Types and choices
      ansible.builtin.validate_argument_spec:
        argument_spec: "{{{{ (lookup('ansible.builtin.file', '{ROLE}/meta/argument_specs.yml')
          | from_yaml).argument_specs.main.options }}}}"

    - name: Settings
      ansible.builtin.include_role:
        name: irishtek.kong.data_plane
        tasks_from: work_out

    - name: Problems
      ansible.builtin.include_role:
        name: irishtek.kong.data_plane
        tasks_from: assert
"""


def _run(*command: str | Path) -> str:
    done = subprocess.run(
        [BINARIES / command[0], *command[1:]],
        env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _examples(guide: Path) -> list[Any]:
    found = BLOCK.findall(guide.read_text(encoding="utf-8"))
    return [yaml.safe_load(textwrap.dedent(block)) for block in found]


def _plays(guide: Path) -> list[dict[str, Any]]:
    """The guide's examples as plays; those that are tasks get a play of their own."""
    plays: list[dict[str, Any]] = []
    for found in _examples(guide):
        if isinstance(found, dict):
            continue
        whole = all("hosts" in item for item in found)
        plays += found if whole else [{"name": "Tasks", "hosts": "all", "tasks": found}]
    return plays


def _calls(tasks: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each call of one of the collection's modules and roles with its options."""
    for task in tasks:
        if role := task.get("role") or task.get("ansible.builtin.include_role", {}).get("name"):
            names = {**task, **task.get("vars", {})}
            prefix = f"{role.rpartition('.')[2]}_"
            yield role, {name: value for name, value in names.items() if name.startswith(prefix)}
        for key, value in task.items():
            if key.startswith("irishtek.kong."):
                yield key, value or {}
        for part in ("block", "rescue", "always"):
            yield from _calls(task.get(part, []))


@pytest.fixture(scope="module")
def options() -> dict[str, set[str]]:
    """The documented options of each module and role of the collection."""
    listed = json.loads(_run("ansible-doc", "--json", "--list", "irishtek.kong"))
    documented = json.loads(_run("ansible-doc", "--json", *listed))
    modules = {name: set(found["doc"]["options"]) for name, found in documented.items()}
    roles = json.loads(_run("ansible-doc", "--json", "--type", "role", "irishtek.kong.data_plane"))
    return modules | {name: set(one["entry_points"]["main"]["options"])
                      for name, one in roles.items()}


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_examples_use_options_that_the_modules_have(
    guide: Path, options: dict[str, set[str]]
) -> None:
    calls = [
        call for play in _plays(guide)
        for call in _calls(play.get("tasks", []) + play.get("roles", []))
    ]
    assert calls
    unknown = [(name, set(used) - options[name]) for name, used in calls]
    assert [found for found in unknown if found[1]] == []


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_examples_are_playbooks_that_ansible_takes(guide: Path, tmp_path: Path) -> None:
    playbook = tmp_path / "playbook.json"
    playbook.write_text(json.dumps(_plays(guide)))
    _run("ansible-playbook", "--syntax-check", playbook)


def test_the_site_and_the_readme_lead_to_each_guide() -> None:
    listed = yaml.safe_load((ROOT / "docs/docsite/extra-docs.yml").read_text())
    assert sorted(listed["sections"][0]["toctree"]) == [guide.stem for guide in GUIDES]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [guide.name for guide in GUIDES if f"docs/docsite/rst/{guide.name}" not in readme] == []


def test_the_guide_on_data_planes_names_variables_that_there_are(
    options: dict[str, set[str]]
) -> None:
    named = set(re.findall(r"\bdata_plane_[a-z_]+\b", GUIDE.read_text(encoding="utf-8")))
    assert named - options["irishtek.kong.data_plane"] <= OTHERS


def test_the_guide_shows_the_hook_as_it_is() -> None:
    shown = [found for found in _examples(GUIDE) if "data_plane_hook_state" in json.dumps(found)]
    assert shown == [yaml.safe_load(HOOK.read_text())]


def test_examples_of_variables_are_ones_that_the_role_takes(tmp_path: Path) -> None:
    readme = (ROLE / "README.md").read_text(encoding="utf-8")
    fenced = re.findall(r"^```yaml\n(.*?)^```$", readme, re.DOTALL | re.MULTILINE)
    found = [*_examples(GUIDE), *map(yaml.safe_load, fenced)]
    inventory = tmp_path / "inventory"
    inventory.mkdir()
    for number, example in enumerate(example for example in found if isinstance(example, dict)):
        # An inventory has groups with hosts, and not variables.
        whole = all(isinstance(value, dict) and not key.startswith("data_plane_")
                    for key, value in example.items())
        group = example if whole else {"one": {"hosts": {f"example-{number}": example}}}
        (inventory / f"{number}.yml").write_text(yaml.safe_dump(group))
    (inventory / "own.yml").write_text(yaml.safe_dump({"all": {"vars": {
        **LOCAL, "vaulted_license": "{}", "vaulted_pg_password": "not-a-secret",
    }}}))
    (inventory / "kong.yaml").write_text('_format_version: "3.0"\n')
    run = Player(tmp_path, {})(JUDGE, inventory=inventory).ok()
    assert {"kong-cp.example.com", "kong-dp1.example.com"} < set(run.stats)
    assert len(run.stats) > 10

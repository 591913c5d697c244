# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The recipes of docs/architecture.md work as they are written: each is followed in a copy."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.gateway import Gateway
from harness.paths import ROOT
from harness.playbook import LOCAL, Player
from tools import workspace

PAGE = ROOT / "docs/architecture.md"
BLOCK = re.compile(
    r"^ +(?:In )?`([^`\n]+)`(?:, after each line `([^`\n]+)`)?:\n\n +```\w+\n(.*?)^ +```$",
    re.MULTILINE | re.DOTALL,
)
# What is checked of a copy with one more kind and one more option of a role.
CHECKS = (
    "tests/unit/test_modules.py",
    "tests/unit/test_architecture.py",
    "tests/integration/test_role_arguments.py",
)
PLAYBOOK = """
- hosts: gateways
  gather_facts: false
  module_defaults:
    group/irishtek.kong.kong:
      admin_url: "{{ kong_admin_url }}"
      admin_headers: {X-Proxy: no-patch}
  tasks:
    - name: Run the role
      ansible.builtin.include_role:
        name: irishtek.kong.echo_upstream
      vars:
        echo_upstream_algorithm: "{{ item }}"
        echo_upstream_targets: [{target: "127.0.0.1:1"}]
        echo_upstream_probe: false
      loop: [round-robin, least-connections]
    - name: Look at the upstream
      irishtek.kong.kong_info:
        kinds: [upstream]
      register: found
"""


def _follow(recipe: str, folder: Path) -> list[str]:
    """Do in `folder` what a recipe says; return the files that it touches."""
    text = PAGE.read_text(encoding="utf-8").partition(f"### {recipe}\n")[2].partition("\n### ")[0]
    touched = []
    for name, after, block in BLOCK.findall(text):
        path = folder / name
        # Blocks are in the list of steps, three blanks to the right.
        code = re.sub("^   ", "", block, flags=re.MULTILINE)
        if after:
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            places = [at for at, line in enumerate(lines) if line.startswith(after)]
            assert places, f"{name} has no line {after}"
            for at in reversed(places):
                lines.insert(at + 1, code)
            code = "".join(lines)
        else:
            assert not path.exists(), f"{name} is there already"
            path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(code, encoding="utf-8")
        touched.append(name)
    return touched


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project, with the collection where Python and Ansible look for it."""
    root = tmp_path_factory.mktemp("copy")
    folder = root / workspace.PACKAGE
    workspace.copy_to(folder)
    (folder / ".build").mkdir()
    (folder / ".build/collections").symlink_to(root)
    for recipe in ("Add an entity kind", "Add a dialect", "Add an option to a role"):
        assert len(_follow(recipe, folder)) >= 3
    return folder


def test_a_copy_with_a_new_kind_and_a_new_option_passes_the_tests(copy: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-k",
         "filter_chain or small or default or inwards", *CHECKS],
        cwd=copy, env={**os.environ, "PYTHONPATH": ""},
        capture_output=True, text=True, timeout=240, check=False,
    )
    assert done.returncode == 0, done.stdout
    assert int(re.findall(r"(\d+) passed", done.stdout)[0]) > 10


def test_a_copy_with_a_new_dialect_uses_it_and_the_option_reaches_the_gateway(
    copy: Path, empty_gateway: Gateway, playbook: Player
) -> None:
    here = {**LOCAL, "kong_admin_url": empty_gateway.admin_url}
    run = playbook(
        PLAYBOOK, inventory={"gateways": {"hosts": {"here": here}}},
        environment={"ANSIBLE_COLLECTIONS_PATH": str(copy.parents[2])},
    ).ok()
    upstream = run.result("Look at the upstream")["entities"][0]["entities"][0]
    assert upstream["algorithm"] == "least-connections"
    assert [write for write in empty_gateway.writes() if write.startswith(("PUT", "PATCH"))] == [
        f"PUT /upstreams/{upstream['id']}"
    ]

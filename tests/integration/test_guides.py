# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guides' examples are plays and tasks that Ansible takes, with options that are there.

Examples that are neither are variables of the role gateway or an inventory with such; those, and
what the role's README says, are options that the role has.
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

GUIDES = sorted((ROOT / "docs/docsite/rst").glob("*.rst"))
BLOCK = re.compile(
    r"^\.\. code-block:: yaml\n(?:   :caption: .*\n)?\n((?:    .*\n|\n)+)", re.MULTILINE
)
ENVIRONMENT = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)}
GUIDE = ROOT / "docs/docsite/rst/guide_gateway.rst"
README = ROOT / "roles/gateway/README.md"
# Names of the role's that are none of its options.
OTHERS = {"gateway_serial"}


def _run(*command: str | Path) -> str:
    done = subprocess.run(
        [BINARIES / command[0], *command[1:]],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
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
        if any("sources" in item for item in found):
            continue  # a rulebook, which Ansible does not take
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
    own = [f"irishtek.kong.{name}" for name in ("gateway", "ingress", "echo_upstream")]
    roles = json.loads(_run("ansible-doc", "--json", "--type", "role", *own))
    return modules | {
        name: set(one["entry_points"]["main"]["options"]) for name, one in roles.items()
    }


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_examples_use_options_that_the_modules_have(
    guide: Path, options: dict[str, set[str]]
) -> None:
    calls = [
        call
        for play in _plays(guide)
        for call in _calls(play.get("tasks", []) + play.get("roles", []))
    ]
    assert calls or guide.stem == "guide_troubleshooting"
    unknown = [(name, set(used) - options[name]) for name, used in calls]
    assert [found for found in unknown if found[1]] == []


def test_examples_are_playbooks_that_ansible_takes(tmp_path: Path) -> None:
    playbooks = []
    for guide in GUIDES:
        if plays := _plays(guide):
            playbooks.append(tmp_path / f"{guide.stem}.json")
            playbooks[-1].write_text(json.dumps(plays))
    assert len(playbooks) > 8
    # All in one run: most of what a run takes is to start Ansible.
    _run("ansible-playbook", "--syntax-check", *playbooks)


def test_the_site_leads_to_each_guide() -> None:
    listed = yaml.safe_load((ROOT / "docs/docsite/extra-docs.yml").read_text())
    named = [name for section in listed["sections"] for name in section["toctree"]]
    assert sorted(named) == [guide.stem for guide in GUIDES]


@pytest.mark.parametrize("page", [GUIDE, README], ids=lambda page: page.stem)
def test_the_pages_on_gateways_name_options_that_there_are(
    page: Path, options: dict[str, set[str]]
) -> None:
    named = set(re.findall(r"\bgateway_[a-z_]+\b", page.read_text(encoding="utf-8")))
    assert named - options["irishtek.kong.gateway"] <= OTHERS


def test_the_readmes_examples_are_options_of_the_role(options: dict[str, set[str]]) -> None:
    fenced = re.findall(
        r"^```yaml\n(.*?)^```$", README.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    for found in map(yaml.safe_load, fenced):
        given = found if isinstance(found, dict) else found[0]["roles"][0]
        assert set(given) - {"role"} <= options["irishtek.kong.gateway"]

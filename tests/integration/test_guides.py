# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guides' examples are plays and tasks that Ansible takes, with options that modules have."""

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
BLOCK = re.compile(r"^\.\. code-block:: yaml\n\n((?:    .*\n|\n)+)", re.MULTILINE)
ENVIRONMENT = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)}


def _run(*command: str | Path) -> str:
    done = subprocess.run(
        [BINARIES / command[0], *command[1:]],
        env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _plays(guide: Path) -> list[dict[str, Any]]:
    """The guide's examples as plays; those that are tasks get a play of their own."""
    plays: list[dict[str, Any]] = []
    for block in BLOCK.findall(guide.read_text(encoding="utf-8")):
        found = yaml.safe_load(textwrap.dedent(block))
        whole = all("hosts" in item for item in found)
        plays += found if whole else [{"name": "Tasks", "hosts": "all", "tasks": found}]
    return plays


def _calls(tasks: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each call of one of the collection's modules with its options."""
    for task in tasks:
        for key, value in task.items():
            if key.startswith("irishtek.kong."):
                yield key, value or {}
        for part in ("block", "rescue", "always"):
            yield from _calls(task.get(part, []))


@pytest.fixture(scope="module")
def options() -> dict[str, set[str]]:
    """The documented options of each module of the collection."""
    listed = json.loads(_run("ansible-doc", "--json", "--list", "irishtek.kong"))
    documented = json.loads(_run("ansible-doc", "--json", *listed))
    return {name: set(found["doc"]["options"]) for name, found in documented.items()}


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_examples_use_options_that_the_modules_have(
    guide: Path, options: dict[str, set[str]]
) -> None:
    calls = [call for play in _plays(guide) for call in _calls(play["tasks"])]
    assert calls
    unknown = [(name, set(used) - options[name]) for name, used in calls]
    assert [found for found in unknown if found[1]] == []


@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.stem)
def test_examples_are_playbooks_that_ansible_takes(guide: Path, tmp_path: Path) -> None:
    playbook = tmp_path / "playbook.json"
    playbook.write_text(json.dumps(_plays(guide)))
    _run("ansible-playbook", "--syntax-check", playbook)

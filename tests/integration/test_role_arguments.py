# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a role documents is what it does by default."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.paths import ROOT

ROLES = sorted(path.parent.parent.name for path in ROOT.glob("roles/*/meta/argument_specs.yml"))


def _load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _entry_points(role: str) -> dict[str, Any]:
    return dict(_load(ROOT / "roles" / role / "meta/argument_specs.yml")["argument_specs"])


@pytest.mark.parametrize("role", ROLES)
def test_documented_defaults_are_the_defaults(role: str) -> None:
    documented: dict[str, Any] = {}
    for name, entry_point in _entry_points(role).items():
        for option, spec in entry_point["options"].items():
            # Connection options have the defaults of the modules.
            if "default" in spec and option.startswith(f"{role}_"):
                earlier = documented.setdefault(option, spec["default"])
                assert earlier == spec["default"], f"{name}: {option} has two defaults"
    assert documented == _load(ROOT / "roles" / role / "defaults/main.yml")


@pytest.mark.parametrize("role", ROLES)
def test_every_entry_point_exists_and_its_options_carry_the_roles_name(role: str) -> None:
    entry_points = _entry_points(role)
    assert entry_points
    for name, entry_point in entry_points.items():
        assert (ROOT / "roles" / role / f"tasks/{name}.yml").is_file()
        # The way to an Admin API or Konnect has the names that inventories have for it.
        known = (f"{role}_", "kong_", "konnect_")
        stray = [o for o in entry_point["options"] if not o.startswith(known)]
        assert not stray, f"{name}: {stray}"


def test_a_probe_of_a_rollout_takes_every_option_of_kong_probe() -> None:
    module = (ROOT / "plugins/modules/kong_probe.py").read_text(encoding="utf-8")
    documentation = re.search(r'DOCUMENTATION = r?"""(.*?)"""', module, re.DOTALL)
    assert documentation
    options = {**yaml.safe_load(documentation[1])["options"], "path": {"type": "str"}}
    probe = _entry_points("rollout")["main"]["options"]["rollout_probes"]["options"]
    assert {name: each["type"] for name, each in probe.items()} == {
        name: each["type"] for name, each in options.items()
    }
    (task,) = (
        each for each in _load(ROOT / "roles/rollout/tasks/prove.yml")
        if "irishtek.kong.kong_probe" in each
    )
    assert {"path", *task["irishtek.kong.kong_probe"]} == set(probe)


def test_the_role_gateway_stays_small() -> None:
    folder = ROOT / "roles/gateway"
    options = _entry_points("gateway")["main"]["options"]
    files = sorted((folder / "tasks").glob("*.yml"))
    texts = [*folder.rglob("*.yml"), *(folder / "templates").iterdir()]
    lines = [line for path in texts for line in path.read_text(encoding="utf-8").splitlines()]
    tasks = [
        line for path in files for line in path.read_text("utf-8").splitlines() if "- name:" in line
    ]
    assert len(options) <= 45
    assert len(files) <= 12
    assert len(tasks) <= 110
    assert len([line for line in lines if re.match(r"(?!---)\s*[^\s#]", line)]) <= 1000


def test_the_role_gateways_readme_is_one_screen_with_each_method() -> None:
    text = (ROOT / "roles/gateway/README.md").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 100
    for method in ("docker", "podman", "compose", "package", "helm", "files"):
        assert f"gateway_method: {method}" in text

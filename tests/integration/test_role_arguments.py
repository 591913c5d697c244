# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a role documents is what it does by default."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from data_plane_support import Host

from harness import option_tables
from harness.paths import ROOT
from harness.playbook import Player

ROLES = sorted(path.name for path in (ROOT / "roles").iterdir() if path.is_dir())


def _load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def _entry_points(role: str) -> dict[str, Any]:
    return dict(_load(ROOT / "roles" / role / "meta/argument_specs.yml")["argument_specs"])


@pytest.mark.parametrize("role", ROLES)
def test_documented_defaults_are_the_defaults(role: str) -> None:
    documented: dict[str, Any] = {}
    for name, entry_point in _entry_points(role).items():
        for option, spec in entry_point["options"].items():
            if "default" in spec:
                earlier = documented.setdefault(option, spec["default"])
                assert earlier == spec["default"], f"{name}: {option} has two defaults"
    assert documented == _load(ROOT / "roles" / role / "defaults/main.yml")


@pytest.mark.parametrize("role", ROLES)
def test_every_entry_point_exists_and_its_options_carry_the_roles_name(role: str) -> None:
    entry_points = _entry_points(role)
    assert entry_points
    for name, entry_point in entry_points.items():
        assert (ROOT / "roles" / role / f"tasks/{name}.yml").is_file()
        stray = [o for o in entry_point["options"] if not o.startswith(f"{role}_")]
        assert not stray, f"{name}: {stray}"


@pytest.mark.parametrize("role", ROLES)
def test_the_readmes_tables_are_those_of_the_argument_specs(role: str) -> None:
    # `python -m harness.option_tables` writes them; a README may leave them to `ansible-doc`.
    folder = ROOT / "roles" / role
    assert option_tables.found(folder) in ([], option_tables.wanted(folder))


def test_the_readmes_lines_hand_secrets_to_a_gateway_as_they_are(tmp_path: Path) -> None:
    readme = (ROOT / "roles/data_plane/README.md").read_text(encoding="utf-8")
    (lines,) = re.findall(r"^```\n(while .*?)^```$", readme, re.DOTALL | re.MULTILINE)
    host = Host(Player(tmp_path, {}), tmp_path, "files")
    secrets = {"KONG_PG_PASSWORD": "a b'c\"$d\\e=", "KONG_LICENSE_DATA": '{"license": "#`x`"}'}
    host.run(environment=secrets).ok()
    host.put_command("kong", ["env"])
    script = lines.replace("/srv/kong", str(host.folder)).replace("kong start -c", "kong #")
    done = subprocess.run(
        ["sh", "-c", script], env={**os.environ, "PATH": host.environment["PATH"]},
        capture_output=True, text=True, check=True,
    )
    assert {f"{name}={value}" for name, value in secrets.items()} <= set(done.stdout.splitlines())

# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Control planes, and what gateways balance to, as inventories."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.engine import Engine
from harness.gateway import Gateway, sandbox
from harness.paths import COLLECTIONS

TOKEN = "kpat_n0t-to-be-seen-31415"


def _inventory(path: Path, environment: dict[str, str] | None = None) -> Any:
    """What `ansible-inventory --list` makes of a file."""
    command = Path(sys.executable).parent / "ansible-inventory"
    done = subprocess.run(
        [command, "-i", path, "--list"], capture_output=True, text=True, check=False,
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
             "ANSIBLE_HOME": str(path.parent), "ANSIBLE_INVENTORY_ENABLED": "auto",
             **(environment or {})},
    )
    assert done.returncode == 0 and "Failed to parse" not in done.stderr, done.stderr
    assert TOKEN not in done.stdout + done.stderr
    return json.loads(done.stdout, object_hook=_shown)


def _shown(found: dict[str, Any]) -> Any:
    """Newer versions of ansible-core mark texts that no one may use as templates."""
    return found["__ansible_unsafe"] if set(found) == {"__ansible_unsafe"} else found


def _written(path: Path, **options: Any) -> Path:
    path.write_text(json.dumps(options))
    return path


@pytest.mark.parametrize("cached", [False, True])
def test_control_planes_are_hosts(tmp_path: Path, cached: bool) -> None:
    cache = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile",
             "cache_connection": str(tmp_path / "cache")} if cached else {}
    with sandbox("--admin-token", TOKEN, control_plane="default") as started:
        konnect = Gateway(started.admin_url, "", TOKEN, control_plane="default")
        Engine(konnect).ok("konnect_control_plane", name="team-a", labels={"env": "prod"})
        path = _written(
            tmp_path / "konnect.yml", plugin="irishtek.kong.konnect",
            konnect_url=konnect.admin_url, compose={"team": "konnect_labels.env"}, **cache,
        )
        found = _inventory(path, {"KONNECT_TOKEN": TOKEN})
    if cached:
        # Konnect is not there any more.
        assert _inventory(path, {"KONNECT_TOKEN": TOKEN}) == found
        kept = [each.read_text() for each in (tmp_path / "cache").iterdir()]
        assert kept and not any(TOKEN in text for text in kept)
    assert TOKEN not in json.dumps(found)
    assert set(found["konnect"]["hosts"]) == {"default", "team-a"}
    assert found["label_env_prod"]["hosts"] == ["team-a"]
    assert set(found["type_control_plane"]["hosts"]) == {"default", "team-a"}
    variables = found["_meta"]["hostvars"]["team-a"]
    assert variables["konnect_url"] == konnect.admin_url
    assert (variables["konnect_control_plane"], variables["team"]) == ("team-a", "prod")


@pytest.mark.parametrize("control_plane", ["", "default"])
def test_targets_are_hosts_of_their_upstreams(tmp_path: Path, control_plane: str) -> None:
    with sandbox(control_plane=control_plane) as gateway:
        engine = Engine(gateway)
        engine.ok("kong_upstream", name="blue.test", targets=[
            {"target": "10.0.0.1:80", "weight": 0, "tags": ["a"]}, {"target": "a.test:81"},
        ])
        engine.ok("kong_upstream", name="green.test", targets=[{"target": "10.0.0.1:82"}])
        path = _written(
            tmp_path / "upstreams.yml", plugin="irishtek.kong.upstreams", **gateway.connection,
            groups={"drained": "kong_targets | selectattr('weight', 'equalto', 0) | list != []"},
            **({} if control_plane else {"health": True}),
        )
        found = _inventory(path)
    assert set(found["blue_test"]["hosts"]) == {"10.0.0.1", "a.test"}
    assert found["green_test"]["hosts"] == ["10.0.0.1"]
    assert found["drained"]["hosts"] == ["10.0.0.1"]
    targets = found["_meta"]["hostvars"]["10.0.0.1"]["kong_targets"]
    first = next(each for each in targets if each["upstream"] == "blue.test")
    assert (first["port"], first["weight"], first["tags"]) == (80, 0, ["a"])
    assert ("health" in first) != bool(control_plane)

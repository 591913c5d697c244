# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options and facts of the role ``gateway`` as its tests begin with them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped, unused-ignore]

from ansible_collections.irishtek.kong.plugins.plugin_utils._gateway_role._plan import plan_of

ROLE = Path(__file__).resolve().parents[2] / "roles/gateway"
NOW = 1_800_000_000.0
COLLECTIONS = ["community.crypto", "community.docker", "kubernetes.core"]
FACTS: dict[str, Any] = {
    "distribution": "debian", "release": "13", "codename": "trixie", "nodename": "machine",
    "family": "debian", "rpm": {},
    "missing": [], "podman": "5.4.2",
    "selinux": False, "gid": 990, "record": {}, "certificates": {"tls": {}, "new": {}},
    "foreign": False, "running": False, "seen": "",
}  # fmt: skip


def defaults() -> dict[str, Any]:
    """The role's defaults without their prefix."""
    found = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
    return {name.removeprefix("gateway_"): value for name, value in found.items()}


def options(**given: Any) -> dict[str, Any]:
    """Options of a host that is called ``gw``."""
    more = {
        "hostname": "gw", "collections": COLLECTIONS, "state_document": {}, "ca_text": "",
        "certificate_text": "", "key_text": "", "pins": False,
        "control_plane": "", "control_planes": [],
    }  # fmt: skip
    return {**defaults(), **more, **given}


def plan(facts: dict[str, Any] | None = None, **given: Any) -> dict[str, Any]:
    """The plan for these options."""
    return plan_of(options(**given), {**FACTS, **(facts or {})}, NOW)


def conf(planned: dict[str, Any]) -> dict[str, str]:
    """The settings in a plan's ``kong.conf``."""
    text = next(file["content"] for file in planned["files"] if file["path"] == "kong.conf")
    lines: list[list[str]] = [line.split(" = ", 1) for line in text.splitlines() if " = " in line]
    return dict(lines)


def record(planned: dict[str, Any], **more: Any) -> dict[str, Any]:
    """What a run that did this plan has recorded."""
    image = {"ref": planned["run"]["ref"], "id": "sha256:1"}
    return {**planned["record"], "image": image, **more}


def run_command(command: list[str]) -> tuple[int, str, str]:
    """Run a command as a module does it."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout, done.stderr

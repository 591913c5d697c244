# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""decK, the other client of state files, where a `deck` is on the PATH."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from harness.certificates import self_signed
from harness.gateway import PREFIX, TAG, Gateway
from harness.paths import ROOT
from harness.program import DIRECT

TUTORIAL = ROOT / "tests/fixtures/state/first-upstream-target.yaml"
# Why there is nothing to compare with.
MISSING = "no `deck` is on the PATH"


def deck_program() -> str | None:
    """The path of decK."""
    return shutil.which("deck")


def deck_command(program: str, verb: str, file: Path, gateway: Gateway, *more: str) -> list[str]:
    """`deck gateway VERB` on `gateway` with one file, without telling its makers about it."""
    where = ["--kong-addr", gateway.admin_url, "--analytics=false"]
    if gateway.control_plane:
        where = ["--konnect-addr", gateway.admin_url, "--analytics=false"]
    return [program, "gateway", verb, str(file), *where, *more]


def deck_environment(gateway: Gateway, folder: Path) -> dict[str, str]:
    """Without settings of decK's that somebody made for something else; `folder` is its home."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DECK_", "KONG_", "KONNECT_"))
    }
    # Older versions know the token as a header only; the environment keeps it off the process list.
    token = {"DECK_HEADERS": f"Kong-Admin-Token:{gateway.token}"} if gateway.token else {}
    if gateway.control_plane:
        token = {
            "DECK_KONNECT_TOKEN": gateway.token,
            "DECK_KONNECT_CONTROL_PLANE_NAME": gateway.control_plane,
        }
    return {**kept, **DIRECT, **token, "HOME": str(folder)}


def shared_document(folder: Path) -> dict[str, Any]:
    """A state file with plugins on many scopes, credentials, and a certificate with a name."""
    pair = self_signed(folder, f"{PREFIX}deck.example")
    name = f"{PREFIX}deck"
    return {
        "_format_version": "3.0",
        "_info": {"select_tags": [TAG]},
        "services": [{
            "name": name,
            "host": f"{name}.pool",
            "plugins": [{"name": "key-auth", "config": {"key_names": ["apikey", "token"]}}],
            "routes": [{
                "name": name,
                "paths": ["/deck", "~/deck/[0-9]+"],
                "methods": ["POST", "GET"],
                "headers": {"x-deck": ["b", "a"]},
                "plugins": [{"name": "cors", "config": {"methods": ["PUT", "GET"]}}],
            }],
        }],
        "upstreams": [{
            "name": f"{name}.pool",
            "healthchecks": {"passive": {"unhealthy": {"http_failures": 3}}},
            "targets": [{"target": "192.0.2.1:80"}, {"target": "[2001:db8::1]:80", "weight": 0}],
        }],
        "consumers": [{
            "username": name,
            "keyauth_credentials": [{"key": f"{name}-key"}],
            "acls": [{"group": "readers"}],
            "plugins": [
                {"name": "rate-limiting", "config": {"minute": 5, "policy": "local"}},
            ],
        }],
        "certificates": [{
            "id": "7c5f6d3e-32b1-4d0c-9c3e-0d5a4b8f1a11",
            "cert": Path(pair.certificate).read_text(),
            "key": Path(pair.key).read_text(),
            "snis": [{"name": f"{PREFIX}deck.example"}],
        }],
    }  # fmt: skip

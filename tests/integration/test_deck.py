# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""decK as a second client of one gateway: after either of the two the other has nothing to do."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.certificates import self_signed
from harness.deck import MISSING, deck_command, deck_environment, deck_program
from harness.engine import Engine
from harness.gateway import PREFIX, TAG, Gateway
from harness.paths import ROOT

PROGRAM = deck_program()
TUTORIAL = ROOT / "tests/fixtures/state/first-upstream-target.yaml"
# Seconds; decK takes less than one.
LIMIT = 60.0

pytestmark = pytest.mark.skipif(PROGRAM is None, reason=MISSING)


def _mix(folder: Path) -> dict[str, Any]:
    """Plugins on every scope, a consumer with credentials, a certificate with a name."""
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


@pytest.fixture(params=["tutorial", "mix"])
def state_file(
    request: pytest.FixtureRequest, tmp_path: Path, gateway: Gateway, engine: Engine
) -> Iterator[Path]:
    """A file whose entities the gateway has neither before nor after."""
    text = TUTORIAL.read_text() if request.param == "tutorial" else yaml.safe_dump(_mix(tmp_path))
    document = yaml.safe_load(text)
    (tag,) = document["_info"]["select_tags"]
    if (gateway.call("GET", f"/tags/{tag}") or {}).get("data"):
        pytest.skip(f"the gateway has entities with the tag {tag}, which are left alone")
    file = tmp_path / "kong.yaml"
    file.write_text(text)
    yield file
    engine.ok("kong_state", content=document, state="absent", cascade=True)


def _deck(verb: str, file: Path, gateway: Gateway, *more: str) -> str:
    done = subprocess.run(
        deck_command(PROGRAM or "deck", verb, file, gateway, *more),
        env=deck_environment(gateway, file.parent), cwd=file.parent, timeout=LIMIT,
        text=True, check=False,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_deck_finds_nothing_to_do_after_kong_state(
    gateway: Gateway, engine: Engine, state_file: Path
) -> None:
    engine.ok("kong_state", content=yaml.safe_load(state_file.read_text()), state="synced")
    # With this option decK's status says whether it found differences.
    told = _deck("diff", state_file, gateway, "--non-zero-exit-code")
    assert "Updated: 0" in told and "Created: 0" in told and "Deleted: 0" in told


def test_kong_state_finds_nothing_to_do_after_deck(
    gateway: Gateway, engine: Engine, state_file: Path
) -> None:
    _deck("sync", state_file, gateway)
    document = yaml.safe_load(state_file.read_text())
    result = engine.ok("kong_state", content=document, state="synced", check=True)
    assert result["changes"] == []
    assert sum(counts["unchanged"] for counts in result["summary"].values()) > 0

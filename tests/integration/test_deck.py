# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""decK as a second client of one gateway: after either of the two the other has nothing to do."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from harness.deck import (
    MISSING,
    TUTORIAL,
    deck_command,
    deck_environment,
    deck_program,
    shared_document,
)
from harness.engine import Engine
from harness.gateway import Gateway

PROGRAM = deck_program()
# Seconds; decK takes less than one.
LIMIT = 60.0

pytestmark = pytest.mark.skipif(PROGRAM is None, reason=MISSING)


@pytest.fixture(params=["tutorial", "mix"])
def state_file(
    request: pytest.FixtureRequest, tmp_path: Path, gateway: Gateway, engine: Engine
) -> Iterator[Path]:
    """A file whose entities the gateway has neither before nor after."""
    mixed = request.param == "mix"
    text = yaml.safe_dump(shared_document(tmp_path)) if mixed else TUTORIAL.read_text()
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

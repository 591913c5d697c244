# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox answers as real gateways answered: recorded conversations, played again."""

from __future__ import annotations

import contextlib
import pathlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from harness.gateway import sandbox
from sandbox_tests.transcripts import played

RECORDED = pathlib.Path(__file__).parents[1] / "conformance"

#: The folders of recordings, and what a sandbox must be told to answer so.
SANDBOXES: dict[str, tuple[str, ...]] = {
    "database": ("--version", "3.10"),
    "database-3.5": ("--version", "3.5"),
    "dbless": ("--mode", "dbless"),
}

#: As slow as a real gateway, seconds: recordings look at health before a balancer exists.
HEALTH_DELAY = "5"

#: Recordings that the sandbox does not follow yet ("folder/name"), and why.
PENDING: dict[str, str] = {}


def _recordings() -> list[str]:
    """Every recording as "folder/name"."""
    return [
        f"{folder}/{path.stem}"
        for folder in SANDBOXES
        for path in sorted((RECORDED / folder).glob("*.json"))
    ]


def _marked(name: str) -> Any:
    """A recording as a test's parameter; a pending one that turns green fails its test."""
    marks = [pytest.mark.xfail(reason=PENDING[name], strict=True)] if name in PENDING else []
    return pytest.param(name, id=name, marks=marks)


@pytest.fixture(scope="module")
def clients() -> Iterator[dict[str, httpx.Client]]:
    """A client for a sandbox of each folder."""
    with contextlib.ExitStack() as stack:
        found: dict[str, httpx.Client] = {}
        for folder, options in SANDBOXES.items():
            gateway = stack.enter_context(sandbox(*options, "--health-delay", HEALTH_DELAY))
            client = httpx.Client(base_url=gateway.admin_url, trust_env=False, timeout=30)
            found[folder] = stack.enter_context(client)
        yield found


@pytest.mark.parametrize("recording", [_marked(name) for name in _recordings()])
def test_recorded_answers_are_given_again(clients: dict[str, httpx.Client], recording: str) -> None:
    client = clients[recording.partition("/")[0]]
    client.post("/sandbox/reset").raise_for_status()
    assert played(client, RECORDED / f"{recording}.json") == []


def test_every_recording_is_played() -> None:
    known = _recordings()
    assert len(known) == 61
    assert set(PENDING) <= set(known)

# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sandbox answers as real gateways answered: recorded conversations, played again."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from harness.gateway import sandbox
from sandbox_tests.transcripts import played

RECORDED = pathlib.Path(__file__).parents[1] / "conformance"

#: The folders of recordings, and the version that a sandbox must be to answer so.
VERSIONS = {"database": "3.10", "database-3.5": "3.5"}

#: As slow as a real gateway, seconds: recordings look at health before a balancer exists.
HEALTH_DELAY = "5"

#: Recordings that the sandbox does not follow yet ("folder/name"), and why.
PENDING: dict[str, str] = {}


def _recordings() -> list[str]:
    """Every recording as "folder/name"."""
    return [
        f"{folder}/{path.stem}"
        for folder in VERSIONS
        for path in sorted((RECORDED / folder).glob("*.json"))
    ]


def _marked(name: str) -> Any:
    """A recording as a test's parameter; a pending one that turns green fails its test."""
    marks = [pytest.mark.xfail(reason=PENDING[name], strict=True)] if name in PENDING else []
    return pytest.param(name, id=name, marks=marks)


@pytest.fixture(scope="module")
def clients() -> Iterator[dict[str, httpx.Client]]:
    """A client for a sandbox of each version."""
    with (
        sandbox("--version", VERSIONS["database"], "--health-delay", HEALTH_DELAY) as newer,
        sandbox("--version", VERSIONS["database-3.5"], "--health-delay", HEALTH_DELAY) as older,
        httpx.Client(base_url=newer.admin_url, trust_env=False, timeout=30) as to_newer,
        httpx.Client(base_url=older.admin_url, trust_env=False, timeout=30) as to_older,
    ):
        yield {"database": to_newer, "database-3.5": to_older}


@pytest.mark.parametrize("recording", [_marked(name) for name in _recordings()])
def test_recorded_answers_are_given_again(clients: dict[str, httpx.Client], recording: str) -> None:
    client = clients[recording.partition("/")[0]]
    client.post("/sandbox/reset").raise_for_status()
    assert played(client, RECORDED / f"{recording}.json") == []


def test_every_recording_is_played() -> None:
    known = _recordings()
    assert len(known) == 29
    assert set(PENDING) <= set(known)

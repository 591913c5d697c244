# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the tests of event sources and rulebooks: sandbox gateways that change at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.gateway import Gateway, sandbox

UPSTREAM = {
    "name": "orders",
    "healthchecks": {"passive": {"unhealthy": {"http_failures": 5}}},
}


@pytest.fixture(scope="session")
def _sandbox() -> Iterator[Gateway]:
    with sandbox("--health-delay", "0", "--propagation", "0") as started:
        yield started


@pytest.fixture
def gateway(_sandbox: Gateway) -> Gateway:
    """A gateway with the upstream `orders` and two targets."""
    _sandbox.reset()
    _sandbox.call("POST", "/upstreams", UPSTREAM)
    for number in (1, 2):
        _sandbox.call("POST", "/upstreams/orders/targets", {"target": f"127.0.0.1:{number}"})
    until(_sandbox, lambda seen: set(seen.values()) == {"HEALTHY"})
    return _sandbox


def until(gateway: Gateway, is_seen: Callable[[dict[str, Any]], bool]) -> None:
    """Wait until the balancer's view of `orders`, health by target, is as expected."""
    # ansible-rulebook takes long to start on a busy machine.
    deadline = time.monotonic() + 120
    while True:
        answer = gateway.call("GET", "/upstreams/orders/health") or {"data": []}
        seen = {each["target"]: each.get("health") for each in answer["data"] or []}
        if is_seen(seen):
            return
        assert time.monotonic() < deadline, seen
        time.sleep(0.05)

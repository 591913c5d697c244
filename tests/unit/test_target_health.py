# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health is set where a balancer keeps one, and what only takes time is waited for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from ansible_collections.irishtek.kong.plugins.module_utils import _deadline
from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import Entity
from ansible_collections.irishtek.kong.plugins.module_utils._errors import KongError
from ansible_collections.irishtek.kong.plugins.module_utils._operations._base import Result, Task
from ansible_collections.irishtek.kong.plugins.module_utils._operations._target_health import (
    run_target_health,
)
from unit.scripted import URL, Clock, Script, Step, answer, gateway_for

Run = Callable[..., Result]
MISSING = answer(404, {"message": "Not found"})
ID = "22222222-2222-4333-8444-555555555555"


def _listed(*entities: Entity) -> Any:
    return answer(200, {"data": list(entities) or {}, "next": None})


@pytest.fixture
def run(script: Callable[..., Script], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Mark the target unhealthy on a gateway that answers by steps."""

    def marked(*steps: Step, **params: Any) -> Result:
        gateway = gateway_for(script(ROOT, *steps), monkeypatch)
        return run_target_health(Task({**TARGET, **params}, gateway, False, True, print))

    return marked


def _refusal(run: Run, *steps: Step, **params: Any) -> KongError:
    with pytest.raises(KongError) as caught:
        run(*steps, **params)
    return caught.value


HEALTH = "/upstreams/web/health?size=1000"
ROOT = Step("GET", "/", answer(200, {"configuration": {"role": "traditional"}}))
SET = "/upstreams/web/targets/10.0.0.1:80/unhealthy"
TARGET: dict[str, Any] = {
    "upstream": "web",
    "target": "10.0.0.1:80",
    "health": "unhealthy",
    "wait_timeout": 30,
}


def _health(state: str | None, *addresses: Entity) -> Step:
    seen: Entity = {"target": "10.0.0.1:80", "data": {"addresses": list(addresses) or {}}}
    return Step("GET", HEALTH, _listed({**seen, "health": state} if state else seen))


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(_deadline, "time", clock)
    return clock


def test_health_is_set_once_a_balancer_exists(run: Run, clock: Clock) -> None:
    no_balancer = answer(400, {"message": "Upstream web has no balancer"})
    steps = [
        _health(None), _health("HEALTHY"), Step("PUT", SET, no_balancer),
        Step("PUT", SET, answer(204)),
    ]  # fmt: skip
    result = run(*steps)
    assert (result["changed"], result["diff"]["before"]) == (True, {"health": "HEALTHY"})
    assert len(clock.pauses) == 2


def test_health_that_is_so_already_is_no_change(run: Run) -> None:
    assert not run(_health("UNHEALTHY"))["changed"]


def test_the_health_of_one_address_is_set(run: Run) -> None:
    seen = {"ip": "10.0.0.1", "port": 80, "health": "HEALTHY"}
    path = SET.replace("/unhealthy", "/10.0.0.1:80/unhealthy")
    steps = [_health("HEALTHY", seen), Step("PUT", path, answer(204))]
    assert run(*steps, address="10.0.0.1:80")["changed"]


UPSTREAM = "/upstreams/web"
CHECKED = {"id": ID, "healthchecks": {"passive": {"unhealthy": {"tcp_failures": 3}}}}
UNCHECKED = {"id": ID, "healthchecks": {"active": {"healthy": {"interval": 0}}}}


def _off(weight: int) -> Step:
    seen = {"target": "10.0.0.1:80", "weight": weight, "health": "HEALTHCHECKS_OFF"}
    return Step("GET", HEALTH, _listed(seen))


@pytest.mark.parametrize(
    ("weight", "upstream", "message"),
    [
        (100, UNCHECKED, "the upstream has no health checks, so its targets have no health"),
        (0, UNCHECKED, "the upstream has no health checks, so its targets have no health"),
        (0, CHECKED, "its weight is 0, so the balancer does not report its health"),
    ],
    ids=["no checks", "drained without checks", "drained"],
)
def test_a_target_without_a_health_is_refused_with_the_reason(
    run: Run, clock: Clock, weight: int, upstream: Entity, message: str
) -> None:
    steps = [_off(weight), Step("GET", UPSTREAM, answer(200, upstream))]
    assert message in _refusal(run, *steps).message
    assert clock.pauses == []


def test_a_target_that_was_just_brought_back_is_waited_for(run: Run, clock: Clock) -> None:
    checked = Step("GET", UPSTREAM, answer(200, CHECKED))
    steps = [
        _off(100), checked, _off(100), checked, _health("HEALTHY"),
        Step("PUT", SET, answer(204)),
    ]  # fmt: skip
    assert run(*steps)["changed"]
    assert len(clock.pauses) == 2


def test_a_connection_that_is_lost_does_not_end_waiting(run: Run, clock: Clock) -> None:
    lost = [Step("GET", HEALTH, httpx.ReadError)] * 4
    steps = [*lost, _health(None), _health("UNHEALTHY")]
    assert not run(*steps)["changed"]


@pytest.mark.parametrize(
    ("steps", "params", "message"),
    [
        ([Step("GET", HEALTH, MISSING), Step("GET", "/status", MISSING)], {},
         "upstream web does not exist"),
        ([Step("GET", HEALTH, _listed())], {}, "target 10.0.0.1:80 does not exist"),
        ([_health("HEALTHY")], {"address": "10.0.0.9:80"}, "has no address 10.0.0.9:80"),
    ],
)
def test_health_that_cannot_be_set_is_refused(
    run: Run, clock: Clock, steps: list[Step], params: dict[str, str], message: str
) -> None:
    error = _refusal(run, *steps, **params)
    assert message in error.message
    assert error.message.startswith(f"health of target 10.0.0.1:80 of upstream web at {URL}: ")
    assert clock.pauses == []

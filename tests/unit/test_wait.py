# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Waiting ends when the gateway's balancer does what is configured, or says why it does not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import Entity
from ansible_collections.irishtek.kong.plugins.module_utils._entities._upstream import TARGET
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError, KongError
from ansible_collections.irishtek.kong.plugins.module_utils._gateway._admin import AdminGateway
from ansible_collections.irishtek.kong.plugins.module_utils._operations._base import Task
from ansible_collections.irishtek.kong.plugins.module_utils._operations._nodes import (
    TargetWait,
    balancing_nodes,
)
from ansible_collections.irishtek.kong.plugins.module_utils._plan import Plan, plan_present
from unit.recordings import steps
from unit.scripted import URL, Clock, answer, client_for, gateway_for

NO_BALANCER = answer(400, {"message": 'Upstream "web" has no balancer'})
STORED = {"id": "1", "target": "10.0.0.1:80", "weight": 100}


def _seen(health: str | None, weight: int = 100) -> Entity:
    """A target as `/health` shows it; without health, no balancer has it yet."""
    if health is None:
        return dict(STORED)
    return {**STORED, "health": health, "data": {"nodeWeight": weight, "addresses": {}}}


def _page(*targets: Entity) -> httpx.Response:
    return answer(200, {"data": list(targets) or {}, "next": None})


def _waited(
    monkeypatch: pytest.MonkeyPatch,
    pages: Sequence[httpx.Response],
    plans: Sequence[Plan],
    state: str = "present",
) -> tuple[dict[str, str], Clock]:
    """Wait for ten seconds at most; the last page is answered again and again."""
    left = list(pages)

    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/status":
            return answer(404, {"message": "Not found"})
        assert request.url.path == "/upstreams/web/health"
        return left.pop(0) if len(left) > 1 else left[0]

    params: dict[str, Any] = {"state": state, "wait_timeout": 10}
    client, clock = client_for(handler, monkeypatch)
    task = Task(params, AdminGateway(client), False, False, print)
    return TargetWait(task, "web", "web", [task.gateway], plans).run()["health"], clock


PLANS = [plan_present(TARGET, {"target": "10.0.0.1:80"}, STORED, "web")]
DRAINED = [plan_present(TARGET, {"target": "10.0.0.1:80", "weight": 0}, STORED, "web")]


@pytest.mark.parametrize("health", ["HEALTHY", "HEALTHCHECKS_OFF"])
def test_a_usable_target_is_not_waited_for(health: str, monkeypatch: pytest.MonkeyPatch) -> None:
    states, clock = _waited(monkeypatch, [_page(_seen(health))], PLANS)
    assert states == {"10.0.0.1:80": health}
    assert clock.pauses == []


@pytest.mark.parametrize(
    "first",
    [
        NO_BALANCER,
        answer(404, {"message": "Not found"}),
        _page(),
        _page(_seen(None)),
        _page(_seen("DNS_ERROR")),
        _page(_seen("UNHEALTHY")),
        _page(_seen("HEALTHY", 0)),
        _page(_seen("HEALTHCHECKS_OFF", 50)),
    ],
    ids=["no balancer", "no upstream", "no target", "no health", "DNS error", "unhealthy",
         "still drained", "still another weight"],
)  # fmt: skip
def test_a_target_that_is_not_used_yet_is_waited_for(
    first: httpx.Response, monkeypatch: pytest.MonkeyPatch
) -> None:
    states, clock = _waited(monkeypatch, [first, _page(_seen("HEALTHY"))], PLANS)
    assert states == {"10.0.0.1:80": "HEALTHY"}
    assert len(clock.pauses) == 1


@pytest.mark.parametrize(
    ("answered", "reason"),
    [
        (NO_BALANCER, "10.0.0.1:80 is UNKNOWN (no balancer uses it yet)"),
        (_page(_seen(None)), "10.0.0.1:80 is UNKNOWN (no balancer uses it yet)"),
        (_page(_seen("DNS_ERROR")), "10.0.0.1:80 is DNS_ERROR (the gateway cannot resolve its "
         "name)"),
        (_page(_seen("UNHEALTHY")), "10.0.0.1:80 is UNHEALTHY (its health checks fail)"),
        (_page(_seen("OF_TOMORROW")), "10.0.0.1:80 is OF_TOMORROW with the weight 100"),
        (_page(_seen("HEALTHY", 0)), "10.0.0.1:80 is HEALTHY with the weight 0"),
    ],
)  # fmt: skip
def test_waiting_in_vain_ends_with_the_reason(
    answered: httpx.Response, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KongError) as caught:
        _waited(monkeypatch, [answered], PLANS)
    assert caught.value.message == (
        f"targets of upstream web at {URL} are not usable after 10 s: {reason}"
    )
    assert list(caught.value.failure["health"]) == ["10.0.0.1:80"]


def test_waiting_never_exceeds_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    client, clock = client_for(lambda request: NO_BALANCER, monkeypatch)
    gateway = AdminGateway(client)
    task = Task({"state": "present", "wait_timeout": 10}, gateway, False, False, print)
    with pytest.raises(KongError):
        TargetWait(task, "web", "web", [gateway], PLANS).run()
    assert 5 < sum(clock.pauses) <= 10
    assert max(clock.pauses) <= 2


@pytest.mark.parametrize(
    "still", [_page(_seen("HEALTHY", 100)), _page(_seen("HEALTHCHECKS_OFF", 1)), NO_BALANCER]
)
def test_a_drained_target_is_waited_for_until_the_balancer_gives_it_no_weight(
    still: httpx.Response, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = [still, _page(_seen("HEALTHY", 0))]
    states, clock = _waited(monkeypatch, pages, DRAINED, state="drained")
    assert states == {"10.0.0.1:80": "HEALTHY"}
    assert len(clock.pauses) == 1


def test_draining_in_vain_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KongError, match=r"are not out of the balancer after 10 s: 10\.0\.0\.1:80"):
        _waited(monkeypatch, [_page(_seen("HEALTHY"))], DRAINED, state="drained")


def test_only_the_tasks_own_targets_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    other = {**_seen("UNHEALTHY"), "id": "2", "target": "10.0.0.2:80"}
    plans = [*PLANS, Plan(TARGET, "none", parent="web")]
    states, _clock = _waited(monkeypatch, [_page(other, _seen("HEALTHY"))], plans)
    assert states == {"10.0.0.1:80": "HEALTHY"}


def _recorded() -> list[Any]:
    return [
        pytest.param(step["response"], id=str(number))
        for number, step in enumerate(steps("health_states"))
        if step["request"]["path"].endswith("/health") and step["response"]["status"] == 200
    ]


@pytest.mark.parametrize("response", _recorded())
def test_recorded_health_is_understood(
    response: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    (stored,) = response["body"]["data"]
    usable = stored["health"] in ("HEALTHY", "HEALTHCHECKS_OFF")
    for state, weight, ends in (
        ("present", stored["weight"], usable),
        ("drained", 0, stored["weight"] == 0),
    ):
        written = {"target": stored["target"], "weight": weight}
        plans = [plan_present(TARGET, written, stored, "web")]
        pages = [answer(200, response["body"])]
        if ends:
            states, _clock = _waited(monkeypatch, pages, plans, state)
            assert states == {stored["target"]: stored["health"]}
        else:
            with pytest.raises(KongError, match=stored["health"]):
                _waited(monkeypatch, pages, plans, state)


@pytest.mark.parametrize("role", ["control_plane", "traditional", "data_plane", None])
def test_waiting_is_refused_where_nothing_is_proxied(
    role: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = {"configuration": {"role": role}} if role else {}
    gateway = gateway_for(lambda request: answer(200, root), monkeypatch)
    task = Task({}, gateway, False, False, print)
    if role == "control_plane":
        with pytest.raises(InputError, match="no balancer to wait for; set status_urls to"):
            balancing_nodes(task)
    else:
        assert balancing_nodes(task) == [gateway]

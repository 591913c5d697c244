# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets drained and brought back, and waiting for the balancer to use them so."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.echo import Echo
from harness.engine import Engine
from harness.gateway import PREFIX, TAG, Gateway, sandbox

UPSTREAM = f"{PREFIX}upstream"
ONE, TWO, THREE = (f"10.0.0.{number}:80" for number in (1, 2, 3))
PROBED_OFTEN = {
    "active": {
        "healthy": {"interval": 0.2, "successes": 1},
        "unhealthy": {"interval": 0.2, "tcp_failures": 1, "http_failures": 1, "timeouts": 1},
    }
}
CHECK = pytest.mark.parametrize("check", [False, True], ids=["real", "check"])


def _pool(engine: Engine, *targets: str, **options: Any) -> None:
    entries = [{"target": target, "tags": [TAG]} for target in targets]
    engine.ok("kong_upstream", name=UPSTREAM, tags=[TAG], targets=entries, **options)


def _stored(gateway: Gateway) -> dict[str, dict[str, Any]]:
    return {
        target["target"]: target for target in gateway.entities(f"/upstreams/{UPSTREAM}/targets")
    }


def _health(gateway: Gateway) -> dict[str, dict[str, Any]]:
    found = gateway.call("GET", f"/upstreams/{UPSTREAM}/health") or {"data": []}
    return {target["target"]: target for target in found["data"]}


def _until(condition: Callable[[], bool]) -> None:
    """Ask until it is so; a gateway takes its time, and no test waits for less."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it did not come to be so"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def slow_sandbox() -> Iterator[Gateway]:
    """A sandbox whose balancers follow a second later."""
    with sandbox("--propagation", "1") as started:
        yield started


@pytest.fixture
def slow(slow_sandbox: Gateway) -> Engine:
    """Calls operations on the sandbox with the slow balancers."""
    slow_sandbox.reset()
    return Engine(slow_sandbox)


@CHECK
def test_a_drained_target_stays_with_the_weight_0(
    engine: Engine, gateway: Gateway, check: bool
) -> None:
    _pool(engine, ONE, TWO)
    before = _stored(gateway)
    drain = {"upstream": UPSTREAM, "target": "10.0.0.1:080", "state": "drained"}
    drained = engine.ok("kong_target", check=check, **drain)
    assert (drained["operation"], drained["target"]["weight"]) == ("update", 0)
    assert (drained["diff"]["before"]["weight"], drained["diff"]["after"]["weight"]) == (100, 0)
    assert drained["target"]["id"] == before[ONE]["id"]
    assert drained["target"]["tags"] == [TAG]
    if check:
        assert _stored(gateway) == before
        return
    after = _stored(gateway)
    assert (after[ONE]["id"], after[ONE]["weight"]) == (before[ONE]["id"], 0)
    assert after[TWO] == before[TWO]
    again = engine.ok("kong_target", **drain)
    assert (again["changed"], again["operation"]) == (False, "none")


def test_a_drained_target_comes_back_with_its_weight(engine: Engine, gateway: Gateway) -> None:
    _pool(engine, ONE, TWO)
    target = {"upstream": UPSTREAM, "target": ONE}
    engine.ok("kong_target", **target, state="drained")
    assert not engine.ok("kong_target", **target)["changed"], "a weight left out stays as it is"
    back = engine.ok("kong_target", **target, weight=100)
    assert (back["operation"], back["target"]["weight"]) == ("update", 100)
    engine.ok("kong_target", **target, state="drained")
    assert engine.ok("kong_target", **target, weight=None)["target"]["weight"] == 100


@CHECK
@pytest.mark.parametrize(
    "options", [{"target": ONE, "weight": 0}, {"targets": [{"target": ONE, "weight": 5}]}]
)
def test_a_weight_beside_drained_is_refused(
    engine: Engine, options: dict[str, Any], check: bool
) -> None:
    result = engine.refused(
        "kong_target", check=check, upstream=UPSTREAM, state="drained", **options
    )
    assert "weight cannot be combined with state drained" in result["msg"]
    assert f"of upstream {UPSTREAM} at {engine.gateway.label}" in result["msg"]


@CHECK
def test_a_missing_target_is_not_created_to_be_drained(
    engine: Engine, gateway: Gateway, check: bool
) -> None:
    _pool(engine, ONE)
    result = engine.ok(
        "kong_target", check=check, upstream=UPSTREAM, target=TWO, state="drained"
    )
    assert (result["changed"], result["operation"], result["target"]) == (False, "none", {})
    assert result["warnings"] == [
        f"target {TWO} of upstream {UPSTREAM} does not exist at {gateway.label}, nothing to drain"
    ]
    assert list(_stored(gateway)) == [ONE]


def test_a_missing_upstream_is_an_error(engine: Engine) -> None:
    for options in ({"target": ONE}, {"targets": [{"target": ONE}]}):
        for state in ("present", "drained"):
            result = engine.refused("kong_target", upstream=UPSTREAM, state=state, **options)
            assert f"upstream {UPSTREAM} does not exist" in result["msg"]
        absent = engine.ok("kong_target", upstream=UPSTREAM, state="absent", **options)
        assert not absent["changed"]


@CHECK
@pytest.mark.parametrize(
    "options", [{"target": ONE}, {"targets": [{"target": ONE}, {"target": THREE}]}]
)
def test_the_last_target_with_weight_is_drained_only_by_force(
    engine: Engine, gateway: Gateway, options: dict[str, Any], check: bool
) -> None:
    _pool(engine, ONE, TWO)
    engine.ok("kong_target", upstream=UPSTREAM, target=TWO, state="drained")
    drain = {"upstream": UPSTREAM, "state": "drained", **options}
    result = engine.refused("kong_target", check=check, **drain)
    assert "no target of the upstream would have a weight above 0" in result["msg"]
    assert "force" in result["msg"]
    assert _stored(gateway)[ONE]["weight"] == 100
    assert engine.ok("kong_target", check=check, force=True, **drain)["changed"]
    assert _stored(gateway)[ONE]["weight"] == (100 if check else 0)
    if not check:
        assert not engine.ok("kong_target", **drain)["changed"], "nothing is left to refuse"


LAST = [
    ("kong_target", {"upstream": UPSTREAM, "target": ONE, "state": "absent"}),
    ("kong_target", {"upstream": UPSTREAM, "target": ONE, "weight": 0}),
    ("kong_target", {"upstream": UPSTREAM, "targets": [{"target": ONE, "weight": 0}]}),
    ("kong_target", {"upstream": UPSTREAM, "targets": [{"target": ONE}], "state": "absent"}),
    ("kong_upstream", {"name": UPSTREAM, "targets": [{"target": TWO}], "purge_targets": True}),
    ("kong_upstream", {"name": UPSTREAM, "targets": [{"target": ONE, "weight": 0}]}),
]


@CHECK
@pytest.mark.parametrize(("module", "options"), LAST, ids=lambda each: str(each)[-40:])
def test_the_last_weight_is_taken_away_only_by_force(
    engine: Engine, gateway: Gateway, module: str, options: dict[str, Any], check: bool
) -> None:
    _pool(engine, ONE, TWO)
    engine.ok("kong_target", upstream=UPSTREAM, target=TWO, state="drained")
    before = _stored(gateway)
    result = engine.refused(module, check=check, **options)
    assert "so requests would fail with 503; set force to true" in result["msg"]
    assert _stored(gateway) == before
    assert engine.ok(module, check=check, force=True, **options)["changed"]
    if not check:
        assert not any(target["weight"] for target in _stored(gateway).values())
        assert not engine.ok(module, **options)["changed"], "nothing is left to refuse"


def test_a_weight_that_moves_to_another_target_needs_no_force(engine: Engine) -> None:
    _pool(engine, ONE)
    moved = [{"target": TWO, "tags": [TAG]}]
    assert engine.ok("kong_upstream", name=UPSTREAM, targets=moved, purge_targets=True)["changed"]
    both = [{"target": TWO, "weight": 0}, {"target": ONE, "weight": 5}]
    assert engine.ok("kong_target", upstream=UPSTREAM, targets=both)["changed"]
    emptied = {"targets": [], "purge_targets": True, "allow_empty": True}
    assert engine.ok("kong_upstream", name=UPSTREAM, **emptied)["changed"], "asked for by name"


def test_all_at_once_are_drained_only_by_force(engine: Engine, gateway: Gateway) -> None:
    _pool(engine, ONE, TWO)
    drain = {
        "upstream": UPSTREAM, "state": "drained", "targets": [{"target": ONE}, {"target": TWO}],
    }
    engine.refused("kong_target", **drain)
    assert {target["weight"] for target in _stored(gateway).values()} == {100}
    forced = engine.ok("kong_target", force=True, **drain)
    assert [change["operation"] for change in forced["changes"]] == ["update", "update"]
    assert {target["weight"] for target in _stored(gateway).values()} == {0}


def test_waiting_ends_when_active_checks_find_targets_healthy(
    engine: Engine, gateway: Gateway, echo_servers: list[Echo]
) -> None:
    _pool(engine, healthchecks=PROBED_OFTEN)
    addresses = [echo.target for echo in echo_servers]
    result = engine.ok(
        "kong_target", upstream=UPSTREAM, wait=True,
        targets=[{"target": address, "tags": [TAG]} for address in addresses],
    )
    assert result["health"] == dict.fromkeys(addresses, "HEALTHY")
    assert {_health(gateway)[address]["health"] for address in addresses} == {"HEALTHY"}


def test_health_checks_that_are_off_are_not_waited_for(engine: Engine, gateway: Gateway) -> None:
    _pool(engine)
    result = engine.ok("kong_target", upstream=UPSTREAM, target=ONE, tags=[TAG], wait=True)
    assert result["health"] == {ONE: "HEALTHCHECKS_OFF"}
    assert _health(gateway)[ONE]["data"]["nodeWeight"] == 100


def test_a_target_that_fails_its_checks_is_not_waited_for_without_end(
    engine: Engine, gateway: Gateway
) -> None:
    nobody = "127.0.0.1:9"
    _pool(engine, nobody, healthchecks=PROBED_OFTEN)
    _until(lambda: _health(gateway)[nobody].get("health") == "UNHEALTHY")
    result = engine.refused(
        "kong_target", upstream=UPSTREAM, target=nobody, wait=True, wait_timeout=1
    )
    assert result["msg"] == (
        f"targets of upstream {UPSTREAM} at {gateway.admin_url} are not usable after 1 s: "
        f"{nobody} is UNHEALTHY (its health checks fail)"
    )
    assert result["failure"]["health"] == {nobody: "UNHEALTHY"}
    assert result["target"]["target"] == nobody


def test_a_name_that_nobody_knows_is_said(engine: Engine, gateway: Gateway) -> None:
    unknown = "no-such-host.invalid:80"
    _pool(engine, unknown)
    _until(lambda: _health(gateway)[unknown].get("health") == "DNS_ERROR")
    result = engine.refused(
        "kong_target", upstream=UPSTREAM, target=unknown, wait=True, wait_timeout=1
    )
    assert f"{unknown} is DNS_ERROR (the gateway cannot resolve its name)" in result["msg"]


def test_a_balancer_that_does_not_exist_yet_is_waited_for(slow: Engine) -> None:
    slow.ok("kong_upstream", name=UPSTREAM)
    late = {"upstream": UPSTREAM, "target": ONE, "wait": True}
    result = slow.refused("kong_target", **late, wait_timeout=0)
    assert f"{ONE} is UNKNOWN (no balancer uses it yet)" in result["msg"]
    assert (result["changed"], result["operation"]) == (True, "create")
    again = slow.ok("kong_target", **late)
    assert (again["changed"], again["health"]) == (False, {ONE: "HEALTHCHECKS_OFF"})


def test_a_drained_target_is_waited_for_until_the_balancer_gives_it_nothing(slow: Engine) -> None:
    _pool(slow, ONE, TWO)
    slow.ok("kong_target", upstream=UPSTREAM, targets=[{"target": ONE}, {"target": TWO}], wait=True)
    slow.ok("kong_target", upstream=UPSTREAM, target=ONE, state="drained", wait=True)
    weights = {key: each["data"]["nodeWeight"] for key, each in _health(slow.gateway).items()}
    assert weights == {ONE: 0, TWO: 100}


def test_a_weight_is_waited_for_until_the_balancer_uses_it(slow: Engine) -> None:
    _pool(slow, ONE, TWO)
    target = {"upstream": UPSTREAM, "target": ONE, "wait": True}
    for weight in (100, 0, 7):
        slow.ok("kong_target", **target, weight=weight)
        assert _health(slow.gateway)[ONE]["data"]["nodeWeight"] == weight


def test_a_drain_that_the_balancer_does_not_follow_is_said(slow: Engine) -> None:
    _pool(slow, ONE, TWO)
    slow.ok("kong_target", upstream=UPSTREAM, targets=[{"target": ONE}, {"target": TWO}], wait=True)
    result = slow.refused(
        "kong_target", upstream=UPSTREAM, target=ONE, state="drained", wait=True, wait_timeout=0
    )
    assert "are not out of the balancer after 0 s" in result["msg"]
    assert f"{ONE} is HEALTHCHECKS_OFF with the weight 100" in result["msg"]
    assert (result["changed"], result["target"]["weight"]) == (True, 0)


def test_nothing_is_waited_for_in_check_mode(slow: Engine) -> None:
    slow.ok("kong_upstream", name=UPSTREAM)
    result = slow.ok(
        "kong_target", check=True, upstream=UPSTREAM, target=ONE, wait=True, wait_timeout=0
    )
    assert result["operation"] == "create" and "health" not in result


@CHECK
def test_nothing_is_waited_for_on_a_control_plane(
    empty_gateway: Gateway, engine: Engine, check: bool
) -> None:
    root = {"version": "3.10.0", "configuration": {"role": "control_plane"}}
    empty_gateway.faults(match={"path": "^/$"}, kind="answer", status=200, body=json.dumps(root))
    engine.ok("kong_upstream", name=UPSTREAM)
    result = engine.refused("kong_target", check=check, upstream=UPSTREAM, target=ONE, wait=True)
    assert "a control plane has no balancer to wait for; set status_urls" in result["msg"]
    assert _stored(empty_gateway) == {}

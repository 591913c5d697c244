# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode writes nothing, and knows what its earlier tasks predicted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.engine import Engine
from harness.gateway import PREFIX, TAG, Gateway
from harness.playbook import LOCAL, Player

UPSTREAM, SERVICE, ROUTE = (f"{PREFIX}{kind}" for kind in ("upstream", "service", "route"))

# Every module in every state, on a gateway that has none of it and on one that has all of it.
TASKS: list[tuple[str, dict[str, Any]]] = [
    ("kong_ping", {}),
    ("kong_info", {"kinds": ["upstream", "target", "service", "route"], "health": True}),
    ("kong_upstream", {"name": UPSTREAM, "slots": 20, "tags": [TAG]}),
    (
        "kong_upstream",
        {
            "name": UPSTREAM,
            "healthchecks": {"active": {"healthy": {"interval": None}}},
            "targets": [{"target": "10.0.0.1", "weight": 5}, {"target": "10.0.0.9"}],
            "purge_targets": True,
        },
    ),
    ("kong_target", {"upstream": UPSTREAM, "target": "10.0.0.1:8000", "weight": 7}),
    ("kong_target", {"upstream": UPSTREAM, "target": "10.0.0.1:8000", "wait": True}),
    ("kong_target", {"upstream": UPSTREAM, "targets": [{"target": "10.0.0.1"}, {"target": "b"}]}),
    ("kong_target", {"upstream": UPSTREAM, "target": "10.0.0.1", "state": "drained"}),
    ("kong_target", {"upstream": UPSTREAM, "target": "10.0.0.1", "state": "absent"}),
    ("kong_service", {"name": SERVICE, "host": UPSTREAM, "path": "/x", "tags": [TAG]}),
    ("kong_route", {"name": ROUTE, "service": SERVICE, "paths": ["/x"], "tags": [TAG]}),
    ("kong_route", {"name": ROUTE, "state": "absent"}),
    ("kong_service", {"name": SERVICE, "state": "absent"}),
    ("kong_upstream", {"name": UPSTREAM, "state": "absent"}),
]
NAMES = [f"{number}-{module}" for number, (module, _options) in enumerate(TASKS)]
# What needs a gateway that knows the health of targets.
OF_HEALTH = ("1-kong_info", "5-kong_target")


def _played(gateway: Gateway) -> dict[str, dict[str, Any]]:
    return {
        name: {"name": name, f"irishtek.kong.{module}": options, "ignore_errors": True}
        for name, (module, options) in zip(NAMES, TASKS, strict=True)
        if gateway.has_health or name not in OF_HEALTH
    }


def _play(tasks: list[dict[str, Any]]) -> str:
    return json.dumps([{"hosts": "gateways", "gather_facts": False, "tasks": tasks}]) + "\n"


def _fill(engine: Engine) -> None:
    engine.ok("kong_upstream", name=UPSTREAM, tags=[TAG], targets=[
        {"target": "10.0.0.1", "tags": [TAG]}, {"target": "10.0.0.2", "tags": [TAG]},
    ])
    engine.ok("kong_service", name=SERVICE, host=UPSTREAM, tags=[TAG])
    engine.ok("kong_route", name=ROUTE, service=SERVICE, paths=["/y"], tags=[TAG])


def _reads_only(gateway: Gateway) -> None:
    """Nothing but reads and validations was asked; each write would have met a fault as well."""
    asked = {(each["method"], each["path"]) for each in gateway.requests()}
    assert asked
    writes = {
        (method, path)
        for method, path in asked
        if method != "GET" and not (method == "POST" and path.endswith("/validate"))
    }
    assert not writes


def _refuse_writes(gateway: Gateway) -> None:
    for method in ("PUT", "PATCH", "DELETE"):
        gateway.faults(match={"method": method}, kind="answer", status=500, times=None)
    no_validation = r"^/(?!schemas/[a-z_-]+/validate$)"
    match = {"method": "POST", "path": no_validation}
    gateway.faults(match=match, kind="answer", status=500, times=None)


@pytest.mark.parametrize("filled", [False, True], ids=["empty", "filled"])
@pytest.mark.parametrize("way", ["0", "1"], ids=["module", "controller"])
def test_check_mode_only_reads_and_validates(
    empty_gateway: Gateway, engine: Engine, playbook: Player, way: str, filled: bool
) -> None:
    if filled:
        _fill(engine)
    played = _played(empty_gateway)
    empty_gateway.reset_requests()
    _refuse_writes(empty_gateway)
    run = playbook(
        _play(list(played.values())), inventory={"gateways": {"hosts": {"here": LOCAL}}},
        check=True, diff=True, environment={"KONG_ANSIBLE_IN_PROCESS": way},
    )
    _reads_only(empty_gateway)
    assert [task["name"] for task in run.ok().tasks] == [*played]
    # A module's process does not know that an earlier task would have removed the route.
    unknown = ["12-kong_service"] if filled and way == "0" else []
    assert [task["name"] for task in run.tasks if task["status"] == "failed"] == unknown


@pytest.mark.parametrize("position", range(len(TASKS)), ids=NAMES)
def test_each_task_predicts_what_it_then_does(engine: Engine, position: int) -> None:
    _fill(engine)
    module, options = TASKS[position]
    if (module, options.get("state")) == ("kong_service", "absent"):
        engine.ok("kong_route", name=ROUTE, state="absent")
    predicted = engine.ok(module, check=True, **options)
    engine.forget()
    real = engine.ok(module, **options)
    told = [predicted.get(key) for key in ("changed", "operation", "changes")]
    assert told == [real.get(key) for key in ("changed", "operation", "changes")]
    if "diff" in real:
        assert _without_headers(predicted["diff"]) == _without_headers(real["diff"])


def _without_headers(diff: Any) -> Any:
    pairs = diff if isinstance(diff, list) else [diff]
    return [(pair["before"], pair["after"]) for pair in pairs]

# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A name that means something else in a path, as one that looks like an ID, is a name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from harness.engine import Engine
from harness.gateway import PREFIX, TAG, Gateway

NAME = "11111111-2222-4333-8444-777777777777"
UNKNOWN = "11111111-2222-4333-8444-888888888888"
ONE, TWO = "127.0.0.1:18111", "127.0.0.1:18112"
PASSIVE = {"passive": {"unhealthy": {"tcp_failures": 1}}}


@pytest.fixture
def upstream(engine: Engine) -> Iterator[str]:
    """The ID of an upstream that is called like another ID, with health checks."""
    made = engine.ok("kong_upstream", name=NAME, tags=[TAG], healthchecks=PASSIVE)
    yield str(made["upstream"]["id"])
    engine.ok("kong_upstream", name=NAME, state="absent")


def _stored(gateway: Gateway, upstream: str) -> dict[str, int]:
    listed = gateway.entities(f"/upstreams/{upstream}/targets")
    return {target["target"]: target["weight"] for target in listed}


def test_targets(engine: Engine, gateway: Gateway, upstream: str) -> None:
    steps: list[tuple[dict[str, Any], dict[str, int]]] = [
        ({"target": ONE}, {ONE: 100}),
        ({"target": ONE, "weight": 7}, {ONE: 7}),
        ({"targets": [{"target": TWO}]}, {ONE: 7, TWO: 100}),
        ({"target": ONE, "state": "drained"}, {ONE: 0, TWO: 100}),
        ({"target": ONE, "state": "absent"}, {TWO: 100}),
    ]
    for options, stored in steps:
        before = _stored(gateway, upstream)
        engine.forget()
        assert engine.ok("kong_target", check=True, upstream=NAME, **options)["changed"]
        assert _stored(gateway, upstream) == before
        engine.forget()
        assert engine.ok("kong_target", upstream=NAME, **options)["changed"]
        assert _stored(gateway, upstream) == stored
        assert not engine.ok("kong_target", upstream=NAME, **options)["changed"]


def test_a_missing_one(engine: Engine, gateway: Gateway, upstream: str) -> None:
    for check in (False, True):
        engine.forget()
        options = {"check": check, "upstream": UNKNOWN, "target": ONE}
        for state in ("present", "drained"):
            refused = engine.refused("kong_target", **options, state=state)
            assert f"upstream {UNKNOWN} does not exist" in refused["msg"]
        assert not engine.ok("kong_target", **options, state="absent")["changed"]


def test_the_health_of_a_target_of_a_missing_one(engine: Engine, upstream: str) -> None:
    for check in (False, True):
        engine.forget()
        refused = engine.refused(
            "kong_target_health", check=check, upstream=UNKNOWN, target=ONE, health="healthy"
        )
        assert f"upstream {UNKNOWN} does not exist" in refused["msg"]


def test_an_upstream_that_an_earlier_task_predicts(engine: Engine) -> None:
    engine.ok("kong_upstream", check=True, name=UNKNOWN)
    made = engine.ok("kong_target", check=True, upstream=UNKNOWN, target=ONE)
    assert made["operation"] == "create"


def test_the_health_of_a_target(engine: Engine, upstream: str) -> None:
    options = {"upstream": NAME, "target": ONE}
    made = engine.ok("kong_target", **options, wait=True)
    assert made["health"] == {ONE: "HEALTHY"}
    assert engine.ok("kong_target_health", **options, health="unhealthy")["changed"]
    assert not engine.ok("kong_target_health", **options, health="unhealthy")["changed"]
    listed = engine.ok("kong_info", kinds=["target"], health=True)["entities"][0]["entities"]
    (shown,) = [each for each in listed if each["upstream"]["id"] == upstream]
    assert shown["health"] == "UNHEALTHY"
    # Kong 3.4 and 3.5 keep it when the upstream is deleted, for the next one with its name.
    assert engine.ok("kong_target_health", **options, health="healthy")["changed"]


@pytest.mark.parametrize("called", ["username", "custom_id"])
def test_the_consumer_of_an_entity_of_any_path(
    engine: Engine, gateway: Gateway, called: str
) -> None:
    consumer = engine.ok("kong_consumer", **{called: NAME}, tags=[TAG])["consumer"]["id"]
    group = f"{PREFIX}group"
    options: dict[str, Any] = {
        "path": f"consumers/{NAME}/acls", "identity": "group", "search": True,
        "entity": {"group": group},
    }
    try:
        for state, stored in (("present", [group]), ("absent", [])):
            engine.forget()
            assert engine.ok("kong_entity", check=True, **options, state=state)["changed"]
            engine.forget()
            assert engine.ok("kong_entity", **options, state=state)["changed"]
            assert not engine.ok("kong_entity", **options, state=state)["changed"]
            listed = gateway.entities(f"/consumers/{consumer}/acls")
            assert [each["group"] for each in listed] == stored
    finally:
        engine.ok("kong_consumer", id=consumer, state="absent")


def test_ids_in_large_letters_are_those_that_the_gateway_stores(engine: Engine) -> None:
    key, other = NAME.replace("7777", "ABCD"), UNKNOWN.replace("8888", "ABCE")
    service = {"id": key, "name": f"{PREFIX}large", "host": "h.test", "tags": [TAG]}
    route = {"id": other, "name": f"{PREFIX}large", "paths": ["/x"], "tags": [TAG]}
    document = {"services": [service], "routes": [{**route, "service": {"id": key}}]}
    tasks: list[tuple[str, dict[str, Any]]] = [
        ("kong_service", service),
        ("kong_route", {**route, "service": key}),
        ("kong_plugin", {"name": "cors", "service": key, "tags": [TAG]}),
        ("kong_state", {"content": {"_format_version": "3.0", **document}}),
    ]
    try:
        for module, options in tasks:
            engine.forget()
            engine.ok(module, **options)
            engine.forget()
            assert not engine.ok(module, **options)["changed"], module
        stored = engine.ok("kong_route", id=other)["route"]
        assert stored["service"] == {"id": key.lower()}
    finally:
        engine.ok("kong_route", id=other, state="absent")
        engine.ok("kong_service", id=key, state="absent")


@pytest.mark.parametrize("name", [".", "..", "a/b"])
def test_names_that_are_written_otherwise_in_paths(engine: Engine, name: str) -> None:
    steps: list[tuple[str, dict[str, Any]]] = [
        ("kong_consumer", {"username": name, "tags": [TAG]}),
        ("kong_consumer", {"username": name, "custom_id": f"{PREFIX}{name}"}),
        ("kong_credential", {"consumer": name, "type": "key_auth", "key": f"{PREFIX}{name}"}),
        ("kong_consumer", {"username": name, "state": "absent"}),
    ]
    for module, options in steps:
        engine.forget()
        assert engine.ok(module, **options)["changed"]
        assert not engine.ok(module, **options)["changed"]

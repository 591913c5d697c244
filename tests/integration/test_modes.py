# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway without a database says what to do instead; a control plane takes every kind."""

from __future__ import annotations

from typing import Any

import pytest

from harness.engine import Engine
from harness.gateway import Gateway
from harness.kinds import CASES, Case, filled

OPEN = [case for case in CASES if not case.enterprise]
# A document with what the cases need, and some more to be changed.
DOCUMENT: dict[str, Any] = {
    "_format_version": "3.0",
    "certificates": [
        {"cert": "<cert 1>", "key": "<key 1>", "snis": [{"name": "a.test"}]},
        {"cert": "<cert 2>", "key": "<key 2>", "snis": [{"name": "b.test"}]},
    ],
    "consumers": [{"username": "alice", "acls": [{"group": "silver"}]}],
    "key_sets": [{"name": "all"}],
    "services": [
        {"name": "web", "host": "pool.test"},
        {"name": "other", "host": "b.test", "plugins": [
            {"name": "rate-limiting", "config": {"minute": 5}},
        ]},
    ],
    "upstreams": [{
        "name": "pool.test",
        "healthchecks": {
            "passive": {"healthy": {"successes": 1}, "unhealthy": {"tcp_failures": 1}},
        },
        "targets": [{"target": "127.0.0.1:9", "weight": 5}],
    }],
}
# Other names for those entities that the document holds.
NEW: dict[str, dict[str, Any]] = {
    "upstream": {"name": "new.test"}, "service": {"name": "new"}, "consumer": {"username": "new"},
    "key_set": {"name": "new"}, "certificate": {"snis": ["new.test"]},
}


@pytest.fixture(scope="module")
def without_database(_dbless: Gateway, pems: dict[str, str]) -> Gateway:
    """A gateway that has loaded the document."""
    _dbless.call("POST", "/config", filled(DOCUMENT, pems))
    return _dbless


@pytest.fixture
def control_plane(_control_plane: Gateway) -> Gateway:
    """An empty control plane."""
    _control_plane.reset()
    return _control_plane


@pytest.mark.parametrize("check", [False, True], ids=["real", "check"])
@pytest.mark.parametrize("case", OPEN, ids=lambda case: case.name)
def test_entities_cannot_be_written_without_a_database(
    without_database: Gateway, pems: dict[str, str], case: Case, check: bool
) -> None:
    ready = case.filled(pems)
    written = {**ready.identity, **ready.create, **NEW.get(case.name, {})}
    refused = Engine(without_database).refused(case.module, check=check, **written)
    assert "without a database" in refused["msg"]
    assert "declarative configuration" in refused["msg"]


CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("kong_service", {"name": "web", "host": "other.test"}),
    ("kong_plugin", {"name": "rate-limiting", "service": "other", "config": {"minute": 6}}),
    ("kong_consumer", {"username": "alice", "state": "absent"}),
    ("kong_target", {"upstream": "pool.test", "target": "127.0.0.1:9", "weight": 6}),
    ("kong_target", {"upstream": "pool.test", "target": "127.0.0.1:9", "state": "drained",
                     "force": True}),
]


@pytest.mark.parametrize("check", [False, True], ids=["real", "check"])
@pytest.mark.parametrize(("module", "options"), CHANGES)
def test_entities_cannot_be_changed_without_a_database(
    without_database: Gateway, module: str, options: dict[str, Any], check: bool
) -> None:
    refused = Engine(without_database).refused(module, check=check, **options)
    assert "without a database" in refused["msg"]
    assert "declarative configuration" in refused["msg"]


def test_what_is_so_already_needs_no_database(without_database: Gateway) -> None:
    engine = Engine(without_database)
    for module, options in (
        ("kong_service", {"name": "web", "host": "pool.test"}),
        ("kong_plugin", {"name": "rate-limiting", "service": "other", "config": {"minute": "5"}}),
        ("kong_credential", {"type": "acl", "consumer": "alice", "group": "silver"}),
        ("kong_consumer", {"username": "nobody", "state": "absent"}),
    ):
        assert not engine.ok(module, **options)["changed"]


def test_information_and_health_need_no_database(without_database: Gateway) -> None:
    engine = Engine(without_database)
    assert engine.ok("kong_ping")["database"] == "off"
    told = engine.ok("kong_info", kinds=["service", "target", "plugin", "acl"], health=True)
    assert told["database"] == "off"
    assert [len(each["entities"]) for each in told["entities"]] == [2, 1, 1, 1]
    named = {"upstream": "pool.test", "target": "127.0.0.1:9"}
    for health in ("unhealthy", "healthy"):
        assert engine.ok("kong_target_health", **named, health=health)["changed"]
        assert not engine.ok("kong_target_health", **named, health=health)["changed"]


@pytest.mark.parametrize("case", OPEN, ids=lambda case: case.name)
def test_a_control_plane_takes_every_kind(
    control_plane: Gateway, pems: dict[str, str], case: Case
) -> None:
    engine = Engine(control_plane)
    ready = case.filled(pems).on(engine)
    written = {**ready.identity, **ready.create}
    assert engine.ok(case.module, check=True, **written)["operation"] == "create"
    engine.forget()
    assert engine.ok(case.module, **written)["operation"] == "create"
    assert engine.ok(case.module, **written)["operation"] == "none"
    assert engine.ok(case.module, **ready.absent)["operation"] == "delete"


def test_a_control_plane_has_no_health_and_says_where_there_is(control_plane: Gateway) -> None:
    engine = Engine(control_plane)
    assert engine.ok("kong_ping")["role"] == "control_plane"
    joined = control_plane.entities("/clustering/data-planes")
    told = engine.ok("kong_info", data_planes=True)["data_planes"]
    assert [each["id"] for each in told] == [each["id"] for each in joined]
    engine.ok("kong_upstream", name="pool.test", targets=[{"target": "127.0.0.1:9"}])
    for check in (True, False):
        refused = engine.refused(
            "kong_target_health", check=check, upstream="pool.test", target="127.0.0.1:9",
            health="unhealthy",
        )
        assert "a control plane does not balance requests" in refused["msg"]
        assert "drained" in refused["msg"]

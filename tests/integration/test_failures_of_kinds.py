# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on the way to entities of every kind: repeated where harmless, nothing created twice."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from harness.engine import Engine, Result
from harness.gateway import Gateway
from harness.kinds import CASES, Case

ROUNDS = 20
OPEN = [case for case in CASES if not case.enterprise]
LOSSES: list[dict[str, Any]] = [
    {"kind": "answer", "status": 502}, {"kind": "answer", "status": 503}, {"kind": "cut_before"},
    {"kind": "cut_after"},
]


@pytest.fixture(params=OPEN, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest, pems: dict[str, str], empty_gateway: Gateway) -> Case:
    """Each kind in turn, on a gateway that has what it needs."""
    found: Case = request.param
    return found.filled(pems).on(Engine(empty_gateway))


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: str(loss.get("status", loss["kind"])))
def test_a_lost_answer_leaves_one_write(
    engine: Engine, pauses: list[float], case: Case, loss: dict[str, Any]
) -> None:
    written = {**case.identity, **case.create}
    for method, options, operation in (
        ("POST", written, "create"),
        ("PATCH", {**case.identity, **case.change}, "update"),
        ("DELETE", case.absent, "delete"),
    ):
        engine.gateway.faults(match={"method": method}, **loss)
        result = engine.ok(case.module, **options)
        assert (result["changed"], result["operation"]) == (True, operation)
        assert len(case.stored()) == (operation != "delete")
        assert engine.ok(case.module, **options)["operation"] == "none"
        engine.gateway.clear_faults()


def test_answers_lost_for_good_are_said_to_be_uncertain(
    engine: Engine, pauses: list[float], case: Case
) -> None:
    engine.gateway.faults(match={"method": "POST"}, kind="cut_before", times=None)
    result = engine.refused(case.module, **case.identity, **case.create)
    assert "Could not create" in result["msg"]
    assert "it is not known whether the change was made" in result["msg"]
    assert result["failure"]["uncertain"] is True
    assert case.stored() == []


@pytest.mark.parametrize("status", [429, 500])
def test_a_refusal_of_the_moment(
    engine: Engine, pauses: list[float], case: Case, status: int
) -> None:
    engine.gateway.faults(
        match={"method": "POST"}, kind="answer", status=status, headers={"Retry-After": "3"}
    )
    written = {**case.identity, **case.create}
    if status == 429:
        assert engine.ok(case.module, **written)["operation"] == "create"
        assert pauses == [3]
    else:
        assert "500" in engine.refused(case.module, **written)["msg"]
        assert engine.ok(case.module, **written)["operation"] == "create"
        assert pauses == []
    assert len(case.stored()) == 1


def _at_once(gateway: Gateway, module: str, options: dict[str, Any]) -> list[Result]:
    """The results of two plays with the same task, begun together."""
    start, results = threading.Barrier(2), []

    def play() -> None:
        own = Engine(gateway)
        start.wait(10)
        results.append(own(module, **options))

    threads = [threading.Thread(target=play) for count in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return results


RACES: list[tuple[str, str, dict[str, Any]]] = [
    ("kong_plugin", "/plugins", {"name": "rate-limiting", "config": {"minute": 5}}),
    ("kong_plugin", "/plugins", {
        "name": "rate-limiting", "instance_name": "one", "service": "web", "config": {"minute": 5},
    }),
    ("kong_consumer", "/consumers", {"username": "zed", "custom_id": "4711"}),
    ("kong_consumer", "/consumers", {"custom_id": "4711"}),
    ("kong_credential", "/key-auths", {"type": "key_auth", "consumer": "alice", "key": "hidden"}),
    ("kong_credential", "/basic-auths", {
        "type": "basic_auth", "consumer": "alice", "username": "al", "password": "hidden",
    }),
    ("kong_credential", "/acls", {"type": "acl", "consumer": "alice", "group": "gold"}),
    ("kong_key_set", "/key-sets", {"name": "all"}),
    ("kong_vault", "/vaults", {"prefix": "my-env", "name": "env"}),
    ("kong_ca_certificate", "/ca_certificates", {"cert": "<cert 1>"}),
]


@pytest.mark.parametrize("race", RACES, ids=lambda race: f"{race[0]}-{' '.join(race[2])}")
def test_two_plays_that_make_the_same_at_once_both_succeed(
    engine: Engine, empty_gateway: Gateway, pems: dict[str, str],
    race: tuple[str, str, dict[str, Any]],
) -> None:
    module, path, options = race
    options = {name: pems.get(str(value), value) for name, value in options.items()}
    engine.ok("kong_consumer", username="alice")
    engine.ok("kong_service", name="web", host="a.test")
    there = len(empty_gateway.entities(path))
    for count in range(ROUNDS):
        results = _at_once(empty_gateway, module, options)
        assert [result.get("msg") for result in results] == [None, None], count
        assert sorted(result["operation"] for result in results) == ["create", "none"]
        assert len(empty_gateway.entities(path)) == there + 1
        engine.ok(module, **options, state="absent")
        assert len(empty_gateway.entities(path)) == there


def test_two_plays_that_want_the_same_certificate_leave_one(
    engine: Engine, empty_gateway: Gateway, pems: dict[str, str]
) -> None:
    options = {"snis": ["a.test"], "cert": pems["<cert 1>"], "key": pems["<key 1>"]}
    for count in range(ROUNDS):
        results = _at_once(empty_gateway, "kong_certificate", options)
        assert [result.get("msg") for result in results] == [None, None], count
        assert len(empty_gateway.entities("/certificates")) == 1
        engine.ok("kong_certificate", snis=["a.test"], state="absent")

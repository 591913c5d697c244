# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every kind of entity through its life: predicted, made, left alone, changed in place, gone."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._entities._registry import KINDS
from harness.engine import Engine, Result
from harness.gateway import Gateway
from harness.kinds import CASES, Case
from harness.playbook import LOCAL, Player

# Kinds without a case, and why.
WITHOUT = {
    "consumer_group_member": "kong_consumer_group manages members",
    "mtls_auth": "the cases of the other credentials stand for it",
}
MADE_UP = ("id", "created_at", "updated_at")


def test_each_kind_has_a_case_in_the_harness() -> None:
    named = {case.name.partition("-")[0] for case in CASES}
    missing = set(KINDS) - named
    assert missing == set(WITHOUT), "add a Case to tests/harness/kinds.py"


@pytest.fixture(params=CASES, ids=lambda case: case.name)
def case(request: pytest.FixtureRequest) -> Case:
    """Each kind in turn."""
    return request.param  # type: ignore[no-any-return]


@dataclass
class Tried:
    """A case before an otherwise empty gateway."""

    case: Case
    engine: Engine

    def run(self, *, check: bool = False, **options: Any) -> Result:
        """A task of the case's module that has to succeed."""
        return self.engine.ok(self.case.module, check=check, **options)

    def make(self) -> Result:
        """The task that makes the entity."""
        return self.run(**self.case.identity, **self.case.create)


@pytest.fixture
def one(
    case: Case, pems: dict[str, str], empty_gateway: Gateway, enterprise: Gateway
) -> Tried:
    """The case, with the texts of its certificates and what it needs on an empty gateway."""
    engine = Engine(enterprise if case.enterprise else empty_gateway)
    return Tried(case.filled(pems).on(engine), engine)


def _lasting(one: Tried, result: Result) -> Any:
    """The result without what a gateway makes up anew each time."""
    kept = {key: value for key, value in one.case.entity(result).items() if key not in MADE_UP}
    told = {key: result.get(key) for key in ("changed", "operation", "added", "removed")}
    return [kept, told, _pair(result)]


def _pair(result: Result) -> list[Any]:
    """Both sides of the diff of the one entity."""
    diff = result["diff"]
    pair = diff[0] if isinstance(diff, list) else diff
    return [pair["before"], pair["after"]]


def _predicted_and_done(one: Tried, **options: Any) -> Result:
    """One task: check mode writes nothing and predicts what the task then does, once."""
    one.engine.forget()
    one.engine.gateway.reset_requests()
    predicted = one.run(check=True, **options)
    assert one.engine.gateway.writes() == []
    assert "ffffffff" not in json.dumps(predicted["diff"])
    one.engine.forget()
    real = one.run(**options)
    assert _lasting(one, predicted) == _lasting(one, real)
    _left_alone(one, **options)
    return real


def _left_alone(one: Tried, **options: Any) -> None:
    for check in (False, True):
        one.engine.forget()
        one.engine.gateway.reset_requests()
        again = one.run(check=check, **options)
        assert (again["changed"], again["operation"]) == (False, "none"), again["diff"]
        assert one.engine.gateway.writes() == []


def test_made_as_predicted_and_left_alone(one: Tried) -> None:
    made = _predicted_and_done(one, **one.case.identity, **one.case.create)
    assert made["operation"] == "create"
    assert _pair(made)[0] == ""
    assert [each["id"] for each in one.case.stored()] == [one.case.entity(made)["id"]]


def test_changed_in_place_as_predicted(one: Tried) -> None:
    made = one.make()
    changed = _predicted_and_done(one, **{**one.case.identity, **one.case.change})
    assert changed["operation"] == "update"
    assert _pair(changed)[0] == _pair(made)[1]
    before, after = one.case.entity(made), one.case.entity(changed)
    assert after["id"] == before["id"]
    kept = {key for key in one.case.create if key not in one.case.change} & before.keys()
    assert {key: after[key] for key in kept} == {key: before[key] for key in kept}


def test_found_by_its_id_too(one: Tried) -> None:
    if one.case.module == "kong_target":
        pytest.skip("a target is found by its address")
    case, identity = one.case, one.case.identity
    key = case.entity(one.make())["id"]
    if case.module == "kong_entity":
        by_id = {**identity, "entity": {"id": key, "tags": ["by-id"]}}
    else:
        above = {name: identity[name] for name in ("type", *case.parents) if name in identity}
        by_id = {**above, "id": key, **case.change}
    changed = _predicted_and_done(one, **by_id)
    assert (changed["operation"], case.entity(changed)["id"]) == ("update", key)
    assert len(case.stored()) == 1


def test_lists_without_order_make_no_difference(one: Tried) -> None:
    one.make()
    _left_alone(one, **one.case.identity, **_turned(one.case.create))


def _turned(value: Any) -> Any:
    """The same with all lists in another order."""
    if isinstance(value, dict):
        return {key: _turned(item) for key, item in value.items()}
    return value[::-1] if isinstance(value, list) else value


def test_null_clears(one: Tried) -> None:
    name, identity = one.case.cleared, one.case.identity
    written = {**identity, name: None}
    if one.case.module == "kong_entity":
        one.run(**{**identity, **one.case.change})
        written = {**identity, "entity": {**identity["entity"], name: None}}
        made = one.run(**identity)
    else:
        made = one.make()
    cleared = _predicted_and_done(one, **written)
    assert cleared["operation"] == "update"
    assert one.case.entity(made)[name] and not one.case.entity(cleared).get(name)


def test_absent_twice(one: Tried) -> None:
    made = one.make()
    gone = _predicted_and_done(one, **one.case.absent)
    assert gone["operation"] == "delete"
    assert _pair(gone) == [_pair(made)[1], ""]
    assert (one.case.entity(gone), one.case.stored()) == ({}, [])


def test_an_id_that_is_free_becomes_its_own(one: Tried) -> None:
    if one.case.module in ("kong_entity", "kong_target"):
        pytest.skip("its id is no option")
    wanted = "11111111-2222-4333-8444-555555555555"
    options = {**one.case.identity, **one.case.create}
    assert one.case.entity(_predicted_and_done(one, **options, id=wanted))["id"] == wanted
    other = "11111111-2222-4333-8444-666666666666"
    for check in (True, False):
        refused = one.engine.refused(one.case.module, check=check, **options, id=other)
        assert wanted in refused["msg"] and other in refused["msg"]


def test_a_missing_parent_is_named(one: Tried) -> None:
    if one.case.name == "entity-below-another":
        options = {**one.case.identity, "path": "consumers/no-such-one/acls"}
        for check in (True, False):
            refused = one.engine.refused("kong_entity", check=check, **options)
            assert "no-such-one does not exist" in refused["msg"]
        assert one.run(**options, state="absent")["operation"] == "none"
    for name in one.case.parents:
        options = {**one.case.identity, name: "no-such-one"}
        for check in (True, False):
            refused = one.engine.refused(
                one.case.module, check=check, **{**options, **one.case.create}
            )
            assert "no-such-one does not exist" in refused["msg"]
        assert one.run(**options, state="absent")["operation"] == "none"


def test_kong_info_shows_it_as_its_module_does(one: Tried) -> None:
    if one.case.module == "kong_entity":
        pytest.skip("kong_info knows kinds by name")
    made = one.case.entity(one.make())
    kind = one.case.module.removeprefix("kong_")
    if kind == "credential":
        kind = one.case.identity["type"]
    listed = one.engine.ok("kong_info", kinds=[kind])["entities"][0]["entities"]
    (shown,) = [each for each in listed if each["id"] == made["id"]]
    assert {key: shown[key] for key in made if key != "upstream"} == {
        key: value for key, value in made.items() if key != "upstream"
    }


def test_members_of_a_consumer_group(enterprise: Gateway) -> None:
    engine = Engine(enterprise)
    for name in ("alice", "bob", "carol"):
        engine.ok("kong_consumer", username=name)
    steps: list[tuple[dict[str, Any], list[str], list[str], list[str]]] = [
        ({"consumers": ["bob", "alice"]}, ["bob", "alice"], [], ["alice", "bob"]),
        ({"consumers": ["carol"]}, ["carol"], [], ["alice", "bob", "carol"]),
        ({"consumers": ["alice"], "purge_consumers": True}, [], ["bob", "carol"], ["alice"]),
        ({"consumers": [], "purge_consumers": True}, [], ["alice"], []),
    ]
    for options, added, removed, members in steps:
        for check in (True, False):
            engine.forget()
            done = engine.ok("kong_consumer_group", name="gold", check=check, **options)
            assert (done["changed"], done["added"]) == (True, added)
            assert (sorted(done["removed"]), done["consumers"]) == (removed, members)
        again = engine.ok("kong_consumer_group", name="gold", **options)
        assert (again["changed"], again["added"], again["removed"]) == (False, [], [])
    for check in (True, False):
        options = {"name": "gold", "consumers": ["dave"]}
        refused = engine.refused("kong_consumer_group", check=check, **options)
        assert "consumer dave does not exist" in refused["msg"]


@pytest.mark.parametrize("module", ["kong_consumer_group", "kong_workspace"])
def test_the_open_edition_says_what_it_does_not_have(
    engine: Engine, empty_gateway: Gateway, module: str
) -> None:
    if empty_gateway.call("GET", f"/{module.removeprefix('kong_')}s") is not None:
        # The open 3.4 and 3.5 have workspaces, though nothing is in them.
        for check in (True, False):
            engine.forget()
            assert engine.ok(module, name="gold", check=check)["operation"] == "create"
        assert not engine.ok(module, name="gold")["changed"]
        return
    for check in (True, False):
        refused = engine.refused(module, name="gold", check=check)
        assert "Kong Gateway Enterprise" in refused["msg"]


POOL = {
    "healthchecks": {
        "passive": {"healthy": {"successes": 1}, "unhealthy": {"tcp_failures": 1}},
    },
    "targets": [{"target": "127.0.0.1:9"}],
}


def test_the_health_of_a_target(empty_gateway: Gateway) -> None:
    engine = Engine(empty_gateway)
    engine.ok("kong_upstream", name="pool.test", **POOL)
    named = {"upstream": "pool.test", "target": "127.0.0.1:9"}
    for health in ("unhealthy", "healthy"):
        # The first real run waits for the balancer of the new upstream; then it can be predicted.
        first = engine.ok("kong_target_health", **named, health=health)
        assert (first["changed"], first["diff"]["after"]) == (True, {"health": health.upper()})
        opposite = "healthy" if health == "unhealthy" else "unhealthy"
        empty_gateway.reset_requests()
        assert engine.ok("kong_target_health", check=True, **named, health=opposite)["changed"]
        again = engine.ok("kong_target_health", **named, health=health)
        assert not again["changed"] and empty_gateway.writes() == []
    for options, message in (
        ({**named, "target": "127.0.0.1:10"}, "target 127.0.0.1:10 does not exist"),
        ({**named, "upstream": "other.test"}, "upstream other.test does not exist"),
    ):
        for check in (True, False):
            refused = engine.refused("kong_target_health", check=check, **options, health="healthy")
            assert message in refused["msg"]


def test_check_mode_knows_the_health_that_earlier_tasks_predict(empty_gateway: Gateway) -> None:
    engine = Engine(empty_gateway)
    named = {"upstream": "pool.test", "target": "127.0.0.1:9"}
    health = {**named, "health": "unhealthy", "check": True}
    engine.ok("kong_upstream", check=True, name="pool.test", **POOL)
    assert engine.ok("kong_target_health", **health)["diff"]["before"] == {"health": None}
    engine.ok("kong_target", check=True, **named, state="drained", force=True)
    assert "its weight is 0" in engine.refused("kong_target_health", **health)["msg"]
    engine.ok("kong_target", check=True, **named, state="absent")
    refused = engine.refused("kong_target_health", **health)["msg"]
    assert "target 127.0.0.1:9 does not exist" in refused
    engine.ok("kong_upstream", check=True, name="unchecked.test", targets=POOL["targets"])
    refused = engine.refused("kong_target_health", **{**health, "upstream": "unchecked.test"})
    assert "the upstream has no health checks" in refused["msg"]


@pytest.mark.parametrize("way", ["0", "1"], ids=["module", "controller"])
def test_both_ways_to_run(
    empty_gateway: Gateway, playbook: Player, pems: dict[str, str], way: str
) -> None:
    chosen = [
        case.filled(pems)
        for case in CASES
        if case.name in ("plugin", "key_auth", "certificate", "key-jwk", "entity")
    ]
    tasks: list[dict[str, Any]] = []
    for case in chosen:
        tasks += [{f"irishtek.kong.{module}": options} for module, options in case.needs]
        for turn in ("first", "again"):
            written = {**case.identity, **case.create}
            tasks.append({"name": f"{case.name} {turn}", f"irishtek.kong.{case.module}": written})
    play = [{"hosts": "gateways", "gather_facts": False, "tasks": tasks}]
    run = playbook(
        json.dumps(play) + "\n", inventory={"gateways": {"hosts": {"here": LOCAL}}}, diff=True,
        environment={"KONG_ANSIBLE_IN_PROCESS": way},
    ).ok()
    for case in chosen:
        first, again = (run.result(f"{case.name} {turn}") for turn in ("first", "again"))
        assert (first["operation"], again["operation"]) == ("create", "none")
        assert case.entity(first)["id"] == case.entity(again)["id"]
        stored = [each["id"] for each in empty_gateway.entities(case.path)]
        assert case.entity(first)["id"] in stored

# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode in a workspace or control plane that the same run would create, change or remove."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.certificates import self_signed
from harness.engine import Engine, Result
from harness.gateway import Gateway, sandbox
from harness.paths import ROOT
from harness.playbook import LOCAL, Player

Options = dict[str, Any]
GROUP = "CLUSTER_TYPE_CONTROL_PLANE_GROUP"
TUTORIAL = ROOT / "tests/fixtures/state/first-upstream-target-konnect.yaml"
DOCUMENT = {
    "_format_version": "3.0",
    "services": [
        {"name": "api", "host": "api.test", "routes": [{"name": "api", "paths": ["/api"]}]},
    ],
    "consumers": [{"username": "alice", "keyauth_credentials": [{"key": "k-1"}]}],
    "plugins": [{"name": "rate-limiting", "config": {"minute": 5, "policy": "local"}}],
}


@dataclass(frozen=True)
class Place:
    """What can be created and what is then inside of it.

    :param created: the tasks that create it; their opposite removes it.
    :param inside: the options of a connection to it.
    """

    created: tuple[tuple[str, Options], ...]
    inside: Options


WORKSPACE = Place((("kong_workspace", {"name": "team"}),), {"workspace": "team"})
CONTROL_PLANE = Place(
    (("konnect_control_plane", {"name": "team", "labels": {"env": "test"}}),),
    {"control_plane": "team"},
)
BOTH = Place(
    (*CONTROL_PLANE.created, ("kong_workspace", {"name": "team", "control_plane": "team"})),
    {"control_plane": "team", "workspace": "team"},
)
PLACES = {"workspace": WORKSPACE, "control_plane": CONTROL_PLANE, "both": BOTH}

TASKS: list[tuple[str, Options]] = [
    ("kong_ping", {}),
    ("kong_info", {"kinds": ["service", "upstream", "target", "plugin"]}),
    ("kong_dump", {}),
    ("kong_upstream", {"name": "web", "slots": 20, "targets": [{"target": "10.0.0.1:80"}]}),
    ("kong_upstream", {"name": "web", "slots": 30}),
    ("kong_target", {"upstream": "web", "target": "10.0.0.1:80", "weight": 7}),
    ("kong_target", {"upstream": "web", "target": "10.0.0.2:80"}),
    ("kong_service", {"name": "s", "host": "web"}),
    ("kong_service", {"name": "s", "host": "web"}),
    ("kong_route", {"name": "r", "service": "s", "paths": ["/r"]}),
    ("kong_plugin", {"name": "rate-limiting", "service": "s", "config": {"minute": 9}}),
    ("kong_consumer", {"username": "bob"}),
    ("kong_credential", {"type": "key_auth", "consumer": "bob", "key": "k-2"}),
    ("kong_consumer_group", {"name": "gold", "consumers": ["bob"]}),
    ("kong_vault", {"name": "env", "prefix": "my-env", "config": {"prefix": "A_"}}),
    ("kong_entity", {"path": "key-sets", "entity": {"name": "keys"}}),
    ("kong_state", {"content": DOCUMENT}),
    ("kong_state", {"content": DOCUMENT}),
    ("kong_route", {"name": "api", "state": "absent"}),
    ("kong_service", {"name": "nobody", "state": "absent"}),
    ("kong_lock", {"owner": "me"}),
]  # fmt: skip
# What a task says of what it does.
SAID = ("changed", "operation", "changes", "summary", "added", "removed")


@pytest.fixture(scope="module")
def _konnect() -> Iterator[Gateway]:
    with sandbox(control_plane="default") as started:
        yield started


@pytest.fixture
def konnect(_konnect: Gateway) -> Engine:
    """Calls modules with Konnect's options; the organization has an empty control plane."""
    _konnect.reset()
    return Engine(_konnect)


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest) -> Place:
    """Each kind of place."""
    return PLACES[request.param]


@pytest.fixture
def engine(request: pytest.FixtureRequest, place: Place) -> Engine:
    """Calls modules of what has such places."""
    if place is WORKSPACE:
        return Engine(request.getfixturevalue("enterprise"))
    found: Engine = request.getfixturevalue("konnect")
    return found


def _create(engine: Engine, place: Place, **more: Any) -> None:
    for module, options in place.created:
        assert engine.ok(module, **options, **more)["changed"]


def _run(engine: Engine, place: Place, check: bool) -> list[Result]:
    engine.forget()
    _create(engine, place, check=check)
    return [engine.ok(module, check=check, **place.inside, **options) for module, options in TASKS]


def _said(result: Result) -> str:
    """What a task says of what it does, without IDs that only a gateway gives."""
    said = json.dumps([result.get(name) for name in SAID])
    return re.sub(r"\(generated\)|[0-9a-f]{8}(-[0-9a-f]{4,12}){4}", "(ID)", said)


def _sides(result: Result) -> str:
    pairs = result.get("diff", [])
    pairs = pairs if isinstance(pairs, list) else [pairs]
    return _said({"changes": [(pair["before"], pair["after"]) for pair in pairs]})


def test_a_run_in_a_new_place_is_predicted_as_it_then_is(engine: Engine, place: Place) -> None:
    engine.gateway.reset_requests()
    predicted = _run(engine, place, check=True)
    assert engine.gateway.writes() == []
    done = _run(engine, place, check=False)
    for (module, options), foreseen, made in zip(TASKS, predicted, done, strict=True):
        assert _said(foreseen) == _said(made), module
        if module not in ("kong_lock", "kong_vault"):
            assert _sides(foreseen) == _sides(made), options
    assert predicted[2]["document"] == done[2]["document"] == {"_format_version": "3.0"}


def test_what_a_gateway_would_refuse_there_is_refused(engine: Engine, place: Place) -> None:
    for check in (True, False):
        engine.forget()
        _create(engine, place, check=check)
        inside = {**place.inside, "check": check}
        engine.ok("kong_consumer", username="alice", custom_id="1", **inside)
        for module, options, said in (
            ("kong_upstream", {"name": "web", "slots": 5}, "slots"),
            ("kong_plugin", {"name": "rate-limitin"}, "no plugin rate-limitin"),
            ("kong_plugin", {"name": "cors", "config": {"mehods": ["GET"]}}, "mehods"),
            ("kong_route", {"name": "r", "service": "nobody", "paths": ["/"]}, "nobody"),
            ("kong_consumer", {"username": "bob", "custom_id": "1"}, "custom_id"),
        ):
            assert said in engine.refused(module, **inside, **options)["msg"], (module, check)


def test_a_plan_in_a_new_place_and_a_sync_of_it(engine: Engine, place: Place) -> None:
    engine.forget()
    _create(engine, place, check=True)
    planned = engine.ok("kong_plan", check=True, content=DOCUMENT, **place.inside)
    assert [each["operation"] for each in planned["changes"]] == ["create"] * 5
    synced = {"content": DOCUMENT, "state": "synced", "select_tags": ["t"], **place.inside}
    assert len(engine.ok("kong_state", check=True, **synced)["changes"]) == 5
    less = {**synced, "content": {"_format_version": "3.0", "services": DOCUMENT["services"]}}
    gone = engine.ok("kong_state", check=True, **less)["changes"]
    assert {(each["operation"], each["kind"]) for each in gone} == {
        ("delete", "consumer"), ("delete", "plugin"), ("delete", "key_auth"),
    }  # fmt: skip


def test_what_a_run_would_have_removed_is_not_found(engine: Engine, place: Place) -> None:
    service = {"name": "s", "host": "s.test", **place.inside}
    _create(engine, place)
    for check in (True, False):
        engine.forget()
        module, options = place.created[-1]
        engine.ok("kong_info", kinds=["service"], check=check, **place.inside)
        assert engine.ok(module, state="absent", check=check, **options)["changed"]
        refused = engine.refused("kong_service", check=check, **service)
        assert "team" in refused["msg"] and ("not exist" in refused["msg"] or not check)
    # It is created again, and has nothing.
    engine.forget()
    _create(engine, Place(place.created[-1:], place.inside), check=True)
    assert engine.ok("kong_service", check=True, **service)["operation"] == "create"
    assert "it has services" in engine.refused(module, state="absent", check=True, **options)["msg"]
    engine.ok("kong_service", state="absent", check=True, **service)
    engine.ok(module, state="absent", check=True, **options)
    assert "not exist" in engine.refused("kong_service", check=True, **service)["msg"]


def test_a_place_that_is_not_empty_is_not_deleted(engine: Engine, place: Place) -> None:
    _create(engine, place)
    service = {"name": "s", "host": "s.test", **place.inside}
    engine.ok("kong_service", **service)
    module, options = place.created[-1]
    for check in (True, False):
        engine.forget()
        refused = engine.refused(module, state="absent", check=check, **options)
        assert "it has services" in refused["msg"] or (module == "kong_workspace" and not check)
        engine.ok("kong_service", state="absent", check=check, **service)
        assert engine.ok(module, state="absent", check=check, **options)["changed"]


def test_a_place_that_only_changes_is_read_as_it_is(engine: Engine, place: Place) -> None:
    _create(engine, place)
    service = {"name": "s", "host": "s.test", **place.inside}
    engine.ok("kong_service", **service)
    engine.forget()
    module, options = place.created[-1]
    change = {"comment": "new"} if module == "kong_workspace" else {"description": "new"}
    assert engine.ok(module, check=True, **options, **change)["operation"] == "update"
    assert engine.ok("kong_service", check=True, **service)["operation"] == "none"


def test_the_open_edition_has_no_workspace_that_could_be_new(gateway: Gateway) -> None:
    engine = Engine(gateway)
    engine("kong_workspace", name="team", check=True)
    refused = engine.refused("kong_service", name="s", host="h", workspace="team", check=True)
    assert "workspaces need Kong Gateway Enterprise" in refused["msg"]


def test_a_control_plane_that_would_be_renamed_has_its_new_name(konnect: Engine) -> None:
    key = konnect.ok("konnect_control_plane", name="old")["control_plane"]["id"]
    service = {"name": "s", "host": "s.test", "check": True}
    konnect.ok("kong_service", control_plane="old", **service)
    konnect.ok("konnect_control_plane", id=key, name="new", check=True)
    assert konnect.ok("kong_service", control_plane="new", **service)["operation"] == "create"
    assert "not exist" in konnect.refused("kong_service", control_plane="old", **service)["msg"]


def test_the_id_of_a_new_control_plane_leads_to_it(konnect: Engine) -> None:
    made = konnect.ok("konnect_control_plane", name="team", check=True)["control_plane"]
    inside = {"control_plane": made["id"], "check": True}
    assert konnect.ok("kong_ping", **inside)["control_plane"] == made["id"]
    named = {**DOCUMENT, "_konnect": {"control_plane_name": "team"}}
    assert konnect.ok("kong_state", content=named, **inside)["changed"]
    other = {**DOCUMENT, "_konnect": {"control_plane_name": "default"}}
    assert "default" in konnect.refused("kong_state", content=other, **inside)["msg"]
    found = konnect.ok("konnect_control_plane_info", name="team", check=True)["control_planes"]
    assert [each["config"]["cluster_type"] for each in found] == ["CLUSTER_TYPE_CONTROL_PLANE"]


def test_what_is_beside_the_entities_of_a_new_control_plane(
    konnect: Engine, tmp_path: Path
) -> None:
    one = Path(self_signed(tmp_path, "one").certificate).read_text()
    results = []
    for check in (True, False):
        konnect.forget()
        inside = {"control_plane": "team", "check": check}
        konnect.ok("konnect_control_plane", name="team", check=check)
        pinned = [
            konnect.ok("konnect_data_plane_certificate", content=one, **options, **inside)
            for options in ({}, {"title": "first"}, {"title": "first"}, {"state": "absent"})
        ]
        nodes = konnect.ok("konnect_node_info", **inside)
        results.append([*map(_said, pinned), nodes["nodes"]])
    assert results[0] == results[1]
    waited = konnect.ok("konnect_node_info", wait=True, check=True)
    assert (waited["connected"], waited["up_to_date"]) == (0, 0)


def test_members_of_a_new_group(konnect: Engine) -> None:
    group = {"name": "all", "cluster_type": GROUP, "check": True}
    for name in ("team-a", "team-b"):
        konnect.ok("konnect_control_plane", name=name, check=True)
    made = konnect.ok("konnect_control_plane", members=["team-a"], **group)
    assert len(made["added"]) == 1
    again = konnect.ok("konnect_control_plane", members=["team-a"], **group)
    assert (again["changed"], again["added"]) == (False, [])
    both = konnect.ok("konnect_control_plane", members=["team-b"], purge_members=True, **group)
    assert (both["operation"], both["removed"]) == ("none", made["added"])
    assert both["changed"]
    assert both["diff"]["before"]["members"] == made["added"]
    refused = konnect.refused("kong_service", name="s", host="h", control_plane="all", check=True)
    assert f"{GROUP} cannot be written" in refused["msg"]


def test_the_first_control_plane_is_predicted_without_schemas(konnect: Engine) -> None:
    for each in konnect.ok("konnect_control_plane_info")["control_planes"]:
        konnect.ok("konnect_control_plane", id=each["id"], state="absent", force=True)
    konnect.ok("konnect_control_plane", name="team", check=True)
    konnect.gateway.reset_requests()
    inside = {"control_plane": "team", "check": True}
    for module, options in TASKS:
        result = konnect.ok(module, **inside, **options)
        if result.get("operation") == "create" and module != "kong_lock":
            assert "not validated" in " ".join(result["warnings"]), module
    assert {each["path"] for each in konnect.gateway.requests()} <= {
        "/v2/control-planes", "/v2/organizations/me",
    }  # fmt: skip


PLAYS: dict[str, Options] = {
    "kong_workspace": {"workspace": "team"},
    "konnect_control_plane": {"control_plane": "team"},
}


@pytest.mark.parametrize("module", PLAYS)
def test_the_tasks_of_a_playbook_know_it_of_each_other(
    module: str, enterprise: Gateway, konnect: Engine, playbook: Player
) -> None:
    gateway = konnect.gateway if module.startswith("konnect") else enterprise
    inside = {**gateway.connection, **PLAYS[module]}
    tasks: list[Options] = [
        {f"irishtek.kong.{module}": {**gateway.connection, "name": "team"}},
        {"irishtek.kong.kong_service": {**inside, "name": "s", "host": "h"}},
        {"irishtek.kong.kong_route": {**inside, "name": "r", "service": "s", "paths": ["/"]}},
        {"irishtek.kong.kong_route": {**inside, "name": "r", "state": "absent"}},
        {"irishtek.kong.kong_service": {**inside, "name": "s", "state": "absent"}},
        {f"irishtek.kong.{module}": {**gateway.connection, "name": "team", "state": "absent"}},
        {
            "irishtek.kong.kong_service": {**inside, "name": "s", "host": "h"},
            "register": "refused",
            "failed_when": "refused.msg is not search('team does not exist')",
        },
    ]
    play = [{"hosts": "here", "gather_facts": False, "tasks": tasks}]
    gateway.reset_requests()
    run = playbook(
        json.dumps(play) + "\n", inventory={"all": {"hosts": {"here": LOCAL}}}, check=True
    )
    assert run.ok().total("changed") == 6
    assert gateway.writes() == []


def test_the_playbooks_of_the_tutorial_can_be_checked_on_an_empty_organization(
    konnect: Engine, playbook: Player, tmp_path: Path
) -> None:
    gateway = konnect.gateway
    Path(self_signed(tmp_path, "tls").certificate).rename(tmp_path / "tls.crt")
    (tmp_path / "kong.yaml").write_text(TUTORIAL.read_text().replace("default", "tutorial"))
    variables = {
        **LOCAL, **gateway.connection, "konnect_control_plane": "tutorial",
        "certificates": str(tmp_path), "state_file": str(tmp_path / "kong.yaml"),
        "first_target": "10.0.0.1:80", "second_target": "10.0.0.2:80",
    }  # fmt: skip
    demonstration = ROOT / "tests/demo/konnect"
    names = ["ping", "control_plane", "certificate", "nodes", "sync", "requests", "remove"]
    plays = [{"import_playbook": str(demonstration / f"{name}.yml")} for name in names]
    plays.insert(5, {"import_playbook": "irishtek.kong.first_upstream_target"})
    groups = {"control_planes": {"hosts": {"tutorial": variables}}}
    inventory = {**groups, "kong_gateways": {"hosts": {"tutorial": {}}}}
    run = playbook(
        json.dumps(plays) + "\n", inventory=inventory, check=True,
        environment={"KONNECT_TOKEN": gateway.token},
    ).ok()
    assert {"Create the control plane", "Pin the certificate in the control plane"} <= {
        *run.changed()
    }
    assert gateway.writes() == []


def test_kong_entity_predicts_a_vault_as_kong_vault_does(empty_gateway: Gateway) -> None:
    engine = Engine(empty_gateway)
    entity = {"name": "env", "prefix": "ci-env"}
    options = {"path": "vaults", "identity": "prefix", "entity": entity}
    predicted = engine.ok("kong_entity", check=True, **options)["entity"]
    made = engine.ok("kong_entity", **options)["entity"]
    generated = {name: made[name] for name in ("id", "created_at", "updated_at")}
    assert {**predicted, **generated} == made

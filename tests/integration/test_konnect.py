# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is Konnect's own: ways in, look-ups, refusals, whole entities by ID, numbers of requests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from harness.engine import Engine
from harness.gateway import Gateway, sandbox
from harness.playbook import LOCAL, Player
from harness.state import HEAD, State, fixture, tagged

TUTORIAL = fixture("first-upstream-target")


@pytest.fixture(scope="module")
def _konnect() -> Iterator[Gateway]:
    with sandbox(control_plane="default") as started:
        yield started


@pytest.fixture
def konnect(_konnect: Gateway) -> Gateway:
    """Konnect with an empty control plane."""
    _konnect.reset()
    return _konnect


@pytest.fixture
def engine(konnect: Gateway) -> Engine:
    """Calls modules with Konnect's options."""
    return Engine(konnect)


def _asked(gateway: Gateway) -> list[str]:
    return [f"{each['method']} {each['path']}" for each in gateway.requests()]


def test_ping_says_what_deck_says(engine: Engine) -> None:
    found = engine.ok("kong_ping")
    assert found["msg"] == "Successfully Konnected to the Kong organization!"
    assert (found["organization"], found["edition"]) == ("Kong", "konnect")


def test_two_ways_in_are_an_error_that_names_both(engine: Engine) -> None:
    refused = engine.refused("kong_ping", admin_url="http://127.0.0.1:8001")
    assert "admin_url" in refused["msg"] and "konnect_token" in refused["msg"]
    refused = engine.refused("kong_ping", konnect_region="eu")
    assert "konnect_region" in refused["msg"] and "konnect_url" in refused["msg"]
    refused = engine.refused("kong_ping", konnect_token=None)
    assert "needs konnect_token" in refused["msg"]


@pytest.mark.parametrize("token", ["kpat_secret\n", " kpat_secret", "kpat_s\u00e4cret"])
def test_a_token_that_cannot_be_one_is_refused_by_its_option(engine: Engine, token: str) -> None:
    refused = engine.refused("kong_ping", konnect_token=token)
    assert refused["msg"].startswith("konnect_token must be printable ASCII")
    assert "cret" not in json.dumps(refused)


def test_a_token_is_not_sent_in_the_clear(engine: Engine) -> None:
    refused = engine.refused("kong_ping", konnect_url="http://us.api.konghq.com")
    assert "use https://" in refused["msg"]


def test_a_missing_control_plane_may_be_of_another_region(konnect: Gateway) -> None:
    engine = Engine(replace(konnect, control_plane="other"))
    refused = engine.refused("kong_upstream", name="web")
    assert "control plane other does not exist" in refused["msg"]
    assert "another region" in refused["msg"]


def test_a_control_plane_that_was_deleted_meanwhile_is_not_an_empty_one(konnect: Gateway) -> None:
    others = Engine(konnect)
    others.ok("konnect_control_plane", name="team-a")
    engine = Engine(replace(konnect, control_plane="team-a"))
    engine.ok("kong_upstream", name="web")
    others.ok("konnect_control_plane", name="team-a", state="absent", force=True)
    for module, options in (
        ("kong_dump", {}),
        ("kong_info", {"kinds": ["upstream"]}),
        ("kong_state", {"content": HEAD, "state": "synced", "purge_kinds": ["upstream"]}),
    ):
        refused = engine.refused(module, **options)
        assert "control plane team-a does not exist" in refused["msg"]


def test_a_server_without_control_planes_is_not_konnect(engine: Engine, konnect: Gateway) -> None:
    konnect.faults(kind="answer", status=404, body='{"message": "Not found"}', times=None)
    for module, options in (
        ("kong_upstream", {"name": "web", "state": "absent"}),
        ("konnect_control_plane_info", {}),
        ("konnect_control_plane", {"name": "team-a", "state": "absent"}),
    ):
        assert "does not respond as Konnect does" in engine.refused(module, **options)["msg"]
    konnect.clear_faults()


def test_a_refused_token_is_a_sentence_in_both_shapes(konnect: Gateway) -> None:
    key = konnect.core.split("/")[3]
    with sandbox("--admin-token", "right", control_plane="default") as guarded:
        engine = Engine(guarded)
        for options in ({}, {"control_plane": key}):
            refused = engine.refused("kong_upstream", name="web", konnect_token="wr0ng", **options)
            assert "konnect_token" in refused["msg"] and "wr0ng" not in json.dumps(refused)
        assert refused["failure"]["trace_id"] in refused["msg"]


@pytest.mark.parametrize(("body", "message"), [
    ({"details": [{"field": "config", "messages": ["one is needed"]},
                  {"field": "config.minute", "messages": ["not a number", "too small"]},
                  {"field": "config", "messages": ["or another"]}]},
     "(config: one is needed; or another; config.minute: not a number; too small)"),
    ({"details": ["odd"]}, "validation error (odd)"),
    ({"details": {"field": "name", "messages": "odd"}}, "validation error (name: odd)"),
    ({"details": [{"@type": "other"}]}, "validation error (HTTP 400)"),
    ({"details": None, "message": "two\nlines"}, "two lines (HTTP 400)"),
])
def test_a_refusal_of_any_shape_is_a_sentence(
    engine: Engine, konnect: Gateway, body: dict[str, Any], message: str
) -> None:
    text = json.dumps({"code": 3, "message": "validation error", **body})
    konnect.faults(kind="answer", status=400, body=text, match={"method": "POST"})
    assert message in engine.refused("kong_upstream", name="web")["msg"]


def test_a_change_of_a_target_takes_four_requests_and_a_loop_one_look_up(
    engine: Engine, konnect: Gateway
) -> None:
    engine.ok("kong_upstream", name="web", targets=[{"target": "a.test:80"}])
    engine.forget()
    konnect.reset_requests()
    for weight in (5, 6):
        done = engine.ok("kong_target", upstream="web", target="a.test:80", weight=weight)
        assert done["operation"] == "update"
    asked = _asked(konnect)
    assert asked.count("GET /v2/control-planes") == 1
    assert len(asked) == 4 + 3


def test_a_loop_of_fifty_targets_looks_up_the_control_plane_once(
    konnect: Gateway, playbook: Player
) -> None:
    Engine(konnect).ok("kong_upstream", name="web")
    konnect.reset_requests()
    task = {
        "irishtek.kong.kong_target": {
            **konnect.connection, "upstream": "web", "target": "10.0.0.{{ item }}:80",
        },
        "loop": "{{ range(1, 51) | list }}",
    }
    again = {"irishtek.kong.kong_upstream": {**konnect.connection, "name": "web"}}
    play = [{"hosts": "gateways", "gather_facts": False, "tasks": [task, again]}]
    inventory = {"gateways": {"hosts": {"here": LOCAL}}}
    playbook(json.dumps(play) + "\n", inventory=inventory, environment={
        "KONG_ADMIN_URL": "http://127.0.0.1:1", "KONNECT_TOKEN": "not-this-one",
    }).ok()
    # Once for all tasks of the run: the environment's other way in does not count, either.
    assert _asked(konnect).count("GET /v2/control-planes") == 1
    assert len(konnect.entities("/targets")) == 50


def test_control_planes_of_one_run_share_the_schemas_of_kinds(
    engine: Engine, konnect: Gateway, playbook: Player
) -> None:
    names = [f"team-{number}" for number in range(3)]
    for name in names:
        engine.ok("konnect_control_plane", name=name)
    sparse: dict[str, Any] = {
        **HEAD,
        "services": [{"name": "s", "host": "web", "routes": [{"name": "r", "paths": ["/a"]}]}],
        "upstreams": [{"name": "web", "targets": [{"target": "a.test:80"}]}],
    }
    kinds = ["service", "route", "upstream", "target"]
    sync = {"irishtek.kong.kong_state": {
        **konnect.connection, "control_plane": "{{ inventory_hostname }}", "content": sparse,
        "state": "synced", "purge_kinds": kinds,
    }}
    play = json.dumps([{"hosts": "all", "gather_facts": False, "tasks": [sync]}]) + "\n"
    inventory = {"gateways": {"hosts": dict.fromkeys(names, LOCAL)}}
    playbook(play, inventory=inventory).ok()
    konnect.reset_requests()
    assert playbook(play, inventory=inventory).ok().total("changed") == 0
    # What each control plane has, its look-up included, and once what all of them have.
    assert len(_asked(konnect)) == len(names) * (len(kinds) + 1) + len(kinds)


def test_a_control_plane_of_another_organization_is_another_one(
    konnect: Gateway, playbook: Player
) -> None:
    # All organizations have the same URL, and each has a control plane "default".
    tokens = {"first": "kpat_first", "second": "kpat_second"}
    options = {**konnect.connection, "konnect_token": "{{ token }}", "name": "web"}
    tasks = [
        {"irishtek.kong.kong_upstream": options, "when": "inventory_hostname == 'first'"},
        {"irishtek.kong.kong_upstream": {**options, "state": "absent"},
         "when": "inventory_hostname == 'second'"},
    ]
    play = json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]) + "\n"
    hosts = {name: {**LOCAL, "token": token} for name, token in tokens.items()}
    konnect.reset_requests()
    predicted = playbook(play, check=True, inventory={"gateways": {"hosts": hosts}}).ok()
    assert predicted.total("changed") == 1
    assert _asked(konnect).count("GET /v2/control-planes") == 2


def test_consistent_hashing_survives_a_change_of_something_else(
    engine: Engine, konnect: Gateway
) -> None:
    # Stored so by a client that leaves hash_on out.
    konnect.call("POST", "/upstreams", {"name": "web", "algorithm": "consistent-hashing"})
    before = konnect.call("GET", "/upstreams/web")
    assert before["hash_on"] == "none"
    engine.ok("kong_upstream", name="web", slots=20)
    after = konnect.call("GET", "/upstreams/web")
    assert (after["algorithm"], after["slots"]) == (before["algorithm"], 20)
    assert after["id"] == before["id"]


def test_results_have_what_konnect_leaves_out(engine: Engine, konnect: Gateway) -> None:
    # A playbook that reads a field works with each gateway.
    for check in (True, False):
        service = engine.ok("kong_service", check=check, name="s", host="a.test")["service"]
        assert service["path"] is None and service["tags"] is None and "url" not in service
    sources = [{"ip": "10.0.0.1"}]
    made = engine.ok("kong_route", name="r", protocols=["tcp"], sources=sources)
    assert made["route"]["sources"] == [{"ip": "10.0.0.1", "port": None}]
    made = engine.ok("kong_upstream", name="web")
    assert made["upstream"]["healthchecks"]["active"]["https_sni"] is None
    konnect.reset_requests()
    assert engine.ok("kong_upstream", name="web", slots=20)["upstream"]["host_header"] is None
    (sent,) = (each["body"] for each in konnect.requests() if each["method"] == "PUT")
    assert "null" not in json.dumps(sent)


def test_what_a_control_plane_does_not_take_is_refused_in_check_mode_too(
    engine: Engine, konnect: Gateway
) -> None:
    types = {
        "CLUSTER_TYPE_CONTROL_PLANE_GROUP": "members",
        "CLUSTER_TYPE_K8S_INGRESS_CONTROLLER": "ingress controller",
    }
    document = {"_format_version": "3.0", "services": [{"name": "s", "host": "a.test"}]}
    for kind, hint in types.items():
        engine.ok("konnect_control_plane", name=kind, cluster_type=kind)
        planes = Engine(replace(konnect, control_plane=kind))
        konnect.reset_requests()
        for check in (True, False):
            refused = planes.refused("kong_service", check=check, name="s", host="a.test")
            assert f"{kind} cannot be written" in refused["msg"] and hint in refused["msg"]
            refused = State(planes).refused(document, "applied", check=check)
            assert f"{kind} cannot be written" in refused["msg"]
        assert planes.ok("kong_service", name="s", state="absent")["changed"] is False
        assert konnect.writes() == []


def test_a_control_plane_that_was_removed_meanwhile_is_named(
    engine: Engine, konnect: Gateway
) -> None:
    engine.ok("kong_service", name="s", host="a.test")
    konnect.call("DELETE", konnect.core.replace("/core-entities", ""))
    for forget in (False, True):
        if forget:
            engine.forget()
        refused = engine.refused("kong_service", name="t", host="a.test")
        assert "control plane default does not exist" in refused["msg"]


def test_a_control_plane_whose_name_is_the_id_of_another_is_not_that_one(
    engine: Engine, konnect: Gateway
) -> None:
    def made(name: str) -> str:
        return str(engine.ok("konnect_control_plane", name=name)["control_plane"]["id"])

    first = made("first")
    second = made(first)
    assert second != first
    # A reference is an ID before it is a name, as everywhere.
    for reference, meant in ((first, first), (second, second), ("first", first)):
        found = Engine(replace(konnect, control_plane=reference)).ok("kong_ping")
        assert found["control_plane"] == meant
    engine.ok("konnect_control_plane", name=first, state="absent")
    names = {each["name"] for each in konnect.call("GET", "/v2/control-planes")["data"]}
    assert names == {"default", "first"}


MANAGED = {"name": "own", "host": "a", "tags": ["konnect-managed"]}


def test_what_konnect_manages_is_left_alone(engine: Engine, konnect: Gateway) -> None:
    konnect.call("POST", "/services", MANAGED)
    for options in ({"host": "b"}, {"state": "absent"}):
        for check in (True, False):
            refused = engine.refused("kong_service", check=check, name="own", **options)
            assert "konnect-managed" in refused["msg"]
    head = {"_format_version": "3.0", "services": [{"name": "new", "host": "c"}]}
    done = State(engine)(head, purge_kinds=["service"])
    assert [each["operation"] for each in done["changes"]] == ["create"]
    synced = {"_format_version": "3.0", "services": [{**head["services"][0], "tags": ["t"]}]}
    both = {**MANAGED, "name": "tagged", "tags": ["t", "konnect-managed"]}
    konnect.call("POST", "/services", both)
    done = State(engine)(synced, select_tags=["t"])
    assert [each["operation"] for each in done["changes"]] == ["update"]
    dumped = engine.ok("kong_dump", kinds=["service"])["document"]["services"]
    assert [each["name"] for each in dumped] == ["new"]


def test_a_document_with_what_konnect_manages_is_refused_before_the_first_write(
    engine: Engine, konnect: Gateway
) -> None:
    konnect.call("POST", "/services", MANAGED)
    konnect.call("POST", "/plugins", {"name": "cors", "tags": ["konnect-managed-plugin"]})
    state, head = State(engine), {"_format_version": "3.0"}
    own = {"services": [{"name": "a", "host": "a"}, {"name": "own", "host": "b"}]}
    scope = {"plugins": [{"name": "cors", "config": {"max_age": 5}}]}
    for document, options in (
        (own, {"state": "applied"}), (own, {"state": "absent"}), (scope, {"state": "applied"}),
        (own, {"purge_kinds": ["service"]}),
    ):
        konnect.reset_requests()
        said = {state.refused({**head, **document}, check=check, **options)["msg"]
                for check in (True, False)}
        assert len(said) == 1 and "konnect-managed" in said.pop(), (document, options)
        assert konnect.writes() == []
    # As it is, there is nothing to do.
    state.unchanged({**head, "services": [{"name": "own", "host": "a"}]}, "applied")


def test_what_konnect_manages_below_an_entity_is_seen(engine: Engine, konnect: Gateway) -> None:
    web = konnect.call("POST", "/upstreams", {"name": "web"})
    managed = {"target": "10.0.0.9:80", "tags": ["konnect-managed"]}
    konnect.call("POST", f"/upstreams/{web['id']}/targets", managed)
    pool = {"name": "web", "targets": [{"target": "10.0.0.1:80"}], "purge_targets": True}
    for check in (True, False):
        engine.forget()
        done = engine.ok("kong_upstream", check=check, **pool)
        assert [each["operation"] for each in done["changes"]] == ["create"]
    service = engine.ok("kong_service", name="s", host="h")["service"]
    route = {"name": "r", "paths": ["/"], "service": {"id": service["id"]}}
    konnect.call("POST", "/routes", {**route, "tags": ["konnect-managed"]})
    for check in (True, False):
        refused = engine.refused("kong_service", check=check, name="s", state="absent")
        assert "route r still refers to it" in refused["msg"]
    konnect.call("POST", "/plugins", {"name": "cors", "tags": ["konnect-managed-plugin"]})
    for check in (True, False):
        refused = engine.refused("kong_plugin", check=check, name="cors", config={"max_age": 5})
        assert "konnect-managed" in refused["msg"]


def test_a_password_that_is_a_hash_stays(engine: Engine, konnect: Gateway) -> None:
    engine.ok("kong_consumer", username="alice")
    named = {"type": "basic_auth", "consumer": "alice", "username": "al"}
    engine.ok("kong_credential", **named, password="hidden-one")
    before = konnect.entities("/basic-auths")[0]["password"]
    engine.ok("kong_credential", **named, tags=["a"])
    after = konnect.entities("/basic-auths")[0]
    assert (after["password"], after["tags"]) == (before, ["a"])


def test_settings_of_a_vault_that_konnect_fills_in_change_nothing(
    engine: Engine, konnect: Gateway
) -> None:
    vault = {"prefix": "my-env", "name": "env", "config": {"prefix": "A_"}}
    predicted = engine.ok("kong_vault", check=True, **vault)
    assert predicted["vault"]["config"] == vault["config"]
    assert "has no schema of the settings of vaults" in predicted["warnings"][0]
    engine.forget()
    made = engine.ok("kong_vault", **vault)
    filled = {**vault["config"], "base64_decode": False}
    assert made["vault"]["config"] == filled and not made["warnings"]
    assert not engine.ok("kong_vault", **vault)["changed"]
    changed = {**vault, "config": {"prefix": "B_"}}
    predicted = engine.ok("kong_vault", check=True, **changed)
    engine.forget()
    assert engine.ok("kong_vault", **changed)["vault"] == predicted["vault"]
    state, document = State(engine), tagged("t", vaults=[vault])
    assert state(document)["changed"]
    state.unchanged(document)
    assert konnect.entities("/vaults")[0]["config"] == filled
    # Left out, a setting stays: nothing says what its default is, or that Konnect filled it in.
    state.unchanged(tagged("t", vaults=[{**vault, "config": {}}]))


def test_a_value_that_is_taken_is_named(engine: Engine) -> None:
    engine.ok("kong_consumer", username="alice", custom_id="1")
    for check in (True, False):
        refused = engine.refused("kong_consumer", check=check, username="bob", custom_id="1")
        assert "custom_id" in refused["msg"]


def test_what_konnect_does_not_have_is_refused_with_what_to_use(engine: Engine) -> None:
    engine.ok("kong_upstream", name="web", targets=[{"target": "a.test:80"}])
    refused = engine.refused("kong_info", kinds=["target"], health=True)
    assert "status_urls" in refused["msg"] and "Konnect" in refused["msg"]
    refused = engine.refused(
        "kong_target_health", upstream="web", target="a.test:80", health="healthy"
    )
    assert "drained" in refused["msg"]
    refused = engine.refused("kong_target", upstream="web", target="a.test:80", wait=True)
    assert "status_urls" in refused["msg"]


def test_the_state_file_of_the_tutorial(engine: Engine, konnect: Gateway) -> None:
    state = State(engine)
    document = {**TUTORIAL, "_konnect": {"runtime_group_name": "default"}}
    assert len(state(document)["changes"]) == 5
    konnect.reset_requests()
    assert state(document)["changed"] is False
    asked = _asked(konnect)
    # Konnect has no list by tag, so each kind that can be tagged is in scope and listed once; and
    # the schema of each kind of which the file leaves something out says what is reset.
    assert len(asked) == len(set(asked))
    in_scope = [each for each in asked if each.count("/") == 1]
    assert len(asked) <= len(in_scope) + 3
    untagged = {name: value for name, value in document.items() if name != "_info"}
    kinds = ["service", "route", "upstream", "target"]
    state(untagged, purge_kinds=kinds)
    konnect.reset_requests()
    assert state(untagged, purge_kinds=kinds)["changed"] is False
    assert len(_asked(konnect)) <= len(kinds) + 3
    refused = state.refused({**document, "_konnect": {"control_plane_name": "other"}})
    assert "other" in refused["msg"] and "default" in refused["msg"]


def test_a_file_and_a_task_may_write_name_or_id_of_the_control_plane(
    engine: Engine, konnect: Gateway
) -> None:
    key = konnect.core.split("/")[3]
    by_name, by_id = ({**TUTORIAL, "_konnect": {"control_plane_name": each}}
                      for each in ("default", key))
    planes = Engine(replace(konnect, control_plane=key))
    for check in (True, False):
        assert State(planes)(by_name, check=check)["changed"]
    assert State(engine)(by_id)["changed"] is False
    engine.ok("konnect_control_plane", name="other")
    other = {**TUTORIAL, "_konnect": {"control_plane_name": "other"}}
    for check in (True, False):
        refused = State(planes).refused(other, check=check)
        assert "other" in refused["msg"] and key in refused["msg"]


def test_an_unchanged_sync_takes_one_list_a_kind(engine: Engine, konnect: Gateway) -> None:
    state = State(engine)
    pools = [{"name": f"pool-{number}", "targets": [{"target": "a.test:80"}]} for number in "123"]
    document: dict[str, Any] = {"_format_version": "3.0", "upstreams": pools}
    kinds = ["upstream", "target"]
    for options in ({"state": "applied"}, {"purge_kinds": kinds}):
        state(document, **options)
        konnect.reset_requests()
        assert state(document, **options)["changed"] is False
        assert len(_asked(konnect)) <= len(kinds) + 3


def test_limits_of_requests_are_waited_for(
    engine: Engine, konnect: Gateway, pauses: list[float]
) -> None:
    konnect.faults(kind="answer", status=429, headers={"Retry-After": "7"}, times=2)
    assert engine.ok("kong_upstream", name="web")["operation"] == "create"
    assert sum(pauses) >= 14


def test_a_workspace_comes_after_core_entities(engine: Engine, konnect: Gateway) -> None:
    refused = engine.refused("kong_service", workspace="team", name="s", host="a")
    assert "Workspace 'team' does not exist" in refused["msg"]
    konnect.call("POST", "/workspaces", {"name": "team"})
    engine.forget()
    engine.ok("kong_service", workspace="team", name="s", host="a")
    konnect.reset_requests()
    engine.ok("kong_service", workspace="team", name="s", host="b")
    # What is found there says that the workspace exists.
    assert not [each for each in _asked(konnect) if "/workspaces/" in each]
    assert [each["name"] for each in konnect.entities("/team/services")] == ["s"]
    assert konnect.entities("/services") == []


def test_no_answer_names_konnects_options(engine: Engine) -> None:
    refused = engine.refused("kong_ping", konnect_url="http://127.0.0.1:9", request_retries=0)
    assert "konnect_url" in refused["msg"] and "no response from" in refused["msg"]

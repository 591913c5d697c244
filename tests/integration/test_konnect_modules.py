# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Control planes, certificates of data planes, and nodes, through their whole life."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._gateway._admin import AdminGateway
from ansible_collections.irishtek.kong.plugins.module_utils._operations import (
    _consumer_group as operations,
)
from harness.certificates import self_signed
from harness.engine import Engine, Result
from harness.gateway import Gateway, sandbox
from harness.playbook import LOCAL, Player
from sandbox_tests.cluster_support import Authority, data_plane
from sandbox_tests.konnect_support import konnect_with_cluster

GROUP = "CLUSTER_TYPE_CONTROL_PLANE_GROUP"


@pytest.fixture(scope="module")
def _konnect() -> Iterator[Gateway]:
    with sandbox(control_plane="default") as started:
        yield started


@pytest.fixture
def engine(_konnect: Gateway) -> Engine:
    """Calls modules with Konnect's options; Konnect is empty."""
    _konnect.reset()
    return Engine(_konnect)


def _predicted_and_done(engine: Engine, module: str, **options: Any) -> Result:
    """Check mode writes nothing and says what is then done; a second run changes nothing."""
    engine.gateway.reset_requests()
    engine.forget()
    predicted = engine.ok(module, check=True, **options)
    assert engine.gateway.writes() == []
    engine.forget()
    done = engine.ok(module, **options)
    told = ("changed", "operation", "added", "removed")
    assert [predicted.get(name) for name in told] == [done.get(name) for name in told]
    operations = [
        [each["operation"] for each in result.get("changes", ())] for result in (predicted, done)
    ]
    assert operations[0] == operations[1]
    again = engine.ok(module, **options)
    assert again["changed"] is False
    return done


def test_a_control_plane_is_created_changed_in_place_and_deleted(engine: Engine) -> None:
    named = {"name": "team-a"}
    made = _predicted_and_done(engine, "konnect_control_plane", **named, labels={"env": "prod"})
    assert made["operation"] == "create" and made["diff"]["before"] == ""
    urls = [{"host": "a.test", "port": 443, "protocol": "https"}]
    changed = _predicted_and_done(
        engine, "konnect_control_plane", **named, labels={"env": "test"}, proxy_urls=urls,
        description="for team a", auth_type="pki_client_certs",
    )
    assert changed["operation"] == "update"
    plane = changed["control_plane"]
    assert plane["id"] == made["control_plane"]["id"]
    assert plane["labels"] == {"env": "test"} and plane["config"]["proxy_urls"] == urls
    renamed = engine.ok("konnect_control_plane", id=plane["id"], name="team-b")
    assert renamed["control_plane"]["name"] == "team-b"
    found = engine.ok("konnect_control_plane_info", labels={"env": "test"})["control_planes"]
    assert [each["name"] for each in found] == ["team-b"]
    assert found[0]["config"]["cluster_type"] == "CLUSTER_TYPE_CONTROL_PLANE"
    gone = _predicted_and_done(engine, "konnect_control_plane", name="team-b", state="absent")
    assert gone["operation"] == "delete"


@pytest.mark.parametrize(("options", "message"), [
    ({"name": "x"}, "name must have 2 to 256 characters, got 1"),
    ({"name": "x" * 257}, "name must have 2 to 256 characters, got 257"),
    ({"description": "x" * 2049}, "description must have at most 2048 characters, got 2049"),
    ({"labels": {"kong-team": "a"}}, "labels: the key 'kong-team' must have 1 to 63 characters"),
    ({"labels": {"_team": "a"}}, "labels: the key '_team' must have"),
    ({"labels": {"": "a"}}, "labels: the key '' must have"),
    ({"labels": {"k" * 64: "a"}}, "must have 1 to 63 characters"),
    ({"labels": {"team": ""}}, "labels.team must have 1 to 63 letters"),
    ({"labels": {"team": "a b"}}, "labels.team must have 1 to 63 letters"),
    ({"labels": {"team": "v" * 64}}, "labels.team must have 1 to 63 letters"),
    ({"proxy_urls": [{"host": f"h{n}", "port": 1, "protocol": "http"} for n in range(6)]},
     "proxy_urls must have at most 5 items, got 6"),
    ({"proxy_urls": [{"host": "h" * 121, "port": 1, "protocol": "http"}]},
     "proxy_urls.1.host must have 1 to 120 characters, got 121"),
    ({"proxy_urls": [{"host": "h", "port": 1, "protocol": ""}]},
     "proxy_urls.1.protocol must have 1 to 32 characters, got 0"),
])
def test_what_konnect_does_not_take_is_refused_before_the_write(
    engine: Engine, options: dict[str, Any], message: str
) -> None:
    engine.ok("konnect_control_plane", name="team-a")
    for name in ("team-a", "team-b"):
        engine.gateway.reset_requests()
        for check in (True, False):
            written = {"name": name, **options}
            refused = engine.refused("konnect_control_plane", check=check, **written)
            assert message in refused["msg"]
        assert not engine.gateway.writes()


def test_what_cannot_be_a_member_is_refused_in_check_mode_too(engine: Engine) -> None:
    ingress = "CLUSTER_TYPE_K8S_INGRESS_CONTROLLER"
    for name, kind in (("group", GROUP), ("inner", GROUP), ("ingress", ingress)):
        engine.ok("konnect_control_plane", name=name, cluster_type=kind)
    engine.gateway.reset_requests()
    for member in ("group", "inner", "ingress"):
        for check in (True, False):
            written = {"name": "group", "members": ["default", member], "check": check}
            refused = engine.refused("konnect_control_plane", **written)
            assert f"control plane {member} cannot be a member" in refused["msg"]
    assert not engine.gateway.writes()


def test_check_mode_knows_what_a_control_plane_would_have_when_it_is_deleted(
    engine: Engine, playbook: Player
) -> None:
    engine.ok("konnect_control_plane", name="team-a")
    engine.ok("kong_upstream", control_plane="team-a", name="web")
    account = {name: engine.gateway.connection[name] for name in ("konnect_url", "konnect_token")}

    def control_plane(name: str, state: str) -> dict[str, Any]:
        task = {**account, "name": name, "state": state}
        return {"irishtek.kong.konnect_control_plane": task, "ignore_errors": True}

    def upstream(name: str, state: str) -> dict[str, Any]:
        task = {**account, "control_plane": name, "name": "web", "state": state}
        return {"irishtek.kong.kong_upstream": task}

    tasks = [
        upstream("team-a", "absent"), control_plane("team-a", "absent"),
        control_plane("team-b", "present"), upstream("team-b", "present"),
        control_plane("team-b", "absent"), upstream("team-b", "absent"),
        control_plane("team-b", "absent"),
    ]
    play = [{"hosts": "all", "gather_facts": False, "tasks": tasks}]
    inventory = {"gateways": {"hosts": {"here": LOCAL}}}
    wanted = [True, True, True, True, False, True, True]
    for check in (True, False):
        done = playbook(json.dumps(play) + "\n", inventory=inventory, check=check).ok()
        assert [each["result"]["changed"] for each in done.tasks] == wanted
        assert "it has upstreams" in done.tasks[4]["result"]["msg"]


def test_labels_and_proxy_urls_are_cleared_and_labels_are_strings(engine: Engine) -> None:
    module, url = "konnect_control_plane", {"host": "a.test", "port": 443, "protocol": "https"}
    labels = {"env": "prod", "shard": 1, "beta": True}
    written = {"name": "team-a", "labels": labels, "proxy_urls": [url]}
    made = _predicted_and_done(engine, module, **written)["control_plane"]
    strings = {"env": "prod", "shard": "1", "beta": "true"}
    assert (made["labels"], made["config"]["proxy_urls"]) == (strings, [url])
    found = engine.ok("konnect_control_plane_info", labels={"beta": True, "shard": 1})
    assert [each["name"] for each in found["control_planes"]] == ["team-a"]
    for empty in ({"labels": {}}, {"proxy_urls": []}):
        assert _predicted_and_done(engine, module, name="team-a", **empty)["changed"]
    for check in (True, False):
        refused = engine.refused(module, check=check, name="team-a", labels={"a": {"b": "c"}})
        assert "labels.a must be a string" in refused["msg"]


def test_the_id_of_a_new_control_plane_is_not_chosen(engine: Engine) -> None:
    key = "0a6f5a3e-1111-4111-8111-111111111111"
    for check in (True, False):
        refused = engine.refused("konnect_control_plane", check=check, id=key, name="team-a")
        assert "Konnect chooses the ID" in refused["msg"]


def test_what_cannot_change_is_refused(engine: Engine) -> None:
    engine.ok("konnect_control_plane", name="team-a")
    for options in ({"cluster_type": GROUP}, {"cloud_gateway": True}):
        for check in (True, False):
            refused = engine.refused("konnect_control_plane", check=check, name="team-a", **options)
            assert next(iter(options)) in refused["msg"]


def test_a_control_plane_in_use_is_deleted_only_by_force(engine: Engine) -> None:
    engine.ok("konnect_control_plane", name="team-a")
    engine.ok("kong_service", control_plane="team-a", name="s", host="a.test")
    for check in (True, False):
        refused = engine.refused(
            "konnect_control_plane", check=check, name="team-a", state="absent"
        )
        assert "it has services" in refused["msg"] and "force" in refused["msg"]
    engine.ok("konnect_control_plane", name="team-a", state="absent", force=True)
    # What was looked up before is looked up again.
    refused = engine.refused("kong_service", control_plane="team-a", name="s", host="a.test")
    assert "control plane team-a does not exist" in refused["msg"]


def test_entities_of_another_workspace_keep_a_control_plane(engine: Engine) -> None:
    engine.ok("konnect_control_plane", name="team-a")
    inside = {"control_plane": "team-a"}
    engine.ok("kong_workspace", **inside, name="orders")
    engine.ok("kong_service", **inside, workspace="orders", name="s", host="a.test")
    gone = {"name": "team-a", "state": "absent"}
    for check in (True, False):
        refused = engine.refused("konnect_control_plane", check=check, **gone)
        assert "it has workspaces" in refused["msg"]
    engine.ok("konnect_control_plane", **gone, force=True)


def test_members_of_a_group(engine: Engine) -> None:
    ids = {
        name: engine.ok("konnect_control_plane", name=name)["control_plane"]["id"]
        for name in ("team-a", "team-b")
    }
    options = {"name": "all", "cluster_type": GROUP}
    made = engine.ok("konnect_control_plane", **options, members=["team-a"])
    assert made["added"] == [ids["team-a"]]
    both = _predicted_and_done(engine, "konnect_control_plane", **options, members=["team-b"])
    assert (both["added"], both["removed"]) == ([ids["team-b"]], [])
    one = _predicted_and_done(
        engine, "konnect_control_plane", **options, members=["team-b"], purge_members=True
    )
    assert (one["added"], one["removed"]) == ([], [ids["team-a"]])
    refused = engine.refused("konnect_control_plane", name="team-a", members=["team-b"])
    assert GROUP in refused["msg"]
    refused = engine.refused("konnect_control_plane", name="all", members=["nobody"])
    assert "nobody does not exist" in refused["msg"]


def test_many_control_planes_are_listed_and_join_a_group(engine: Engine) -> None:
    konnect = engine.gateway
    names = [f"plane-{number:03}" for number in range(101)]
    for name in names:
        konnect.call("POST", "/v2/control-planes", {"name": name})
    listed = engine.ok("konnect_control_plane_info")["control_planes"]
    ids = {each["name"]: each["id"] for each in listed}
    assert ids.keys() == {"default", *names}
    options = {"name": "all", "cluster_type": GROUP, "members": names}
    konnect.faults(match={"path": "/add$"}, kind="answer", status=400, skip=1, times=None)
    refused = engine.refused("konnect_control_plane", **options)
    assert "of control_plane all" in refused["msg"] and "HTTP 400" in refused["msg"]
    assert (refused["changed"], refused["operation"]) == (True, "create")
    assert len(refused["added"]) in (1, 50)
    konnect.clear_faults()
    rest = _predicted_and_done(engine, "konnect_control_plane", **options)["added"]
    assert {*refused["added"], *rest} == {ids[name] for name in names}


def test_members_join_and_leave_fifty_at_once(engine: Engine) -> None:
    konnect = engine.gateway
    names = [f"plane-{number:03}" for number in range(101)]
    for name in names:
        konnect.call("POST", "/v2/control-planes", {"name": name})
    options = {"name": "all", "cluster_type": GROUP, "purge_members": True}
    konnect.reset_requests()
    done = engine.ok("konnect_control_plane", **options, members=names)
    assert (len(done["added"]), len(done["members"])) == (101, 101)
    assert _changes(konnect) == ["add"] * 3
    konnect.reset_requests()
    done = engine.ok("konnect_control_plane", **options, members=[*names[:1], *names[:1]])
    assert (len(done["removed"]), len(done["members"])) == (100, 1)
    assert _changes(konnect) == ["remove"] * 2


def _changes(gateway: Gateway) -> list[str]:
    return [each.split("/")[-1] for each in gateway.writes() if "/group-memberships/" in each]


def test_the_member_that_is_refused_is_named_and_the_others_join(engine: Engine) -> None:
    names = ("fine", "busy", "also")
    ids = {
        name: engine.ok("konnect_control_plane", name=name)["control_plane"]["id"]
        for name in names
    }
    # Konnect does not let a control plane be in more groups than five.
    for name in "12345":
        written = {"name": f"group-{name}", "members": ["busy"]}
        engine.ok("konnect_control_plane", cluster_type=GROUP, **written)
    options = {"name": "all", "cluster_type": GROUP, "members": list(names)}
    refused = engine.refused("konnect_control_plane", **options)
    assert f"group_member {ids['busy']} of control_plane all" in refused["msg"]
    assert refused["added"] == [ids["fine"]] and refused["changed"]
    again = engine.refused("konnect_control_plane", **{**options, "members": ["busy"]})
    assert (again["changed"], again["added"]) == (False, [])
    assert again["control_plane"]["config"]["cluster_type"] == GROUP


def test_certificates_are_compared_by_their_fingerprints(engine: Engine, tmp_path: Path) -> None:
    pairs = [self_signed(tmp_path, name) for name in ("one", "two", "three")]
    one, two, three = (Path(pair.certificate).read_text() for pair in pairs)
    module = "konnect_data_plane_certificate"
    made = _predicted_and_done(engine, module, content=one, title="first")
    assert made["certificate"]["title"] == "first"
    assert not engine.ok(module, content=f"\n{one}\n".replace("\n", "\r\n"))["changed"]
    assert _predicted_and_done(engine, module, path=pairs[1].certificate)["changed"]
    purged = _predicted_and_done(engine, module, content=three, purge=True)
    assert [each["operation"] for each in purged["changes"]] == ["create", "delete", "delete"]
    gone = _predicted_and_done(engine, module, content=three, state="absent")
    assert [each["operation"] for each in gone["changes"]] == ["delete"]
    assert not engine.ok(module, content=two, state="absent")["changed"]
    refused = engine.refused(module, content=Path(pairs[0].key).read_text())
    assert "private key" in refused["msg"]
    assert "one certificate" in engine.refused(module, content=one + two)["msg"]
    assert "cannot be read" in engine.refused(module, path=str(tmp_path / "none"))["msg"]


def _overtaken(monkeypatch: pytest.MonkeyPatch, other: Callable[[], object]) -> None:
    """Let another task run between the look-ups and the first write of the next one."""
    create = AdminGateway.create

    def late(*arguments: Any) -> Any:
        monkeypatch.setattr(AdminGateway, "create", create)
        other()
        return create(*arguments)

    monkeypatch.setattr(AdminGateway, "create", late)


@pytest.mark.parametrize(("module", "options"), [
    ("konnect_control_plane", {"name": "team-a", "labels": {"env": "prod"}}),
    ("konnect_control_plane", {"name": "all", "cluster_type": GROUP, "members": ["default"]}),
    ("kong_consumer_group", {"name": "gold", "consumers": ["alice"]}),
    ("kong_plugin", {"name": "cors"}),
])  # fmt: skip
def test_what_another_task_creates_meanwhile_is_taken(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, module: str, options: dict[str, Any]
) -> None:
    engine.ok("kong_consumer", username="alice")
    others: list[Result] = []
    _overtaken(monkeypatch, lambda: others.append(Engine(engine.gateway).ok(module, **options)))
    engine.ok(module, **options)
    assert others[0]["changed"]
    assert not engine.ok(module, **options)["changed"]


def test_a_certificate_that_two_tasks_create_is_there_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    module = "konnect_data_plane_certificate"
    one, other = (Path(self_signed(tmp_path, name).certificate).read_text() for name in "ab")
    engine.ok(module, content=other)
    _overtaken(monkeypatch, lambda: Engine(engine.gateway).ok(module, content=one))
    kept = engine.ok(module, content=one)["certificate"]
    path = engine.gateway.core.replace("core-entities", "dp-client-certificates")
    found = {each["id"]: each["cert"] for each in engine.gateway.call("GET", path)["items"]}
    assert sorted(found.values()) == sorted((one, other)) and found[kept["id"]] == one
    assert not engine.ok(module, content=one)["changed"]


def test_a_control_plane_that_another_task_deletes_is_absent(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = engine.ok("konnect_control_plane", name="team-a")["control_plane"]["id"]
    find = operations.plan_state

    def late(*arguments: Any) -> Any:
        plan = find(*arguments)
        engine.gateway.call("DELETE", f"/v2/control-planes/{gone}")
        return plan

    monkeypatch.setattr(operations, "plan_state", late)
    engine.ok("konnect_control_plane", name="team-a", state="absent")


def test_a_control_plane_has_at_most_32_certificates(engine: Engine, tmp_path: Path) -> None:
    path = engine.gateway.core.replace("core-entities", "dp-client-certificates")
    one = Path(self_signed(tmp_path, "one").certificate).read_text()
    for _number in range(32):
        engine.gateway.call("POST", path, {"cert": one})
    two = Path(self_signed(tmp_path, "two").certificate).read_text()
    refused = engine.refused("konnect_data_plane_certificate", content=two)
    assert "32 is the most" in refused["msg"]


def test_an_admin_api_has_none_of_this(engine: Engine) -> None:
    for module in ("konnect_control_plane_info", "konnect_node_info"):
        refused = engine.refused(
            module, admin_url="http://127.0.0.1:8001", konnect_token=None, konnect_url=None,
            control_plane=None,
        )
        assert "needs Konnect" in refused["msg"]


def test_a_node_that_runs_an_old_configuration_is_waited_for(engine: Engine) -> None:
    refused = engine.refused("konnect_node_info", wait=True, nodes=0)
    assert "nodes must be at least 1, got 0" in refused["msg"]
    node = {"id": "1", "hostname": "dp-1", "last_ping": int(time.time()), "config_hash": "old"}
    gone = {**node, "hostname": "dp-2", "last_ping": 1}
    listed = {"items": [node, gone], "page": {"total_count": 2}}
    engine.gateway.faults(
        match={"path": "/nodes$"}, kind="answer", status=200, body=json.dumps(listed), times=None
    )
    refused = engine.refused("konnect_node_info", wait=True, wait_timeout=0)
    seen = "0 of 1 nodes run the expected configuration after 0 s, 1 are connected (dp-1 runs old)"
    assert refused["msg"].endswith(seen)
    engine.gateway.clear_faults()


def test_nodes_are_waited_for_and_keep_their_certificate(tmp_path: Path) -> None:
    name = "cp.konnect.test"
    authority = Authority(tmp_path)
    own, pair = authority.alone(name), authority.alone("dp")
    module = "konnect_data_plane_certificate"
    with konnect_with_cluster(tmp_path, own) as (_client, control):
        konnect = replace(control.gateway, token="kpat_sandbox", control_plane="default")
        engine = Engine(konnect)
        certificate = pair.certificate.read_text()
        engine.ok(module, content=certificate)
        assert engine.ok("konnect_node_info")["nodes"] == []
        refused = engine.refused("konnect_node_info", wait=True, wait_timeout=0)
        assert "0 of 1 nodes run the expected configuration" in refused["msg"]
        trust = ["--cluster-mtls", "pki", "--cluster-server-name", name, "--cluster-trusted",
                 str(own.certificate)]
        with data_plane(tmp_path / "dp.log", pair, control.cluster, *trust):
            joined = engine.ok("konnect_node_info", wait=True, wait_timeout=60)
            assert (joined["connected"], joined["up_to_date"]) == (1, 1)
            engine.ok("kong_service", name="s", host="a.test")
            followed = engine.ok("konnect_node_info", wait=True, wait_timeout=60)
            assert followed["expected_hash"] != joined["expected_hash"]
            assert [each["up_to_date"] for each in followed["nodes"]] == [True]
            for options in ({"content": certificate, "state": "absent"}, {
                "content": own.certificate.read_text(), "purge": True,
            }):
                for check in (True, False):
                    refused = engine.refused(module, check=check, **options)
                    assert "force" in refused["msg"] and "connected data plane" in refused["msg"]
            refused = engine.refused("konnect_control_plane", name="default", state="absent")
            assert "data planes" in refused["msg"]
            engine.ok(module, content=certificate, state="absent", force=True)

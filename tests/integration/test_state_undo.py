# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run that fails puts back what it did; one that is killed is completed by the next."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._apply import apply
from ansible_collections.irishtek.kong.plugins.module_utils._document import _run
from ansible_collections.irishtek.kong.plugins.module_utils._operations import _state
from harness.engine import Engine, Result
from harness.gateway import Gateway, sandbox
from harness.playbook import Player
from harness.state import Document, State, copied, counts, tagged, told, whole, without_ids


@pytest.fixture
def state(empty_gateway: Gateway, engine: Engine) -> State:
    """Brings the gateway to documents."""
    return State(engine)


def _before(pems: dict[str, str]) -> Document:
    return tagged(
        "t",
        upstreams=[
            {"name": "stays.test", "slots": 50, "targets": [
                {"target": "10.0.0.1:80", "weight": 5}, {"target": "10.0.0.2:80"}]},
            {"name": "goes.test", "hash_on": "ip", "targets": [{"target": "10.0.0.3:80"}]},
        ],
        services=[
            {"name": "s", "host": "stays.test", "routes": [
                {"name": "r", "paths": ["/x"], "plugins": [
                    {"name": "rate-limiting", "config": {"minute": 5}}]}]},
            {"name": "goes", "host": "goes.test", "path": "/y", "routes": [
                {"name": "goes", "hosts": ["a.test"], "plugins": [
                    {"name": "cors", "config": {"origins": ["a.test"]}}]}]},
        ],
        consumers=[{"username": "goes", "custom_id": "4711",
                    "keyauth_credentials": [{"key": "hidden-key"}],
                    "jwt_secrets": [{"key": "iss", "secret": "hidden-jwt"}],
                    "acls": [{"group": "gold"}],
                    "plugins": [{"name": "request-termination"}]},
                   {"username": "stays", "hmacauth_credentials": [
                       {"username": "h", "secret": "hidden-one"}]}],
        certificates=[{"cert": pems["<cert 1>"], "key": pems["<key 1>"],
                       "snis": ["a.test", "b.test"]}],
        vaults=[{"name": "env", "prefix": "my-v", "config": {"prefix": "X_"}}],
        key_sets=[{"name": "ks", "keys": [
            {"name": "k", "kid": "k",
             "jwk": '{"kid": "k", "kty": "RSA", "n": "AQAB", "e": "AQAB"}'}]}],
    )  # fmt: skip


def _after(before: Document, pems: dict[str, str]) -> Document:
    """Everything that can happen: creates, updates of many kinds, deletes of all kinds."""
    after = copied(before)
    after["upstreams"] = [
        {"name": "stays.test", "slots": 60, "targets": [
            {"target": "10.0.0.1:80", "weight": 6}, {"target": "10.0.0.9:80"}]},
        {"name": "comes.test", "targets": [{"target": "10.0.0.3:80"}]},
    ]
    after["services"] = [
        {"name": "s", "host": "comes.test", "routes": [
            {"name": "r", "paths": ["/z"], "plugins": [
                {"name": "rate-limiting", "config": {"minute": 6, "hour": 100}}]}]},
        {"name": "comes", "host": "comes.test"},
    ]
    # The unique custom_id moves on, for which the delete comes early.
    after["consumers"] = [
        {"username": "comes", "custom_id": "4711", "acls": [{"group": "gold"}]},
        {"username": "stays", "hmacauth_credentials": [{"username": "h", "secret": "hidden-two"}]},
    ]
    after["certificates"][0].update(
        cert=pems["<cert 2>"], key=pems["<key 2>"], snis=["b.test", "c.test"]
    )
    after["vaults"] = [{"name": "env", "prefix": "other-v", "config": {"prefix": "X_"}}]
    del after["key_sets"]
    after["plugins"] = [{"name": "prometheus"}]
    return after  # type: ignore[no-any-return]


FAILURES = [
    ("POST", "^/certificates|^/snis"),
    ("POST", "^/upstreams"),
    ("PATCH", "targets"),
    ("PATCH", "^/routes"),
    ("POST", "^/plugins"),
    ("DELETE", "targets"),
    ("DELETE", "^/consumers"),
    ("DELETE", "^/services"),
    ("DELETE", "^/key-sets"),
]


@pytest.mark.parametrize(("method", "path"), FAILURES)
def test_a_failed_run_leaves_the_gateway_as_it_was(
    state: State, pems: dict[str, str], method: str, path: str
) -> None:
    state(_before(pems))
    before = whole(state.gateway)
    state.gateway.faults(match={"method": method, "path": path}, kind="answer", status=400)
    failed = state.refused(_after(_before(pems), pems), on_error="rollback", allow_empty=True)
    state.gateway.clear_faults()
    assert failed["left"] == [] and not failed["changed"], failed["msg"]
    assert len(failed["undone"]) == len(failed["changes"])
    assert f"{len(failed['changes'])} of {len(failed['changes'])} changes were undone" in failed[
        "msg"
    ]
    assert whole(state.gateway) == before
    assert "hidden" not in repr(failed) and "PRIVATE" not in repr(failed)
    _is_completed(state, failed, _after(_before(pems), pems))


def _is_completed(state: State, failed: Result, document: Document) -> None:
    """All that had to be done is listed once, and the next run does it."""
    every = [*failed["changes"], *failed["not_done"]]
    every += [{key: each[key] for key in each if key != "msg"} for each in failed["failed_steps"]]
    done = state(document)["changes"]
    assert sorted(map(str, map(without_ids, every))) == sorted(map(str, map(without_ids, done)))
    state.unchanged(document)


def test_it_is_undone_in_reverse_order(state: State) -> None:
    document = tagged("t", services=[{"name": "s", "host": "u.test", "routes": [
        {"name": "r", "paths": ["/x"], "plugins": [{"name": "cors"}]}]}])  # fmt: skip
    state.gateway.faults(match={"method": "POST", "path": "^/plugins"}, kind="answer", status=400)
    failed = state.refused(document, on_error="rollback")
    done = [(each["kind"], each.get("name") or each.get("target")) for each in failed["changes"]]
    undone = [(each["kind"], each.get("name") or each.get("target")) for each in failed["undone"]]
    assert undone == done[::-1] and len(done) == 2
    assert {each["operation"] for each in failed["undone"]} == {"delete"}
    assert [told([each])[0] for each in failed["failed_steps"]] == [("create", "plugin")]


def test_what_goes_along_is_listed_and_comes_back(state: State) -> None:
    plugins = [{"name": "request-termination"}]
    alice = {"username": "alice", "acls": [{"group": "gold"}], "plugins": plugins}
    document = tagged("t", consumers=[alice])
    state(document)
    before = whole(state.gateway)
    state.gateway.faults(match={"method": "DELETE"}, kind="answer", status=400, skip=1)
    state.gateway.call("POST", "/consumers", {"username": "bob", "tags": ["t"]})
    bob = state.gateway.call("GET", "/consumers/bob")["id"]
    failed = state.refused(tagged("t"), allow_empty=True, on_error="rollback", concurrency=1)
    kinds = {each["kind"] for each in failed["changes"]}
    assert kinds in ({"consumer", "acl", "plugin"}, {"consumer"})
    assert failed["left"] == []
    state.gateway.call("DELETE", f"/consumers/{bob}")
    assert whole(state.gateway) == before


def test_a_password_cannot_be_put_back_and_goes_last(state: State) -> None:
    password = {"username": "a", "password": "hidden"}
    document = tagged(
        "t",
        consumers=[
            {"username": "alice", "basicauth_credentials": [password]},
            {"username": "bob", "acls": [{"group": "gold"}]},
        ],
    )
    state(document)
    deleted = state(tagged("t"), check=True, allow_empty=True)["changes"]
    assert [each["kind"] for each in deleted] == ["acl", "consumer", "basic_auth", "consumer"]
    assert deleted[-1]["username"] == "alice"
    state.gateway.faults(match={"method": "DELETE"}, kind="answer", status=400, skip=1)
    failed = state.refused(tagged("t"), allow_empty=True, on_error="rollback", concurrency=1)
    assert failed["left"] == []
    state.gateway.reset_requests()
    state.gateway.faults(match={"method": "POST", "path": "^/vaults"}, kind="answer", status=400)
    rotated = copied(document)
    rotated["consumers"][0]["basicauth_credentials"][0]["password"] = "hidden-new"
    rotated["plugins"] = [{"name": "no-such-plugin"}]
    assert "no-such-plugin" in state.refused(rotated, on_error="rollback")["msg"]
    # One at a time, in the planned order: credentials, then targets.
    rotated["plugins"] = []
    rotated["upstreams"] = [{"name": "u", "targets": [{"target": "10.0.0.1:80"}]}]
    state.gateway.faults(match={"method": "POST", "path": "targets"}, kind="answer", status=400)
    failed = state.refused(rotated, on_error="rollback", concurrency=1)
    assert [each.split(":")[0] for each in failed["left"]] == ["basic_auth a of consumer alice"]
    assert failed["changed"] and "only a hash" in failed["left"][0]
    assert "hidden" not in repr(failed)
    assert counts(state(document))["updated"] == 1


def test_a_deleted_password_is_named(state: State) -> None:
    document = tagged("t", consumers=[
        {"username": name, "basicauth_credentials": [{"username": name, "password": "hidden"}]}
        for name in ("alice", "bob")])  # fmt: skip
    state(document)
    state.gateway.faults(match={"method": "DELETE"}, kind="answer", status=400, skip=1)
    failed = state.refused(tagged("t"), allow_empty=True, on_error="rollback", concurrency=1)
    (left,) = failed["left"]
    assert "only a hash" in left and left.startswith("basic_auth ")
    assert left in failed["msg"] and failed["changed"]
    # The consumer itself came back, with its id.
    assert {each["username"] for each in state.gateway.entities("/consumers")} == {"alice", "bob"}
    assert [each["operation"] for each in failed["undone"]] == ["create"]


def test_what_somebody_changed_since_is_left_alone(
    state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    pools = [{"name": "u.test"}, {"name": "v.test"}]
    state(tagged("t", upstreams=pools, services=[{"name": "goes", "host": "a.test"}]))
    changed = tagged(
        "t",
        upstreams=[{**pool, "slots": 20} for pool in pools],
        services=[{"name": "s", "host": "a.test", "routes": [{"name": "r", "paths": ["/x"]}]}],
    )
    state.gateway.faults(match={"method": "POST", "path": "routes"}, kind="answer", status=400)

    def meddled(*arguments: Any) -> Any:
        state.gateway.call("PATCH", "/upstreams/v.test", {"slots": 30})
        state.gateway.call("PATCH", "/services/s", {"retries": 1})
        return _run.undo(*arguments)

    monkeypatch.setattr(_state, "undo", meddled)
    failed = state.refused(changed, on_error="rollback")
    assert sorted(failed["left"]) == [
        "service s: somebody else has changed it since",
        "upstream v.test: somebody else has changed it since",
    ]
    assert failed["changed"] and all(left in failed["msg"] for left in failed["left"])
    slots = {each["name"]: each["slots"] for each in state.gateway.entities("/upstreams")}
    assert slots == {"u.test": 10000, "v.test": 30}
    assert {each["name"] for each in state.gateway.entities("/services")} == {"goes", "s"}


def test_an_undo_that_fails_is_named(state: State) -> None:
    document = tagged(
        "t", upstreams=[{"name": "u.test", "targets": [{"target": "10.0.0.1:80"}]}]
    )
    state.gateway.faults(match={"method": "POST", "path": "targets$"}, kind="answer", status=400)
    state.gateway.faults(match={"method": "DELETE"}, kind="answer", status=400)
    failed = state.refused(document, on_error="rollback")
    (left,) = failed["left"]
    where = state.gateway.label
    assert left.startswith(f"upstream u.test: Could not delete upstream u.test at {where}")
    assert failed["changed"] and failed["undone"] == []


def test_a_gateway_that_is_gone_is_not_asked_for_each_entity(state: State) -> None:
    pools = [{"name": f"u{at}.test"} for at in range(20)]
    document = tagged("t", upstreams=pools, services=[{"name": "s", "host": "a.test"}])
    gone = {"kind": "cut_before", "times": None}
    state.gateway.faults(match={"method": "POST", "path": "^/services"}, **gone)
    state.gateway.faults(match={"path": "^/upstreams/."}, **gone)
    failed = state.refused(document, on_error="rollback", request_retries=0)
    asked = [each for each in state.gateway.requests() if each["path"].startswith("/upstreams/")]
    assert len(failed["left"]) == len(failed["changes"]) >= 20 and len(asked) == 1
    assert failed["changed"] and failed["undone"] == []


@pytest.mark.parametrize("at", [0, 3, 8, 14])
def test_a_killed_run_is_completed_by_the_next(
    state: State, pems: dict[str, str], monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """As by SIGKILL: after some writes nothing more happens, neither a write nor an undo."""
    state(_before(pems))
    after = _after(_before(pems), pems)
    begun = []

    def until_killed(*arguments: Any) -> Any:
        begun.append(arguments)
        if len(begun) > at:
            raise _Killed
        return apply(*arguments)

    monkeypatch.setattr(_run, "apply", until_killed)
    with pytest.raises(_Killed):
        state(after, on_error="rollback", concurrency=1)
    monkeypatch.undo()
    state(after)
    state.unchanged(after)


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "targets$"), ("PATCH", "^/routes"), ("DELETE", "^/services")],
)
def test_a_process_that_is_killed_is_made_good_by_the_next(
    tmp_path: Path, pems: dict[str, str], method: str, path: str
) -> None:
    # What hangs is done in the end, perhaps in the middle of another test: hence its own gateway.
    with sandbox() as gateway:
        state = State(Engine(gateway))
        state(_before(pems))
        after = _after(_before(pems), pems)
        options = {
            "admin_url": gateway.admin_url, "content": after, "state": "synced",
            "on_error": "rollback", "request_timeout": 300,
        }  # fmt: skip
        tasks = [{"name": "Sync", "irishtek.kong.kong_state": options}]
        play = [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]
        match = {"method": method, "path": path}
        gateway.faults(match=match, kind="delay", seconds=600)
        gateway.reset_requests()
        with Player(tmp_path, {}).started(json.dumps(play) + "\n") as kill:
            _wait_for_a_hanging(gateway, method)
            kill()
        written = len(gateway.writes())
        gateway.clear_faults()
        state(after)
        # It was in the middle: something was done, and something was left to do.
        assert written > 1 and len(gateway.writes()) > written
        state.unchanged(after)


def _wait_for_a_hanging(gateway: Gateway, method: str) -> None:
    deadline = time.monotonic() + 60
    while not any(
        each["method"] == method and each["status"] is None for each in gateway.requests()
    ):
        assert time.monotonic() < deadline, gateway.requests()
        time.sleep(0.05)


class _Killed(BaseException):
    """The end of a process."""

# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a delete takes along, to any depth, is read, shown, counted, guarded and put back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.irishtek.kong.plugins.filter.kong_differences import kong_differences
from harness.certificates import self_signed
from harness.engine import Engine
from harness.gateway import Gateway
from harness.kinds import pem_texts
from harness.state import HEAD, Document, State, counts, tagged, told, whole

CERTIFICATE = "11111111-2222-4333-8444-555555555555"
EMPTY = tagged("t")


@pytest.fixture
def state(empty_gateway: Gateway, engine: Engine) -> State:
    """Brings the gateway to documents."""
    return State(engine)


@pytest.fixture
def groups(enterprise: Gateway) -> State:
    """Brings a gateway that has consumer groups to documents."""
    return State(Engine(enterprise))


@pytest.fixture
def chain(state: State, tmp_path: Path) -> State:
    """An owned certificate, and what others made that points at it, three deep."""
    pems = pem_texts([self_signed(tmp_path, "one")])
    pair = {"id": CERTIFICATE, "cert": pems["<cert 1>"], "key": pems["<key 1>"]}
    state(tagged("t", certificates=[{**pair, "snis": ["a.test"]}]))
    theirs: Document = {
        **HEAD,
        "services": [{
            "name": "theirs", "host": "a.test", "protocol": "https",
            "client_certificate": CERTIFICATE, "plugins": [{"name": "cors"}],
            "routes": [{"name": "theirs", "paths": ["/x"], "plugins": [{"name": "cors"}]}],
        }],
        "upstreams": [{
            "name": "u.test", "client_certificate": {"id": CERTIFICATE},
            "targets": [{"target": "10.0.0.1:80"}, {"target": "10.0.0.2:80"}],
        }],
    }  # fmt: skip
    state(theirs, "applied")
    return state


ALL_OF_IT = [
    "certificate", "plugin", "plugin", "route", "service", "sni", "target", "target", "upstream",
]  # fmt: skip


@pytest.mark.parametrize("how", ["synced", "absent"])
def test_all_that_goes_with_a_certificate_is_shown_and_counted(chain: State, how: str) -> None:
    document = EMPTY if how == "synced" else tagged("t", certificates=[{"id": CERTIFICATE}])
    options: dict[str, Any] = {"allow_empty": True}
    before = whole(chain.gateway)
    for check in (True, False):
        blocked = chain.refused(document, how, check=check, **options)
        assert "points at certificate a.test" in blocked["msg"]
        many = chain.refused(document, how, check=check, cascade=True, max_deletes=8, **options)
        assert "9 entities" in many["msg"] and "max_deletes is 8" in many["msg"]
    assert whole(chain.gateway) == before
    gone = chain.predicted_and_done(document, how, cascade=True, max_deletes=9, **options)
    assert sorted(each["kind"] for each in gone["changes"]) == ALL_OF_IT
    assert len(gone["diff"]) == 9 and counts(gone) == {"deleted": 9}
    assert not any(whole(chain.gateway).values())


@pytest.mark.parametrize("path", ["^/routes", "^/services", "^/upstreams/", "^/certificates"])
def test_all_that_goes_with_a_certificate_comes_back(chain: State, path: str) -> None:
    before = whole(chain.gateway)
    chain.gateway.faults(match={"method": "DELETE", "path": path}, kind="answer", status=400)
    options: dict[str, Any] = {"cascade": True, "allow_empty": True}
    failed = chain.refused(EMPTY, on_error="rollback", **options)
    assert (failed["left"], failed["changed"]) == ([], False), failed["msg"]
    assert len(failed["undone"]) == len(failed["changes"])
    listed = [*failed["changes"], *failed["failed_steps"], *failed["not_done"]]
    assert sorted(each["kind"] for each in listed) == ALL_OF_IT
    assert whole(chain.gateway) == before
    assert counts(chain(EMPTY, **options)) == {"deleted": 9}


def test_what_could_not_go_keeps_what_it_points_at(chain: State) -> None:
    chain.gateway.faults(match={"method": "DELETE", "path": "^/routes"}, kind="answer", status=400)
    failed = chain.refused(EMPTY, on_error="continue", cascade=True, allow_empty=True)
    assert told(failed["failed_steps"]) == [("delete", "route")]
    # Of the route the plugin, of the service the other one, of the certificate the SNI.
    assert sorted(each["kind"] for each in failed["not_done"]) == [
        "certificate", "plugin", "plugin", "service", "sni",
    ]  # fmt: skip
    assert sorted(each["kind"] for each in failed["changes"]) == ["target", "target", "upstream"]


@pytest.mark.parametrize("how", ["synced", "absent"])
@pytest.mark.parametrize("path", ["^/services", "^/consumers", "^/vaults"])
def test_a_plugin_of_two_deleted_entities_comes_back(state: State, how: str, path: str) -> None:
    vault = {"name": "env", "prefix": "my-v", "config": {"prefix": "X_"}}
    document = tagged(
        "t", services=[{"name": "s", "host": "a.test"}], consumers=[{"username": "alice"}],
        vaults=[vault],
    )  # fmt: skip
    state(document)
    plugin = {"name": "request-termination", "service": {"name": "s"}}
    state.gateway.call("POST", "/plugins", {**plugin, "consumer": {"username": "alice"}})
    before = whole(state.gateway)
    options: dict[str, Any] = {"cascade": True, "allow_empty": True}
    content = document if how == "absent" else EMPTY
    assert counts(state(content, how, check=True, **options)) == {"deleted": 4}
    state.gateway.faults(match={"method": "DELETE", "path": path}, kind="answer", status=400)
    failed = state.refused(content, how, on_error="rollback", **options)
    assert failed["left"] == [], failed["msg"]
    assert whole(state.gateway) == before
    assert counts(state(content, how, **options)) == {"deleted": 4}


NEEDS: list[tuple[Document, Document, str]] = [
    (
        {"consumers": [{"username": "alice"}]},
        {"plugins": [{"name": "request-termination", "consumer": "alice"}]},
        "plugin request-termination needs consumer alice",
    ),
    (
        {"consumers": [{"username": "alice"}]},
        {"acls": [{"group": "gold", "consumer": "alice"}]},
        "acl gold of consumer alice needs consumer alice",
    ),
    (
        {"services": [{"name": "s", "host": "a.test"}]},
        {"routes": [{"name": "r", "paths": ["/x"], "service": {"name": "s"}}]},
        "route r needs service s",
    ),
    (
        {"upstreams": [{"name": "u.test"}]},
        {"targets": [{"target": "10.0.0.1:80", "upstream": "u.test"}]},
        "target 10.0.0.1:80 of upstream u.test needs upstream u.test",
    ),
]


@pytest.mark.parametrize(("needed", "kept", "sentence"), NEEDS)
def test_what_the_document_has_must_not_need_what_it_lacks(
    state: State, needed: Document, kept: Document, sentence: str
) -> None:
    state(tagged("t", **needed))
    before = whole(state.gateway)
    for check in (True, False):
        refused = state.refused(tagged("t", **kept), check=check, cascade=True)
        assert sentence in refused["msg"] and "would be deleted" in refused["msg"]
    assert whole(state.gateway) == before
    # What somebody else owns may be pointed at.
    state(tagged("other", **needed), "applied")
    for section, path in (("consumers", "username"), ("services", "name"), ("upstreams", "name")):
        for entity in needed.get(section, ()):
            state.gateway.call("PATCH", f"/{section}/{entity[path]}", {"tags": ["other"]})
    state.predicted_and_done(tagged("t", **kept))


def test_an_authority_that_a_service_lists_is_not_deleted(state: State, tmp_path: Path) -> None:
    pems = pem_texts([self_signed(tmp_path, "one")])
    authority = {"cert": pems["<cert 1>"]}
    state(tagged("t", ca_certificates=[authority]))
    (stored,) = state.gateway.entities("/ca_certificates")
    service = {"name": "s", "host": "a.test", "protocol": "https",
               "ca_certificates": [stored["id"]]}  # fmt: skip
    state.gateway.call("POST", "/services", service)
    if state.gateway.release < (3, 9):
        # These gateways delete it all the same.
        gone = state.predicted_and_done(EMPTY, allow_empty=True)
        assert told(gone["changes"]) == [("delete", "ca_certificate")]
        return
    for check in (True, False):
        blocked = state.refused(EMPTY, check=check, allow_empty=True)
        assert "service s points at ca_certificate" in blocked["msg"]
        needed = state.refused(tagged("t", services=[service]), check=check)
        assert "service s needs ca_certificate" in needed["msg"]
    assert state.gateway.writes()[2:] == []
    # Where the service lets go of it, it may go.
    without = {"name": "s", "host": "a.test", "protocol": "https"}
    done = state.predicted_and_done(tagged("t", services=[without]))
    assert sorted(told(done["changes"])) == [("delete", "ca_certificate"), ("update", "service")]


def test_a_credential_of_a_deleted_consumer_moves_to_another(state: State) -> None:
    """What frees its value goes first; what nobody can make again still goes last."""
    credentials = {"keyauth_credentials": [{"key": "hidden-key"}], "acls": [{"group": "gold"}]}
    password = {"basicauth_credentials": [{"username": "al", "password": "hidden"}]}
    state(tagged("t", consumers=[{"username": "alice", **credentials, **password}]))
    before = whole(state.gateway)
    document = tagged("t", consumers=[{"username": "bob", **credentials}])
    path = "^/consumers/[^/]+/acls"
    state.gateway.faults(match={"method": "POST", "path": path}, kind="answer", status=400)
    failed = state.refused(document, on_error="rollback", max_deletes=4)
    assert (failed["left"], failed["changed"]) == ([], False), failed["msg"]
    assert whole(state.gateway) == before
    assert "max_deletes is 3" in state.refused(document, max_deletes=3)["msg"]
    moved = state.predicted_and_done(document)
    assert counts(moved) == {"created": 3, "deleted": 4}
    assert told(moved["changes"])[0] == ("delete", "key_auth")
    assert told(moved["changes"])[-1] == ("delete", "consumer")
    (consumer,) = state.gateway.entities("/consumers")
    (found,) = state.gateway.entities("/key-auths")
    assert consumer["username"] == "bob" and found["consumer"]["id"] == consumer["id"]


MEMBERS = tagged(
    "t",
    consumers=[{"username": "alice", "groups": [{"name": "gold"}]}, {"username": "bob"}],
    consumer_groups=[{"name": "gold"}, {"name": "silver", "consumers": [{"username": "alice"}]}],
    vaults=[{"name": "env", "prefix": "my-v", "config": {"prefix": "X_"}}],
)


def _members(state: State) -> dict[str, list[str]]:
    return {
        group["name"]: [
            each["username"]
            for each in state.gateway.call("GET", f"/consumer_groups/{group['id']}/consumers")[
                "data"
            ]
        ]
        for group in state.gateway.entities("/consumer_groups")
    }


def test_memberships_go_along_and_are_told(groups: State) -> None:
    groups(MEMBERS)
    less = {**MEMBERS, "consumers": [{"username": "bob"}], "consumer_groups": [{"name": "gold"}]}
    many = groups.refused(less, max_deletes=3)
    assert "max_deletes is 3" in many["msg"]
    done = groups.predicted_and_done(less, max_deletes=4)
    gone = [each for each in done["changes"] if each["kind"] == "consumer_group_member"]
    assert sorted((each["operation"], each["consumer_group"]) for each in gone) == [
        ("delete", "gold"), ("delete", "silver"),
    ]  # fmt: skip
    assert len(done["diff"]) == len(done["changes"]) == 4
    lines = kong_differences(done)
    assert "delete consumer_group_member alice of consumer_group gold" in lines
    assert _members(groups) == {"gold": []}


@pytest.mark.parametrize("path", ["^/consumers", "^/consumer_groups", "^/vaults"])
def test_memberships_that_went_along_come_back(groups: State, path: str) -> None:
    groups(MEMBERS)
    before = _members(groups)
    groups.gateway.faults(match={"method": "DELETE", "path": path}, kind="answer", status=400)
    failed = groups.refused(EMPTY, on_error="rollback", allow_empty=True)
    assert (failed["left"], failed["changed"]) == ([], False), failed["msg"]
    assert _members(groups) == before
    assert len(failed["undone"]) == len(failed["changes"])
    listed = [*failed["changes"], *failed["failed_steps"], *failed["not_done"]]
    assert len(listed) == 2 + 2 + 1 + 2
    groups.unchanged(MEMBERS)


def test_a_membership_of_what_would_be_deleted_is_refused(groups: State) -> None:
    groups(MEMBERS)
    document = tagged("t", consumers=[{"username": "alice", "groups": [{"name": "gold"}]}])
    for check in (True, False):
        refused = groups.refused(document, check=check)
        assert "consumer_group gold, which would be deleted" in refused["msg"]
    groups.unchanged(MEMBERS)

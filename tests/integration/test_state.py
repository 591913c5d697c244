# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""State files: synced, applied and absent, predicted as they are done, and twice the same."""

from __future__ import annotations

from typing import Any

import pytest

from harness.engine import Engine
from harness.gateway import Gateway
from harness.state import HEAD, Document, State, copied, counts, fixture, tagged, told

TUTORIAL = fixture("first-upstream-target")
ADDRESSES = ["google.com:80", "httpbin.org:80"]


@pytest.fixture
def state(empty_gateway: Gateway, engine: Engine) -> State:
    """Brings the gateway to documents."""
    return State(engine)


def _pool(*targets: Any, **fields: Any) -> Document:
    return {"name": "pool.test", **fields, "targets": list(targets)}


def _stored(state: State, path: str, **wanted: Any) -> Document:
    """The one entity of a list with these values."""
    (found,) = [
        each
        for each in state.gateway.entities(path)
        if all(each.get(name) == value for name, value in wanted.items())
    ]
    return found


def test_the_tutorials_file_as_it_is(state: State) -> None:
    first = state.predicted_and_done(TUTORIAL)
    assert counts(first) == {"created": 5} and len(first["changes"]) == 5
    assert state(TUTORIAL)["summary"]["target"]["unchanged"] == 2
    assert state.gateway.entities("/routes")[0]["name"] == "Upstream-example"
    for path in ("/services", "/routes", "/upstreams", "/upstreams/upstream-example/targets"):
        for entity in state.gateway.entities(path):
            assert entity["tags"] == ["first-upstream-target"], path
    gone = state.predicted_and_done(TUTORIAL, "absent")
    assert counts(gone) == {"deleted": 5}
    assert state.gateway.entities("/services") == state.gateway.entities("/upstreams") == []


def test_the_gateway_variant_has_no_tags(state: State) -> None:
    variant = fixture("first-upstream-target-gateway")
    refused = state.refused(variant)
    assert "select_tags" in refused["msg"] and "purge_kinds" in refused["msg"]
    assert counts(state.predicted_and_done(variant, "applied")) == {"created": 5}
    owned = ["service", "route", "upstream", "target"]
    state.unchanged(variant, purge_kinds=owned)
    assert counts(state.predicted_and_done(variant, "absent")) == {"deleted": 5}


@pytest.mark.parametrize("how", ["synced", "applied", "absent"])
def test_the_konnect_variant_is_not_for_an_admin_api(state: State, how: str) -> None:
    variant = fixture("first-upstream-target-konnect")
    for check in (True, False):
        refused = state.refused(variant, how, check=check)
        assert "_konnect names a control plane" in refused["msg"]
        assert "ignore_konnect" in refused["msg"]
    assert state.gateway.entities("/services") == []
    assert counts(state(variant, how, ignore_konnect=True)) == (
        {} if how == "absent" else {"created": 5}
    )


def test_synced_brings_back_what_is_left_out(state: State) -> None:
    full = tagged(
        "t",
        upstreams=[
            _pool(
                {"target": "10.0.0.1:80", "weight": 7, "tags": ["extra"]},
                slots=77, hash_on="ip", host_header="a.test", tags=["more"],
                healthchecks={"active": {"healthy": {"interval": 3}}},
            )
        ],
        services=[{"name": "s", "host": "pool.test", "retries": 1, "path": "/x"}],
        routes=[{"name": "r", "service": {"name": "s"}, "paths": ["/x"], "snis": ["sni.test"],
                 "headers": {"x": ["1"]}, "protocols": ["https"]}],
    )  # fmt: skip
    bare = tagged(
        "t",
        upstreams=[_pool({"target": "10.0.0.1:80"})],
        services=[{"name": "s", "host": "pool.test"}],
        routes=[{"name": "r", "paths": ["/x"]}],
    )
    state.predicted_and_done(full)
    ids = {each["id"] for path in ("/services", "/routes", "/upstreams")
           for each in state.gateway.entities(path)}  # fmt: skip
    assert _stored(state, "/routes")["snis"] == ["sni.test"]
    assert counts(state.predicted_and_done(bare)) == {"updated": 4}
    upstream, target = _stored(state, "/upstreams"), _stored(state, "/upstreams/pool.test/targets")
    assert (upstream["slots"], upstream["hash_on"], upstream["host_header"]) == (
        10000, "none", None,
    )  # fmt: skip
    assert upstream["healthchecks"]["active"]["healthy"]["interval"] == 0
    assert (upstream["tags"], target["tags"], target["weight"]) == (["t"], ["t"], 100)
    service, route = _stored(state, "/services"), _stored(state, "/routes")
    assert (service["retries"], service["path"]) == (5, None)
    assert (route["service"], route["headers"]) == (None, None)
    assert not route["snis"]
    assert {upstream["id"], service["id"], route["id"]} == ids
    # And there again, which writes fields that were empty.
    assert counts(state.predicted_and_done(full)) == {"updated": 4}
    assert _stored(state, "/routes")["snis"] == ["sni.test"]


def test_applied_leaves_alone_what_is_left_out(state: State) -> None:
    state(tagged("t", upstreams=[_pool({"target": "10.0.0.1:80", "weight": 7}, slots=77)]))
    merged: Document = {**HEAD, "upstreams": [_pool({"target": "10.0.0.2:80"}, hash_on="ip")]}
    assert counts(state.predicted_and_done(merged, "applied")) == {"created": 1, "updated": 1}
    upstream = _stored(state, "/upstreams")
    assert (upstream["slots"], upstream["hash_on"], upstream["tags"]) == (77, "ip", ["t"])
    target = _stored(state, "/upstreams/pool.test/targets", target="10.0.0.1:80")
    assert (target["weight"], target["tags"]) == (7, ["t"])


def test_applied_clears_what_is_null(state: State) -> None:
    below = {"name": "r", "paths": ["/x"], "hosts": ["b.test"]}
    service = {"name": "s", "host": "a.test", "path": "/x", "retries": 1, "routes": [below]}
    state({**HEAD, "services": [service]}, "applied")
    cleared: Document = {
        **HEAD,
        "services": [{"name": "s", "path": None, "retries": None}],
        "routes": [{"name": "r", "hosts": None, "service": None}],
    }
    assert counts(state.predicted_and_done(cleared, "applied")) == {"updated": 2}
    stored, route = _stored(state, "/services"), _stored(state, "/routes")
    assert (stored["path"], stored["retries"], route["hosts"]) == (None, 5, None)
    assert route["service"] is None and route["paths"] == ["/x"]


def test_one_weight_is_one_change_in_place(state: State) -> None:
    state(TUTORIAL)
    before = state.gateway.entities("/upstreams/upstream-example/targets")
    heavier = copied(TUTORIAL)
    heavier["upstreams"][0]["targets"][0]["weight"] = 300
    result = state.predicted_and_done(heavier)
    assert told(result["changes"]) == [("update", "target")]
    assert len(result["diff"]) == 1 and result["diff"][0]["after"]["weight"] == 300
    after = state.gateway.entities("/upstreams/upstream-example/targets")
    assert {each["id"] for each in before} == {each["id"] for each in after}


@pytest.mark.parametrize("check", [True, False], ids=["check", "real"])
def test_a_purge_is_guarded(state: State, check: bool) -> None:
    state(TUTORIAL)
    empty = tagged("first-upstream-target")
    cases: list[tuple[Document, dict[str, Any], str]] = [
        (empty, {}, "allow_empty"),
        (empty, {"allow_empty": True, "max_deletes": 4}, "max_deletes is 4"),
        ({**empty, "services": TUTORIAL["services"]}, {"max_deletes": 2}, "max_deletes is 2"),
    ]
    for document, options, reason in cases:
        refused = state.refused(document, check=check, **options)
        assert reason in refused["msg"] and state.gateway.admin_url in refused["msg"]
    assert len(state.gateway.entities("/services")) == 1
    refused = state.refused(TUTORIAL, "absent", check=check, max_deletes=4)
    assert "max_deletes is 4" in refused["msg"]
    gone = state(empty, check=check, allow_empty=True, max_deletes=5)
    assert counts(gone) == {"deleted": 5}


def test_only_what_is_owned_is_purged(state: State) -> None:
    state({**HEAD, "upstreams": [{"name": "not-ours.test"}], "vaults": [
        {"name": "env", "prefix": "not-ours", "config": {"prefix": "A_"}}]}, "applied")  # fmt: skip
    state(tagged("other", services=[{"name": "theirs", "host": "a.test"}]))
    mine = tagged(
        "t", upstreams=[{"name": "a.test"}, {"name": "b.test"}],
        consumers=[{"username": "alice", "acls": [{"group": "gold"}]}],
    )  # fmt: skip
    state(mine)
    less = tagged("t", upstreams=[{"name": "a.test"}])
    # The consumer is of a kind that the document no longer has; its tag says that it was ours.
    assert counts(state.predicted_and_done(less)) == {"deleted": 3, "unchanged": 1}
    assert {each["name"] for each in state.gateway.entities("/upstreams")} == {
        "a.test", "not-ours.test",
    }  # fmt: skip
    assert len(state.gateway.entities("/services")) == len(state.gateway.entities("/vaults")) == 1


def test_purge_kinds_own_all_of_a_kind(state: State) -> None:
    state(TUTORIAL)
    pools: Document = {**HEAD, "upstreams": [_pool({"target": "10.0.0.1:80"})]}
    done = state.predicted_and_done(pools, purge_kinds=["upstream", "target"])
    assert counts(done) == {"created": 2, "deleted": 3}
    assert [each["name"] for each in state.gateway.entities("/services")] == ["Upstream-Example"]


def test_what_points_there_or_lies_below_blocks_a_delete(state: State) -> None:
    state(tagged("t", services=[{"name": "s", "host": "a.test"}], upstreams=[{"name": "u.test"}]))
    service = _stored(state, "/services")
    state.gateway.call("POST", "/routes", {"name": "theirs", "paths": ["/x"], "service": {
        "id": service["id"]}})  # fmt: skip
    state.gateway.call("POST", "/plugins", {"name": "cors", "route": {"name": "theirs"}})
    state.gateway.call("POST", "/upstreams/u.test/targets", {"target": "10.0.0.9:80"})
    empty = tagged("t")
    for document, words in (
        ({**empty, "upstreams": [{"name": "u.test"}]}, ("route theirs", "service s")),
        ({**empty, "services": [{"name": "s", "host": "a.test"}]}, ("10.0.0.9:80", "u.test")),
    ):
        for check in (True, False):
            refused = state.refused(document, check=check)
            assert all(word in refused["msg"] for word in (*words, "cascade")), refused["msg"]
    gone = state.predicted_and_done(empty, allow_empty=True, cascade=True)
    assert counts(gone) == {"deleted": 5}
    assert {change["kind"] for change in gone["changes"]} == {
        "service", "route", "plugin", "upstream", "target",
    }  # fmt: skip


def test_absent_twice_also_where_references_are_gone(state: State) -> None:
    document: Document = {
        **HEAD,
        "services": [{"name": "s", "host": "a.test"}],
        "upstreams": [{"name": "u.test"}],
        "consumers": [{"username": "alice"}],
    }
    below: Document = {
        **HEAD,
        "targets": [{"target": "10.0.0.1:80", "upstream": "u.test"}],
        "plugins": [{"name": "cors", "service": "s"}],
        "routes": [{"name": "r", "paths": ["/x"], "service": "s"}],
        "acls": [{"group": "gold", "consumer": "alice"}],
    }
    state(document, "applied")
    state(below, "applied")
    gone = state({**document, **{key: below[key] for key in below if key[0] != "_"}}, "absent")
    assert counts(gone) == {"deleted": 7}
    state.unchanged(document, "absent")
    state.unchanged(below, "absent")


def test_the_workspace_of_a_document_is_the_tasks(state: State) -> None:
    document = {**TUTORIAL, "_workspace": "team"}
    refused = state.refused(document)
    assert "workspace team" in refused["msg"]
    assert counts(state({**TUTORIAL, "_workspace": "default"})) == {"created": 5}


def test_tags_of_the_task_are_as_those_of_the_file(state: State) -> None:
    untagged = {key: value for key, value in TUTORIAL.items() if key != "_info"}
    state(untagged, select_tags=["first-upstream-target"])
    state.unchanged(TUTORIAL)
    state.unchanged(TUTORIAL, select_tags=["first-upstream-target"])
    refused = state.refused(TUTORIAL, select_tags=["another"])
    assert "another" in refused["msg"] and "first-upstream-target" in refused["msg"]


EVERYTHING = tagged(
    "m",
    _plugin_configs={
        "rl": {"minute": 5},
        "log": {"http_endpoint": "http://a.test/", "queue": {"max_batch_size": 7}},
    },
    consumers=[
        {
            "username": "alice",
            "keyauth_credentials": [{"key": "hidden-key"}],
            "basicauth_credentials": [{"username": "al", "password": "hidden-password"}],
            "hmacauth_credentials": [{"username": "al", "secret": "hidden-hmac"}],
            "jwt_secrets": [{"key": "issuer", "secret": "hidden-jwt"}],
            "oauth2_credentials": [
                {"name": "app", "client_id": "app", "client_secret": "hidden-oauth2",
                 "redirect_uris": ["http://a.test"]}
            ],
            "acls": [{"group": "gold"}],
            "plugins": [{"name": "request-termination", "config": {"status_code": 401}}],
        },
        {"custom_id": "4711"},
    ],
    services=[
        {
            "name": "s", "url": "http://x.test:81/p",
            "plugins": [{"name": "rate-limiting", "_config": "rl", "config": {"hour": 9}},
                        {"name": "http-log", "_config": "log"}],
            "routes": [{"name": "r", "paths": ["/x"], "plugins": [
                {"name": "cors", "config": {"origins": ["a.test"]}}]}],
        }
    ],
    routes=[{"name": "free", "hosts": ["h.test"]}],
    plugins=[{"name": "prometheus"}, {"name": "cors", "service": "s", "consumer": None}],
    vaults=[{"name": "env", "prefix": "my-v", "config": {"prefix": "X_"}}],
    key_sets=[{"name": "ks"}],
    keys=[{"name": "k", "kid": "k", "set": {"name": "ks"},
           "jwk": '{"kid": "k", "kty": "RSA", "n": "AQAB", "e": "AQAB"}'}],
    upstreams=[_pool({"target": "10.0.0.1"}, {"target": "::1", "weight": 0}, hash_on="ip")],
)  # fmt: skip


def test_every_kind_of_the_open_edition(state: State) -> None:
    everything, number = copied(EVERYTHING), 23
    if state.gateway.control_plane:
        # Konnect has no credentials for OAuth 2.0.
        del everything["consumers"][0]["oauth2_credentials"]
        # No schema of Konnect has what it fills in for a vault.
        everything["vaults"][0]["config"]["base64_decode"] = False
        number -= 1
    made = state.predicted_and_done(everything)
    assert counts(made) == {"created": number}
    plugin = _stored(state, "/plugins", name="rate-limiting")
    assert (plugin["config"]["minute"], plugin["config"]["hour"]) == (5, 9)
    log = _stored(state, "/plugins", name="http-log")
    assert log["config"]["queue"]["max_batch_size"] == 7
    assert "hidden" not in repr(made)
    state.unchanged(everything, "applied")
    gone = state.predicted_and_done(everything, "absent")
    assert counts(gone) == {"deleted": number}
    assert "hidden" not in repr(gone)


@pytest.mark.parametrize("left_out", ({}, {"config": {}}), ids=("config", "prefix"))
def test_settings_of_a_vault_that_a_file_leaves_out_are_reset(
    state: State, left_out: Document
) -> None:
    """Where the gateway has a schema of them: Konnect and 3.4 have none."""
    vault = {"name": "env", "prefix": "my-v"}
    state(tagged("m", vaults=[{**vault, "config": {"prefix": "X_"}}]))
    has_schema = not state.gateway.control_plane and state.gateway.release >= (3, 5)
    less = tagged("m", vaults=[{**vault, **left_out}])
    if has_schema:
        assert counts(state.predicted_and_done(less)) == {"updated": 1}
    else:
        state.unchanged(less)
    assert _stored(state, "/vaults")["config"]["prefix"] == (None if has_schema else "X_")
    # Those that are written are all that only an applied file sets.
    state.unchanged(tagged("m", vaults=[vault]), "applied")


def test_a_grpc_route_keeps_the_default_of_its_protocol(state: State) -> None:
    """It has strip_path false, which no schema of a gateway says; true is refused."""
    route = {"name": "r", "paths": ["/a"]}
    grpc = tagged("m", routes=[{**route, "protocols": ["grpc"]}])
    state.predicted_and_done(grpc)
    assert _stored(state, "/routes")["strip_path"] is False
    state.unchanged(grpc, "applied")
    cleared = tagged("m", routes=[{"name": "r", "strip_path": None}])
    state.unchanged(cleared, "applied")
    state.predicted_and_done(tagged("m", routes=[route]))
    assert _stored(state, "/routes")["strip_path"] is True
    state.predicted_and_done(grpc)
    state.refused(tagged("m", routes=[{**route, "protocols": ["grpc"], "strip_path": True}]))


@pytest.mark.parametrize("field", ("hosts", "paths"))
def test_a_repeated_host_or_path_is_sent_as_it_is_written(state: State, field: str) -> None:
    """As other clients send it, for which a gateway that has it once differs from the file."""
    written = {"hosts": ["a.test"], "paths": ["/a"]}
    written[field] *= 2
    document = tagged("m", routes=[{"name": "r", **written}])
    state.predicted_and_done(document)
    assert _stored(state, "/routes")[field] == written[field]
    state.unchanged(tagged("m", routes=[{"name": "r", **written, field: written[field][:1]}]))


def test_the_number_of_requests_at_the_same_time_is_at_least_one(state: State) -> None:
    for number in (0, -1):
        assert "at least 1" in state.refused(TUTORIAL, concurrency=number)["msg"]
    assert counts(state(TUTORIAL, concurrency=1)) == {"created": 5}

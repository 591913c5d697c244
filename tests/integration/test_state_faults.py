# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What other tools for state files get wrong, each a test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.certificates import self_signed
from harness.engine import Engine
from harness.gateway import Gateway
from harness.kinds import pem_texts
from harness.state import HEAD, Document, State, copied, counts, tagged, told

OWN_ID = "11111111-2222-4333-8444-555555555555"


@pytest.fixture
def state(empty_gateway: Gateway, engine: Engine) -> State:
    """Brings the gateway to documents."""
    return State(engine)


def _addresses(count: int) -> list[Document]:
    return [{"target": f"10.0.{at // 250}.{at % 250 + 1}:80"} for at in range(count)]


def _names(state: State, path: str) -> dict[str, str]:
    """Ids by name."""
    return {each["name"]: each["id"] for each in state.gateway.entities(path)}


def test_more_targets_than_a_page_and_what_comes_after_them(state: State) -> None:
    document = tagged(
        "t",
        upstreams=[
            {"name": "many.test", "targets": _addresses(1001)},
            {"name": "next.test", "targets": _addresses(3)},
        ],
    )
    assert counts(state(document, diff=False)) == {"created": 1006}
    state.unchanged(document)
    dumped = state.engine.ok("kong_dump", kinds=["upstream", "target"])["document"]
    assert [len(each["targets"]) for each in dumped["upstreams"]] == [1001, 3]
    document["upstreams"][0]["targets"].pop()
    assert told(state(document)["changes"]) == [("delete", "target")]


def test_tags_are_removed_from_a_target(state: State) -> None:
    pool: Document = {"name": "u.test", "targets": [{"target": "10.0.0.1:80", "tags": ["x"]}]}
    owned: Document = {"purge_kinds": ["upstream", "target"]}
    state({**HEAD, "upstreams": [pool]}, **owned)
    del pool["targets"][0]["tags"]
    assert counts(state.predicted_and_done({**HEAD, "upstreams": [pool]}, **owned)) == {
        "updated": 1, "unchanged": 1,
    }  # fmt: skip
    assert not state.gateway.entities("/upstreams/u.test/targets")[0]["tags"]


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("10.0.0.1", "10.0.0.1:8000"),
        ("a.test", "a.test:8000"),
        ("::1", "[0000:0000:0000:0000:0000:0000:0000:0001]:8000"),
        ("[::1]:80", "[0000:0000:0000:0000:0000:0000:0000:0001]:80"),
        ("010.0.0.1:080", "10.0.0.1:80"),
    ],
)
def test_an_address_however_it_is_written(state: State, written: str, stored: str) -> None:
    document = tagged("t", upstreams=[{"name": "u.test", "targets": [{"target": written}]}])
    state.predicted_and_done(document)
    assert [each["target"] for each in state.gateway.entities("/upstreams/u.test/targets")] == [
        stored
    ]
    twice = copied(document)
    twice["upstreams"][0]["targets"].append({"target": stored})
    refused = state.refused(twice)
    assert stored in refused["msg"] and "already" in refused["msg"]


def test_lists_in_another_order_are_the_same(state: State) -> None:
    def document(turn: int) -> Document:
        def either(*values: Any) -> list[Any]:
            return list(values[::turn])

        return tagged(
            "t",
            services=[{"name": "s", "host": "a.test", "tags": either("t", "u", "v")}],
            routes=either(
                {"name": "r", "methods": either("GET", "PUT"), "hosts": either("a.test", "b.test"),
                 "paths": either("/a", "/b"), "protocols": either("http", "https"),
                 "headers": {"x": either("1", "2")}},
                {"name": "q", "paths": ["/q"]},
            ),
            upstreams=[{"name": "u.test", "targets": either(*_addresses(3)), "healthchecks": {
                "active": {"healthy": {"http_statuses": either(200, 302)}}}}],
            plugins=[{"name": "cors", "protocols": either("http", "https")}],
        )  # fmt: skip

    state(document(1))
    state.unchanged(document(-1))


def test_a_merge_resets_nothing(state: State) -> None:
    state({**HEAD, "upstreams": [{"name": "u.test", "slots": 200, "tags": ["x"]}]}, "applied")
    before = state.gateway.entities("/upstreams")
    state.predicted_and_done({**HEAD, "upstreams": [
        {"name": "u.test", "targets": [{"target": "10.0.0.1:80"}]}]}, "applied")  # fmt: skip
    assert state.gateway.entities("/upstreams") == before


@pytest.mark.parametrize(
    ("section", "path", "entity"),
    [
        ("upstreams", "/upstreams", {"name": "u.test"}),
        ("services", "/services", {"name": "s", "host": "a.test"}),
        ("consumers", "/consumers", {"username": "alice"}),
        ("routes", "/routes", {"name": "r", "paths": ["/x"]}),
    ],
)
def test_the_same_name_with_another_id_is_the_same_entity(
    state: State, section: str, path: str, entity: Document
) -> None:
    state(tagged("t", **{section: [entity]}))
    (before,) = state.gateway.entities(path)
    again = state(tagged("t", **{section: [{**entity, "id": OWN_ID}]}))
    assert not again["changed"]
    assert any(before["id"] in warning for warning in again["warnings"])
    assert state.gateway.entities(path) == [before]


def test_an_id_that_is_free_becomes_its_own(state: State) -> None:
    document = tagged("t", upstreams=[{"name": "u.test", "id": OWN_ID}])
    state.predicted_and_done(document)
    renamed = tagged("t", upstreams=[{"name": "v.test", "id": OWN_ID}])
    assert counts(state.predicted_and_done(renamed)) == {"updated": 1}
    assert _names(state, "/upstreams") == {"v.test": OWN_ID}


def test_a_renamed_entity_frees_its_name_for_another(state: State) -> None:
    state(tagged("t", services=[{"name": "one", "id": OWN_ID, "host": "a.test"}]))
    document = tagged(
        "t",
        services=[
            {"name": "one", "host": "b.test"},
            {"name": "two", "id": OWN_ID, "host": "a.test"},
        ],
    )
    assert counts(state.predicted_and_done(document)) == {"created": 1, "updated": 1}
    assert _names(state, "/services")["two"] == OWN_ID
    hosts = {each["name"]: each["host"] for each in state.gateway.entities("/services")}
    assert hosts == {"one": "b.test", "two": "a.test"}


def test_a_credential_moves_to_another_consumer(state: State) -> None:
    def document(owner: str) -> Document:
        return tagged("t", consumers=[
            {"username": name, **({"keyauth_credentials": [{"key": "hidden-key"}]}
                                  if name == owner else {})}
            for name in ("alice", "bob")
        ])  # fmt: skip

    state(document("alice"))
    moved = state.predicted_and_done(document("bob"))
    assert counts(moved)["unchanged"] == 2 and "hidden-key" not in repr(moved)
    (found,) = state.gateway.entities("/key-auths")
    bob = next(each for each in state.gateway.entities("/consumers") if each["username"] == "bob")
    assert found["consumer"]["id"] == bob["id"]


TWICE: list[tuple[Document, str]] = [
    (
        {"consumers": [{"username": "a", "keyauth_credentials": [{"key": "hidden-key"}]},
                       {"username": "b", "keyauth_credentials": [{"key": "hidden-key"}]}]},
        "of consumer b: key is also that of key_auth ",
    ),
    (
        {"consumers": [{"username": "a", "custom_id": "1"}, {"username": "b", "custom_id": "1"}]},
        "consumer b: custom_id is also that of consumer a",
    ),
    (
        {"services": [{"name": "s", "host": "a.test", "plugins": [{"name": "cors"}]}],
         "plugins": [{"name": "cors", "service": "s"}]},
        "plugin cors is already defined at content",
    ),
    (
        {"services": [{"name": "s", "host": "a.test", "plugins": [
            {"name": "cors", "instance_name": "i"}]}],
         "plugins": [{"name": "cors", "instance_name": "i"}]},
        "plugin cors: instance_name is also that of plugin cors",
    ),
    (
        {"upstreams": [{"name": "u.test", "targets": [{"target": "10.0.0.1"}]}],
         "targets": [{"target": "10.0.0.1:8000", "upstream": "u.test"}]},
        "target 10.0.0.1:8000 of upstream u.test is already defined at content",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("sections", "sentence"), TWICE)
def test_one_value_for_two_entities_is_refused_before_the_first_write(
    state: State, sections: Document, sentence: str
) -> None:
    for check in (True, False):
        refused = state.refused(tagged("t", **sections), check=check)
        assert sentence in refused["msg"] and "hidden" not in json.dumps(refused)
    assert state.gateway.writes() == []


@pytest.mark.parametrize("check", [True, False])
def test_a_value_that_others_have_is_refused_before_the_first_write(
    state: State, check: bool
) -> None:
    state.gateway.call("POST", "/consumers", {"username": "theirs", "custom_id": "1"})
    state.gateway.call("POST", "/consumers/theirs/key-auth", {"key": "hidden-key"})
    state.gateway.reset_requests()
    for own, sentence in (
        ({"custom_id": "1"}, "consumer ours: custom_id is taken by another consumer, which"),
        ({"keyauth_credentials": [{"key": "hidden-key"}]}, ": key is taken by another key_auth,"),
    ):
        document = tagged("t", consumers=[{"username": "ours", **own}])
        refused = state.refused(document, check=check)
        assert sentence in refused["msg"] and "hidden" not in json.dumps(refused)
    assert state.gateway.writes() == []


def test_two_entities_that_swap_names_are_refused_before_the_first_write(state: State) -> None:
    state(tagged("t", services=[
        {"name": "one", "host": "a.test"}, {"name": "two", "host": "b.test"}]))  # fmt: skip
    ids = _names(state, "/services")
    swapped = tagged("t", services=[
        {"name": "two", "id": ids["one"], "host": "a.test"},
        {"name": "one", "id": ids["two"], "host": "b.test"},
    ], consumers=[{"username": "new"}])  # fmt: skip
    for check in (True, False):
        state.gateway.reset_requests()
        refused = state.refused(swapped, check=check)
        assert "service one" in refused["msg"] and "service two" in refused["msg"]
        assert state.gateway.writes() == []


def test_a_server_error_in_the_middle(state: State) -> None:
    document = tagged(
        "t",
        consumers=[{"username": "alice"}],
        upstreams=[{"name": f"u{at}.test", "targets": _addresses(3)} for at in range(4)],
        services=[{"name": "s", "host": "u0.test", "routes": [{"name": "r", "paths": ["/x"]}]}],
    )
    state.gateway.faults(match={"method": "POST", "path": "^/routes"}, kind="answer", times=None)
    failed = state.refused(document)
    where = state.gateway.label
    assert failed["msg"].startswith(f"Could not create route r at {where}"), failed["msg"]
    assert failed["changed"] and ("create", "consumer") in told(failed["changes"])
    listed = [*failed["changes"], *failed["failed_steps"], *failed["not_done"]]
    assert len(listed) == 1 + 4 + 12 + 1 + 1
    assert len({json.dumps({**each, "msg": ""}, sort_keys=True) for each in listed}) == 19
    state.gateway.clear_faults()
    again = state(document)
    assert ("create", "route") in told(again["changes"])
    assert len(again["changes"]) == 19 - len(failed["changes"])
    state.unchanged(document)


def test_a_temporary_error_of_a_read_is_tried_again(state: State) -> None:
    document = tagged("t", upstreams=[{"name": "u.test", "targets": _addresses(3)}])
    state(document)
    state.gateway.faults(match={"method": "GET", "path": "^/upstreams"}, kind="answer", status=503)
    state.unchanged(document)


@pytest.mark.parametrize("kind", ["cut_before", "cut_after"])
def test_a_lost_answer_to_a_create_is_looked_up(state: State, kind: str) -> None:
    document = tagged("t", upstreams=[{"name": "u.test", "targets": _addresses(3)}])
    state.gateway.faults(match={"method": "POST", "path": "targets$"}, kind=kind)
    assert counts(state(document)) == {"created": 4}
    state.unchanged(document)


def test_one_entity_that_the_gateway_refuses(state: State) -> None:
    document = tagged(
        "t",
        upstreams=[{"name": "u.test", "targets": _addresses(2)}],
        services=[
            {"name": "bad", "host": "a.test", "routes": [{"name": "r", "paths": ["noslash"]}]},
            {"name": "good", "host": "a.test", "routes": [{"name": "q", "paths": ["/x"]}]},
        ],
    )
    for check in (True, False):
        refused = state.refused(document, check=check, on_error="continue")
        assert "route r" in refused["msg"] and "paths" in refused["msg"]
        assert refused["failure"]["where"] == "content"
    assert [each["name"] for each in refused["failed_steps"]] == ["r"]
    assert refused["not_done"] == []
    assert set(_names(state, "/routes")) == {"q"}
    assert len(state.gateway.entities("/upstreams/u.test/targets")) == 2


def test_what_needs_a_refused_entity_is_left_out(state: State) -> None:
    document = tagged(
        "t",
        services=[
            {"name": "bad", "host": "a.test", "path": "noslash", "routes": [
                {"name": "r", "paths": ["/x"], "plugins": [{"name": "cors"}]}]},
            {"name": "good", "host": "a.test"},
        ],
    )  # fmt: skip
    refused = state.refused(document, on_error="continue")
    assert told(refused["not_done"]) == [("create", "route"), ("create", "plugin")]
    assert set(_names(state, "/services")) == {"good"}
    assert state.gateway.entities("/routes") == []


SECRETS = tagged(
    "t",
    consumers=[{
        "username": "alice",
        "keyauth_credentials": [{"key": "hidden-key"}],
        "basicauth_credentials": [{"username": "al", "password": "hidden-basic"}],
        "hmacauth_credentials": [{"username": "al", "secret": "hidden-hmac"}],
        "jwt_secrets": [{"key": "issuer", "secret": "hidden-jwt"}],
    }],
    services=[{"name": "s", "host": "a.test", "plugins": [{
        "name": "rate-limiting", "config": {"minute": 5, "redis_password": "hidden-redis"}}]}],
)  # fmt: skip


def _rotated(document: Document) -> Document:
    return json.loads(json.dumps(document).replace("hidden-", "hidden-new-"))  # type: ignore[no-any-return]


def test_no_secret_in_results_and_diffs(state: State) -> None:
    for document in (SECRETS, _rotated(SECRETS), tagged("t")):
        for check in (True, False):
            result = state(document, check=check, allow_empty=True)
            assert result["changed"]
            assert "hidden" not in json.dumps(result)


@pytest.mark.parametrize(
    "path", ["key-auth", "basic-auth", "hmac-auth", "jwt", "^/plugins"]
)
def test_no_secret_in_errors(state: State, path: str) -> None:
    body = json.dumps({"message": "the value hidden-key hidden-basic hidden-hmac is bad"})
    for on_error in ("stop", "continue", "rollback"):
        state.gateway.reset()
        state.gateway.faults(
            match={"method": "POST", "path": path}, kind="answer", status=400, times=None, body=body
        )
        failed = state.refused(SECRETS, on_error=on_error)
        assert "Could not create" in failed["msg"]
        own = {"key-auth": "hidden-key", "basic-auth": "hidden-basic", "hmac-auth": "hidden-hmac"}
        assert own.get(path, "hidden-redis") not in json.dumps(failed)


@pytest.mark.parametrize(
    "broken",
    [
        {"keyauth_credentials": [{"key": "hidden", "keys": "x"}]},
        {"keyauth_credentials": [{"key": "hidden"}, {"key": "hidden"}]},
        {"keyauth_credentials": [{"key": "hidden", "consumer": "bob"}]},
        {"keyauth_credentials": ["hidden"]},
        {"keyauth_credentials": {"hidden": {"key": "hidden"}}},
        {"basicauth_credentials": [{"username": "al", "password": ["hidden"]}]},
        {"basicauth_credentials": [{"username": "al", "password": {"hidden": "hidden"}}]},
        {"jwt_secrets": [{"key": "k", "secret": "hidden", "rsa": 1}]},
        {"hmacauth_credentials": [{"username": "al", "secret": "hidden", "tags": ["a,b"]}]},
        {"plugins": [{"name": "rate-limiting", "config": {"redis_password": ["hidden"]}}]},
        {"plugins": [{"name": "http-log", "config": {
            "http_endpoint": "http://a.test/", "queue": "hidden"}}]},
    ],
)
def test_no_secret_in_what_is_wrong_with_a_document(state: State, broken: Document) -> None:
    refused = state.refused(tagged("t", consumers=[{"username": "alice", **broken}]))
    assert "hidden" not in json.dumps(refused), refused["msg"]
    assert state.gateway.writes() == []


def test_a_private_key_stays_hidden(state: State, tmp_path: Path) -> None:
    pems = pem_texts([self_signed(tmp_path, name) for name in ("one", "two")])
    written: Document = {"cert": pems["<cert 1>"], "key": pems["<key 1>"], "snis": ["a.test"]}
    document = tagged("t", certificates=[written])
    made = state.predicted_and_done(document)
    new = {"cert": pems["<cert 2>"], "key": pems["<key 2>"]}
    other = tagged("t", certificates=[{**written, **new}])
    rotated = state.predicted_and_done(other)
    assert counts(rotated) == {"updated": 1, "unchanged": 1}
    bad = state.refused(tagged("t", certificates=[{**written, "cert": "no certificate"}]))
    for result in (made, rotated, bad):
        assert "PRIVATE KEY" not in json.dumps(result)


def test_an_untagged_target_under_a_tagged_upstream_is_not_ours(state: State) -> None:
    document = tagged("t", upstreams=[{"name": "u.test", "targets": _addresses(2)}])
    state(document)
    state.gateway.call("POST", "/upstreams/u.test/targets", {"target": "10.9.9.9:80"})
    state.unchanged(document)
    document["upstreams"][0]["targets"].pop()
    assert told(state.predicted_and_done(document)["changes"]) == [("delete", "target")]
    left = {each["target"] for each in state.gateway.entities("/upstreams/u.test/targets")}
    assert left == {"10.0.0.1:80", "10.9.9.9:80"}


def test_an_entity_without_the_tag_is_taken_over(state: State) -> None:
    state.gateway.call("POST", "/upstreams", {"name": "u.test"})
    document = tagged("t", upstreams=[{"name": "u.test"}])
    assert counts(state.predicted_and_done(document)) == {"updated": 1}
    assert state.gateway.entities("/upstreams")[0]["tags"] == ["t"]


def test_a_mask_is_no_secret_to_write(state: State) -> None:
    state(SECRETS)
    masked = state.engine.ok("kong_dump", select_tags=["t"])["document"]
    for how in ("synced", "applied"):
        refused = state.refused(masked, how)
        assert "asterisks" in refused["msg"]
    state.unchanged(SECRETS)


def test_unnamed_entities_are_found_by_their_ids(state: State) -> None:
    document = tagged(
        "t", services=[{"id": OWN_ID, "host": "a.test", "routes": [
            {"id": OWN_ID.replace("555555", "666666"), "paths": ["/x"]}]}],
    )  # fmt: skip
    assert counts(state.predicted_and_done(document)) == {"created": 2}
    document["services"][0]["routes"][0]["paths"] = ["/y"]
    assert counts(state.predicted_and_done(document)) == {"updated": 1, "unchanged": 1}


def test_an_entity_that_cannot_be_found_again_is_refused(state: State) -> None:
    service = {"name": "s", "host": "a.test", "routes": [{"paths": ["/x"]}]}
    document = tagged("t", services=[service])
    for how in ("synced", "applied", "absent"):
        refused = state.refused(document, how)
        assert "name" in refused["msg"] and "id" in refused["msg"]
    assert state.gateway.writes() == []

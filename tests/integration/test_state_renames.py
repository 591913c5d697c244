# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only one entity can have: it renames an entity in place, and is never promised to two."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from harness.certificates import self_signed
from harness.engine import Engine
from harness.kinds import pem_texts
from harness.state import Document, State, counts, tagged, told


@pytest.fixture
def state(engine: Engine) -> State:
    """Brings the gateway to documents."""
    return State(engine)


def _consumers(*pairs: tuple[str, str]) -> Document:
    return tagged("t", consumers=[{"username": name, "custom_id": key} for name, key in pairs])


def _jwk(kid: str) -> str:
    return json.dumps({"kid": kid, "kty": "RSA", "n": "AQAB", "e": "AQAB"})


def _keys(*pairs: tuple[str, str], key_set: str | None = "s") -> Document:
    keys = [{"name": name, "kid": kid, "jwk": _jwk(kid)} for name, kid in pairs]
    if key_set is None:
        return tagged("t", keys=keys)
    return tagged("t", key_sets=[{"name": key_set, "keys": keys}])


def _ids(state: State, path: str, name: str) -> dict[str, Any]:
    return {each[name]: each["id"] for each in state.gateway.entities(path)}


@pytest.mark.parametrize("how", ["synced", "applied"])
def test_a_consumer_with_its_custom_id_kept_is_renamed_in_place(state: State, how: str) -> None:
    state(_consumers(("old", "1")))
    before = _ids(state, "/consumers", "username")
    done = state.predicted_and_done(_consumers(("new", "1")), how)
    assert told(done["changes"]) == [("update", "consumer")]
    assert _ids(state, "/consumers", "username") == {"new": before["old"]}


def test_a_name_outweighs_a_custom_id(state: State) -> None:
    state(_consumers(("a", "1"), ("b", "2")))
    before = _ids(state, "/consumers", "username")
    state.predicted_and_done(_consumers(("new", "1"), ("a", "3"), ("b", "2")))
    after = _ids(state, "/consumers", "username")
    assert (after["a"], after["b"]) == (before["a"], before["b"])


@pytest.mark.parametrize("how", ["synced", "applied"])
@pytest.mark.parametrize("key_set", ["s", None])
def test_a_key_with_its_kid_kept_is_renamed_in_place(
    state: State, how: str, key_set: str | None
) -> None:
    state(_keys(("old", "k"), key_set=key_set))
    before = _ids(state, "/keys", "name")
    done = state.predicted_and_done(_keys(("new", "k"), key_set=key_set), how)
    assert told(done["changes"]) == [("update", "key")]
    assert _ids(state, "/keys", "name") == {"new": before["old"]}


def test_a_group_that_another_acl_has_is_free_before_one_gets_it(state: State) -> None:
    def groups(*acls: Document) -> Document:
        return tagged("t", consumers=[{"username": "c", "acls": list(acls)}])

    state(groups({"group": "a"}, {"group": "b"}))
    before = _ids(state, "/acls", "group")
    done = state.predicted_and_done(groups({"id": before["a"], "group": "b"}))
    assert told(done["changes"]) == [("delete", "acl"), ("update", "acl")]
    assert _ids(state, "/acls", "group") == {"b": before["a"]}


@pytest.mark.parametrize("check", [True, False], ids=["check", "real"])
def test_two_keys_that_swap_their_kids_are_refused(state: State, check: bool) -> None:
    state(_keys(("a", "1"), ("b", "2")))
    state.gateway.reset_requests()
    refused = state.refused(_keys(("a", "2"), ("b", "1")), check=check)
    assert "key a" in refused["msg"] and "key b" in refused["msg"]
    assert state.gateway.writes() == []


@pytest.mark.parametrize("check", [True, False], ids=["check", "real"])
@pytest.mark.parametrize("key_set", ["s", None])
def test_one_kid_of_two_keys_is_refused(state: State, check: bool, key_set: str | None) -> None:
    refused = state.refused(_keys(("a", "1"), ("b", "1"), key_set=key_set), check=check)
    assert "set and kid is also that of key a" in refused["msg"]
    assert state.gateway.entities("/keys") == []


def test_one_kid_in_two_sets_is_no_contradiction(state: State) -> None:
    document = _keys(("a", "1"))
    document["key_sets"] += _keys(("b", "1"), key_set="other")["key_sets"]
    state.predicted_and_done(document)


def test_check_mode_of_a_single_key_knows_that_its_kid_is_taken(state: State) -> None:
    state(_keys(("a", "1"), key_set=None))
    options = {"name": "b", "kid": "1", "jwk": _jwk("1")}
    refused = state.engine.refused("kong_key", check=True, **options)
    assert "set and kid are those of key a" in refused["msg"]
    assert state.engine.refused("kong_key", **options)["msg"]


@pytest.mark.parametrize("keys", [(None, None), ("new", "other"), ("new", None), (None, "new")])
def test_a_certificate_is_divided(
    state: State, tmp_path: Path, keys: tuple[str | None, str | None]
) -> None:
    pems = pem_texts([self_signed(tmp_path, name) for name in ("one", "two")])
    pairs: list[Document] = [
        {"cert": pems[f"<cert {number}>"], "key": pems[f"<key {number}>"]} for number in (1, 2)
    ]
    state(tagged("t", certificates=[{**pairs[0], "snis": ["a.test", "b.test"]}]))
    ids = {"new": "11111111-2222-4333-8444-555555555555", "other": str(uuid.uuid4())}
    divided = [
        {**pair, "snis": [sni], **({"id": ids[key]} if key else {})}
        for pair, sni, key in zip(pairs, ("a.test", "b.test"), keys, strict=True)
    ]
    done = state.predicted_and_done(tagged("t", certificates=divided))
    assert sorted(told(done["changes"])) == [("create", "certificate"), ("update", "sni")]
    served = {each["id"]: each["cert"].strip() for each in state.gateway.entities("/certificates")}
    found = {each["name"]: each["certificate"]["id"] for each in state.gateway.entities("/snis")}
    assert [served[found[sni]] for sni in ("a.test", "b.test")] == [
        pair["cert"].strip() for pair in pairs
    ]


def test_entities_of_several_kinds_can_have_the_same_id(state: State) -> None:
    same = "11111111-2222-4333-8444-555555555555"
    service: Document = {"id": same, "name": "s", "host": "a.test"}
    route: Document = {"id": same, "name": "r", "paths": ["/x"], "service": {"name": "s"}}
    consumer: Document = {"id": same, "username": "c", "keyauth_credentials": [{"key": "one"}]}
    limit: Document = {"id": same, "name": "cors", "route": "r"}
    # A gateway's table of tags has one row for an ID: only these kinds are in the document's scope.
    others: Document = {
        "services": [{"name": "s2", "host": "a.test"}],
        "routes": [{"name": "r2", "paths": ["/y"]}],
        "consumers": [{"username": "c2"}],
        "plugins": [{"name": "acl", "config": {"allow": ["a"]}, "route": "r2"}],
    }

    def document(**sections: Document) -> Document:
        own = {name: [sections[name]] if name in sections else [] for name in others}
        return tagged("t", **{name: [*own[name], *others[name]] for name in others})

    whole = {"services": service, "routes": route, "consumers": consumer, "plugins": limit}
    made = state.predicted_and_done(document(**whole))
    assert counts(made) == {"created": 9}
    written = state.engine.ok("kong_dump", select_tags=["t"], secrets="keep")["document"]
    assert [len(each.get("routes", ())) for each in written["services"]] == [1, 0]
    held = [len(each.get("keyauth_credentials", ())) for each in written["consumers"]]
    assert held == [1, 0]
    state.unchanged(written)
    changed = state.predicted_and_done(document(services=service, consumers=consumer))
    assert told(changed["changes"]) == [("delete", "plugin"), ("delete", "route")]
    state(document(**whole))
    done = state.predicted_and_done(document(routes={**route, "service": None}, plugins=limit))
    assert sorted(told(done["changes"])) == [
        ("delete", "consumer"), ("delete", "key_auth"), ("delete", "service"), ("update", "route"),
    ]  # fmt: skip
    left = {each["name"]: each for each in state.gateway.entities("/routes")}
    assert (left["r"]["id"], left["r"]["service"]) == (same, None)

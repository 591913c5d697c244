# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway without a database: a document is its whole configuration, loaded in one request."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.irishtek.kong.plugins.plugin_utils._state_files import read_state
from harness.engine import Engine
from harness.gateway import Gateway
from harness.state import HEAD, Document, State, copied, counts, fixture, tagged, told, without_ids

TUTORIAL = fixture("first-upstream-target")


@pytest.fixture
def state(_dbless: Gateway) -> State:
    """Brings an empty gateway without a database to documents."""
    _dbless.reset()
    return State(Engine(_dbless))


@pytest.fixture
def database(empty_gateway: Gateway) -> State:
    """Brings a gateway with a database to documents."""
    return State(Engine(empty_gateway))


def _loads(state: State) -> list[str]:
    return [each["query"] for each in state.gateway.requests() if each["path"] == "/config"
            and each["method"] == "POST"]  # fmt: skip


def test_the_tutorials_file_is_loaded_once(state: State) -> None:
    state.gateway.reset_requests()
    predicted = state(TUTORIAL, check=True)
    assert state.gateway.writes() == []
    first = state(TUTORIAL)
    assert counts(first) == counts(predicted) == {"created": 5}
    assert state.gateway.writes() == ["POST /config"] and _loads(state) == ["check_hash=1"]
    assert {each["name"] for each in state.gateway.entities("/services")} == {"Upstream-Example"}
    state.unchanged(TUTORIAL)


def test_the_diff_is_that_of_a_gateway_with_a_database(state: State, database: State) -> None:
    changed = copied(TUTORIAL)
    changed["upstreams"][0]["targets"][0]["weight"] = 300
    del changed["services"][0]["routes"]
    for document in (TUTORIAL, changed):
        one, other = state(document), database(document)
        assert one["summary"] == other["summary"]
        assert sorted(told(one["changes"])) == sorted(told(other["changes"]))
        for mine, theirs in zip(one["diff"], other["diff"], strict=True):
            assert without_ids(mine) == {**without_ids(theirs), **_headers(mine)}


def _headers(diff: Document) -> Document:
    """They name the gateway."""
    return {name: diff[name] for name in ("before_header", "after_header")}


def test_what_the_document_lacks_goes_whoever_it_belongs_to(state: State) -> None:
    state(tagged("other", services=[{"name": "theirs", "host": "a.test"}]))
    done = state.predicted_and_done(TUTORIAL)
    assert counts(done) == {"created": 5, "deleted": 1}
    assert {each["name"] for each in state.gateway.entities("/services")} == {"Upstream-Example"}


def test_nothing_says_what_is_owned_and_nothing_has_to(state: State) -> None:
    document: Document = {**HEAD, "upstreams": [
        {"name": "u.test", "targets": [{"target": "10.0.0.1"}, {"target": "::1"}]}]}  # fmt: skip
    assert counts(state.predicted_and_done(document)) == {"created": 3}


@pytest.mark.parametrize("check", [True, False], ids=["check", "real"])
def test_it_is_not_emptied_by_accident(state: State, check: bool) -> None:
    state(TUTORIAL)
    for empty in (HEAD, tagged("first-upstream-target"), {**HEAD, "services": []}):
        refused = state.refused(empty, check=check)
        assert "allow_empty" in refused["msg"]
    refused = state.refused(
        {**HEAD, "upstreams": [{"name": "u.test"}]}, check=check, max_deletes=4
    )
    assert "max_deletes is 4" in refused["msg"]
    assert len(state.gateway.entities("/services")) == 1
    assert counts(state(HEAD, check=check, allow_empty=True)) == {"deleted": 5}
    assert len(state.gateway.entities("/services")) == (1 if check else 0)


@pytest.mark.parametrize("how", ["applied", "absent"])
def test_parts_of_a_configuration_cannot_be_written(state: State, how: str) -> None:
    state(TUTORIAL)
    changed = copied(TUTORIAL)
    changed["services"][0]["retries"] = 1
    for check in (True, False):
        refused = state.refused(changed, how, check=check)
        assert f"state {how} needs a gateway with a database" in refused["msg"]


def test_tags_of_the_task_are_loaded_too(state: State) -> None:
    untagged = {key: value for key, value in TUTORIAL.items() if key != "_info"}
    state(untagged, select_tags=["mine"])
    assert state.gateway.entities("/services")[0]["tags"] == ["mine"]
    state.unchanged(untagged, select_tags=["mine"])


def test_what_the_gateway_refuses_is_said_and_changes_nothing(state: State) -> None:
    state(TUTORIAL)
    wrong = copied(TUTORIAL)
    wrong["services"][0]["routes"][0]["paths"] = ["noslash"]
    refused = state.refused(wrong)
    assert "paths" in refused["msg"] or "paths" in str(refused["failure"])
    assert state.gateway.entities("/routes")[0]["paths"] == ["/api"]
    state.unchanged(TUTORIAL)


def test_a_refusal_names_each_entity_with_its_place(state: State, tmp_path: Path) -> None:
    services = "".join(f"  - {{name: s{number}, host: h.test}}\n" for number in range(40))
    wrong = """\
  - name: last
    host: h.test
    routes:
      - {name: fine, paths: [/x]}
      - {name: wrong, paths: [noslash]}
plugins:
  - name: http-log
    instance_name: hidden-key !
    config: {http_endpoint: "http://h.test", headers: {Authorization: hidden-key !}}
"""
    file = tmp_path / "kong.yaml"
    file.write_text(f'_format_version: "3.0"\nservices:\n{services}{wrong}', "utf-8")
    content = read_state([str(file)], lambda path: Path(path).read_text("utf-8"), {}, str)
    refused = state.refused(content)
    assert refused["msg"].startswith("Could not load the document at ")
    assert refused["msg"].endswith("; nothing was changed")
    assert f"{file}:47: route wrong: paths: should start with" in refused["msg"]
    assert f"{file}:49: plugin http-log: instance_name: invalid value '********'" in refused["msg"]
    assert "hidden-key" not in repr(refused) and "fine" not in refused["msg"]


def test_check_mode_finds_what_the_gateway_would_refuse(state: State) -> None:
    wrong = copied(TUTORIAL)
    wrong["services"][0]["routes"][0]["paths"] = ["noslash"]
    assert "paths" in state.refused(wrong, check=True)["msg"]


def test_everything_that_documents_share_is_worked_in(state: State) -> None:
    document: Document = {
        **HEAD,
        "_info": {"select_tags": ["t"], "defaults": {"service": {"retries": 1}}},
        "_plugin_configs": {"rl": {"minute": 5}},
        "services": [
            {"name": "s", "url": "https://a.test/x", "routes": [
                {"name": "r", "paths": ["/x"], "plugins": [
                    {"name": "rate-limiting", "_config": "rl", "config": {"policy": "local"}}]}]}
        ],
        "consumers": [{"username": "alice", "keyauth_credentials": [{"key": "hidden-key"}]}],
        "plugins": [{"name": "request-termination", "consumer": "alice", "service": "s"}],
    }  # fmt: skip
    done = state.predicted_and_done(document)
    assert counts(done) == {"created": 6}
    assert "hidden" not in repr(done)
    service = state.gateway.entities("/services")[0]
    assert (service["retries"], service["port"], service["tags"]) == (1, 443, ["t"])
    plugin = next(
        each for each in state.gateway.entities("/plugins") if each["name"] == "rate-limiting"
    )
    assert plugin["config"]["minute"] == 5
    dumped = state.engine.ok("kong_dump", secrets="keep")["document"]
    state.unchanged(dumped)


def test_entities_of_their_own_say_that_there_is_no_database(state: State) -> None:
    refused = state.engine.refused("kong_upstream", name="u.test")
    assert "database" in refused["msg"]


def test_what_left_a_tagged_document_goes_whatever_tags_the_gateway_knows(state: State) -> None:
    state(tagged("t", services=[{"name": "a", "host": "a.test"}, {"name": "b", "host": "a.test"}]))
    state.gateway.reset_requests()
    done = state.predicted_and_done(tagged("t", services=[{"name": "a", "host": "a.test"}]))
    assert counts(done) == {"deleted": 1, "unchanged": 1}
    info = state.engine.ok("kong_info", kinds=["service"], tags=["t"])
    assert [each["name"] for each in info["entities"][0]["entities"]] == ["a"]


@pytest.mark.parametrize("check", [True, False])
def test_seconds_that_a_load_takes_for_a_date_are_refused(state: State, check: bool) -> None:
    """Conformance case dbless_ttl."""
    keys = [{"key": "soon", "ttl": 600}]
    document = {**HEAD, "consumers": [{"username": "alice", "keyauth_credentials": keys}]}
    refused = state.refused(document, check=check)
    assert "ttl needs a gateway with a database" in refused["msg"]
    assert not state.gateway.entities("/consumers")


def test_an_id_of_the_document_replaces_the_one_before(state: State) -> None:
    service = {"name": "orders", "host": "h.test"}
    state({**HEAD, "services": [service]})
    document = {**HEAD, "services": [{**service, "id": "00000000-0000-4000-8000-0000000000aa"}]}
    predicted = state(document, check=True)
    done = state(document)
    assert counts(predicted) == counts(done) == {"created": 1, "deleted": 1}
    assert state.gateway.call("GET", "/services/orders")["id"].endswith("aa")
    state.unchanged(document)


def test_what_only_the_entity_before_has_is_missing(state: State) -> None:
    """A load replaces an entity, so what the document leaves out is not kept."""
    state({**HEAD, "services": [{"name": "orders", "host": "h.test"}]})
    document = {**HEAD, "services": [{"name": "orders", "retries": 3}]}
    predicted = state.refused(document, check=True)["msg"]
    assert "service orders: host: required field missing" in predicted
    assert state.refused(document)["msg"] == predicted
    assert state.gateway.call("GET", "/services/orders")["retries"] == 5


def test_a_secret_that_each_load_makes_up_is_warned_about(state: State) -> None:
    owned = {"username": "alice", "hmacauth_credentials": [{"username": "a"}]}
    document = {**HEAD, "consumers": [owned]}
    warning = "secret is not in the document, so the gateway generates another one each time"
    for check in (True, False):
        assert any(warning in each for each in state(document, check=check)["warnings"])

# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plugins that take settings from partials, as state files of the enterprise edition write it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.engine import Engine
from harness.gateway import Gateway
from harness.state import Document, State, copied, counts, tagged, told


@pytest.fixture
def state(enterprise: Gateway) -> State:
    """Brings a gateway that has partials to documents."""
    return State(Engine(enterprise))


def _document(*links: Any, **config: Any) -> Document:
    """A plugin with links to the first or second partial; None: nothing is said of links."""
    plugin: Document = {"name": "rate-limiting", "config": {"minute": 5, **config}}
    if links != (None,):
        plugin["partials"] = list(links)
    shared = {"type": "redis-ce", "config": {"host": "redis.test", "password": "hidden"}}
    return tagged(
        "t",
        partials=[{"name": name, **shared} for name in ("one", "two")],
        services=[{"name": "s", "host": "a.test", "plugins": [plugin]}],
    )


def _plugin(state: State) -> Document:
    (plugin,) = state.gateway.entities("/plugins")
    return plugin


def _names(state: State) -> list[str]:
    return [link["name"] for link in _plugin(state).get("partials") or ()]


def test_a_link_is_made_changed_and_taken_off(state: State) -> None:
    made = state.predicted_and_done(_document({"name": "one"}))
    assert counts(made) == {"created": 4} and "hidden" not in json.dumps(made)
    before = _plugin(state)
    assert _names(state) == ["one"] and "redis" not in before["config"]
    for how in ("synced", "applied"):
        state.unchanged(_document({"name": "one", "path": "config.redis"}), how)
        state.unchanged(_document({"id": before["partials"][0]["id"]}), how)
    # What says nothing of links leaves them alone where it is merged in.
    state.unchanged(_document(None), "applied")
    changed = state.predicted_and_done(_document({"name": "two"}))
    assert told(changed["changes"]) == [("update", "plugin")] and _names(state) == ["two"]
    other = state.predicted_and_done(_document({"name": "two"}, hour=9))
    assert told(other["changes"]) == [("update", "plugin")] and _names(state) == ["two"]
    off = state.predicted_and_done(_document(None, hour=9))
    assert told(off["changes"]) == [("update", "plugin")]
    plugin = _plugin(state)
    assert _names(state) == [] and plugin["config"]["redis"]["host"] is None
    assert (plugin["id"], plugin["config"]["hour"]) == (before["id"], 9)


def test_a_setting_that_needs_those_of_the_partial_is_taken(state: State) -> None:
    made = state.predicted_and_done(_document({"name": "one"}, policy="redis"))
    assert counts(made) == {"created": 4} and "hidden" not in json.dumps(made)
    other = state.predicted_and_done(_document({"name": "two"}, policy="redis", hour=9))
    assert told(other["changes"]) == [("update", "plugin")]
    state.unchanged(_document({"name": "two"}, policy="redis", hour=9))


def test_a_plugin_with_settings_of_its_own_is_linked_and_back(state: State) -> None:
    own = _document(None, redis={"host": "own.test", "password": "hidden-own"})
    state(own)
    linked = state.predicted_and_done(_document({"name": "one"}))
    assert told(linked["changes"]) == [("update", "plugin")]
    assert "redis" not in _plugin(state)["config"] and "hidden" not in json.dumps(linked)
    state.predicted_and_done(own)
    assert _plugin(state)["config"]["redis"]["host"] == "own.test"
    state.predicted_and_done(_document({"name": "one"}), "applied")
    state.predicted_and_done(_document(), "applied")
    assert _names(state) == []


@pytest.mark.parametrize("check", [True, False], ids=["check", "real"])
def test_a_wrong_link_is_a_sentence(state: State, check: bool) -> None:
    cases: list[tuple[Document, str]] = [
        (_document({"name": "gone"}), "partial gone is neither in the document nor at "),
        (_document({"path": "config.redis"}), "partials is neither a name or id"),
        (_document({"name": "one", "way": "x"}), "a link to a partial has no way"),
        (
            _document({"name": "one"}, redis={"host": "a"}),
            "config.redis cannot be combined with a partial",
        ),
    ]
    for document, sentence in cases:
        refused = state.refused(document, check=check)
        assert "plugin rate-limiting: " in refused["msg"] and sentence in refused["msg"]
    assert state.gateway.writes() == []


def test_a_partial_that_is_linked_is_not_deleted(state: State) -> None:
    state(_document({"name": "one"}))
    less = _document({"name": "one"})
    less["partials"] = less["partials"][1:]
    for check in (True, False):
        needed = state.refused(less, check=check)
        assert "plugin rate-limiting needs partial one" in needed["msg"]
    (service,) = state.gateway.entities("/services")
    theirs = {"name": "rate-limiting", "config": {"minute": 1}, "partials": [{"name": "two"}]}
    state.gateway.call("POST", "/plugins", theirs)
    document = _document({"name": "one"})
    document["partials"].pop()
    blocked = state.refused(document)
    assert "plugin rate-limiting points at partial two" in blocked["msg"]
    gone = state.predicted_and_done(document, cascade=True)
    assert sorted(told(gone["changes"])) == [("delete", "partial"), ("delete", "plugin")]
    assert state.gateway.entities("/services") == [service]


def test_a_dump_has_the_links_and_none_of_their_settings(state: State) -> None:
    document = _document({"name": "one"})
    state(document)
    for options in ({}, {"with_ids": True}, {"skip_defaults": True}):
        state.engine.forget()
        dumped = state.engine.ok("kong_dump", secrets="keep", **options)["document"]
        (plugin,) = dumped["plugins"]
        assert plugin["partials"] == [{"name": "one", "path": "config.redis"}]
        assert "redis" not in plugin["config"]
        kinds = ["service", "plugin", "partial"]
        state.unchanged(dumped, purge_kinds=kinds)
        state.unchanged(dumped, "applied")
    before = _plugin(state)["config"]
    state(tagged("t"), allow_empty=True)
    state(dumped, purge_kinds=["service", "plugin", "partial"])
    assert _plugin(state)["config"] == before and _names(state) == ["one"]


def _as_before(state: State, before: Document) -> bool:
    times = ("created_at", "updated_at")
    after = _plugin(state)
    return all(after[name] == before[name] for name in before if name not in times)


@pytest.mark.parametrize("links", [[{"name": "two"}], []])
def test_changed_links_come_back(state: State, links: list[Document]) -> None:
    state(_document({"name": "one"}))
    before = _plugin(state)
    # Made after the other plugin has been changed, and refused.
    more = {"consumers": [{"username": "a", "plugins": [{"name": "request-termination"}]}]}
    state.gateway.faults(match={"method": "POST", "path": "^/plugins"}, kind="answer", status=400)
    after = {**_document(*links), **more}
    failed = state.refused(after, on_error="rollback", concurrency=1)
    assert (failed["left"], failed["changed"]) == ([], False), failed["msg"]
    assert ("update", "plugin") in told(failed["undone"])
    assert _as_before(state, before)
    state.predicted_and_done(after)


def test_links_of_a_deleted_plugin_come_back(state: State) -> None:
    vaults = [{"name": "env", "prefix": "my-v", "config": {"prefix": "X_"}}]
    document = {**_document({"name": "one"}), "vaults": vaults}
    state(document)
    before = _plugin(state)
    less = copied(document)
    del less["services"][0]["plugins"], less["vaults"]
    state.gateway.faults(match={"method": "DELETE", "path": "^/vaults"}, kind="answer", status=400)
    failed = state.refused(less, on_error="rollback")
    assert (failed["left"], failed["changed"]) == ([], False), failed["msg"]
    assert told(failed["undone"]) == [("create", "plugin")]
    assert _as_before(state, before)


def test_a_setting_that_only_the_config_leaves_out_is_reset(state: State) -> None:
    """Everything else of the partial is written, its tags by select_tags."""
    document = _document(None)
    own = document["partials"][0]["config"]
    document["partials"][0]["config"] = {**own, "port": 7000}
    state(document)
    document["partials"][0]["config"] = own
    changed = state.predicted_and_done(document)
    assert told(changed["changes"]) == [("update", "partial")]
    ports = {each["name"]: each["config"]["port"] for each in state.gateway.entities("/partials")}
    assert ports["one"] == ports["two"] != 7000

# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two runs of one new document at once both end well."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._operations import _state
from harness.engine import Engine
from harness.state import Document, State, copied, tagged, whole


def _document() -> Document:
    return tagged(
        "t",
        upstreams=[{"name": "u.test", "targets": [{"target": "10.0.0.1:80"}]}],
        services=[
            {"name": "s", "host": "u.test", "plugins": [{"name": "cors"}],
             "routes": [{"name": "r", "paths": ["/x"]}]},
        ],
        consumers=[{"username": "c", "keyauth_credentials": [{"key": "hidden-key"}],
                    "acls": [{"group": "g"}]}],
        key_sets=[{"name": "ks"}],
    )  # fmt: skip


@pytest.fixture
def state(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> State:
    """Another run of the same document comes between the planning and the writes."""
    mine, planned = State(engine), _state.reconcile

    def overtaken(*arguments: Any) -> Any:
        changes = planned(*arguments)
        monkeypatch.setattr(_state, "reconcile", planned)
        others = Engine(engine.gateway)
        others.ok("kong_state", content=copied(_document()), state="synced")
        return changes

    monkeypatch.setattr(_state, "reconcile", overtaken)
    return mine


def test_the_loser_takes_what_the_winner_created(state: State) -> None:
    late = state(_document())
    assert not late["changed"], late["changes"]
    after = whole(state.gateway)
    services = list(after["/services"].values())
    routes = list(after["/routes"].values())
    assert routes[0]["service"]["id"] == services[0]["id"]
    assert [len(after[path]) for path in ("/services", "/routes", "/plugins", "/key-auths")] == (
        [1, 1, 1, 1]
    )
    state.unchanged(_document())


def test_what_only_the_loser_has_lies_below_what_the_winner_created(state: State) -> None:
    more = _document()
    more["services"][0]["routes"].append({"name": "more", "paths": ["/y"]})
    more["upstreams"][0]["targets"].append({"target": "10.0.0.2:80"})
    late = state(more)
    assert sorted(each["kind"] for each in late["changes"]) == ["route", "target"]
    after = whole(state.gateway)
    owners = {each["service"]["id"] for each in after["/routes"].values()}
    assert owners == set(after["/services"])


def test_an_id_that_is_written_does_not_give_way(state: State) -> None:
    written = _document()
    written["services"][0]["id"] = "4a1a4c0e-8b1e-4f43-9a59-0c6f4d0f0a11"
    refused = state.refused(written)
    assert "an id cannot be changed to 4a1a4c0e-8b1e-4f43-9a59-0c6f4d0f0a11" in refused["msg"]


def test_a_rollback_leaves_what_the_winner_created(state: State) -> None:
    more = _document()
    more["services"][0]["routes"].append({"name": "more", "paths": ["noslash"]})
    refused = state.refused(more, on_error="rollback")
    assert refused["left"] == []
    assert len(whole(state.gateway)["/services"]) == 1

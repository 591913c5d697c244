# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What carries a protected tag is never deleted, and the plan says what was kept."""

from __future__ import annotations

import pytest

from harness.engine import Engine
from harness.gateway import sandbox
from harness.state import HEAD, Document, State, counts, tagged


@pytest.fixture
def state(engine: Engine) -> State:
    """Brings the gateway to documents."""
    return State(engine)


def _document() -> Document:
    return tagged(
        "t",
        services=[
            {"name": "kept", "host": "a.test", "tags": ["keep"]},
            {"name": "above", "host": "a.test",
             "routes": [{"name": "below", "hosts": ["a.test"], "tags": ["keep"]}]},
            {"name": "goes", "host": "a.test", "plugins": [{"name": "cors"}]},
        ],
    )  # fmt: skip


KEPT = {"protect_tags": ["keep"], "allow_empty": True}


def test_a_sync_spares_what_carries_the_tag_and_what_that_needs(state: State) -> None:
    state(_document())
    done = state.predicted_and_done(tagged("t"), **KEPT)
    assert counts(done) == {"deleted": 2}
    assert [(each["name"], each["reason"]) for each in done["protected"]] == [
        ("kept", "it has the tag keep"),
        ("below", "it has the tag keep"),
        ("above", "route below is protected and needs it"),
    ]
    assert {each["name"] for each in state.gateway.entities("/services")} == {"kept", "above"}
    assert {each["name"] for each in state.gateway.entities("/routes")} == {"below"}


def test_what_is_protected_does_not_count(state: State) -> None:
    state(_document())
    assert counts(state(tagged("t"), max_deletes=2, **KEPT)) == {"deleted": 2}


def test_it_is_protected_where_others_own_it_and_would_let_it_go(state: State) -> None:
    state({**HEAD, "services": [
        {"name": "above", "host": "a.test", "tags": ["t"], "plugins": [
            {"name": "cors", "tags": ["keep"]}]}]}, "applied")  # fmt: skip
    for cascade in (True, False):
        done = state(tagged("t"), cascade=cascade, **KEPT)
        assert not done["changed"]
        assert [each["kind"] for each in done["protected"]] == ["plugin", "service"]
    assert counts(state(tagged("t"), cascade=True, allow_empty=True)) == {"deleted": 2}


def test_what_others_own_is_not_in_the_way_of_what_is_protected(state: State) -> None:
    state({**HEAD, "services": [
        {"name": "kept", "host": "a.test", "tags": ["t", "keep"], "plugins": [{"name": "cors"}],
         "routes": [{"name": "theirs", "hosts": ["a.test"]}]}]}, "applied")  # fmt: skip
    done = state.predicted_and_done(tagged("t"), **KEPT)
    assert not done["changed"]
    assert [each["name"] for each in done["protected"]] == ["kept"]


def test_it_is_protected_by_absent_too(state: State) -> None:
    state(_document())
    done = state(_document(), "absent", protect_tags=["keep"])
    assert counts(done) == {"deleted": 2} and len(done["protected"]) == 3


def test_a_saved_plan_says_it(state: State) -> None:
    state(_document())
    options = {"content": tagged("t"), "state": "synced", **KEPT}
    plan = state.engine.ok("kong_plan", **options)["plan"]
    assert len(plan["protected"]) == 3 and len(plan["changes"]) == 2


def test_a_gateway_without_a_database_cannot_spare(state: State) -> None:
    with sandbox("--mode", "dbless") as started:
        dbless = State(Engine(started))
        dbless(_document())
        refused = dbless.refused(tagged("t"), **KEPT)
        assert "cannot be protected" in refused["msg"] and "document" in refused["msg"]
        assert len(started.entities("/services")) == 3


def test_a_purge_spares_targets(state: State) -> None:
    engine = state.engine
    targets = [{"target": "10.0.0.1:80"}, {"target": "10.0.0.2:80", "tags": ["keep"]},
               {"target": "10.0.0.3:80"}]  # fmt: skip
    engine.ok("kong_upstream", name="u.test", targets=targets)
    options = {"name": "u.test", "targets": targets[:1], "purge_targets": True,
               "protect_tags": ["keep"], "max_deletes": 1}  # fmt: skip
    for check in (True, False):
        engine.forget()
        done = engine.ok("kong_upstream", check=check, **options)
        assert [each["target"] for each in done["targets"]] == ["10.0.0.1:80"]
        assert [each["target"] for each in done["protected"]] == ["10.0.0.2:80"]
        assert [each["operation"] for each in done["changes"]] == ["delete"]
    engine.forget()
    assert not engine.ok("kong_upstream", **options)["changed"]

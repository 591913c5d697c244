# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mistakes in a document are refused of entities that exist as of new ones, with their place."""

from __future__ import annotations

import pytest

from harness.engine import Engine
from harness.gateway import Gateway
from harness.state import Document, State, tagged


@pytest.fixture
def state(empty_gateway: Gateway, engine: Engine) -> State:
    """Brings the gateway to documents."""
    return State(engine)


_LIMIT: Document = {"minute": 1, "policy": "local"}
_ADD: Document = {"add": {"headers": ["a:1"]}}


@pytest.mark.parametrize("how", ["synced", "applied"])
@pytest.mark.parametrize(
    ("written", "wrong", "field"),
    [
        ({"upstreams": [{"name": "u.test"}]},
         {"healthchecks": {"active": {"helthy": {"interval": 1}}}}, "healthchecks.active.helthy"),
        ({"plugins": [{"name": "rate-limiting", "config": _LIMIT}]},
         {"config": {**_LIMIT, "hor": 1}}, "config.hor"),
        ({"plugins": [{"name": "request-transformer", "config": _ADD}]},
         {"config": {"add": {"heders": ["a:2"]}}}, "config.add.heders"),
    ],
)  # fmt: skip
def test_a_field_that_does_not_exist_is_refused_of_an_entity_that_does(
    state: State, how: str, written: Document, wrong: Document, field: str
) -> None:
    state(tagged("t", **written))
    changed = {name: [{**each, **wrong} for each in listed] for name, listed in written.items()}
    for check in (True, False):
        refused = state.refused(tagged("t", **changed), how, check=check)
        assert f"{field}: unknown field; did you mean" in refused["msg"]
    state.unchanged(tagged("t", **written))


@pytest.mark.parametrize("how", ["synced", "applied"])
@pytest.mark.parametrize(
    ("section", "written"),
    [
        ("plugins", {"name": "cors", "service": ""}), ("plugins", {"name": "cors", "route": " "}),
        ("routes", {"name": "r", "paths": ["/x"], "service": {"name": ""}}),
    ],
)  # fmt: skip
def test_an_empty_reference_is_refused_with_its_place(
    state: State, how: str, section: str, written: Document
) -> None:
    refused = state.refused(tagged("t", **{section: [written]}), how)
    assert refused["msg"].startswith(f"content: {section[:-1]} {written['name']}: ")
    assert state.gateway.writes() == []

# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""No secret in a result or a diff; what is none stays readable."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.irishtek.kong.plugins.module_utils._entities._identity import Identity
from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import (
    Entity,
    Field,
    Kind,
)
from ansible_collections.irishtek.kong.plugins.module_utils._entities._upstream import UPSTREAM
from ansible_collections.irishtek.kong.plugins.module_utils._errors import MASKED
from ansible_collections.irishtek.kong.plugins.module_utils._plan import plan_present
from ansible_collections.irishtek.kong.plugins.module_utils._secret_names import is_secret_header
from ansible_collections.irishtek.kong.plugins.module_utils._secrets import (
    MASKED_CHANGED,
    mask,
    mask_entity,
    mask_fields,
)

SECRET = "correct-horse"


def _upstream(**headers: Any) -> Entity:
    return {"name": "web", "healthchecks": {"active": {"headers": headers}}}


def _headers(entity: Entity) -> Any:
    return entity["healthchecks"]["active"]["headers"]


@pytest.mark.parametrize(
    ("before", "after", "shown_before", "shown_after"),
    [
        ([SECRET], [SECRET], MASKED, MASKED),
        (["old"], [SECRET], MASKED, MASKED_CHANGED),
        (["{vault://env/x}"], ["{vault://env/y}"], ["{vault://env/x}"], ["{vault://env/y}"]),
        (["{vault://env/x}"], [SECRET], ["{vault://env/x}"], MASKED_CHANGED),
        ([SECRET], ["{vault://env/x}"], MASKED, ["{vault://env/x}"]),
        ([SECRET, "{vault://env/x}"], [SECRET], MASKED, MASKED_CHANGED),
        (SECRET, "other", MASKED, MASKED_CHANGED),
    ],
)
def test_a_secret_is_masked_on_both_sides(
    before: Any, after: Any, shown_before: Any, shown_after: Any
) -> None:
    shown = mask(UPSTREAM, _upstream(Authorization=before), _upstream(Authorization=after))
    assert _headers(shown["before"]) == {"Authorization": shown_before}
    assert _headers(shown["after"]) == {"Authorization": shown_after}


def test_a_new_secret_is_masked_and_one_that_goes_is_so_too() -> None:
    shown = mask(UPSTREAM, _upstream(Cookie=["a"]), _upstream(Token=["b"]))
    assert _headers(shown["before"]) == {"Cookie": MASKED}
    assert _headers(shown["after"]) == {"Token": MASKED}


def test_what_is_no_secret_is_shown() -> None:
    assert mask_entity(UPSTREAM, _upstream(Accept=["text/html"])) == _upstream(Accept=["text/html"])


@pytest.mark.parametrize("entity", [{}, {"healthchecks": None}, {"healthchecks": {"active": None}}])
def test_masking_makes_nothing_up(entity: Entity) -> None:
    assert mask_entity(UPSTREAM, entity) == entity
    assert mask_fields(UPSTREAM.fields, entity) == entity


def test_masking_leaves_the_entity_itself_alone() -> None:
    entity = _upstream(Authorization=[SECRET])
    mask_entity(UPSTREAM, entity)
    assert entity == _upstream(Authorization=[SECRET])


@pytest.mark.parametrize(
    "name",
    ["Authorization", "proxy-authorization", "COOKIE", "X-Auth-Token", "apikey", "X-API-Key",
     "api_key", "X-Secret", "X-Password"],
)  # fmt: skip
def test_headers_that_carry_credentials_are_known_by_name(name: str) -> None:
    assert is_secret_header(name)


OPEN = Kind(
    name="thing", path="things", identity=Identity("name"),
    fields=(
        Field("name"),
        Field("config", "dict", open=True),
        Field("keys", "list", element=Field("", secret=True)),
        Field("sinks", "list", element=Field("", "dict", fields=(Field("password", secret=True),))),
        Field("by_name", "dict", element=Field("", secret=True)),
    ),
)  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "shown_before", "shown_after"),
    [
        ({"config": {"token": "a"}}, {"config": {"token": "b"}},
         {"config": {"token": MASKED}}, {"config": {"token": MASKED_CHANGED}}),
        ({"config": {"x": [{"key": "a", "n": 1}]}}, {"config": {"x": [{"key": "b", "n": 1}]}},
         {"config": {"x": [{"key": MASKED, "n": 1}]}},
         {"config": {"x": [{"key": MASKED_CHANGED, "n": 1}]}}),
        ({"config": {"token": "a"}}, {"config": {"token": {"token": "b", "n": 1}}},
         {"config": {"token": MASKED}}, {"config": {"token": {"token": MASKED, "n": 1}}}),
        ({"config": {"token": "a"}}, {"config": None}, {"config": {"token": MASKED}},
         {"config": None}),
        ({"keys": ["a"]}, {"keys": ["b", "c"]}, {"keys": [MASKED]},
         {"keys": [MASKED_CHANGED, MASKED]}),
        ({"keys": ["a", "b"]}, {"keys": ["a"]}, {"keys": [MASKED, MASKED]}, {"keys": [MASKED]}),
        ({"sinks": [{"password": "a", "n": 1}]}, {"sinks": [{"password": "b", "n": 1}]},
         {"sinks": [{"password": MASKED, "n": 1}]},
         {"sinks": [{"password": MASKED_CHANGED, "n": 1}]}),
        ({"by_name": {"x": "a", "y": "b"}}, {"by_name": {"x": "a", "y": "c"}},
         {"by_name": {"x": MASKED, "y": MASKED}},
         {"by_name": {"x": MASKED, "y": MASKED_CHANGED}}),
        ({"keys": ["{vault://env/a}"]}, {"keys": ["{vault://env/b}"]},
         {"keys": ["{vault://env/a}"]}, {"keys": ["{vault://env/b}"]}),
    ],
)  # fmt: skip
def test_a_secret_that_changed_inside_is_seen_to(
    before: Entity, after: Entity, shown_before: Entity, shown_after: Entity
) -> None:
    assert mask(OPEN, before, after) == {"before": shown_before, "after": shown_after}


@given(st.lists(st.sampled_from([SECRET, SECRET * 2]), max_size=2), st.booleans())
def test_a_changed_secret_is_a_change_that_shows_no_secret(old: list[str], same: bool) -> None:
    stored = _upstream(Authorization=old)
    desired = _upstream(Authorization=old if same else [*old, f"{SECRET}!"])
    plan = plan_present(UPSTREAM, desired, stored)
    diff = plan.diff("gateway")
    assert plan.changed == (not same) == (diff["before"] != diff["after"])
    assert SECRET not in repr(diff)

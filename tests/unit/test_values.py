# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Comparing and merging: least change, in place, whatever the order of lists."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import (
    Entity,
    Field,
    Kind,
)
from ansible_collections.irishtek.kong.plugins.module_utils._entities._registry import KINDS
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError
from ansible_collections.irishtek.kong.plugins.module_utils._values import (
    canonical,
    difference,
    merge,
    normalise,
)
from unit.entities import ANY_KIND, entities, partial

ROUTE, SERVICE, UPSTREAM, TARGET, PLUGIN = (
    KINDS[name] for name in ("route", "service", "upstream", "target", "plugin")
)
JWT = KINDS["jwt"]
PEM = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"
QUICK = settings(max_examples=50, deadline=None)


def _shuffled(fields: tuple[Field, ...], entity: Entity, chance: random.Random) -> Entity:
    """The same entity with its unordered lists in another order."""
    by_name = {field.name: field for field in fields}
    return {
        name: _shuffled_value(by_name[name], value, chance) if name in by_name else value
        for name, value in entity.items()
    }


def _shuffled_value(field: Field, value: Any, chance: random.Random) -> Any:
    if field.is_record and value is not None:
        return _shuffled(field.fields, value, chance)
    if field.element is not None and isinstance(value, dict):
        return {key: _shuffled_value(field.element, item, chance) for key, item in value.items()}
    if field.element is not None and value is not None:
        value = [_shuffled_value(field.element, item, chance) for item in value]
    if not field.unordered or value is None:
        return value
    if isinstance(value, dict):
        return {key: chance.sample(item, len(item)) for key, item in value.items()}
    return chance.sample(value, len(value))


@given(st.data(), ANY_KIND)
@QUICK
def test_an_entity_does_not_differ_from_itself(data: st.DataObject, kind: Kind) -> None:
    entity = data.draw(entities(kind.fields))
    assert difference(kind.fields, entity, copy.deepcopy(entity)) == {}


@given(st.data(), ANY_KIND)
@QUICK
def test_after_the_least_change_nothing_differs(data: st.DataObject, kind: Kind) -> None:
    current, desired = data.draw(entities(kind.fields)), data.draw(partial(kind.fields))
    merged = merge(kind.fields, current, difference(kind.fields, desired, current))
    assert difference(kind.fields, desired, merged) == {}


@given(st.data(), ANY_KIND)
@QUICK
def test_what_is_not_written_stays_as_it_is(data: st.DataObject, kind: Kind) -> None:
    current, desired = data.draw(entities(kind.fields)), data.draw(partial(kind.fields))
    change = difference(kind.fields, desired, current)
    merged = merge(kind.fields, current, change)
    assert {name: merged[name] for name in merged if name not in change} == {
        name: current[name] for name in current if name not in change
    }
    assert set(change) <= set(desired)


@given(st.data(), ANY_KIND, st.randoms(use_true_random=False))
@QUICK
def test_the_order_of_a_set_never_matters(
    data: st.DataObject, kind: Kind, chance: random.Random
) -> None:
    entity = data.draw(entities(kind.fields))
    assert difference(kind.fields, _shuffled(kind.fields, entity, chance), entity) == {}


@given(st.data(), ANY_KIND)
@QUICK
def test_normalising_twice_equals_once(data: st.DataObject, kind: Kind) -> None:
    once = normalise(kind.fields, data.draw(partial(kind.fields)))
    assert normalise(kind.fields, copy.deepcopy(once)) == once


@given(st.data(), ANY_KIND)
@QUICK
def test_comparing_and_merging_leave_what_they_are_given(data: st.DataObject, kind: Kind) -> None:
    current, desired = data.draw(entities(kind.fields)), data.draw(partial(kind.fields))
    before = copy.deepcopy((current, desired))
    merge(kind.fields, current, difference(kind.fields, desired, current))
    assert (current, desired) == before


@pytest.mark.parametrize(
    ("kind", "field", "one", "other"),
    [
        (ROUTE, "tags", [], None),
        (ROUTE, "hosts", ["b.test", "a.test"], ["a.test", "b.test"]),
        (ROUTE, "methods", [], None),
        (ROUTE, "headers", {"x-v": ["1", "2"]}, {"x-v": ["2", "1"]}),
        (ROUTE, "headers", {}, None),
        (
            ROUTE,
            "sources",
            [{"ip": "10.0.0.1", "port": None}, {"ip": None, "port": 1}],
            [{"port": 1, "ip": None}, {"ip": "10.0.0.1", "port": None}],
        ),
        (SERVICE, "ca_certificates", [], None),
        (TARGET, "tags", ["a", "b", "a"], ["b", "a"]),
        (ROUTE, "hosts", ["a.test", "a.test"], ["a.test"]),
    ],
)
def test_the_gateway_makes_no_difference_so_we_make_none(
    kind: Kind, field: str, one: Any, other: Any
) -> None:
    assert canonical(kind.field(field), one) == canonical(kind.field(field), other)
    assert difference(kind.fields, {field: one}, {field: other}) == {}


@pytest.mark.parametrize(
    ("kind", "field", "one", "other"),
    [
        (ROUTE, "headers", {"x-v": ["1"]}, {"x-v": ["2"]}),
        (ROUTE, "headers", {"x-v": ["1"]}, {"x-w": ["1"]}),
        (ROUTE, "strip_path", False, None),
        (SERVICE, "retries", 0, None),
        (SERVICE, "path", "", None),
        (TARGET, "tags", ["a"], ["a", "b"]),
        (TARGET, "weight", 0, 100),
    ],
)
def test_what_differs_for_the_gateway_differs_for_us(
    kind: Kind, field: str, one: Any, other: Any
) -> None:
    assert difference(kind.fields, {field: one}, {field: other}) == {field: one}


def test_only_the_changed_leaves_of_a_record_are_written() -> None:
    current = {
        "healthchecks": {"active": {"timeout": 1, "healthy": {"interval": 0, "successes": 2}}}
    }
    desired = {"healthchecks": {"active": {"timeout": 1, "healthy": {"interval": 5}}}}
    change = difference(UPSTREAM.fields, desired, current)
    assert change == {"healthchecks": {"active": {"healthy": {"interval": 5}}}}
    assert merge(UPSTREAM.fields, current, change) == {
        "healthchecks": {"active": {"timeout": 1, "healthy": {"interval": 5, "successes": 2}}}
    }


def test_a_map_is_replaced_as_a_whole() -> None:
    current = {"headers": {"x-a": ["1"], "x-b": ["2"]}}
    desired = {"headers": {"x-a": ["1"]}}
    change = difference(ROUTE.fields, desired, current)
    assert merge(ROUTE.fields, current, change) == desired


@pytest.mark.parametrize(
    ("kind", "written", "stored"),
    [
        (UPSTREAM, {"healthchecks": {"threshold": 5.0}}, {"healthchecks": {"threshold": 5}}),
        (UPSTREAM, {"healthchecks": {"threshold": 12.5}}, {"healthchecks": {"threshold": 12.5}}),
        (
            UPSTREAM,
            {"healthchecks": {"threshold": 100 / 3}},
            {"healthchecks": {"threshold": 33.333333333333}},
        ),
        (PLUGIN, {"config": {"a": [1 / 3, 5.0]}}, {"config": {"a": [0.33333333333333, 5]}}),
        (ROUTE, {"headers": {"x-v": [1, 2.5, "a"]}}, {"headers": {"x-v": ["1", "2.5", "a"]}}),
        (ROUTE, {"destinations": [{"port": 80}]}, {"destinations": [{"ip": None, "port": 80}]}),
        (TARGET, {"tags": ["a", "a"]}, {"tags": ["a"]}),
        (ROUTE, {"hosts": ["a.test", "a.test"]}, {"hosts": ["a.test", "a.test"]}),
        (ROUTE, {"methods": ["GET", "GET"]}, {"methods": ["GET"]}),
        (TARGET, {"tags": []}, {"tags": None}),
        (TARGET, {"target": "::1"}, {"target": f"[{'0000:' * 7}0001]:8000"}),
        (SERVICE, {"retries": None}, {"retries": None}),
    ],
)
def test_values_take_the_form_in_which_the_gateway_answers(
    kind: Kind, written: Entity, stored: Entity
) -> None:
    normalised = normalise(kind.fields, written)
    assert normalised == stored
    assert repr(normalised) == repr(stored)


@pytest.mark.parametrize(
    ("kind", "written", "message"),
    [
        (TARGET, {"weight": 65536}, "weight must be from 0 to 65535, got 65536"),
        (TARGET, {"weight": -1}, "weight must be from 0 to 65535, got -1"),
        (UPSTREAM, {"slots": 9}, "slots must be from 10 to 65536, got 9"),
        (
            UPSTREAM,
            {"healthchecks": {"active": {"healthy": {"http_statuses": [200, 99]}}}},
            "http_statuses must be from 100 to 999, got 99",
        ),
        (
            UPSTREAM,
            {"healthchecks": {"active": {"timeout": float("nan")}}},
            "healthchecks.active.timeout must be a finite number",
        ),
        (PLUGIN, {"config": {"minute": float("inf")}}, "config.minute must be a finite number"),
        (PLUGIN, {"config": {"minute": 10**400}}, "config.minute must be a finite number"),
        (SERVICE, {"path": "/\ud800"}, "path contains a lone surrogate"),
        (PLUGIN, {"config": {"a": ["\udcff"]}}, "config.a.1 contains a lone surrogate"),
        (SERVICE, {"tags": ["a,b"]}, "tag 'a,b' must not contain a comma or a slash"),
        (ROUTE, {"sources": [{"port": 65536}]}, "port must be from 0 to 65535, got 65536"),
        (ROUTE, {"headers": {"x-team": "a"}}, "the values of the header x-team must be a list"),
        (
            UPSTREAM,
            {"healthchecks": {"active": {"headers": {"x-team": "a"}}}},
            "the values of the header x-team must be a list",
        ),
    ],
)
def test_what_no_gateway_takes_is_refused_before_any_request(
    kind: Kind, written: Entity, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        normalise(kind.fields, written)


@pytest.mark.parametrize(
    ("kind", "written", "stored"),
    [
        (UPSTREAM, {"healthchecks": {"threshold": 100 / 3}},
         {"healthchecks": {"threshold": 33.333333333333}}),
        (PLUGIN, {"config": {"a": {"b": [1 / 3]}}}, {"config": {"a": {"b": [0.33333333333333]}}}),
        (PLUGIN, {"config": {"a": 123456789012345678}},
         {"config": {"a": 123456789012350000.0}}),
        (PLUGIN, {"config": {"pem": f"{PEM}\n"}}, {"config": {"pem": PEM}}),
        (PLUGIN, {"config": {"pems": [PEM]}}, {"config": {"pems": [f"{PEM} \r\n"]}}),
        (JWT, {"rsa_public_key": f"{PEM}\n\n"}, {"rsa_public_key": PEM}),
        (KINDS["vault"], {"config": {"ca": f"{PEM}\n"}}, {"config": {"ca": PEM}}),
    ],
)  # fmt: skip
def test_what_a_gateway_keeps_alike_is_no_difference(
    kind: Kind, written: Entity, stored: Entity
) -> None:
    assert difference(kind.fields, written, stored) == {}


@pytest.mark.parametrize(
    ("written", "stored"), [(PEM, f" {PEM}"), ("a", "a\n"), (0.1, 0.10000000000001)]
)
def test_what_a_gateway_keeps_apart_is_a_difference(written: Any, stored: Any) -> None:
    config = {"config": {"a": written}}
    assert difference(PLUGIN.fields, config, {"config": {"a": stored}}) == config

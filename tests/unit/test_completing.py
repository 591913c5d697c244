# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A create is completed as the gateway's schema says, records deep."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._schema import (
    GENERATED_VALUE,
    complete,
    fields_in,
    merged_schema,
    replacements,
    value_at,
    without_old_names,
)

PORT = {"port": {"type": "integer", "default": 80}}
HOST = {"host": {"type": "string"}}
NODE = {"type": "record", "fields": [PORT, HOST]}


def _completed(entity: dict[str, Any], **specs: Any) -> dict[str, Any]:
    return complete({"fields": [{name: spec} for name, spec in specs.items()]}, entity)


@pytest.mark.parametrize(
    ("spec", "written", "completed"),
    [
        ({"type": "array", "elements": NODE}, [{"host": "a"}], [{"host": "a", "port": 80}]),
        ({"type": "set", "elements": NODE}, [{"port": 1}], [{"host": None, "port": 1}]),
        ({"type": "array", "elements": NODE, "default": [{"host": "d"}]}, ...,
         [{"host": "d", "port": 80}]),
        ({"type": "map", "values": NODE}, {"x": {}}, {"x": {"host": None, "port": 80}}),
        ({"type": "array", "elements": NODE}, [], []),
        ({"type": "array", "elements": NODE}, None, None),
        ({"type": "map", "values": {"type": "string"}}, {"x": "y"}, {"x": "y"}),
        ({"type": "record", "fields": [{"node": {**NODE, "required": True}}]}, {},
         {"node": {"host": None, "port": 80}}),
        ({**NODE, "required": True}, ..., {"host": None, "port": 80}),
        (NODE, ..., None),
        ({"type": "string", "auto": True}, ..., GENERATED_VALUE),
        ({"type": "string", "auto": True}, "mine", "mine"),
        ({"type": "string", "auto": True}, None, None),
        ({"type": "boolean", "default": False}, ..., False),
    ],
)  # fmt: skip
def test_defaults_are_filled_in_deep(spec: Any, written: Any, completed: Any) -> None:
    entity = {} if written is ... else {"x": written}
    assert _completed(entity, x=spec) == {"x": completed}


@pytest.mark.parametrize("name", ["id", "created_at", "updated_at"])
def test_ids_and_times_are_not_made_up(name: str) -> None:
    spec = {"type": "string", "auto": True}
    assert _completed({}, **{name: spec}) == {}
    assert _completed({name: "mine"}, **{name: spec}) == {name: "mine"}


def _old(*path: str) -> dict[str, Any]:
    return {"type": "string", "deprecation": {"replaced_with": [{"path": list(path)}]}}


REDIS = {
    "type": "record",
    "required": True,
    "fields": [PORT, {"password": {"type": "string"}}],
    "shorthand_fields": [{"auth": _old("password")}],
}
CONFIG = {
    "fields": [{"redis": REDIS}],
    "shorthand_fields": [
        {"redis_port": _old("redis", "port")},
        {"gone": {"type": "string"}},
        {"split": {"deprecation": {"replaced_with": [{"path": ["a"]}, {"path": ["b"]}]}}},
    ],
}


def test_what_was_renamed_is_answered_under_both_names() -> None:
    assert complete(CONFIG, {"redis": {"password": "p"}}) == {
        "redis": {"port": 80, "password": "p", "auth": "p"},
        "redis_port": 80,
    }


def test_only_what_has_one_successor_is_known_to_be_renamed() -> None:
    assert replacements(CONFIG) == {"redis_port": ("redis", "port")}


def test_each_setting_is_judged_once_under_its_present_name() -> None:
    completed = complete(CONFIG, {"of_tomorrow": 1, "redis": {"password": "p"}})
    assert without_old_names(CONFIG, completed) == {
        "of_tomorrow": 1,
        "redis": {"port": 80, "password": "p"},
    }
    assert without_old_names(CONFIG, {"redis": None}) == {"redis": None}


def test_completing_twice_is_completing_once() -> None:
    once = complete(CONFIG, {"redis": {"password": "p"}})
    assert complete(CONFIG, once) == once


@pytest.mark.parametrize(
    ("path", "found"),
    [(("a", "b"), 1), (("a", "c"), None), (("a", "b", "c"), None), ((), {"a": {"b": 1}})],
)
def test_a_value_is_found_by_its_path(path: tuple[str, ...], found: Any) -> None:
    assert value_at({"a": {"b": 1}}, path) == found


def test_an_entitys_own_schema_wins_over_the_kinds() -> None:
    base = {"fields": [{"config": {"type": "record"}}, {"name": {"type": "string"}}], "x": 1}
    whole = merged_schema(base, {"fields": [{"config": NODE}]})
    assert whole == {"fields": [{"config": NODE}, {"name": {"type": "string"}}], "x": 1}
    assert merged_schema(base, None) is base
    assert fields_in(whole).keys() == {"config", "name"}

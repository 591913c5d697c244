# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only a gateway knows is converted where nothing is lost, and masked by its schema."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import Field
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError
from ansible_collections.irishtek.kong.plugins.module_utils._freeform import (
    config_schema,
    fields_from,
    with_details,
)
from ansible_collections.irishtek.kong.plugins.module_utils._values import difference, normalise
from unit.recordings import VERSIONS, plugin, plugin_schemas

TEXT, INTEGER, NUMBER, BOOLEAN, LIST, RECORD = (
    "string", "integer", "number", "boolean", "array", "record"
)  # fmt: skip
REFUSED = {
    TEXT: "is not a string",
    INTEGER: "is not a",
    NUMBER: "is not a number",
    BOOLEAN: "is not a boolean",
    LIST: "is not a list",
    "set": "is not a list",
    "map": "is not a dictionary",
    RECORD: "is not a dictionary",
}


def _fields(**specs: Any) -> tuple[Field, ...]:
    return fields_from({"fields": [{name: spec} for name, spec in specs.items()]})


def _converted(kind: str, value: Any) -> Any:
    config = Field("config", "dict", fields=_fields(x={"type": kind}))
    return normalise([config], {"config": {"x": value}})["config"]["x"]


@pytest.mark.parametrize(
    ("kind", "written", "meant"),
    [
        (TEXT, "a", "a"),
        (TEXT, "", ""),
        (TEXT, 5, "5"),
        (TEXT, 2.5, "2.5"),
        (INTEGER, 5, 5),
        (INTEGER, "5", 5),
        (INTEGER, "-5", -5),
        (INTEGER, 5.0, 5),
        (INTEGER, "5.0", 5),
        (NUMBER, 5, 5),
        (NUMBER, 2.5, 2.5),
        (NUMBER, "2.5", 2.5),
        (NUMBER, "1e3", 1000),
        (NUMBER, "5", 5),
        (NUMBER, 100 / 3, 33.333333333333),
        (NUMBER, "0.3333333333333333", 0.33333333333333),
        (INTEGER, 123456789012345678, 123456789012350000),
        (TEXT, 100 / 3, "33.333333333333336"),
        ("of_tomorrow", [{"a": 1 / 3}], [{"a": 0.33333333333333}]),
        (BOOLEAN, True, True),
        (BOOLEAN, "true", True),
        (BOOLEAN, "False", False),
        (BOOLEAN, "yes", True),
        (BOOLEAN, "off", False),
        (LIST, ["a"], ["a"]),
        ("set", ["a", "a"], ["a"]),
        ("map", {"a": 1}, {"a": 1}),
        (RECORD, {"a": 1}, {"a": 1}),
        ("of_tomorrow", [1], [1]),
    ],
)
def test_what_loses_nothing_is_converted(kind: str, written: Any, meant: Any) -> None:
    converted = _converted(kind, written)
    assert (converted, type(converted)) == (meant, type(meant))


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        (TEXT, True), (TEXT, ["s3cret"]), (TEXT, {"s3cret": 1}),
        (INTEGER, "s3cret"), (INTEGER, "2.5"), (INTEGER, 2.5), (INTEGER, True), (INTEGER, [5]),
        (INTEGER, ""),
        (NUMBER, "s3cret"), (NUMBER, False), (NUMBER, {"a": 5}),
        (BOOLEAN, "s3cret"), (BOOLEAN, 1), (BOOLEAN, [True]),
        (LIST, "s3cret"), (LIST, {"s3cret": 1}), ("set", "s3cret"), ("set", 5),
        ("map", "s3cret"), ("map", ["s3cret"]), (RECORD, "s3cret"), (RECORD, True),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_by_its_path_and_without_its_value(
    kind: str, written: Any
) -> None:
    with pytest.raises(InputError) as caught:
        _converted(kind, written)
    assert caught.value.message.startswith("config.x: ")
    assert REFUSED[kind] in caught.value.message
    assert "s3cret" not in caught.value.message


def test_quotes_are_the_advice_for_what_they_make_a_string() -> None:
    with pytest.raises(InputError, match="a boolean is not a string; put it in quotes"):
        _converted(TEXT, True)
    for written in (["x"], {"x": 1}):
        with pytest.raises(InputError, match="is not a string$"):
            _converted(TEXT, written)


def test_the_path_leads_through_records_lists_and_maps() -> None:
    item = {"type": "record", "fields": [{"port": {"type": "integer"}}]}
    fields = _fields(
        redis={"type": "record", "fields": [{"nodes": {"type": "array", "elements": item}}]},
        by_name={"type": "map", "values": {"type": "integer"}},
        names={"type": "set", "elements": {"type": "string"}},
    )
    with pytest.raises(InputError, match=r"^redis.nodes.2: .* not a dictionary"):
        normalise(fields, {"redis": {"nodes": [{"port": 1}, "x"]}})
    with pytest.raises(InputError, match=r"^redis.nodes.1.port: a string is not a number"):
        normalise(fields, {"redis": {"nodes": [{"port": "x"}]}})
    with pytest.raises(InputError, match=r"^by_name.a: a string is not a number"):
        normalise(fields, {"by_name": {"a": "x"}})
    assert normalise(fields, {"names": [1, "1"], "by_name": {"a": "5"}}) == {
        "names": ["1"], "by_name": {"a": 5}
    }  # fmt: skip


def test_a_null_is_left_to_those_who_know_what_it_means() -> None:
    assert normalise(_fields(x={"type": "integer"}), {"x": None}) == {"x": None}


def test_records_in_lists_are_completed_so_that_they_can_be_compared() -> None:
    item = {
        "type": "record",
        "fields": [{"port": {"type": "integer", "default": 80}}, {"host": {"type": "string"}}],
    }
    fields = _fields(nodes={"type": "array", "elements": item})
    desired = normalise(fields, {"nodes": [{"host": "a"}]})
    assert desired == {"nodes": [{"host": "a", "port": 80}]}
    assert difference(fields, desired, {"nodes": [{"host": "a", "port": 80}]}) == {}
    assert difference(fields, desired, {"nodes": [{"host": "a", "port": 81}]}) == desired


def test_a_set_has_no_order_and_an_array_has() -> None:
    fields = _fields(
        some={"type": "set", "elements": {"type": "string"}},
        steps={"type": "array", "elements": {"type": "string"}},
    )
    written, stored = (
        {"some": ["a", "b"], "steps": ["a", "b"]}, {"some": ["b", "a"], "steps": ["b", "a"]}
    )  # fmt: skip
    assert difference(fields, written, stored) == {"steps": ["a", "b"]}


@pytest.mark.parametrize(
    ("name", "spec", "secret"),
    [
        ("anything", {"type": "string", "encrypted": True}, True),
        ("password", {"type": "string"}, True),
        ("client_secret", {"type": "string"}, True),
        ("api_key", {"type": "string"}, True),
        ("public_key", {"type": "string"}, False),
        ("key_names", {"type": "array", "elements": {"type": "string"}}, False),
        ("token", {"type": "boolean"}, False),
        ("host", {"type": "string"}, False),
    ],
)
def test_a_setting_is_secret_by_its_schema_or_its_name(
    name: str, spec: dict[str, Any], secret: bool
) -> None:
    assert _fields(**{name: spec})[0].secret is secret


def test_headers_that_a_plugin_sends_are_secret_whatever_their_names() -> None:
    headers = {"type": "map", "values": {"type": "string"}}
    found = _fields(headers=headers, labels=headers)
    assert [field.sensitive is not None for field in found] == [True, False]


def test_an_old_name_of_a_secret_is_secret_too() -> None:
    redis = {"type": "record", "fields": [{"login": {"type": "string", "encrypted": True}}]}
    old = {"type": "string", "deprecation": {"replaced_with": [{"path": ["redis", "login"]}]}}
    schema = {"fields": [{"redis": redis}], "shorthand_fields": [{"redis_login": old}]}
    assert {field.name: field.secret for field in fields_from(schema)} == {
        "redis": False, "redis_login": True
    }  # fmt: skip


@pytest.mark.parametrize("version", VERSIONS)
def test_each_bundled_plugin_has_typed_settings(version: str) -> None:
    names = plugin_schemas(version)
    assert len(names) > 30
    for name in names:
        config = plugin(name, version).field("config")
        assert config.is_record
        assert config.open == (not config.fields)
        assert config.fields, name


def test_a_plugin_without_settings_takes_what_is_written() -> None:
    kind = with_details({"fields": []})
    assert kind.field("config").open
    assert config_schema(kind) == {}

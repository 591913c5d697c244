# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A string field takes what stands in the file, and a variable's value is never another one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.irishtek.kong.plugins.module_utils._document._dbless import (
    dbless_of,
    to_dbless,
)
from ansible_collections.irishtek.kong.plugins.module_utils._document._located import (
    Located,
    packed,
    place_of,
    strings_of,
    unpacked,
    where_of,
)
from ansible_collections.irishtek.kong.plugins.module_utils._document._parse import Document, parse
from ansible_collections.irishtek.kong.plugins.module_utils._document._typed import typed
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError
from ansible_collections.irishtek.kong.plugins.module_utils._freeform import fields_from
from ansible_collections.irishtek.kong.plugins.module_utils._values import normalise
from ansible_collections.irishtek.kong.plugins.plugin_utils._action import plain
from ansible_collections.irishtek.kong.plugins.plugin_utils._state_files import parse_state

HEAD = '_format_version: "3.0"\n'
SECRET = "s3cret-value"
# Bare scalars that YAML takes for something else than strings.
BARE = ["007", "1.10", "1e3", "0x1F", "+5", "yes", "Off", "true", "00123", "-0", "1.0", "12345"]


def _read(text: str, name: str = "kong.yaml", **environment: str) -> Located:
    def refuse(sealed: str) -> str:
        raise InputError("the encrypted string cannot be read")

    head = "" if name.endswith(".json") else HEAD
    return parse_state([(name, head + text)], environment, refuse)


def _parsed(text: str, **environment: str) -> Document:
    return parse(_read(text, **environment))


def _written(document: Document, kind: str) -> list[dict[str, Any]]:
    return [item.written for item in document.items if item.kind.name == kind]


def _refused(text: str, **environment: str) -> str:
    with pytest.raises(InputError) as caught:
        _parsed(text, **environment)
    assert SECRET not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize("bare", BARE)
def test_strings_are_taken_as_they_are_written(bare: str) -> None:
    document = _parsed(f"""
_info: {{select_tags: [{bare}], defaults: {{service: {{path: {bare}}}}}}}
consumers:
  - username: {bare}
    custom_id: {bare}
    keyauth_credentials: [{{key: {bare}}}]
    basicauth_credentials:
      - username: {bare}
        password: {bare}
services:
  - name: {bare}
    tags: [a, {bare}]
    routes:
      - name: r
        headers: {{x-version: [{bare}, b]}}
        snis: [{bare}]
routes:
  - {{name: r2, service: {bare}}}
  - {{name: r3, service: {{name: {bare}}}}}
upstreams:
  - name: u
    healthchecks: {{active: {{http_path: {bare}, headers: {{x: [{bare}]}}}}}}
""")
    assert document.select_tags == (bare,)
    (consumer,) = _written(document, "consumer")
    assert (consumer["username"], consumer["custom_id"]) == (bare, bare)
    assert _written(document, "key_auth")[0]["key"] == bare
    assert _written(document, "basic_auth")[0]["password"] == bare
    (service,) = _written(document, "service")
    assert (service["name"], service["tags"], service["path"]) == (bare, ["a", bare], bare)
    routes = _written(document, "route")
    assert routes[0]["headers"] == {"x-version": [bare, "b"]} and routes[0]["snis"] == [bare]
    assert [
        item.links["service"] for item in document.items if item.written.get("name") == "r2"
    ] == [bare]
    active = _written(document, "upstream")[0]["healthchecks"]["active"]
    assert (active["http_path"], active["headers"]) == (bare, {"x": [bare]})


def test_numbers_and_booleans_stay_what_they_are_where_they_are_meant() -> None:
    (upstream,) = _written(
        _parsed("upstreams: [{name: u, slots: 0x20, use_srv_name: yes, tags: ~}]\n"), "upstream"
    )
    assert upstream == {"name": "u", "slots": 32, "use_srv_name": True, "tags": None}


SCHEMA = {"fields": [
    {"names": {"type": "array", "elements": {"type": "string"}}},
    {"status": {"type": "integer"}},
    {"body": {"type": "string"}},
    {"on": {"type": "boolean"}},
    {"headers": {"type": "map", "keys": {"type": "string"}, "values": {"type": "string"}}},
    {"rules": {"type": "array", "elements": {"type": "record", "fields": [
        {"value": {"type": "string"}}, {"limit": {"type": "number"}}]}}},
]}  # fmt: skip


@pytest.mark.parametrize("bare", BARE)
def test_settings_of_plugins_follow_the_gateways_schema(bare: str) -> None:
    document = _parsed(f"""
_plugin_configs:
  shared: {{body: {bare}, headers: {{x: {bare}, y: {bare}}}, names: [{bare}]}}
plugins:
  - name: cors
    _config: shared
    config: {{names: [{bare}, b], on: yes, headers: {{y: z}}, rules: [{{value: {bare}, limit: 1}}]}}
""")
    (item,) = document.items
    fields = fields_from(SCHEMA)
    config = normalise(fields, typed(fields, item.written["config"], item.strings))
    assert config == {
        "body": bare,
        "headers": {"x": bare, "y": "z"},
        "names": [bare, "b"],
        "on": True,
        "rules": [{"value": bare, "limit": 1}],
    }


@pytest.mark.parametrize("bare", ["007", "1.10", "1e3"])
def test_what_nothing_tells_the_type_of_is_refused_with_its_place(bare: str) -> None:
    vault = f"vaults:\n  - {{name: env, prefix: v, config: {{prefix: [a, {bare}]}}}}\n"
    assert _refused(vault).startswith("kong.yaml:3: vault v: config.prefix.2 can be a string or a")
    plugin = f"plugins:\n  - {{name: cors, config: {{max_age: {bare}}}}}\n"
    with pytest.raises(InputError, match="kong.yaml:3: plugin cors: config.max_age can be"):
        to_dbless(_read(plugin))


def test_plain_numbers_stay_numbers_where_nothing_tells() -> None:
    vault = "vaults:\n  - {name: env, prefix: v, config: {ttl: 1.5, size: 10, on: yes}}\n"
    assert _written(_parsed(vault), "vault")[0]["config"] == {"ttl": 1.5, "size": 10, "on": True}
    plugin = "plugins:\n  - {name: cors, config: {max_age: 1.5}}\n"
    assert to_dbless(_read(plugin))["plugins"] == [{"name": "cors", "config": {"max_age": 1.5}}]


def test_a_gateway_without_a_database_gets_the_same_strings() -> None:
    text = (
        "services: [{name: 007, tags: [1.10]}]\nroutes: [{name: r, service: {name: 007}}]\n"
        "plugins: [{name: p, service: 007, config: {body: 1e3, status: 0x20, on: yes}}]\n"
    )
    converted = dbless_of(parse(_read(text)).items, lambda name: fields_from(SCHEMA))
    assert converted["services"] == [{"name": "007", "tags": ["1.10"]}]
    assert converted["routes"] == [{"name": "r", "service": "007"}]
    config = {"body": "1e3", "status": 32, "on": True}
    assert converted["plugins"] == [{"name": "p", "service": "007", "config": config}]
    assert to_dbless(_read("services: [{name: 007}]"))["services"][0].__class__ is dict


VALUES = [
    "%secret", "*secret", "&secret", "@secret", "{secret", "[a, b]", "secret: b", 'sec"ret', "a'b",
    "front #back", "0012345", "no", "null", "~", "", " padded ", "1e3", "- a", "a\nb\n", "\ta",
    "!vault x", "${{ env }}", "\\q", "<<", "=", "a\r\nb", "'", '"', "|", "\ue000",
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize(
    "form",
    [
        'secret: ${{ env "DECK_X" }}',
        "secret: '${{ env \"DECK_X\" }}'",
        'secret: ${{ env "DECK_X" | printf "%q" }}',
        'secret: "${{ env `DECK_X` | js }}"',
        'secret:\n        ${{ env "DECK_X" }}',
    ],
)
def test_a_variables_value_is_taken_as_it_is(form: str, value: str) -> None:
    document = _parsed(
        f"consumers:\n- username: c\n  jwt_secrets:\n    - key: k\n      {form}\n", DECK_X=value
    )
    (jwt,) = _written(document, "jwt")
    assert jwt["secret"] == value


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_value_is_taken_in_both_formats(value: str) -> None:
    found = _read('value: ${{ env "DECK_X" | printf "%q" }}\n', DECK_X=value)["value"]
    as_json = '{"_format_version": "3.0", "value": "${{ env `DECK_X` | js }}"}'
    assert found == value == _read(as_json, "kong.json", DECK_X=value)["value"]


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ('"${{ env `DECK_X` }}"', "one\\ntwo", "one\ntwo"),
        ('"${{ env `DECK_X` }}"', 'a"b', 'a"b'),
        ("|\n  ${{ env `DECK_X` | indent 2 }}\n", "one\ntwo\n", "one\ntwo\n"),
        ("|-\n  ${{ env `DECK_X` | indent 2 }}\n", "one\ntwo\n", "one\ntwo"),
        (">-\n  ${{ env `DECK_X` | indent 2 }}\n", "front #back", "front #back"),
        ("|\n  a\n  ${{ env `DECK_X` }}\n", "b", "a\nb\n"),
        ("a-${{ env `DECK_X` }}-b", "0 #1", "a-0 #1-b"),
        ("80${{ env `DECK_X` }}", "80", 8080),
        ("${{ env `DECK_X` }}", "8080", 8080),
        ("${{ env `DECK_X` | toBool }}", "1", True),
        ("${{ env `DECK_X` }}", "[a, {b: 1}]", ["a", {"b": 1}]),
        ("[${{ env `DECK_X` }}]", "[a, b]", [["a", "b"]]),
        ("${{ env `DECK_X` }}", "", None),
    ],
)
def test_what_values_are_where_no_string_is_meant(text: str, value: str, expected: Any) -> None:
    assert _read(f"value: {text}", DECK_X=value)["value"] == expected


def test_values_can_be_whole_parts_of_a_document() -> None:
    text = 'services:\n  ${{ env "DECK_S" | indent 2 }}\n${{ env "DECK_MORE" }}\n'
    value = "- name: a\n- name: b"
    found = _read(text, DECK_S=value, DECK_MORE="upstreams:\n- name: u")
    assert found["services"] == [{"name": "a"}, {"name": "b"}]
    assert found["upstreams"] == [{"name": "u"}]


@pytest.mark.parametrize(
    ("text", "value", "message"),
    [
        (
            '"${{ env `DECK_X` }}"',
            f"{SECRET}\\77",
            "kong.yaml:2: in double quotes, the value has a",
        ),
        ("[${{ env `DECK_X` }}]", f"{SECRET}, b", "kong.yaml:2: the value is several items of a"),
        ('a ${{ env `DECK_X` | printf "%q" }}', SECRET, 'kong.yaml:2: printf "%q" makes a string'),
    ],
)
def test_a_value_that_would_be_another_one_is_refused(text: str, value: str, message: str) -> None:
    assert _refused(f"value: {text}\n", DECK_X=value).startswith(message)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{<<: [{minute: 1}, {minute: 10, policy: local}], hour: 2}",
         {"minute": 1, "policy": "local", "hour": 2}),
        ("{minute: 5, <<: [{minute: 1}, {minute: 10}]}", {"minute": 5}),
        ("{<<: {<<: {minute: 1, hour: 1}, minute: 2}}", {"minute": 2, "hour": 1}),
        ("{<<: [{<<: {minute: 1}}, {minute: 2}]}", {"minute": 1}),
    ],
)  # fmt: skip
def test_the_first_of_merged_mappings_wins(text: str, expected: Any) -> None:
    assert _read(f"value: {text}\n")["value"] == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("value: &x {a: {<<: *x}}\n", "kong.yaml:2: this is not valid YAML: found unconstructable"),
        ("value: &x\n  <<: *x\n", "kong.yaml:2: this mapping merges itself"),
        ("value:\n  <<: [5]\n", "kong.yaml:3: << takes a mapping or a list of mappings"),
        ("value:\n  <<: 5\n", "kong.yaml:3: << takes a mapping or a list of mappings"),
        ("${{ env `DECK_X` }}: 1\n${{ env `DECK_X` }}: 2\n", "kong.yaml:3: a key is written twice"),
    ],
)  # fmt: skip
def test_what_cannot_be_merged_is_refused_with_its_line(text: str, message: str) -> None:
    assert _refused(text, DECK_X=SECRET).startswith(message)


def test_places_and_texts_outlive_the_way_to_a_module() -> None:
    document = _read("services:\n  - name: 007\n    tags: [1.10, a]\n    port: 1\n")
    again = unpacked(json.loads(json.dumps(packed(document))))
    assert again == document and isinstance(again, Located)
    for found in (again, plain(document)):
        assert strings_of(found) == {"services": {0: {"name": "007", "tags": {0: "1.10"}}}}
        (service,) = found["services"]
        assert (where_of(service), place_of(service, "port")) == ("kong.yaml:3", "kong.yaml:5")


def test_two_files_that_write_one_number_differently_are_an_error() -> None:
    texts = [(f"{name}.yaml", HEAD + f"a: {text}\n") for name, text in (("a", "7"), ("b", "007"))]
    with pytest.raises(InputError, match="a.yaml:2 and b.yaml:2 have different values of a"):
        parse_state(texts, {}, str)


def test_lists_of_several_files_keep_their_strings() -> None:
    lists = ("snis: [007]", "snis: [a, 1.10]")
    texts = [(f"{at}.yaml", HEAD + f"_info: {{x: {{{text}}}}}\n") for at, text in enumerate(lists)]
    merged = parse_state(texts, {}, str)
    assert strings_of(merged) == {"_info": {"x": {"snis": {0: "007", 2: "1.10"}}}}

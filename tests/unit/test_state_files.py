# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""State files are found, read and merged as decK does, and no message shows a value."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.irishtek.kong.plugins.module_utils._document._located import (
    Located,
    where_of,
)
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError
from ansible_collections.irishtek.kong.plugins.plugin_utils._state_files import (
    parse_state,
    read_state,
)
from unit.recordings import TESTS

FIXTURES = sorted((TESTS / "fixtures/state").glob("*.yaml"))
SECRET = "s3cret-value"
HEAD = '_format_version: "3.0"\n'


def _decrypt(text: str) -> str:
    if "sealed" not in text:
        raise InputError("the encrypted text cannot be read: no password fits")
    return "open\nsesame"


def _read_text(path: str) -> str:
    return Path(path).read_text(encoding="utf-8")


def _parse(*texts: str, **environment: str) -> Located:
    names = (f"{letter}.yaml" for letter in "abcdefgh")
    return parse_state(list(zip(names, texts, strict=False)), environment, _decrypt)


def _refusal(*texts: str, **environment: str) -> str:
    with pytest.raises(InputError) as caught:
        _parse(*texts, **environment)
    assert SECRET not in caught.value.message
    assert caught.value.failure == {}
    return caught.value.message


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_files_say_what_yaml_says_and_know_their_lines(path: Path) -> None:
    document = read_state([str(path)], _read_text, {}, _decrypt)
    assert document == yaml.safe_load(path.read_text(encoding="utf-8"))
    lines = path.read_text(encoding="utf-8").splitlines()
    for target in document["upstreams"][0]["targets"]:
        file, number = where_of(target).rsplit(":", 1)
        assert file == str(path)
        assert target["target"] in lines[int(number) - 1]


def test_the_fixtures_are_there() -> None:
    assert len(FIXTURES) == 3


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_json_says_the_same_as_yaml(path: Path, tmp_path: Path) -> None:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    as_json = tmp_path / "kong.json"
    as_json.write_text(json.dumps(document, indent="\t"), encoding="utf-8")
    found = read_state([str(as_json)], _read_text, {}, _decrypt)
    assert found == document
    assert where_of(found["upstreams"][0]) != where_of(found) == f"{as_json}:1"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc:#'\"\\ {<=~1"), inner),
    max_leaves=12,
)  # fmt: skip


@given(JSON, st.booleans())
def test_every_json_document_is_read_as_it_is(value: Any, ascii_only: bool) -> None:
    written = {"_format_version": "3.0", "value": value}
    text = json.dumps(written, ensure_ascii=ascii_only)
    if not ascii_only and not text.isprintable():
        return
    assert parse_state([("kong.json", text)], {}, _decrypt) == written


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-01-31", "2024-01-31"),
        ("10:80", "10:80"),
        ("=", "="),
        ("1e3", 1000.0),
        ("0x1f", 31),
        ("-7", -7),
        ("1.5", 1.5),
        (".inf", ".inf"),
        ("1.2.3", "1.2.3"),
        ("yes", True),
        ("~", None),
        ("{1: a, on: b, null: c}", {"1": "a", "on": "b", "null": "c"}),
        ("!vault sealed", "open\nsesame"),
        ("!vault |\n  sealed\n", "open\nsesame"),
        ("{<<: {a: 1, b: 1}, b: 2}", {"a": 1, "b": 2}),
        ("{<<: [{a: 1}, {a: 2, c: 3}]}", {"a": 1, "c": 3}),
        ("[&x {a: 1}, *x]", [{"a": 1}, {"a": 1}]),
    ],
)
def test_values_are_those_that_json_has(text: str, expected: Any) -> None:
    value = _parse(f"{HEAD}value: {text}")["value"]
    assert value == expected
    assert type(value) is type(expected) or isinstance(value, Located)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a.yaml: the document is empty"),
        ("# nothing\n---\n", "a.yaml: the document is empty"),
        ("- 1\n", "a.yaml: a state file must be a mapping"),
        (SECRET, "a.yaml: a state file must be a mapping"),
        ("a: 1\nb: 2\na: 3\n", "a.yaml:3: the key a is written twice in one mapping, first at"),
        ("a: {b: 1,\n  b: 2}", "a.yaml:2: the key b is written twice in one mapping, first at"),
        ("? [a]\n: 1\n", "a.yaml:1: a key must be a string"),
        ("? !vault x\n: 1\n", "a.yaml:1: a key must be a string"),
        ("a:\n  <<: {? [x] : 1}\n", "a.yaml:2: a key must be a string"),
        (f"a: 1\nb: *{SECRET}\n", "a.yaml:2: this is not valid YAML: "),
        (f"a: 1\nb: @{SECRET}\n", "a.yaml:2: this is not valid YAML: "),
        (f"a: 1\nb: !{SECRET} x\n", "a.yaml:2: an unknown YAML tag; only !vault is supported"),
        (f"a: 1\nb: !{SECRET}'{SECRET} x\n", "a.yaml:2: "),
        ("a: !!timestamp 2024-01-01", "a.yaml:1: an unknown YAML tag; only !vault is supported"),
        ("a: !!python/name:os.system x", "a.yaml:1: an unknown YAML tag"),
        (f"a: !!int {SECRET}", "a.yaml: this is not valid YAML: it holds what YAML does not allow"),
        (f'a: "{SECRET}\n', "a.yaml:"),
        (f"a: '{SECRET}' {SECRET}\n", "a.yaml:"),
        (f"{SECRET}\x01: 1", "a.yaml"),
        ("a: &x [*x]", "a.yaml:1: this is not valid YAML: found unconstructable recursive node"),
        ("a: 1\n---\na: 2\n", "a.yaml:2: this is not valid YAML: a file can hold one document"),
        ("a: [1\nb: 2\n", "a.yaml:2: this is not valid YAML: did not find expected ',' or ']'"),
        ("a: !!map [1]", "a.yaml:1: this is not a mapping"),
        ("a: !!seq {b: 1}", "a.yaml:1: this is not a list"),
        ("a: !vault [1]", "a.yaml:1: !vault takes an encrypted string"),
        (f"a: 1\nb: !vault {SECRET}", "a.yaml:2: the encrypted text cannot be read: no password"),
    ],
)
def test_what_cannot_be_read_is_named_by_place_and_not_repeated(text: str, message: str) -> None:
    assert _refusal(text).startswith(message)


def test_lines_stay_those_of_the_file_behind_values_of_many_lines() -> None:
    text = HEAD + 'certificates:\n  - cert: |\n      ${{ env "DECK_CERT" | indent 6 }}\n    id: 1\n'
    document = _parse(text + "services:\n  - name: web\n", DECK_CERT="one\ntwo\nthree\n")
    assert document["certificates"][0]["cert"] == "one\ntwo\nthree\n"
    assert where_of(document["services"][0]) == "a.yaml:7"
    message = _refusal(text + "id: 1\nid: 2\n", DECK_CERT=f"{SECRET}\n{SECRET}")
    assert message.startswith("a.yaml:7: the key id is written twice in one mapping, first at")


@pytest.mark.parametrize("value", [f"*{SECRET}", f"@{SECRET}", f"'{SECRET}", f"!{SECRET}", "a: b"])
def test_a_value_that_breaks_the_yaml_is_not_shown(value: str) -> None:
    text = HEAD + '\npassword: ${{ env "DECK_PASSWORD" }}\nother: x: y\n'
    assert "a.yaml:" in _refusal(text, DECK_PASSWORD=value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("services: []", 'a.yaml:1: _format_version is missing, and must be "3.0"'),
        ("_format_version: null", 'a.yaml:1: _format_version is missing, and must be "3.0"'),
        (
            "services: []\n_format_version: 3.0",
            'a.yaml:2: _format_version must be a string: write "3.0" with quotes',
        ),
        (
            '_format_version: "1.1"',
            'a.yaml:1: _format_version must be "3.0": '
            "files for older gateways need to be converted first",
        ),
    ],
)
def test_only_the_format_of_kong_3_is_taken(text: str, message: str) -> None:
    assert _refusal(text) == message


def test_each_file_that_says_a_format_must_say_that_one() -> None:
    assert _refusal(HEAD, '_format_version: "1.1"').startswith("b.yaml:1: _format_version must be")


def test_one_file_of_several_says_the_format() -> None:
    document = _parse("services:\n- name: a\n", HEAD + "services:\n- name: b\n")
    assert document == {
        "_format_version": "3.0",
        "services": [{"name": "a"}, {"name": "b"}],
    }
    assert [where_of(each) for each in document["services"]] == ["a.yaml:2", "b.yaml:3"]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("services: [{name: a}]", "services: [{name: a}]", {"services": [{"name": "a"}] * 2}),
        (
            "_plugin_configs: {x: {a: 1, n: {b: [1]}}}",
            "_plugin_configs: {x: {a: 1, n: {b: [2], c: null}}, y: {}}",
            {"_plugin_configs": {"x": {"a": 1, "n": {"b": [1, 2], "c": None}}, "y": {}}},
        ),
        (
            "_info: {select_tags: [a, b], default_lookup_tags: {services: [s]}}",
            "_info: {select_tags: [b, c], default_lookup_tags: {services: [s], routes: [r]}}",
            {
                "_info": {
                    "select_tags": ["a", "b", "c"],
                    "default_lookup_tags": {"services": ["s"], "routes": ["r"]},
                }
            },
        ),
        ("_workspace: a", "_workspace: a", {"_workspace": "a"}),
    ],
)
def test_files_are_merged(first: str, second: str, expected: dict[str, Any]) -> None:
    assert _parse(HEAD + first, HEAD + second) == {"_format_version": "3.0", **expected}


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (
            f"_plugin_configs:\n  x: {{a: {SECRET}}}",
            f"_plugin_configs:\n  x:\n    a: {SECRET}2",
            "a.yaml:3 and b.yaml:4 have different values of _plugin_configs.x.a",
        ),
        ("a: 1", "a: true", "a.yaml:2 and b.yaml:2 have different values of a"),
        ("a: [1]", f"a: {SECRET}", "a.yaml:2 and b.yaml:2 have different values of a"),
        ("a: {b: 1}", "a: [b]", "a.yaml:2 and b.yaml:2 have different values of a"),
        ("a: null", "a: []", "a.yaml:2 and b.yaml:2 have different values of a"),
        ("_workspace: x", "_workspace: y", "a.yaml:2 and b.yaml:2 name two workspaces: x and y"),
        (
            "_konnect: {control_plane_name: x}",
            "_konnect: {control_plane_name: y}",
            "a.yaml:2 and b.yaml:2 name two control planes: x and y",
        ),
        (
            "_konnect: {control_plane_name: x}",
            "_konnect: {runtime_group_name: x}",
            "a.yaml:2 and b.yaml:2: control_plane_name and runtime_group_name mean the same; "
            "write the first",
        ),
    ],
)
def test_two_files_that_write_the_same_differently_are_an_error(
    first: str, second: str, message: str
) -> None:
    assert _refusal(HEAD + first, HEAD + second) == message


def test_the_third_file_is_named_where_it_differs() -> None:
    texts = [HEAD, HEAD + "a: 1", HEAD + "b: 1\n\na: 2"]
    assert _refusal(*texts) == "b.yaml:2 and c.yaml:4 have different values of a"


def test_merging_leaves_shared_anchors_alone() -> None:
    text = HEAD + "_plugin_configs:\n  x: &x {list: [1]}\n  y: *x\n"
    document = _parse(text, "_plugin_configs: {x: {list: [2]}}")
    assert document["_plugin_configs"] == {"x": {"list": [1, 2]}, "y": {"list": [1]}}


KEYS = st.text("abcdef", min_size=1, max_size=3)
DOCUMENTS = st.dictionaries(KEYS, st.integers() | st.lists(st.integers()), max_size=4)


@given(st.lists(DOCUMENTS, min_size=2, max_size=4), st.randoms())
def test_the_order_of_files_without_common_keys_has_no_meaning(
    documents: list[dict[str, Any]], random: Any
) -> None:
    apart = [
        {f"{position}{key}": value for key, value in document.items()}
        for position, document in enumerate(documents)
    ]
    texts = [HEAD + yaml.safe_dump(each) for each in apart if each]
    if len(texts) < 2:
        return
    shuffled = copy.copy(texts)
    random.shuffle(shuffled)
    assert _parse(*texts) == _parse(*shuffled)


def test_directories_are_read_whole_in_one_order(tmp_path: Path) -> None:
    (tmp_path / "kong/deep").mkdir(parents=True)
    names = ["b.yaml", "a.yml", "deep/c.JSON", "deep/ignored.txt"]
    for name in names:
        (tmp_path / "kong" / name).write_text(f'{{"services": [{{"name": "{name}"}}]}}')
    (tmp_path / "head.yaml").write_text("\ufeff" + HEAD, encoding="utf-8")
    paths = [str(tmp_path / "head.yaml"), str(tmp_path / "kong"), str(tmp_path / "kong/b.yaml")]
    document = read_state(paths, _read_text, {}, _decrypt)
    found = [each["name"] for each in document["services"]]
    assert found == ["a.yml", "b.yaml", "deep/c.JSON"]


def test_a_directory_without_state_files_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="the directory has no file that ends in .yaml, .yml, "):
        read_state([str(tmp_path)], _read_text, {}, _decrypt)


def test_no_path_at_all_is_an_error() -> None:
    with pytest.raises(InputError, match="src lists no file"):
        read_state([], _read_text, {}, _decrypt)


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (None, ": the file cannot be read: No such file"),
        (b"\xff\xfe", ":1: the file is not encoded in UTF-8"),
        (b"services:\n  - name: caf\xe9\n", ":2: the file is not encoded in UTF-8"),
    ],
)
def test_files_that_cannot_be_read_are_named(
    contents: bytes | None, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "kong.yaml"
    if contents is not None:
        path.write_bytes(contents)
    with pytest.raises(InputError) as caught:
        read_state([str(path)], _read_text, {}, _decrypt)
    assert caught.value.message.startswith(f"{path}{message}")


def test_a_file_with_nothing_but_the_format_is_a_document() -> None:
    assert _parse(HEAD) == {"_format_version": "3.0"}

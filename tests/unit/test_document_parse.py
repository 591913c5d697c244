# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A state file's document is taken apart, or refused with the place and without a secret."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.irishtek.kong.plugins.module_utils._document._format import (
    FOREIGN_SECTIONS,
    NESTED,
    ORDER,
    SECTIONS,
)
from ansible_collections.irishtek.kong.plugins.module_utils._document._located import Located
from ansible_collections.irishtek.kong.plugins.module_utils._document._parse import (
    Document,
    Item,
    parse,
)
from ansible_collections.irishtek.kong.plugins.module_utils._entities._registry import KINDS, LEVELS
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError

HEAD: dict[Any, Any] = {"_format_version": "3.0"}
ID = "11111111-2222-4333-8444-555555555555"
# The least that each kind needs, without what it lies below.
LEAST: dict[str, dict[str, Any]] = {
    "certificate": {"id": ID, "cert": "c", "key": "k"},
    "ca_certificate": {"cert": "c"},
    "vault": {"prefix": "v-a", "name": "env"},
    "key_set": {"name": "n"},
    "key": {"name": "n"},
    "consumer": {"username": "n"},
    "consumer_group": {"name": "n"},
    "consumer_group_member": {"consumer": "the-one"},
    "sni": {"name": "n"},
    "upstream": {"name": "n"},
    "target": {"target": "10.0.0.1"},
    "partial": {"name": "n", "type": "redis-ce"},
    "service": {"name": "n"},
    "route": {"name": "n"},
    "plugin": {"name": "cors"},
    "key_auth": {"key": "hidden"},
    "basic_auth": {"username": "n", "password": "hidden"},
    "hmac_auth": {"username": "n", "secret": "hidden"},
    "jwt": {"key": "n", "secret": "hidden"},
    "oauth2": {"client_id": "n", "client_secret": "hidden"},
    "acl": {"group": "n"},
    "mtls_auth": {"subject_name": "n"},
}
# Both a consumer and a group may say that they belong together.
IDENTIFIED = [kind for kind in ORDER if kind != "consumer_group_member"]
NESTS = [
    (owner, section, kind, back)
    for owner, sections in NESTED.items()
    for section, (kind, back) in sections.items()
]


def _parsed(**sections: Any) -> Document:
    return parse({**HEAD, **sections})


def _section(kind: str) -> str:
    return next(section for section, name in SECTIONS.items() if name == kind)


def _below(kind: str) -> dict[str, Any]:
    """What says where an entity of this kind lies."""
    parent = KINDS[kind].parent
    return {parent: "n"} if parent else {}


def _refused(document: Any) -> str:
    with pytest.raises(InputError) as caught:
        parse(document)
    assert "hidden" not in caught.value.message
    return caught.value.message


def _one(document: Document, kind: str) -> Item:
    (item,) = [item for item in document.items if item.kind.name == kind]
    return item


def test_every_kind_has_its_place_in_the_order_of_writing() -> None:
    assert set(SECTIONS.values()) == set(ORDER) == set(LEAST) == set(KINDS) - {"workspace"}
    for kind in ORDER:
        needed = [field.reference for field in KINDS[kind].fields if field.reference]
        for other in filter(None, [*needed, KINDS[kind].parent]):
            assert LEVELS[other] < LEVELS[kind], f"{kind} needs {other}"


@pytest.mark.parametrize(("owner", "section", "kind", "back"), NESTS)
def test_every_nesting(owner: str, section: str, kind: str, back: str) -> None:
    outer = {**LEAST[owner], section: [LEAST[kind]]}
    document = _parsed(**{_section(owner): [outer]})
    above, below = document.items
    assert (above.kind.name, below.kind.name) == (owner, kind)
    assert below.links[back] is above


@pytest.mark.parametrize(("owner", "section", "kind", "back"), NESTS)
@pytest.mark.parametrize("form", ["text", "name", "id"])
def test_every_nesting_written_flat(
    owner: str, section: str, kind: str, back: str, form: str
) -> None:
    reference = {"text": "the-one", "name": {"name": "the-one"}, "id": {"id": "the-one"}}[form]
    document = _parsed(**{_section(kind): [{**LEAST[kind], back: reference}]})
    assert _one(document, kind).links[back] == "the-one"


@pytest.mark.parametrize(("owner", "section", "kind", "back"), NESTS)
def test_a_nested_entity_names_no_other_than_what_it_nests_in(
    owner: str, section: str, kind: str, back: str
) -> None:
    identity = KINDS[owner].path_key or "id"
    outer = {**LEAST[owner], "id": ID}
    name = outer[identity]
    for same in (name, ID, {identity: name}, {"id": ID}, {"id": ID, identity: name}, None):
        inner = {**LEAST[kind], back: same}
        document = _parsed(**{_section(owner): [{**outer, section: [inner]}]})
        above, below = document.items
        assert below.links[back] is above and back not in below.written
    for other in ("other", {"id": ID.replace("1", "2")}, {"id": ID, identity: "other"}, {}):
        inner = {**LEAST[kind], back: other}
        message = _refused({**HEAD, _section(owner): [{**outer, section: [inner]}]})
        assert f"{back} is not the {owner}" in message


@pytest.mark.parametrize("kind", [kind for kind in ORDER if KINDS[kind].parent])
def test_what_lies_below_another_entity_has_to_say_which(kind: str) -> None:
    message = _refused({**HEAD, _section(kind): [LEAST[kind]]})
    assert f"{KINDS[kind].parent} is required" in message


def test_people_and_groups_know_each_other_from_both_sides() -> None:
    document = _parsed(
        consumers=[{"username": "alice", "groups": [{"name": "gold"}, "silver"]}],
        consumer_groups=[{"name": "bronze", "consumers": [{"username": "bob"}]}],
    )
    named = [item.describe() for item in document.items if item.kind.name.endswith("member")]
    assert named == [
        "consumer_group_member alice of consumer_group gold",
        "consumer_group_member alice of consumer_group silver",
        "consumer_group_member bob of consumer_group bronze",
    ]
    assert [item.label for item in document.listing] == ["alice", "bronze"]


@pytest.mark.parametrize("kind", ORDER)
def test_an_unknown_key_is_named_with_its_place(kind: str) -> None:
    parent = _below(kind)
    entry = Located({**LEAST[kind], **parent, "wieght": "hidden"}, "kong.yaml:12")
    message = _refused({**HEAD, _section(kind): [entry]})
    assert message.startswith(f"kong.yaml:12: {kind}") and "it has no field wieght" in message


@pytest.mark.parametrize("kind", ORDER)
def test_what_a_gateway_makes_up_is_passed_over(kind: str) -> None:
    parent = _below(kind)
    entry = {**LEAST[kind], **parent, "created_at": 1, "updated_at": 2}
    item = _one(_parsed(**{_section(kind): [entry]}), kind)
    assert not {"created_at", "updated_at"} & item.written.keys()


@pytest.mark.parametrize("kind", IDENTIFIED)
def test_the_same_entity_twice_is_named_with_both_places(kind: str) -> None:
    parent = _below(kind)
    entries = [Located({**LEAST[kind], **parent}, f"kong.yaml:{line}") for line in (3, 7)]
    message = _refused({**HEAD, _section(kind): entries})
    assert message.startswith(f"kong.yaml:7: {kind}")
    assert "is already defined at kong.yaml:3" in message


def test_addresses_that_mean_the_same_are_duplicates() -> None:
    targets = [{"target": "10.0.0.1"}, {"target": "10.0.0.1:8000"}]
    assert "already" in _refused({**HEAD, "upstreams": [{"name": "u", "targets": targets}]})
    two = [{"name": name, "targets": targets[:1]} for name in ("u", "v")]
    assert len(_parsed(upstreams=two).items) == 4


def test_plugins_are_duplicates_in_one_scope_only() -> None:
    cors = {"name": "cors"}
    services = [{"name": name, "plugins": [cors]} for name in ("a", "b")]
    assert len(_parsed(plugins=[cors], services=services).items) == 5
    assert "already" in _refused({**HEAD, "plugins": [cors, cors]})
    twice = {"name": "a", "plugins": [cors, cors]}
    assert "already" in _refused({**HEAD, "services": [twice]})


def test_defaults_of_the_document_lie_under_what_is_written() -> None:
    info = {"defaults": {
        "upstream": {"slots": 20, "healthchecks": {"threshold": 5}}, "target": {"weight": 7},
        "service": {"retries": 0}, "route": {"strip_path": False},
    }}  # fmt: skip
    upstream = {"name": "u", "healthchecks": {"active": {"timeout": 3}},
                "targets": [{"target": "a"}, {"target": "b", "weight": 0}]}  # fmt: skip
    document = _parsed(
        _info=info, upstreams=[upstream],
        services=[{"name": "s", "routes": [{"name": "r", "strip_path": True}]}],
    )  # fmt: skip
    written = _one(document, "upstream").written
    assert written["slots"] == 20
    assert written["healthchecks"] == {"threshold": 5, "active": {"timeout": 3}}
    weights = [item.written["weight"] for item in document.items if item.kind.name == "target"]
    assert weights == [7, 0]
    assert _one(document, "service").written["retries"] == 0
    assert _one(document, "route").written["strip_path"] is True


def test_shared_settings_lie_under_a_plugins_own() -> None:
    shared = {"rl": {"minute": 5, "redis": {"host": "a", "port": 1}}, "empty": None}
    own = {"name": "rate-limiting", "_config": "rl", "config": {"redis": {"port": 2}, "hour": 9}}
    document = _parsed(_plugin_configs=shared, plugins=[own])
    assert _one(document, "plugin").written["config"] == {
        "minute": 5, "hour": 9, "redis": {"host": "a", "port": 2},
    }  # fmt: skip
    assert shared["rl"] == {"minute": 5, "redis": {"host": "a", "port": 1}}
    empty = _parsed(_plugin_configs=shared, plugins=[{"name": "cors", "_config": "empty"}])
    assert _one(empty, "plugin").written["config"] == {}
    message = _refused({**HEAD, "plugins": [{"name": "cors", "_config": "none"}]})
    assert "_plugin_configs has no none" in message


def test_select_tags_are_added_once() -> None:
    services = [{"name": "s", "tags": ["b", "own"], "routes": [{"name": "r"}]}]
    document = _parsed(_info={"select_tags": ["own", "too", "own"]}, services=services)
    assert document.select_tags == ("own", "too")
    assert _one(document, "service").written["tags"] == ["b", "own", "too"]
    assert _one(document, "route").written["tags"] == ["own", "too"]
    assert parse({**HEAD, "services": services}, ["own"]).select_tags == ("own",)


def test_an_address_is_spelled_out_and_explicit_parts_win() -> None:
    service = {"name": "s", "url": "https://a.test/x", "port": 8443}
    item = _one(_parsed(services=[service]), "service")
    assert item.written == {
        "name": "s", "protocol": "https", "host": "a.test", "port": 8443, "path": "/x",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("defaults", "service", "expected"),
    [
        (
            {"path": "/d", "port": 9, "protocol": "https"},
            {"url": "http://a.test"},
            ("http", "a.test", 80, "/d"),
        ),
        ({"path": "/d"}, {"url": "http://a.test/x"}, ("http", "a.test", 80, "/x")),
        ({"port": 9}, {"url": "http://a.test", "port": 7}, ("http", "a.test", 7, None)),
        ({"url": "https://a.test/x"}, {}, ("https", "a.test", 443, "/x")),
        ({"url": "https://a.test/x"}, {"host": "b.test"}, ("https", "b.test", 443, "/x")),
    ],
)
def test_a_url_wins_over_defaults_of_the_document(
    defaults: dict[str, Any], service: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    document = _parsed(
        _info={"defaults": {"service": defaults}}, services=[{"name": "s", **service}]
    )
    written = _one(document, "service").written
    assert tuple(written[name] for name in ("protocol", "host", "port", "path")) == expected


@pytest.mark.parametrize(
    ("field", "written", "value"),
    [
        ("slots", "20", 20),
        ("slots", 20.0, 20),
        ("use_srv_name", "true", True),
        ("name", 4711, "4711"),
        ("tags", [4711], ["4711"]),
        ("tags", [], None),
        ("healthchecks", {"threshold": "5.5"}, {"threshold": 5.5}),
    ],
)
def test_values_are_taken_in_their_types(field: str, written: Any, value: Any) -> None:
    item = _one(_parsed(upstreams=[{"name": "u", field: written}]), "upstream")
    assert item.written[field] == value and type(item.written[field]) is type(value)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"slots": "many"}, "slots: a string is not a number"),
        ({"slots": True}, "slots: a boolean is not a number"),
        ({"slots": 5}, "slots must be from"),
        ({"slots": [1]}, "slots: a list is not a number"),
        ({"use_srv_name": "perhaps"}, "use_srv_name: a string is not a boolean"),
        ({"tags": "red"}, "tags: a string is not a list"),
        ({"tags": [["red"]]}, "tags.1: a list is not a string"),
        ({"tags": ["a,b"]}, "must not contain a comma"),
        ({"healthchecks": []}, "healthchecks: a list is not a dictionary"),
        ({"healthchecks": {"active": {"timeout": "x"}}}, "healthchecks.active.timeout: a string"),
        ({"name": None}, "name cannot be null"),
        ({"name": ["u"]}, "name: a list is not a string"),
        ({"id": ["u"]}, "a list is not a string"),
        ({"targets": {"target": "a"}}, "targets is not a list"),
        ({"targets": ["a"]}, "entry 1 of targets is not a mapping"),
        ({"targets": [{"weight": 1}]}, "it needs target or id"),
        ({"targets": [{"target": "a:b:c"}]}, "target"),
        ({"targets": [{"target": "a", "weight": -1}]}, "weight must be from 0 to 65535, got -1"),
        ({"client_certificate": ["x"]}, "client_certificate is neither a name or id"),
        ({"host_header": "********"}, "host_header is masked"),
    ],
)
def test_a_wrong_value_is_named_with_its_place(fields: dict[str, Any], words: str) -> None:
    entry = Located({"name": "u", **fields}, "kong.yaml:5")
    message = _refused({**HEAD, "upstreams": [entry]})
    assert words in message, message
    assert "kong.yaml:5: upstream" in message or "content: target" in message


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({}, '_format_version must be "3.0"'),
        ({"_format_version": "1.1"}, '_format_version must be "3.0"'),
        ({**HEAD, "_transform": False, "oauth2_credentials": [{}]}, "_transform false is not"),
        (
            {**HEAD, "_transform": False, "consumers": [{"basicauth_credentials": [{}]}]},
            "_transform false is not supported for passwords",
        ),
        ({**HEAD, "_info": {"skip_hash_for_basic_auth": True}}, "passwords are hashed already"),
        ({**HEAD, "_konnect": {"control_plane_name": "x"}}, "ignore_konnect"),
        ({**HEAD, "x-common": {}}, "x-common is not a section of a state file"),
        ({**HEAD, 5: {}}, "5 is not a section of a state file"),
        ({**HEAD, "services": {"name": "s"}}, "services is not a list"),
        ({**HEAD, "services": "s"}, "services is not a list"),
        ({**HEAD, "services": ["s"]}, "entry 1 of services is not a mapping"),
        ({**HEAD, "_info": ["x"]}, "_info is not a mapping"),
        ({**HEAD, "_info": {"select_tags": "x"}}, "_info.select_tags is not a list of strings"),
        ({**HEAD, "_info": {"select_tags": [["x"]]}}, "_info.select_tags is not a list of strings"),
        ({**HEAD, "_info": {"defaults": []}}, "defaults is not a mapping"),
        ({**HEAD, "_plugin_configs": ["x"]}, "_plugin_configs is not a mapping"),
        *(({**HEAD, name: []}, f"{name} are not managed") for name in FOREIGN_SECTIONS),
    ],
)
def test_a_document_that_is_none(document: dict[Any, Any], words: str) -> None:
    assert words in _refused(document)


def test_the_export_of_a_gateway_has_nulls_in_place_of_lists() -> None:
    entry = {"id": "1", "cert": "c", "key": "k", "snis": None, "created_at": 1}
    cluster = [{"key": "cluster_id", "value": "2"}]
    route = {"id": "3", "name": None, "paths": ["/a"]}
    document = parse({
        **HEAD, "_transform": False, "certificates": [entry], "routes": [route],
        "parameters": cluster,
    })  # fmt: skip
    assert [item.written["id"] for item in document.items] == ["1", "3"]


def test_empty_sections_and_an_empty_konnect_are_nothing() -> None:
    document = parse({**HEAD, "services": [], "_konnect": None, "_info": None, "_transform": True})
    assert (document.items, document.kinds, document.select_tags) == ([], [], ())


def test_tags_of_the_task_and_of_the_document_must_agree() -> None:
    document = {**HEAD, "_info": {"select_tags": ["a", "b"]}}
    assert parse(document, ["b", "a"]).select_tags == ("a", "b")
    with pytest.raises(InputError, match="_info.select_tags is a, b, and select_tags is a"):
        parse(document, ["a"])


@pytest.mark.parametrize("kind", IDENTIFIED)
def test_what_nothing_tells_apart_is_refused(kind: str) -> None:
    parent = _below(kind)
    message = _refused({**HEAD, _section(kind): [{**parent, "tags": ["x"]}]})
    assert "it needs " in message


def test_a_certificate_is_told_by_the_names_it_serves() -> None:
    entry = {"cert": "c", "key": "k"}
    assert len(_parsed(certificates=[{**entry, "snis": ["a.test", {"name": "b.test"}]}]).items) == 3
    assert "it needs " in _refused({**HEAD, "certificates": [entry]})


_LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.floats()
_KEYS = st.sampled_from(
    ["name", "id", "target", "service", "plugins", "routes", "tags", "config", "_config", "cert",
     "username", "groups", "consumers", "key", "jwk", "pem", "snis", "url", "healthchecks", "x"]
) | st.integers()  # fmt: skip
_JSON = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
_TOP = st.sampled_from([*SECTIONS, "_info", "_plugin_configs", "_workspace"])


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(_TOP, _JSON | st.lists(st.dictionaries(_KEYS, _JSON, max_size=4))))
def test_whatever_stands_there_is_taken_or_refused_with_a_sentence(sections: Any) -> None:
    try:
        document = parse({**HEAD, **sections})
    except InputError as exc:
        assert exc.message.strip()
    else:
        assert all(item.kind.name in ORDER for item in document.items)


@pytest.mark.parametrize("kind", ORDER)
def test_notes_and_digests_are_dropped_in_every_entity(kind: str) -> None:
    notes = {"_comment": "words", "_ignore": [{"any": 1}], "cert_digest": "d"}
    entry = {**LEAST[kind], **_below(kind), **notes}
    top = {"_comment": "words", "_ignore": []}
    item = _one(_parsed(**top, **{_section(kind): [entry]}), kind)
    assert not notes.keys() & item.written.keys()


def test_members_are_read_from_a_list_of_their_own() -> None:
    document = _parsed(
        consumer_group_consumers=[
            {"consumer": "alice", "consumer_group": {"name": "gold"}, "created_at": 1},
            {"consumer": {"custom_id": "4711"}, "consumer_group": "gold"},
        ],
        consumers=[{"username": "bob", "consumer_group_consumers": [{"consumer_group": "gold"}]}],
        consumer_groups=[{"name": "tin", "consumer_group_consumers": [{"consumer": "bob"}]}],
    )
    named = {
        tuple(
            link.label if isinstance(link, Item) else link
            for link in (item.links["consumer_group"], item.links["consumer"])
        )
        for item in document.items
        if item.kind.name == "consumer_group_member"
    }
    assert named == {("gold", "alice"), ("gold", "4711"), ("gold", "bob"), ("tin", "bob")}


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"consumer": "alice"}, "consumer_group is required"),
        ({"consumer_group": "gold"}, "it needs consumer or"),
        ({"consumer": "alice", "consumer_group": "gold", "group": 1}, "it has no field group"),
        ({"consumer": "alice", "consumer_group": ["gold"]}, "consumer_group is neither a name"),
    ],
)
def test_a_membership_without_both_ends_is_named_with_its_place(
    entry: dict[str, Any], words: str
) -> None:
    message = _refused({**HEAD, "consumer_group_consumers": [Located(entry, "kong.yaml:7")]})
    assert message.startswith("kong.yaml:7: consumer_group_member") and words in message


def test_a_custom_id_is_no_username() -> None:
    document = _parsed(plugins=[
        {"name": "cors", "consumer": {"custom_id": "a"}}, {"name": "cors", "consumer": "a"},
    ])  # fmt: skip
    links = [item.links["consumer"] for item in document.items]
    assert [getattr(link, "field", "") for link in links] == ["custom_id", ""]


@pytest.mark.parametrize("path", ["/x/([^/]+)", r"/a\.b", "/a.*", "/x$", "^/x", "/[0-9]", "/a|b"])
def test_a_path_that_lost_its_tilde_is_named_with_its_place(path: str) -> None:
    route = Located({"name": "r", "paths": ["/ok", path]}, "kong.yaml:3", {"paths": "kong.yaml:5"})
    (warning,) = _parsed(routes=[route]).warnings
    assert warning.startswith(f"kong.yaml:5: route r: the path {path} ") and f"~{path}" in warning


def test_an_address_whose_end_may_be_a_port_is_named_with_its_place() -> None:
    target = Located({"target": "fd00::7c46:80"}, "kong.yaml:3", {"target": "kong.yaml:4"})
    (warning,) = _parsed(upstreams=[{"name": "u", "targets": [target]}]).warnings
    assert warning.startswith("kong.yaml:4: target [fd00:")
    assert "write [fd00::7c46]:80 if port 80 is meant" in warning


def test_other_paths_give_no_warning() -> None:
    paths = ["/", "/a.b", "/a-b_c~d", "/%7Ex", "/a:b", "/@x,y;z='1'", "~/a.*$", "~/(?<id>[0-9]+)"]
    assert _parsed(routes=[{"name": "r", "paths": paths}]).warnings == []


@pytest.mark.parametrize("name", ["s", ID])
def test_a_plugin_at_the_top_and_one_that_is_nested_are_one(name: str) -> None:
    service = {"id": ID, "name": "s", "plugins": [{"name": "cors"}]}
    for reference in (name, {"id": ID}, {"name": "s"}):
        plugin = Located({"name": "cors", "service": reference}, "kong.yaml:9")
        message = _refused({**HEAD, "services": [service], "plugins": [plugin]})
        assert message.startswith("kong.yaml:9: plugin cors is already defined at content")

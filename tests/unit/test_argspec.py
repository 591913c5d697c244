# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a user wrote survives ansible-core: explicit nulls, and nothing that was not written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.irishtek.kong.plugins.module_utils import _argspec
from ansible_collections.irishtek.kong.plugins.module_utils._argspec import (
    ArgumentSpec,
    options_of,
    refuse_unsendable,
    remove_nulls,
    restore_nulls,
)
from ansible_collections.irishtek.kong.plugins.module_utils._connection_options import (
    connection_from,
    secrets_in,
)
from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import Field
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError
from ansible_collections.irishtek.kong.plugins.module_utils._operations._target import KONG_TARGET
from ansible_collections.irishtek.kong.plugins.module_utils._operations._upstream import (
    KONG_UPSTREAM,
)

FIELDS = (
    Field("name", nullable=False),
    Field("path"),
    Field("retries", "int"),
    Field("mode", choices=("a", "b")),
    Field("enabled", "bool"),
    Field("tags", "list", elements="str"),
    Field("map", "dict"),
    Field(
        "record",
        "dict",
        fields=(
            Field("timeout", "float"),
            Field("inner", "dict", fields=(Field("count", "int"), Field("text"))),
        ),
    ),
    Field(
        "items",
        "list",
        elements="dict",
        fields=(Field("key", required=True), Field("weight", "int"), Field("note")),
    ),
)
SPEC = options_of(FIELDS)
CONNECTED = {"validate_certs": True, "request_timeout": 10.0, "request_retries": 3}


def _taken(
    raw: dict[str, Any], spec: dict[str, Any] | None = None
) -> tuple[dict[str, Any], list[tuple[Any, ...]], list[str]]:
    """Parameters without nulls, where the nulls stood, and the warnings."""
    warnings: list[str] = []
    return (*remove_nulls(FIELDS, spec or SPEC, raw, warnings.append), warnings)


def _through(raw: dict[str, Any]) -> dict[str, Any]:
    """Parameters as an operation gets them: nulls out, ansible-core's validation, nulls in."""
    clean, nulls, warnings = _taken(raw)
    assert warnings == []
    validated = ArgumentSpecValidator(SPEC).validate(clean)
    assert validated.error_messages == []
    return restore_nulls(validated.validated_parameters, FIELDS, nulls)


@pytest.mark.parametrize(
    "written",
    [
        {},
        {"name": "a", "path": None},
        {"retries": None, "mode": None, "enabled": None, "tags": None, "map": None},
        {"record": None},
        {"record": {"timeout": None}},
        {"record": {"timeout": 1.5, "inner": None}},
        {"record": {"inner": {"count": None, "text": "x"}}},
        {"items": None},
        {"items": [{"key": "a"}, {"key": "b", "weight": None, "note": None}, {"key": "c"}]},
        {"items": [{"key": "a", "weight": 0}], "enabled": False, "retries": 0, "tags": []},
        {"map": {"x": None}},
        {"path": ""},
    ],
)
def test_what_is_written_arrives_as_written(
    written: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_argspec, "_NONE_IS_EMPTY", False)
    assert _through(written) == written


@pytest.mark.parametrize(
    "raw", [{"name": None}, {"items": [{"key": None}]}, {"items": [{"key": "a"}, {"key": None}]}]
)
def test_null_on_what_must_be_there_is_an_error(raw: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="must not be null"):
        _taken(raw)


def test_an_option_that_is_left_out_is_not_written() -> None:
    assert restore_nulls({"kinds": None, "health": False}, (), []) == {"health": False}
    assert restore_nulls({"path": None, "record": {"timeout": None}}, FIELDS, []) == {"record": {}}


def test_nulls_of_other_options_are_left_to_ansible() -> None:
    raw = {"admin_url": None, "state": None, "path": None}
    assert _taken(raw) == ({"admin_url": None, "state": None}, [("path",)], [])


def test_a_null_under_an_alias_counts_for_its_field() -> None:
    spec = {**SPEC, "path": {"type": "str", "aliases": ["route"]}}
    assert _taken({"route": None}, spec) == ({}, [("path",)], [])
    assert _taken({"route": "/x"}, spec) == ({"route": "/x"}, [], [])


NO_STRINGS = ["retries", "mode", "enabled", "tags", "map", "record", "items"]
OTHERS = {**SPEC, "state": {"type": "str"}, "kinds": {"type": "list", "elements": "str"}}


@pytest.mark.parametrize("name", NO_STRINGS)
def test_an_empty_string_is_refused_where_no_string_can_be(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_argspec, "_NONE_IS_EMPTY", False)
    with pytest.raises(InputError, match=f"^{name} must not be an empty string; use null"):
        _taken({name: ""})


@pytest.mark.parametrize(
    ("raw", "at"),
    [
        ({"record": {"timeout": ""}}, "record.timeout"),
        ({"record": '{"inner": {"count": ""}}'}, "record.inner.count"),
        ({"items": [{"key": "a"}, {"key": "b", "weight": ""}]}, "items.2.weight"),
        ({"kinds": ""}, "kinds"),
    ],
)
def test_an_empty_string_inside_is_refused_by_its_place(
    raw: dict[str, Any], at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_argspec, "_NONE_IS_EMPTY", False)
    with pytest.raises(InputError, match=f"^{at} must not be an empty string"):
        _taken(raw, OTHERS)


def test_an_empty_string_is_a_value_of_a_string(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_argspec, "_NONE_IS_EMPTY", False)
    raw = {"path": "", "record": {"inner": {"text": ""}}, "items": [{"key": "a", "note": ""}]}
    assert _taken(raw) == (raw, [], [])


@pytest.mark.parametrize("name", [*NO_STRINGS, "path"])
def test_before_ansible_core_2_19_an_empty_string_is_null_with_a_warning(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_argspec, "_NONE_IS_EMPTY", True)
    clean, nulls, warnings = _taken({name: ""})
    assert (clean, nulls) == ({}, [(name,)])
    assert [warning.partition(",")[0] for warning in warnings] == [
        f"{name} is an empty string and is taken as null"
    ]


def test_before_ansible_core_2_19_an_empty_list_option_is_left_out_with_a_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_argspec, "_NONE_IS_EMPTY", True)
    clean, nulls, warnings = _taken({"kinds": "", "state": ""}, OTHERS)
    assert (clean, nulls, len(warnings)) == ({"state": ""}, [], 1)


def test_an_empty_identity_or_reference_is_never_null(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_argspec, "_NONE_IS_EMPTY", True)
    fields = (Field("name", nullable=False), Field("service", reference="service"))
    raw = {"name": "", "service": ""}
    assert remove_nulls(fields, options_of(fields), raw, pytest.fail) == (raw, [])


def test_a_reference_is_also_taken_as_a_gateway_returns_it() -> None:
    fields = (Field("service", reference="service"), Field("consumer", reference="consumer"))
    raw = {"service": {"id": "4"}, "consumer": {"username": "shop"}}
    taken, nulls = remove_nulls(fields, options_of(fields), raw, pytest.fail)
    assert (taken, nulls) == ({"service": "4", "consumer": "shop"}, [])


@pytest.mark.parametrize("wrong", [{}, {"id": None}, {"nmae": "a"}, {"id": "4", "name": "a"}])
def test_a_reference_of_another_form_is_refused(wrong: dict[str, Any]) -> None:
    fields = (Field("service", reference="service"),)
    with pytest.raises(InputError, match="service must be a name or an ID"):
        remove_nulls(fields, options_of(fields), {"service": wrong}, pytest.fail)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"retris": 5}, "Unsupported parameter retris; did you mean retries?"),
        ({"rout": "/"}, "Unsupported parameter rout; did you mean route?"),
        (
            {"record": {"innr": {}}},
            "Unsupported parameter record.innr; did you mean inner?",
        ),
        (
            {"items": [{"key": "a"}, {"key": "b", "wieght": 1}]},
            "Unsupported parameter items.2.wieght; did you mean weight?",
        ),
    ],
)
def test_a_misspelled_option_is_told_the_nearest_one(raw: dict[str, Any], message: str) -> None:
    spec = {**SPEC, "path": {"type": "str", "aliases": ["route"]}}
    with pytest.raises(InputError) as caught:
        _taken(raw, spec)
    assert caught.value.message == message


def test_an_option_that_is_like_none_is_left_to_ansible() -> None:
    raw = {"zzz": 1, "_ansible_tags": 2}
    assert _taken(raw) == (raw, [], [])


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"request_timeout": float("nan")}, "request_timeout must be a finite number"),
        ({"workspace": "a\ud800"}, "workspace contains a lone surrogate"),
        (
            {"admin_headers": {"X": [float("-inf")]}},
            "admin_headers.X.1 must be a finite number",
        ),
        ({"admin_headers": {"\udfff": 1}}, "a key of admin_headers contains a lone surrogate"),
    ],
)
def test_what_no_request_can_hold_is_refused_by_the_name_of_the_option(
    params: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        refuse_unsendable(KONG_TARGET.spec, params)


QUOTES = "got a boolean; put it in quotes"


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"path": True}, f"path must be a string, {QUOTES}"),
        ({"name": ["a"]}, "name must be a string, got a list"),
        ({"path": {"id": "a"}}, "path must be a string, got a dictionary"),
        ({"state": False}, f"state must be a string, {QUOTES}"),
        ({"tags": ["a", False]}, f"tags.2 must be a string, {QUOTES}"),
        ({"tags": [["a"], "b"]}, "tags.1 must be a string, got a list"),
        ({"tags": ["a", None]}, "tags.2 must not be null"),
        ({"kinds": [True]}, f"kinds.1 must be a string, {QUOTES}"),
        ({"retries": True}, "retries must be a number, got a boolean"),
        ({"record": {"timeout": False}}, "record.timeout must be a number, got a boolean"),
        ({"record": True}, "record must be a dictionary, got a boolean"),
        ({"record": [{"timeout": 1}]}, "record must be a dictionary, got a list"),
        ({"record": {"inner": 5}}, "record.inner must be a dictionary, got a number"),
        ({"record": {"inner": {"text": True}}}, f"record.inner.text must be a string, {QUOTES}"),
        ({"items": "a:80"}, "items must be a list, got a string"),
        ({"items": {"key": "a"}}, "items must be a list, got a dictionary"),
        ({"tags": True}, "tags must be a list, got a boolean"),
        ({"map": ["a"]}, "map must be a dictionary, got a list"),
        ({"map": "a: b"}, "map must be a dictionary, got a string"),
        ({"items": ["a:80"]}, "items.1 must be a dictionary, got a string"),
        ({"items": [{"key": "a"}, 5]}, "items.2 must be a dictionary, got a number"),
        ({"items": [{"key": "a", "note": []}]}, "items.1.note must be a string, got a list"),
    ],
)
def test_what_ansible_core_would_make_a_string_of_or_stop_at_is_refused_by_its_place(
    raw: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        _taken(raw, OTHERS)
    assert caught.value.message == message


@pytest.mark.parametrize(
    "raw",
    [
        {"name": 5, "path": 1.5, "tags": [1, 2.5]},
        {"tags": "a,b", "kinds": "a"},
        {"record": "timeout=5", "items": ["key=b weight=5"]},
        {"map": {"a": True}, "enabled": "yes"},
    ],
)
def test_what_ansible_core_converts_is_left_to_it(raw: dict[str, Any]) -> None:
    assert _taken(raw, OTHERS) == (raw, [], [])


def test_the_values_in_a_secret_that_is_written_as_a_dictionary_are_not_masked_elsewhere() -> None:
    fields = (Field("jwk", "json", secret=True),)
    spec, jwk = options_of(fields), {"kty": "oct", "kid": "a"}
    raw, _nulls = remove_nulls(fields, spec, {"jwk": jwk}, pytest.fail)
    assert ArgumentSpecValidator(spec).validate(raw)._no_log_values == {json.dumps(jwk)}


def test_taking_nulls_leaves_the_raw_parameters_alone() -> None:
    raw = {"record": {"timeout": None}, "items": [{"key": "a", "weight": None}]}
    _taken(raw)
    assert raw == {"record": {"timeout": None}, "items": [{"key": "a", "weight": None}]}


def test_gateway_fields_have_no_defaults_in_the_argument_spec() -> None:
    def defaults(spec: dict[str, Any]) -> list[str]:
        return [name for name, option in spec.items() if "default" in option] + [
            name for option in spec.values() for name in defaults(option.get("options", {}))
        ]

    assert defaults(options_of(KONG_UPSTREAM.spec.fields)) == []


def _errors(spec: ArgumentSpec, params: dict[str, Any]) -> list[str]:
    validator = ArgumentSpecValidator(spec.to_spec(), **spec.constraints())
    messages: list[str] = validator.validate(params).error_messages
    return messages


@pytest.mark.parametrize(
    ("spec", "params", "message"),
    [
        (KONG_TARGET.spec, {"upstream": "u", "target": "a", "targets": []}, "mutually exclusive"),
        (KONG_TARGET.spec, {"upstream": "u"}, "one of the following is required: target, targets"),
        (KONG_TARGET.spec, {"target": "a"}, "missing required arguments: upstream"),
        (
            KONG_TARGET.spec,
            {"upstream": "u", "targets": [{"weight": 1}]},
            "missing required arguments: target",
        ),
        (KONG_UPSTREAM.spec, {"slots": 10}, "one of the following is required: name, id"),
        (KONG_UPSTREAM.spec, {"name": "u", "client_cert": "/c"}, "client_cert, client_key"),
        (KONG_UPSTREAM.spec, {"name": "u", "algorithm": "x"}, "value of algorithm must be one of"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    spec: ArgumentSpec, params: dict[str, Any], message: str
) -> None:
    errors = _errors(spec, params)
    assert len(errors) == 1
    assert message in errors[0]


def test_options_that_go_together_are_taken() -> None:
    assert _errors(KONG_TARGET.spec, {"upstream": "u", "target": "a", "weight": 1}) == []
    assert _errors(KONG_UPSTREAM.spec, {"id": "1", "client_cert": "/c", "client_key": "/k"}) == []


def test_the_connection_has_everything_that_is_written() -> None:
    connection = connection_from(
        {
            **CONNECTED,
            "admin_url": " https://gw.test:8444/\n",
            "admin_token": "t",
            "admin_headers": {"X-A": 1},
            "workspace": "team",
        }
    )
    assert connection.url == "https://gw.test:8444"
    assert connection.workspace_url == "https://gw.test:8444/team"
    assert connection.headers == (("X-A", "1"), ("Kong-Admin-Token", "t"))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "one of the following is required: admin_url .or KONG_ADMIN_URL., konnect_token"),
        ({"admin_url": ""}, "one of the following is required: admin_url"),
        ({"admin_url": "gw.test:8001"}, "must begin with http:// or https:// and a host"),
        ({"admin_url": "http://"}, "must begin with http:// or https:// and a host"),
        ({"admin_url": "ftp://gw.test"}, "must begin with http:// or https:// and a host"),
        ({"admin_url": "http://gw.test", "request_timeout": 0.0}, "must be greater than 0, got 0"),
        ({"admin_url": "http://gw.test", "request_retries": -1}, "must be at least 0, got -1"),
        ({"admin_url": "http://gw.test:port"}, "is not the URL of an Admin API"),
        ({"admin_url": "http://.gw.test"}, "is not the URL of an Admin API"),
        ({"admin_url": "http://gw..test:8001"}, "is not the URL of an Admin API"),
        ({"admin_url": f"http://{'a' * 64}.test"}, "is not the URL of an Admin API"),
        ({"admin_url": "http://[::1"}, "is not the URL of an Admin API"),
        ({"admin_url": "http://gw.test", "admin_token": "a\nb"}, "must be printable ASCII"),
    ],
)
def test_a_connection_that_cannot_be_is_refused_with_a_reason(
    params: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        connection_from({**CONNECTED, **params})


@pytest.mark.parametrize(
    "url",
    ["http://a:correct-horse@gw.test", "http://:correct-horse@gw.test", "http://correct-horse@gw",
     "a:correct-horse@gw.test:8001", "http://a:correct-horse@[::1", "http://a:correct-horse@gw:x"],
)  # fmt: skip
def test_credentials_in_the_url_are_refused_without_repeating_them(url: str) -> None:
    with pytest.raises(InputError, match="admin_url") as caught:
        connection_from({**CONNECTED, "admin_url": url})
    assert "correct-horse" not in str(caught.value)


@pytest.mark.parametrize("token", ["correct-horse ", " correct-horse", "correct-h\u00f6rse"])
def test_a_token_that_no_header_can_hold_is_refused_without_repeating_it(token: str) -> None:
    with pytest.raises(InputError, match="^admin_token must be printable") as caught:
        connection_from({**CONNECTED, "admin_url": "http://gw.test", "admin_token": token})
    assert token.strip() not in str(caught.value)


@pytest.mark.parametrize("name", ["X A", "", "X:A", "X-\u00c4"])
def test_a_header_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="header"):
        connection_from({**CONNECTED, "admin_url": "http://gw.test", "admin_headers": {name: "v"}})


def test_a_null_header_is_not_sent_as_the_text_none() -> None:
    connection = connection_from(
        {**CONNECTED, "admin_url": "http://gw.test", "admin_headers": {"X-A": None}}
    )
    assert connection.headers == ()


@pytest.mark.parametrize(
    ("workspace", "path"), [("team", "/team"), ("a b", "/a%20b"), ("a/b", "/a%2Fb")]
)
def test_a_workspace_is_one_segment_of_the_path(workspace: str, path: str) -> None:
    connection = connection_from(
        {**CONNECTED, "admin_url": "http://gw.test", "workspace": workspace}
    )
    assert connection.workspace_url == f"http://gw.test{path}"


@pytest.mark.parametrize(
    ("params", "secrets"),
    [
        ({"admin_url": "http://a:b@c"}, {"b"}),
        ({"admin_url": "http://c"}, set()),
        ({"admin_url": "http://[::1"}, set()),
        ({"admin_url": 5}, set()),
        ({}, set()),
        ({"status_urls": ["http://a:b@c", "http://a:d@c"]}, {"b", "d"}),
        ({"status_urls": "http://a:b@c"}, {"b"}),
        ({"admin_headers": {"Authorization": "Bearer t0ken", "X-Env": "prod"}},
         {"Bearer t0ken", "t0ken"}),
        ({"admin_headers": {"X-Api-Key": "k", "Cookie": None}}, {"k"}),
        ({"admin_headers": "X-Env=prod"}, set()),
    ],
)  # fmt: skip
def test_secrets_of_the_connection_are_found_to_be_hidden(
    params: dict[str, Any], secrets: set[str]
) -> None:
    assert secrets_in(params) == secrets

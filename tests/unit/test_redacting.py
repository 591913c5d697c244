# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A gateway repeats what it refuses: no secret stays in an error, or in what a log is told."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._apply import apply, present
from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import Entity, Field
from ansible_collections.irishtek.kong.plugins.module_utils._entities._registry import KINDS
from ansible_collections.irishtek.kong.plugins.module_utils._errors import MASKED, KongError
from ansible_collections.irishtek.kong.plugins.module_utils._plan import plan_present
from ansible_collections.irishtek.kong.plugins.module_utils._secrets import (
    mask_fields,
    secrets_of,
)
from unit.recordings import plugin
from unit.scripted import Script, Step, answer, gateway_for

Scripts = Callable[..., Script]
RECORD = Field("", "dict", fields=(Field("password", secret=True), Field("host")))


@pytest.mark.parametrize(
    ("field", "value", "secrets"),
    [
        (Field("x", secret=True), "s", {"s"}),
        (Field("x", secret=True), None, set()),
        (Field("x", secret=True), "{vault://env/x}", set()),
        (Field("x", "list", secret=True), ["s", "{vault://env/x}", "t"], {"s", "t"}),
        (Field("x", "dict", secret=True), {"a": ["s"], "b": "t"}, {"s", "t"}),
        (Field("x", "dict", sensitive=lambda name: name == "a"), {"a": ["s"], "b": "t"}, {"s"}),
        (Field("x", "dict", fields=RECORD.fields), {"password": "s", "host": "h"}, {"s"}),
        (Field("x", "dict", fields=RECORD.fields), None, set()),
        (Field("x", "list", element=RECORD), [{"password": "s", "host": "h"}, {}], {"s"}),
        (Field("x", "list", element=RECORD), None, set()),
        (Field("x", "dict", element=RECORD), {"a": {"password": "s"}}, {"s"}),
        (Field("x", "dict", element=Field("", secret=True)), {"a": "s"}, {"s"}),
        (Field("x", "dict", open=True), {"token": "s", "n": {"key": "t", "host": "h"}},
         {"s", "t"}),
        (Field("x", "dict", open=True), {"n": [{"password": "s"}], "password": 5}, {"s"}),
        (Field("x", "dict", open=True), None, set()),
        (Field("x"), "s", set()),
    ],
)  # fmt: skip
def test_the_secrets_of_an_entity_are_found(field: Field, value: Any, secrets: set[str]) -> None:
    assert secrets_of([field], {"x": value}) == secrets
    assert secrets_of([field], {}) == set()


def test_secrets_go_from_messages_and_from_keys_and_values_of_the_rest() -> None:
    error = KongError(
        "no s3cret-long and s3cret",
        fields={"s3cret": ["is s3cret", {"x": "s3cret"}], "n": 5, "none": None},
    )
    error.redact(["s3cret", "", "s3cret-long"])
    assert error.message == str(error) == f"no {MASKED} and {MASKED}"
    assert error.failure == {
        "fields": {MASKED: [f"is {MASKED}", {"x": MASKED}], "n": 5, "none": None}
    }


CASES: list[tuple[Any, Entity, Entity]] = [
    (KINDS["key_auth"], {"key": "s3cret"}, {"key": "s3cret"}),
    (KINDS["vault"], {"prefix": "v", "name": "n", "config": {"token": "s3cret"}},
     {"config": {"token": "s3cret"}}),
    (plugin("acme"), {"name": "acme", "config": {"eab_hmac_key": "s3cret"}},
     {"config": {"s3cret": "unknown"}}),
    (plugin("http-log"), {"name": "http-log", "config": {"headers": {"X": "s3cret"}}},
     {"config": {"headers": "s3cret"}}),
    (KINDS["key"], {"name": "k", "jwk": "s3cret"}, {"@entity": ["cannot read s3cret"]}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "body", "fields"), CASES, ids=lambda each: str(each)[:12])
def test_a_refused_write_tells_no_secret(
    kind: Any, body: Entity, fields: Entity, script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = {
        "code": 2, "name": "schema violation", "message": "no s3cret", "fields": fields
    }  # fmt: skip
    path = f"/consumers/c/{kind.path}" if kind.parent else f"/{kind.path}"
    gateway = gateway_for(script(Step("POST", path, answer(400, refused))), monkeypatch)
    with pytest.raises(KongError) as caught:
        apply(gateway, plan_present(kind, body, None, "c" if kind.parent else None), "c")
    assert "s3cret" not in repr((caught.value.message, caught.value.failure))
    assert MASKED in repr(caught.value.failure)
    assert "schema violation" in caught.value.message


def test_a_stored_secret_that_an_update_makes_a_gateway_repeat_is_taken_out(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = KINDS["hmac_auth"]
    stored = {"id": "7", "username": "u", "secret": "s3cret", "tags": None}
    refused = answer(400, {"message": "s3cret is too short"})
    step = Step("PATCH", "/consumers/c/hmac-auth/7", refused)
    gateway = gateway_for(script(step), monkeypatch)
    with pytest.raises(KongError) as caught:
        apply(gateway, plan_present(kind, {"tags": ["a"]}, stored, "c"), "c")
    assert f"{MASKED} is too short" in caught.value.message


def test_free_form_options_are_not_logged() -> None:
    params = {"name": "v", "config": {"anything": "s3cret"}, "tags": ["a"]}
    logged = mask_fields(KINDS["vault"].fields, params)
    assert logged == {"name": "v", "config": MASKED, "tags": ["a"]}
    assert mask_fields(KINDS["vault"].fields, {"config": {}}) == {"config": {}}


@pytest.mark.parametrize("secret", ["password", "username", "tags", "fields", "status"])
def test_a_secret_that_is_the_name_of_a_field_leaves_the_names_alone(
    script: Scripts, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    kind = KINDS["basic_auth"]
    body = {"username": "al", "password": secret}
    fields = {secret: f"{secret} is bad", "tags": ["bad"], "@entity": [secret]}
    refused = {"code": 2, "name": "schema violation", "message": "no", "fields": fields}
    step = Step("POST", "/consumers/c/basic-auth", answer(400, refused))
    gateway = gateway_for(script(step), monkeypatch)
    with pytest.raises(KongError) as caught:
        apply(gateway, plan_present(kind, body, None, "c"), "c")
    failure = caught.value.failure
    assert (failure["status"], failure["code"]) == (400, 2)
    known = secret not in ("fields", "status")
    assert failure["fields"][secret if known else MASKED] == (
        ["bad"] if secret == "tags" else f"{MASKED} is bad"
    )
    assert failure["fields"]["@entity"] == [MASKED]


@pytest.mark.parametrize(
    "url",
    ["http://user:s3cret@h", "http://user:s3cret@h:x", "user:s3cret@h", "http://:s3cret@h/p?q",
     "http://user:s3cret/@h"],
)  # fmt: skip
def test_a_password_in_the_url_of_a_service_is_not_repeated(
    script: Scripts, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    missing = Step("GET", "/services/s", answer(404, {"message": "Not found"}))
    gateway = gateway_for(script(missing), monkeypatch)
    with pytest.raises(KongError, match="service s at .*: url") as caught:
        present(gateway, KINDS["service"], {"name": "s", "url": url}, print)
    assert "s3cret" not in caught.value.message

# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that another entity has, and entities that others need: refused by one sentence.

A run is refused by the gateway, in its own words, and check mode by what it looks up.
"""

from __future__ import annotations

from typing import Any

import pytest

from harness.engine import Engine
from harness.gateway import Gateway
from harness.kinds import filled

Options = dict[str, Any]
_CREDENTIAL = {"consumer": "two", "type": "key_auth"}
_PEMS = [{"private_key": f"<key {at}>", "public_key": f"<public {at}>"} for at in (1, 2)]
_OF_ONE = "; it belongs to another consumer"
_OR_RENAME = "; set id to <first> to change that one"

# The module, the two entities before, the task that takes a value of the first one, and the end of
# the sentence. `"id": None` stands for the ID of the second entity.
CASES: dict[str, tuple[str, Options, Options, Options, str]] = {
    "consumer-create": (
        "kong_consumer", {"username": "a", "custom_id": "X"}, {"username": "b"},
        {"username": "c", "custom_id": "X"}, f"custom_id X is taken by consumer a{_OR_RENAME}",
    ),
    "consumer-update": (
        "kong_consumer", {"username": "a", "custom_id": "X"}, {"username": "b"},
        {"username": "b", "custom_id": "X"}, f"custom_id X is taken by consumer a{_OR_RENAME}",
    ),
    "consumer-rename": (
        "kong_consumer", {"username": "a"}, {"username": "b"},
        {"id": None, "username": "a"}, "username a is taken by another consumer",
    ),
    "service-rename": (
        "kong_service", {"name": "a", "host": "h"}, {"name": "b", "host": "h"},
        {"id": None, "name": "a"}, "name a is taken by another service",
    ),
    "vault-rename": (
        "kong_vault", {"name": "env", "prefix": "a-1"}, {"name": "env", "prefix": "b-1"},
        {"id": None, "prefix": "a-1"}, "prefix a-1 is taken by another vault",
    ),
    "plugin-instance": (
        "kong_plugin", {"name": "cors", "instance_name": "a"}, {"name": "cors", "service": "one"},
        {"name": "cors", "service": "one", "instance_name": "a"},
        f"instance_name a is taken by plugin cors{_OR_RENAME}",
    ),
    "key-kid": (
        "kong_key", {"name": "a", "kid": "1", "pem": _PEMS[0]},
        {"name": "b", "kid": "2", "pem": _PEMS[1]}, {"name": "b", "kid": "1"},
        "set and kid are those of key a",
    ),
    "authority": (
        "kong_ca_certificate", {"cert": "<cert 1>"}, {"cert": "<cert 2>"},
        {"id": None, "cert": "<cert 1>"}, "cert is taken by another ca_certificate",
    ),
    "credential-create": (
        "kong_credential", {**_CREDENTIAL, "consumer": "one", "key": "hidden-1"},
        {**_CREDENTIAL, "key": "hidden-2"}, {**_CREDENTIAL, "key": "hidden-1"},
        f"key is taken by another key_auth{_OF_ONE}",
    ),
    "credential-update": (
        "kong_credential", {**_CREDENTIAL, "consumer": "one", "key": "hidden-1"},
        {**_CREDENTIAL, "key": "hidden-2"}, {**_CREDENTIAL, "id": None, "key": "hidden-1"},
        f"key is taken by another key_auth{_OF_ONE}",
    ),
    "credential-id": (
        "kong_credential", {**_CREDENTIAL, "key": "hidden-1"},
        {**_CREDENTIAL, "consumer": "one", "key": "hidden-2"},
        {**_CREDENTIAL, "id": None, "key": "hidden-3"},
        f"id <id> is taken by another key_auth{_OF_ONE}",
    ),
    "acl-update": (
        "kong_credential", {"consumer": "two", "type": "acl", "group": "a"},
        {"consumer": "two", "type": "acl", "group": "b"},
        {"consumer": "two", "type": "acl", "id": None, "group": "a"},
        "group a is taken by another acl",
    ),
    "entity-create": (
        "kong_entity",
        *(
            {"path": "consumers", "identity": "username", "entity": entity}
            for entity in (
                {"username": "a", "custom_id": "X"}, {"username": "b"},
                {"username": "c", "custom_id": "X"},
            )
        ),
        "custom_id X is taken by entity a",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_taken_value_is_refused_by_one_sentence(
    name: str, pems: dict[str, str], empty_gateway: Gateway
) -> None:
    module, *tasks, sentence = filled(CASES[name], pems)
    engine = Engine(empty_gateway)
    engine.ok("kong_service", name="one", host="h")
    for consumer in ("one", "two"):
        engine.ok("kong_consumer", username=consumer)
    first, made = (_made(engine.ok(module, **options)) for options in tasks[:2])
    last = {key: made["id"] if value is None else value for key, value in tasks[2].items()}
    ids = sentence.replace("<first>", first["id"]).replace("<id>", made["id"])
    _refused(engine, module, last, ids)


def _made(result: dict[str, Any]) -> dict[str, Any]:
    return next(each for each in result.values() if isinstance(each, dict) and "id" in each)


def _refused(engine: Engine, module: str, options: Options, sentence: str) -> None:
    engine.forget()
    predicted = engine.refused(module, check=True, **options)["msg"]
    engine.forget()
    assert engine.refused(module, **options)["msg"] == predicted
    assert predicted.endswith(f": {sentence}")


def test_what_others_refer_to_is_kept_by_one_sentence(
    pems: dict[str, str], empty_gateway: Gateway
) -> None:
    engine = Engine(empty_gateway)
    authority = engine.ok("kong_ca_certificate", cert=pems["<cert 1>"])["ca_certificate"]["id"]
    engine.ok("kong_service", name="s", url="https://h", ca_certificates=[authority])
    engine.ok("kong_route", name="r", service="s", paths=["/r"])
    referred: list[tuple[str, Options, str]] = [("kong_service", {"name": "s"}, "route r")]
    if empty_gateway.release >= (3, 6):  # older ones delete authorities that services name
        referred.append(("kong_ca_certificate", {"id": authority}, "service s"))
    for module, options, other in referred:
        sentence = f"{other} still refers to it; delete that one first"
        _refused(engine, module, {**options, "state": "absent"}, sentence)


ID = "11111111-2222-4333-8444-555555555555"


@pytest.mark.parametrize("state", ["applied", "absent"])
def test_a_document_takes_no_credential_of_another_consumer_by_its_id(
    empty_gateway: Gateway, state: str
) -> None:
    engine = Engine(empty_gateway)
    for consumer in ("one", "two"):
        engine.ok("kong_consumer", username=consumer)
    engine.ok("kong_credential", type="key_auth", consumer="one", id=ID, key="hidden-1")
    written = {"username": "two", "keyauth_credentials": [{"id": ID, "key": "hidden-1"}]}
    content = {"_format_version": "3.0", "consumers": [written]}
    sentence = f"id {ID} is taken by another key_auth{_OF_ONE}"
    _refused(engine, "kong_state", {"content": content, "state": state}, sentence)
    again = engine.ok("kong_credential", type="key_auth", consumer="one", key="hidden-1")
    assert not again["changed"]


def test_a_document_names_no_id_that_nobody_has(empty_gateway: Gateway) -> None:
    engine = Engine(empty_gateway)
    for consumer in ("one", "two"):
        engine.ok("kong_consumer", username=consumer)
    engine.ok("kong_credential", type="key_auth", consumer="one", key="hidden-1")
    written = {"username": "two", "keyauth_credentials": [{"key": "hidden-1"}]}
    content = {"_format_version": "3.0", "consumers": [written]}
    sentence = "key is taken by another key_auth, which the document does not have"
    _refused(engine, "kong_state", {"content": content}, f"key_auth of consumer two: {sentence}")

# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entities that no path leads to are found in lists, and survive races as all others."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._apply import (
    absent,
    apply,
    present,
)
from ansible_collections.irishtek.kong.plugins.module_utils._entities._certificate import (
    digest_of,
)
from ansible_collections.irishtek.kong.plugins.module_utils._entities._credential import (
    hashed_password,
)
from ansible_collections.irishtek.kong.plugins.module_utils._entities._identity import ByComparison
from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import Entity
from ansible_collections.irishtek.kong.plugins.module_utils._entities._registry import KINDS
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError, KongError
from ansible_collections.irishtek.kong.plugins.module_utils._gateway._errors import NotOffered
from ansible_collections.irishtek.kong.plugins.module_utils._plan import plan_present
from unit.recordings import steps
from unit.scripted import URL, Script, Step, answer, gateway_for

Scripts = Callable[..., Script]
KEY_AUTH, BASIC_AUTH, ACL, CA, ROUTE, PLUGIN, GROUP, VAULT = (
    KINDS[name]
    for name in (
        "key_auth", "basic_auth", "acl", "ca_certificate", "route", "plugin", "consumer_group",
        "vault",
    )
)  # fmt: skip
ID = "11111111-2222-4333-8444-555555555555"
OTHER = "22222222-2222-4333-8444-555555555555"
MISSING = answer(404, {"message": "Not found"})
KEYS = "/consumers/alice/key-auth"
CREDENTIAL = {"id": ID, "key": "s3cret", "tags": None, "consumer": {"id": OTHER}}


def _listed(*entities: Entity) -> Any:
    return answer(200, {"data": list(entities) or {}, "next": None})


def _taken(**fields: Any) -> Any:
    return answer(409, {"code": 5, "message": f"UNIQUE violation {fields}", "fields": fields})


def _warn(message: str) -> None:
    raise AssertionError(f"not to be warned of: {message}")


def test_a_credential_is_found_in_its_consumers_list_and_no_secret_is_part_of_a_url(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [Step("GET", f"{KEYS}?size=1000", _listed({**CREDENTIAL, "key": "x"}, CREDENTIAL))]
    gateway = gateway_for(script(*steps), monkeypatch)
    plan = present(gateway, KEY_AUTH, {"key": "s3cret"}, _warn, "alice")
    assert (plan.changed, plan.entity["id"]) == (False, ID)


def test_a_credential_of_another_consumer_is_said_to_be_one(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [
        Step("GET", f"{KEYS}?size=1000", _listed()),
        Step("POST", KEYS, _taken(key="s3cret"), {"key": "s3cret"}),
        Step("GET", f"{KEYS}?size=1000", _listed()),
        Step("GET", "/key-auths?size=1000", _listed(CREDENTIAL)),
    ]
    gateway = gateway_for(script(*steps), monkeypatch)
    with pytest.raises(KongError) as caught:
        plan = present(gateway, KEY_AUTH, {"key": "s3cret"}, _warn, "alice")
        apply(gateway, plan, "alice")
    assert caught.value.message.endswith("; it belongs to another consumer")
    assert "s3cret" not in f"{caught.value.message} {json.dumps(caught.value.failure)}"


def test_a_credential_that_somebody_made_meanwhile_goes_on_as_an_update(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [
        Step("GET", f"{KEYS}?size=1000", _listed()),
        Step("POST", KEYS, _taken(key="s3cret")),
        Step("GET", f"{KEYS}?size=1000", _listed(CREDENTIAL)),
        Step("PATCH", f"{KEYS}/{ID}", answer(200, {**CREDENTIAL, "tags": ["a"]}), {"tags": ["a"]}),
    ]
    gateway = gateway_for(script(*steps), monkeypatch)
    plan = present(gateway, KEY_AUTH, {"key": "s3cret", "tags": ["a"]}, _warn, "alice")
    assert apply(gateway, plan, "alice").operation == "update"


def test_a_credential_is_absent_with_its_consumer(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = gateway_for(script(Step("GET", f"{KEYS}?size=1000", MISSING)), monkeypatch)
    assert not absent(gateway, KEY_AUTH, {"key": "s3cret"}, "alice").changed


def test_a_missing_consumer_is_named_when_a_credential_is_written(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [
        Step("GET", "/consumers/alice/acls?size=1000", _listed()),
        Step("POST", "/consumers/alice/acls", MISSING),
    ]
    gateway = gateway_for(script(*steps), monkeypatch)
    with pytest.raises(InputError, match="acl g of consumer alice .*: consumer alice does not"):
        apply(gateway, present(gateway, ACL, {"group": "g"}, _warn, "alice"), "alice")


def _recorded_authority() -> tuple[str, str]:
    answered = next(
        step["response"]["body"]
        for step in steps("certificates")
        if step["request"]["path"] == "/ca_certificates" and step["response"]["status"] == 201
    )
    return answered["cert"], answered["cert_digest"]


PEM, DIGEST = _recorded_authority()


def test_a_digest_is_the_gateways() -> None:
    assert digest_of(PEM) == DIGEST
    assert digest_of(PEM.replace("\n", "\r\n")) == DIGEST
    assert digest_of("nonsense") is None
    assert digest_of("-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----") is None


def test_an_authority_is_found_by_its_digest_however_its_text_is_written(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored: list[Entity] = [
        {"id": OTHER, "cert": "x", "cert_digest": "00"},
        {"id": ID, "cert": PEM, "cert_digest": DIGEST, "tags": None},
    ]
    step = Step("GET", "/ca_certificates?size=1000", _listed(*stored))
    gateway = gateway_for(script(step), monkeypatch)
    plan = present(gateway, CA, {"cert": f"{PEM}\n\n"}, _warn)
    assert (plan.changed, plan.entity["id"]) == (False, ID)


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ({}, "global"),
        ({"service": {"id": "s"}}, "service"),
        ({"service": {"id": "s"}, "route": {"id": "r"}}, "both"),
        ({"route": {"id": "r"}}, None),
        ({"service": None}, "global"),
    ],
)
def test_a_plugin_is_the_same_by_name_and_whole_scope(written: Entity, found: str | None) -> None:
    stored: list[Entity] = [
        {"id": "other", "name": "jwt"},
        {"id": "both", "name": "cors", "service": {"id": "s"}, "route": {"id": "r"}},
        {"id": "service", "name": "cors", "service": {"id": "s"}, "route": None},
        {"id": "global", "name": "cors", "service": None, "route": None, "consumer": None},
    ]
    assert isinstance(PLUGIN.identity, ByComparison)
    desired = {"name": "cors", **written}
    matching = [each["id"] for each in stored if PLUGIN.identity.is_it(desired, each)]
    assert matching == ([found] if found else [])


def test_a_reference_by_id_costs_no_look_up_and_null_clears_it(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = {"id": ID, "name": "r", "service": {"id": OTHER}}
    gateway = gateway_for(script(*[Step("GET", "/routes/r", answer(200, stored))] * 2), monkeypatch)
    assert not present(gateway, ROUTE, {"name": "r", "service": OTHER}, _warn).changed
    assert present(gateway, ROUTE, {"name": "r", "service": None}, _warn).body == {"service": None}


def test_a_consumer_is_found_by_its_custom_id_where_that_is_all_there_is(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = {"id": ID, "username": None, "custom_id": "c-1", "tags": None}
    step = Step("GET", "/consumers?size=1000&custom_id=c-1", _listed(stored))
    gateway = gateway_for(script(step), monkeypatch)
    plan = present(gateway, KINDS["consumer"], {"custom_id": "c-1"}, _warn)
    assert (plan.changed, plan.description) == (False, "consumer c-1")


def test_a_kind_that_only_the_enterprise_edition_has_is_said_to_be_so(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [
        Step("GET", "/consumer_groups/gold", MISSING),
        Step("POST", "/consumer_groups", MISSING),
    ]
    gateway = gateway_for(script(*steps), monkeypatch)
    with pytest.raises(
        NotOffered, match=f"consumer_group gold at {URL}: .*Kong Gateway Enterprise"
    ):
        apply(gateway, present(gateway, GROUP, {"name": "gold"}, _warn))


def test_what_somebody_made_meanwhile_is_settled_again(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = {"id": ID, "name": "web", "algorithm": "consistent-hashing", "hash_on": "ip"}
    settled = {"algorithm": "round-robin", "hash_on": "none"}
    steps = [
        Step("GET", "/upstreams/web", MISSING),
        Step("POST", "/upstreams", _taken(name="web"), {"name": "web", "algorithm": "round-robin"}),
        Step("GET", "/upstreams/web", answer(200, theirs)),
        Step("PATCH", f"/upstreams/{ID}", answer(200, {**theirs, **settled}), settled),
    ]
    gateway = gateway_for(script(*steps), monkeypatch)
    written = {"name": "web", "algorithm": "round-robin"}
    plan = apply(gateway, present(gateway, KINDS["upstream"], written, _warn))
    assert plan.operation == "update"


@pytest.mark.parametrize(
    ("kind", "field", "one", "other", "same"),
    [
        ("key", "jwk", '{"kty": "oct", "k": "a"}', '{"k":"a","kty":"oct"}', True),
        ("key", "jwk", '{"kty": "oct"}', '{"kty": "RSA"}', False),
        ("key", "jwk", "{vault://env/x}", "{vault://env/x}", True),
        ("certificate", "cert", "a\nb\n", "a\nb", True),
        ("certificate", "cert", "a\nb\n", "a\nc\n", False),
    ],
)
def test_texts_that_mean_the_same_are_the_same(
    kind: str, field: str, one: Any, other: Any, same: bool
) -> None:
    stored = {"id": ID, "name": "n", field: other}
    plan = plan_present(KINDS[kind], {field: one}, stored)
    assert plan.changed == (not same)


def test_a_password_is_hashed_with_the_consumers_id() -> None:
    # SHA-1 of the text "pw" followed by the id, computed apart.
    assert hashed_password("pw", ID) == "9f9bd224b1a7af3f8356f447ef1a43597fef3ff8"
    entity = {"password": "pw", "consumer": {"id": ID}}
    assert BASIC_AUTH.predict is not None
    BASIC_AUTH.predict(entity)
    assert entity["password"] == hashed_password("pw", ID)
    BASIC_AUTH.predict(entity)
    assert entity["password"] == hashed_password("pw", ID)


def test_the_environments_vault_answers_its_setting() -> None:
    assert VAULT.predict is not None
    for written, answered in (
        ({"name": "env"}, {"prefix": None}),
        ({"name": "env", "config": {"prefix": "A_"}}, {"prefix": "A_"}),
        ({"name": "hcv", "config": {"host": "h"}}, {"host": "h"}),
    ):
        entity: Entity = dict(written)
        VAULT.predict(entity)
        assert entity["config"] == answered

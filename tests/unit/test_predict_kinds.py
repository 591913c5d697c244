# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode refuses, of every kind, what the run would refuse, and only reads for that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._entities._credential import (
    hashed_password,
)
from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import (
    PLACEHOLDER,
    Entity,
)
from ansible_collections.irishtek.kong.plugins.module_utils._entities._registry import KINDS
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError, KongError
from ansible_collections.irishtek.kong.plugins.module_utils._operations._certificate import (
    KONG_CERTIFICATE,
)
from ansible_collections.irishtek.kong.plugins.module_utils._operations._consumer_group import (
    KONG_CONSUMER_GROUP,
)
from ansible_collections.irishtek.kong.plugins.module_utils._operations._credential import (
    KONG_CREDENTIAL,
)
from ansible_collections.irishtek.kong.plugins.module_utils._operations._plugin import KONG_PLUGIN
from ansible_collections.irishtek.kong.plugins.module_utils._operations._target_health import (
    KONG_TARGET_HEALTH,
)
from ansible_collections.irishtek.kong.plugins.module_utils._plan import Plan
from unit.checking import ReadOnly, Run

CONSUMER, KEY_AUTH, BASIC_AUTH, CERTIFICATE, SERVICE, UPSTREAM, GROUP, WORKSPACE, KEY_SET, KEY = (
    KINDS[name]
    for name in (
        "consumer", "key_auth", "basic_auth", "certificate", "service", "upstream",
        "consumer_group", "workspace", "key_set", "key",
    )
)  # fmt: skip
ID = {name: f"{name * 8}-2222-4333-8444-555555555555" for name in "abcd"}
ALICE = {"id": ID["a"], "username": "alice", "custom_id": "c-1", "tags": None}
BOB = {"id": ID["b"], "username": "bob", "custom_id": None, "tags": None}
CONSUMERS: dict[str, Any] = {
    "/consumers/alice": ALICE,
    f"/consumers/{ID['a']}": ALICE,
    "/consumers/bob": BOB,
    f"/consumers/{ID['b']}": BOB,
    "/consumers": {"data": [ALICE]},
    "/consumers/alice/key-auth": {"data": []},
    "/consumers/bob/key-auth": {"data": []},
}
KEY_OF_ALICE = {"id": ID["c"], "key": "s3cret", "consumer": {"id": ID["a"]}}


def test_a_custom_id_is_not_taken_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(ReadOnly(CONSUMERS), monkeypatch)
    with pytest.raises(InputError, match="custom_id c-1 is taken by consumer alice"):
        run.present(CONSUMER, username="carol", custom_id="c-1")
    with pytest.raises(InputError, match="custom_id c-1 is taken by consumer alice"):
        run.present(CONSUMER, username="bob", custom_id="c-1")
    assert not run.present(CONSUMER, username="alice", custom_id="c-1").changed


def test_a_custom_id_that_an_earlier_task_took_or_gave_up_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = Run(ReadOnly(CONSUMERS), monkeypatch)
    assert run.present(CONSUMER, username="alice", custom_id="c-2").changed
    assert run.present(CONSUMER, username="bob", custom_id="c-1").changed
    with pytest.raises(InputError, match="custom_id c-2 is taken"):
        run.present(CONSUMER, username="carol", custom_id="c-2")


def test_a_key_of_another_consumer_is_refused_without_being_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stored = {**CONSUMERS, "/key-auths": {"data": [KEY_OF_ALICE]}}
    with pytest.raises(InputError, match="key is taken by another key_auth") as caught:
        Run(ReadOnly(stored), monkeypatch).of("bob", KEY_AUTH, key="s3cret")
    assert "s3cret" not in caught.value.message


def test_a_credential_is_predicted_with_its_consumer(monkeypatch: pytest.MonkeyPatch) -> None:
    handler = ReadOnly({**CONSUMERS, f"/consumers/{ID['a']}/basic-auth": {"data": []}})
    run = Run(handler, monkeypatch)
    plan = run.of("alice", BASIC_AUTH, username="al", password="pw")
    assert plan.entity["password"] == hashed_password("pw", ID["a"])
    assert plan.entity["consumer"] == {"id": ID["a"]}
    judged = {"username": "al", "password": "pw", "consumer": {"id": ID["a"]}}
    assert handler.judged == [("basicauth_credentials", judged)]


def test_a_secret_that_replaces_the_whole_entity_leaves_its_nulls(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    application = {
        "id": ID["c"], "client_id": "x", "client_secret": "old", "tags": None,
        "consumer": {"id": ID["a"]},
    }  # fmt: skip
    stored = {**CONSUMERS, f"/consumers/{ID['a']}/oauth2": {"data": [application]}}
    run = Run(ReadOnly({**stored, "/oauth2": {"data": [application]}}), monkeypatch)
    plan = run.of("alice", KINDS["oauth2"], client_id="x", client_secret="new")
    assert plan.body == {"client_secret": "new"}
    assert {"tags": None, "redirect_uris": None}.items() <= plan.entity.items()


def test_credentials_of_a_predicted_consumer_are_predicted(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(ReadOnly({}), monkeypatch)
    consumer = run.present(CONSUMER, username="carol")
    made = run.of("carol", KEY_AUTH, key="s3cret")
    assert made.entity["consumer"] == {"id": consumer.entity["id"]}
    assert made.entity["ttl"] is None
    assert not run.of("carol", KEY_AUTH, key="s3cret").changed
    assert run.present(CONSUMER, username="dave").changed
    with pytest.raises(InputError, match="key is taken by another key_auth"):
        run.of("dave", KEY_AUTH, key="s3cret")


@pytest.mark.parametrize(("edition", "refused"), [("community", True), ("enterprise", False)])
def test_what_only_the_enterprise_edition_has_is_refused_on_the_other(
    edition: str, refused: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(ReadOnly({}, edition=edition), monkeypatch)
    for kind in (GROUP, WORKSPACE):
        if refused:
            with pytest.raises(InputError, match=f"{kind.name} gold at .* Enterprise"):
                run.present(kind, name="gold")
        else:
            assert run.present(kind, name="gold").changed


CERT = {"id": ID["a"], "cert": "pem", "key": "k", "snis": ["a.test"]}
SNI_OF_A = {"id": ID["c"], "name": "a.test", "certificate": {"id": ID["a"]}}
SNI_OF_B = {"id": ID["d"], "name": "b.test", "certificate": {"id": ID["b"]}}
POINTING = {
    f"/certificates/{ID['a']}": CERT,
    f"/certificates/{ID['a']}/snis": {"data": [SNI_OF_A]},
    "/snis/a.test": SNI_OF_A,
    f"/certificates/{ID['a']}/services": {"data": []},
    f"/certificates/{ID['a']}/upstreams": {"data": [{"id": ID["b"], "name": "web"}]},
}


def test_a_certificate_that_something_uses_is_not_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(ReadOnly(POINTING), monkeypatch)
    with pytest.raises(InputError, match="upstream web still refers to it; delete that one first"):
        run.task(KONG_CERTIFICATE, "absent", snis=["a.test"])
    unused = {**POINTING, f"/certificates/{ID['a']}/upstreams": {"data": []}}
    run = Run(ReadOnly(unused), monkeypatch)
    assert run.task(KONG_CERTIFICATE, "absent", snis=["a.test"])["operation"] == "delete"
    assert not run.task(KONG_CERTIFICATE, "absent", snis=["a.test"])["changed"]


def test_a_certificate_has_the_snis_that_are_predicted(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(ReadOnly(POINTING), monkeypatch)
    run.absent(KINDS["sni"], name="a.test")
    assert run.task(KONG_CERTIFICATE, "present", id=ID["a"])["certificate"]["snis"] == []


def test_what_an_earlier_task_points_at_is_not_deleted_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stored = {**POINTING, f"/certificates/{ID['a']}/upstreams": {"data": []}}
    run = Run(ReadOnly(stored), monkeypatch)
    run.present(SERVICE, name="api", host="h", client_certificate=ID["a"])
    with pytest.raises(InputError, match="service api still refers to it"):
        run.absent(CERTIFICATE, id=ID["a"])


def _trusted_authority(version: str) -> dict[str, Any]:
    api = {"id": ID["b"], "name": "api", "host": "h", "ca_certificates": [ID["a"]]}
    other = {"id": ID["c"], "name": "other", "host": "h", "ca_certificates": None}
    return {
        "/": {"version": version},
        f"/ca_certificates/{ID['a']}": {"id": ID["a"], "cert": "pem", "cert_digest": "00"},
        "/services": {"data": [other, api]},
        "/services/api": api,
    }


def test_an_authority_that_a_service_trusts_is_not_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(ReadOnly(_trusted_authority("3.10.0")), monkeypatch)
    with pytest.raises(InputError, match="service api still refers to it; delete that one first"):
        run.absent(KINDS["ca_certificate"], id=ID["a"])
    run.present(SERVICE, name="api", ca_certificates=[])
    assert run.absent(KINDS["ca_certificate"], id=ID["a"]).operation == "delete"


def test_an_old_gateway_deletes_it_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(ReadOnly(_trusted_authority("3.5.0")), monkeypatch)
    assert run.absent(KINDS["ca_certificate"], id=ID["a"]).operation == "delete"


def test_an_sni_of_another_certificate_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    other = {"id": ID["b"], "cert": "pem", "key": "k", "snis": ["b.test"]}
    stored = {**POINTING, f"/certificates/{ID['b']}": other, "/snis/b.test": SNI_OF_B}
    run = Run(ReadOnly(stored), monkeypatch)
    message = "its snis a.test and b.test belong to different certificates"
    with pytest.raises(InputError, match=message):
        run.task(KONG_CERTIFICATE, snis=["a.test", "b.test"], cert="pem")
    with pytest.raises(InputError, match="sni b.test belongs to another certificate"):
        run.task(KONG_CERTIFICATE, id=ID["a"], snis=["b.test"])


def test_a_new_certificate_is_predicted_with_its_snis_and_without_its_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = Run(ReadOnly({}), monkeypatch)
    made = run.task(KONG_CERTIFICATE, cert="pem", key="s3cret", snis=["b.test", "a.test", "a.test"])
    assert made["certificate"]["snis"] == ["a.test", "b.test"]
    assert "s3cret" not in repr(made)


GROUP_GOLD = {"id": ID["d"], "name": "gold", "tags": None}
MEMBERS: dict[str, Any] = {
    **CONSUMERS,
    "/consumer_groups/gold": {"consumer_group": GROUP_GOLD},
    f"/consumer_groups/{ID['d']}": {"consumer_group": GROUP_GOLD},
    f"/consumer_groups/{ID['d']}/consumers": {"data": [ALICE]},
}


def test_members_that_come_and_go_are_predicted(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(ReadOnly(MEMBERS, edition="enterprise"), monkeypatch)
    params: dict[str, Any] = {"name": "gold", "consumers": ["bob"], "purge_consumers": True}
    result = run.task(KONG_CONSUMER_GROUP, **params)
    assert (result["added"], result["removed"]) == (["bob"], ["alice"])
    assert result["changed"]
    assert result["consumers"] == ["bob"]
    assert result["diff"]["before"]["consumers"] == ["alice"]
    assert result["diff"]["after"]["consumers"] == ["bob"]


def test_members_of_a_predicted_group_and_predicted_members_are_new(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = Run(ReadOnly(CONSUMERS, edition="enterprise"), monkeypatch)
    run.present(CONSUMER, username="carol")
    result = run.task(
        KONG_CONSUMER_GROUP, name="new", consumers=["alice", "carol"], purge_consumers=False
    )
    assert (result["operation"], result["added"]) == ("create", ["alice", "carol"])
    with pytest.raises(KongError, match="consumer nobody does not exist"):
        run.task(KONG_CONSUMER_GROUP, name="new", consumers=["nobody"], purge_consumers=False)


def test_a_plugin_is_predicted_whole_and_judged_without_its_old_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handler = ReadOnly({"/plugins": {"data": []}})
    run = Run(handler, monkeypatch)
    config = {"minute": "5", "redis_host": "r", "redis_password": "s3cret"}
    result = run.task(KONG_PLUGIN, name="rate-limiting", config=config)
    predicted = result["plugin"]["config"]
    assert (predicted["minute"], predicted["limit_by"], predicted["error_code"]) == (
        5,
        "consumer",
        429,
    )
    assert predicted["redis"]["host"] == predicted["redis_host"] == "r"
    assert "s3cret" not in repr(result)
    [(name, judged)] = handler.judged
    assert (name, judged["config"]["redis"]["host"]) == ("plugins", "r")
    assert "redis_host" not in judged["config"]
    assert not run.task(KONG_PLUGIN, name="rate-limiting", config=config)["changed"]


def test_a_changed_setting_is_predicted_under_both_of_its_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = Run(ReadOnly({"/plugins": {"data": []}}), monkeypatch)
    run.task(KONG_PLUGIN, name="rate-limiting", config={"minute": 5})
    result = run.task(KONG_PLUGIN, name="rate-limiting", config={"redis": {"host": "new"}})
    assert result["operation"] == "update"
    assert result["plugin"]["config"]["redis_host"] == "new"
    assert result["plugin"]["config"]["minute"] == 5


def test_an_instance_name_is_not_taken_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = {"id": ID["a"], "name": "cors", "instance_name": "one", "service": {"id": ID["b"]}}
    stored = {"/plugins": {"data": [taken]}, "/plugins/one": taken}
    run = Run(ReadOnly(stored), monkeypatch)
    assert run.task(KONG_PLUGIN, name="cors", instance_name="two")["operation"] == "create"
    with pytest.raises(InputError, match="its name is cors, not jwt"):
        run.present(KINDS["plugin"], name="jwt", instance_name="one")


def test_a_plugin_for_a_predicted_service_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(ReadOnly({}), monkeypatch)
    service = run.present(SERVICE, name="api", host="h")
    made = run.task(KONG_PLUGIN, name="cors", service="api")
    assert made["plugin"]["service"] == {"id": service.entity["id"]}
    assert made["diff"]["after"]["service"] == {"id": "(generated)"}
    assert not run.task(KONG_PLUGIN, name="cors", service="api")["changed"]
    assert run.task(KONG_PLUGIN, "absent", name="cors", service="api")["operation"] == "delete"


def test_a_credentials_missing_consumer_is_an_error_or_a_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    params = {
        "type": "key_auth", "consumer": "nobody", "key": "s3cret", "update_password": "always"
    }  # fmt: skip
    with pytest.raises(InputError, match="key_auth of consumer nobody at .* does not exist"):
        Run(ReadOnly({}), monkeypatch).task(KONG_CREDENTIAL, **params)
    run = Run(ReadOnly({}), monkeypatch, complete=False)
    made = run.task(KONG_CREDENTIAL, **params)
    assert made["credential"]["consumer"]["id"].startswith(PLACEHOLDER)
    assert all("consumer nobody does not exist" in warning for warning in run.warnings)
    assert run.warnings


def test_a_key_of_a_predicted_set_is_predicted(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(ReadOnly({}), monkeypatch)
    made = run.present(KEY_SET, name="signing")
    key = run.present(KEY, name="k", kid="1", set="signing", jwk="{}")
    assert key.entity["set"] == {"id": made.entity["id"]}


CHECKS = {"passive": {"unhealthy": {"tcp_failures": 1}}}
WEB_HEALTH: Entity = {"data": [{"target": "10.0.0.1:80", "health": "HEALTHY"}]}


def test_health_is_predicted_and_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    web = {"id": ID["a"], "name": "web", "healthchecks": CHECKS}
    stored = {
        "/upstreams/web": web,
        f"/upstreams/{ID['a']}": web,
        f"/upstreams/{ID['a']}/targets": {"data": [{"id": ID["b"], "target": "10.0.0.1:80"}]},
        f"/upstreams/{ID['a']}/health": WEB_HEALTH,
    }
    run = Run(ReadOnly(stored), monkeypatch)
    params: dict[str, Any] = {"upstream": "web", "target": "10.0.0.1:80", "wait_timeout": 0}
    result = run.task(KONG_TARGET_HEALTH, **params, health="unhealthy")
    assert (result["changed"], result["diff"]["after"]) == (True, {"health": "UNHEALTHY"})
    assert not run.task(KONG_TARGET_HEALTH, **params, health="healthy")["changed"]


@pytest.mark.parametrize("name", sorted({*KINDS} - {"target"}))
def test_a_gateway_without_a_database_changes_no_kind(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = KINDS[name]
    gateway = Run(ReadOnly({}, database="off"), monkeypatch).gateway()
    stored = {"id": ID["a"]}
    writes: list[Callable[[], Any]] = [
        lambda: gateway.create(kind, {}, "parent"),
        lambda: gateway.update(Plan(kind, "update", stored, stored, {}), "parent"),
        lambda: gateway.delete(kind, stored, "parent"),
    ]
    for write in writes:
        with pytest.raises(InputError, match="runs without a database"):
            write()


def test_what_a_gateway_fills_in_of_a_vault_is_predicted(monkeypatch: pytest.MonkeyPatch) -> None:
    fields = [{"prefix": {"type": "string"}}, {"decode": {"type": "boolean", "default": False}}]
    settings = {"type": "record", "required": True, "fields": fields}
    known = {"/schemas/vaults/env": {"fields": [{"config": settings}]}}
    for responses, filled in ((known, {"decode": False}), ({}, {})):
        run = Run(ReadOnly(responses), monkeypatch)
        plan = run.present(KINDS["vault"], prefix="v", name="env", config={"prefix": "A_"})
        assert plan.entity["config"] == {"prefix": "A_", **filled}
        assert ["no schema of the settings" in each for each in run.warnings] == [
            True for _each in range(0 if filled else 1)]

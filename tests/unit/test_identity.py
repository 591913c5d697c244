# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An entity is found again in one way, and a stranger is neither changed nor deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._apply import absent, present
from ansible_collections.irishtek.kong.plugins.module_utils._entities._identity import (
    find_by_reference,
)
from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import (
    PLACEHOLDER,
    Entity,
)
from ansible_collections.irishtek.kong.plugins.module_utils._entities._plugin import PLUGIN
from ansible_collections.irishtek.kong.plugins.module_utils._entities._registry import KINDS
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError, KongError
from ansible_collections.irishtek.kong.plugins.module_utils._operations._base import (
    Operation,
    Task,
)
from ansible_collections.irishtek.kong.plugins.module_utils._operations._certificate import (
    KONG_CERTIFICATE,
)
from ansible_collections.irishtek.kong.plugins.module_utils._operations._credential import (
    KONG_CREDENTIAL,
)
from ansible_collections.irishtek.kong.plugins.module_utils._operations._generic import (
    KONG_ENTITY,
)
from ansible_collections.irishtek.kong.plugins.module_utils._operations._plugin import KONG_PLUGIN
from ansible_collections.irishtek.kong.plugins.module_utils._operations._target import KONG_TARGET
from ansible_collections.irishtek.kong.plugins.module_utils._operations._target_health import (
    KONG_TARGET_HEALTH,
)
from unit.recordings import schemas
from unit.scripted import Script, Step, answer, gateway_for

Scripts = Callable[..., Script]
A, B, NAME = (f"{letter * 8}-2222-4333-8444-555555555555" for letter in "abc")
MISSING = answer(404, {"message": "Not found"})
SERVICE = {"id": A, "name": "orders", "host": "h"}
KEY_AUTH = {"id": B, "name": "key-auth", "instance_name": "X", "service": None}


def _get(path: str, body: Any = None) -> Step:
    return Step("GET", path, MISSING if body is None else answer(200, body))


def _list(path: str, *entities: Entity) -> Step:
    return _get(f"{path}?size=1000", {"data": list(entities), "next": None})


class Tasks:
    """Runs operations on gateways that answer these steps, and nothing else."""

    def __init__(self, script: Scripts, patch: pytest.MonkeyPatch) -> None:
        self._script, self._patch = script, patch

    def gateway(self, *steps: Step) -> Any:
        return gateway_for(self._script(*steps), self._patch)

    def run(self, operation: Operation, *steps: Step, **params: Any) -> Any:
        options = operation.spec.options
        defaults = {name: each["default"] for name, each in options.items() if "default" in each}
        task = Task({**defaults, **params}, self.gateway(*steps), False, True, pytest.fail)
        return operation.run(task)

    def refusal(self, operation: Operation, *steps: Step, **params: Any) -> str:
        with pytest.raises(KongError) as caught:
            self.run(operation, *steps, **params)
        return caught.value.message


@pytest.fixture
def tasks(script: Scripts, monkeypatch: pytest.MonkeyPatch) -> Tasks:
    """Tasks on scripted gateways."""
    return Tasks(script, monkeypatch)


@pytest.mark.parametrize("state", ["absent", "present"])
def test_a_plugin_instance_of_another_name_is_not_touched(tasks: Tasks, state: str) -> None:
    # Whether there is such a service is asked first where it need not be there.
    first = [_get("/services/orders", SERVICE)] if state == "absent" else []
    steps = [
        *first, _get("/services/orders", SERVICE), _list(f"/services/{A}/plugins"),
        _get("/plugins/X", KEY_AUTH), _get("/schemas/plugins/rate-limiting", {"fields": []}),
    ]  # fmt: skip
    params = {"name": "rate-limiting", "instance_name": "X", "service": "orders", "state": state}
    assert "its name is key-auth, not rate-limiting" in tasks.refusal(KONG_PLUGIN, *steps, **params)


def test_a_plugin_instance_of_another_service_is_not_taken(tasks: Tasks) -> None:
    found = {**KEY_AUTH, "service": {"id": B}}
    steps = [
        _get("/services/orders", SERVICE), _list(f"/services/{A}/plugins"),
        _get("/plugins/X", found), _get("/schemas/plugins/key-auth", {"fields": []}),
    ]  # fmt: skip
    message = tasks.refusal(
        KONG_PLUGIN, *steps, name="key-auth", instance_name="X", service="orders", state="present"
    )
    assert f"its service is {B}, not {A}" in message


def test_an_id_that_check_mode_made_up_is_not_named() -> None:
    found = {"id": f"{PLACEHOLDER}000000000001", "name": "cors", "service": None}
    sentence = r"it was found with the id \(generated\), and its service is null, not \(generated\)"
    with pytest.raises(InputError, match=sentence):
        PLUGIN.identity.agrees(PLUGIN, {"service": {"id": f"{PLACEHOLDER}000000000002"}}, found)


def test_an_entity_of_another_name_is_not_deleted(tasks: Tasks) -> None:
    gateway = tasks.gateway(_get(f"/services/{A}", SERVICE))
    with pytest.raises(InputError, match="its name is orders, not other"):
        absent(gateway, KINDS["service"], {"id": A, "name": "other"})


def test_an_entity_is_renamed_by_its_id(tasks: Tasks) -> None:
    gateway = tasks.gateway(_get(f"/services/{A}", SERVICE))
    plan = present(gateway, KINDS["service"], {"id": A, "name": "other"}, pytest.fail)
    assert (plan.operation, plan.body) == ("update", {"name": "other"})


def test_a_search_finds_nothing_by_a_value_that_is_not_written(tasks: Tasks) -> None:
    steps = [
        _get("/schemas/consumers", schemas("3.10")["consumers"]), _get(f"/consumers/{A}"),
    ]  # fmt: skip
    params = {
        "path": "consumers", "identity": "username", "search": True, "state": "absent",
        "entity": {"id": A},
    }  # fmt: skip
    assert tasks.run(KONG_ENTITY, *steps, **params)["operation"] == "none"


def test_a_name_that_looks_like_an_id_is_found_in_the_list(tasks: Tasks) -> None:
    consumer = {"id": A, "username": NAME, "custom_id": None, "tags": None}
    listed = _list("/consumers", {**consumer, "id": B, "username": "x"}, consumer)
    kind = KINDS["consumer"]
    plan = present(tasks.gateway(listed), kind, {"username": NAME}, pytest.fail)
    assert (plan.operation, plan.stored["id"]) == ("none", A)
    assert absent(tasks.gateway(listed), kind, {"username": NAME}).operation == "delete"
    found = find_by_reference(tasks.gateway(_get(f"/consumers/{NAME}"), listed), kind, NAME)
    assert found == consumer


def test_a_credential_of_a_consumer_whose_name_looks_like_an_id(tasks: Tasks) -> None:
    consumer = {"id": A, "username": NAME, "custom_id": None}
    key = {"id": B, "key": "k", "tags": None}
    steps = [
        _get(f"/consumers/{NAME}"), _list("/consumers", consumer),
        _list(f"/consumers/{A}/key-auth", key),
    ]  # fmt: skip
    params = {"type": "key_auth", "consumer": NAME, "key": "k", "state": "present"}
    assert not tasks.run(KONG_CREDENTIAL, *steps, **params)["changed"]


def test_a_consumer_with_only_a_custom_id_can_be_referred_to(tasks: Tasks) -> None:
    consumer = {"id": A, "username": None, "custom_id": "c-1"}
    steps = [
        _get("/consumers/c-1"),
        _get("/consumers?size=1000&custom_id=c-1", {"data": [consumer], "next": None}),
        _list(f"/consumers/{A}/acls", {"id": B, "group": "g", "tags": None}),
    ]  # fmt: skip
    params = {"type": "acl", "consumer": "c-1", "group": "g", "state": "present"}
    assert not tasks.run(KONG_CREDENTIAL, *steps, **params)["changed"]


@pytest.mark.parametrize("how", [("present", ""), ("absent", ""), ("absent", " ")])
@pytest.mark.parametrize(
    ("operation", "params", "name"),
    [
        (KONG_PLUGIN, {"name": "EMPTY"}, "name"),
        (KONG_PLUGIN, {"name": "cors", "service": "EMPTY"}, "service"),
        (KONG_PLUGIN, {"name": "cors", "instance_name": "EMPTY"}, "instance_name"),
        (KONG_CREDENTIAL, {"type": "acl", "group": "g", "consumer": "EMPTY"}, "consumer"),
        (KONG_CREDENTIAL, {"type": "acl", "group": "EMPTY", "consumer": "c"}, "group"),
        (KONG_TARGET, {"target": "a:1", "upstream": "EMPTY"}, "upstream"),
        (KONG_TARGET_HEALTH, {"target": "a:1", "upstream": "EMPTY", "health": "healthy"},
         "upstream"),
        (KONG_CERTIFICATE, {"snis": []}, "snis"),
        (KONG_CERTIFICATE, {"id": "EMPTY"}, "id"),
    ],
    ids=lambda each: getattr(each, "name", None),
)  # fmt: skip
def test_what_identifies_nothing_is_refused_by_its_name(
    tasks: Tasks, operation: Operation, params: dict[str, Any], name: str, how: tuple[str, str]
) -> None:
    state, empty = how
    written = {key: empty if value == "EMPTY" else value for key, value in params.items()}
    message = tasks.refusal(operation, **written, state=state)
    assert message.endswith(f": {name} must not be empty")


@pytest.mark.parametrize("kind", ["service", "upstream", "consumer", "vault", "ca_certificate"])
def test_an_empty_name_is_no_entity_that_is_absent(tasks: Tasks, kind: str) -> None:
    field = KINDS[kind].identity.field
    with pytest.raises(InputError, match=f"{field} must not be empty"):
        absent(tasks.gateway(), KINDS[kind], {field: ""})
    with pytest.raises(InputError, match=f"{field} must not be empty"):
        present(tasks.gateway(), KINDS[kind], {field: ""}, pytest.fail)


@pytest.mark.parametrize("state", ["present", "absent"])
@pytest.mark.parametrize("scope", ["service", "route", "consumer", "consumer_group"])
def test_a_scope_without_a_value_does_not_make_a_plugin_one_of_all_traffic(
    tasks: Tasks, scope: str, state: str
) -> None:
    message = tasks.refusal(KONG_PLUGIN, **{"name": "cors", scope: None, "state": state})
    advice = f"leave it out for a plugin of all {scope}s"
    assert message.endswith(f": {scope} must not be null; {advice}")


def test_a_certificate_of_an_sni_is_not_deleted_by_the_id_of_another(tasks: Tasks) -> None:
    steps = [_get(f"/certificates/{A}", {"id": A, "cert": "c", "key": "k", "snis": ["a.test"]})]
    message = tasks.refusal(KONG_CERTIFICATE, *steps, id=A, snis=["b.test"], state="absent")
    assert "sni b.test belongs to another certificate" in message


def test_snis_are_written_as_entities_of_their_own(tasks: Tasks) -> None:
    def sni(name: str, key: str = B) -> Entity:
        return {"id": key, "name": name, "certificate": {"id": A}}

    stored = {"id": A, "cert": "c", "key": "k", "snis": ["a.test", "old.test"], "tags": None}
    body = {"name": "new.test", "certificate": {"id": A}}
    steps = [
        _get("/snis/a.test", sni("a.test")), _get("/snis/new.test"),
        _get(f"/certificates/{A}", stored), _get("/snis/new.test"),
        _list(f"/certificates/{A}/snis", sni("a.test"), sni("old.test", NAME)),
        Step("POST", "/snis", answer(201, sni("new.test")), body),
        Step("DELETE", f"/snis/{NAME}", answer(204)),
    ]  # fmt: skip
    result = tasks.run(KONG_CERTIFICATE, *steps, snis=["a.test", "new.test"], state="present")
    assert (result["operation"], result["changed"]) == ("update", True)
    assert result["certificate"]["snis"] == ["a.test", "new.test"]
    assert result["diff"]["before"]["snis"] == ["a.test", "old.test"]
    assert result["diff"]["after"]["snis"] == ["a.test", "new.test"]

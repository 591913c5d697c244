# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules of the kinds that need more than their declaration: how they find, compare and refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._entities._credential import (
    hashed_password,
)
from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import Entity
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError, KongError
from ansible_collections.irishtek.kong.plugins.module_utils._operations._base import (
    Operation,
    Result,
    Task,
)
from ansible_collections.irishtek.kong.plugins.module_utils._operations._consumer_group import (
    KONG_CONSUMER_GROUP,
)
from ansible_collections.irishtek.kong.plugins.module_utils._operations._credential import (
    KONG_CREDENTIAL,
)
from ansible_collections.irishtek.kong.plugins.module_utils._operations._generic import (
    KONG_ENTITY,
)
from ansible_collections.irishtek.kong.plugins.module_utils._operations._plugin import KONG_PLUGIN
from unit.recordings import plugin_schemas, schemas
from unit.scripted import URL, Script, Step, answer, gateway_for

Scripts = Callable[..., Script]
ID = {name: f"{name * 8}-2222-4333-8444-555555555555" for name in "abcd"}
MISSING = answer(404, {"message": "Not found"})
NO_ROOT = Step("GET", "/", answer(403, {"message": "no"}))
ALICE = {"id": ID["a"], "username": "alice", "custom_id": None, "tags": None}
BOB = {"id": ID["b"], "username": "bob", "custom_id": None, "tags": None}


def _listed(*entities: Entity) -> Any:
    return answer(200, {"data": list(entities) or {}, "next": None})


def _get(path: str, *entities: Entity) -> Step:
    return Step("GET", f"{path}?size=1000", _listed(*entities))


class Tasks:
    """Runs operations against scripted gateways."""

    def __init__(self, scripts: Scripts, patch: pytest.MonkeyPatch) -> None:
        self._scripts, self._patch = scripts, patch

    def run(self, operation: Operation, steps: list[Step], **params: Any) -> Result:
        options = operation.spec.options
        defaults = {name: each["default"] for name, each in options.items() if "default" in each}
        gateway = gateway_for(self._scripts(*steps), self._patch)
        task = Task({**defaults, **params}, gateway, False, True, _warn)
        return operation.run(task)

    def refusal(self, operation: Operation, steps: list[Step], **params: Any) -> KongError:
        with pytest.raises(KongError) as caught:
            self.run(operation, steps, **params)
        return caught.value


def _warn(message: str) -> None:
    raise AssertionError(f"not to be warned of: {message}")


@pytest.fixture
def tasks(script: Scripts, monkeypatch: pytest.MonkeyPatch) -> Tasks:
    return Tasks(script, monkeypatch)


# Consumer groups.

GOLD = {"id": ID["d"], "name": "gold", "tags": None}
FOUND = Step("GET", "/consumer_groups/gold", answer(200, {"consumer_group": GOLD}))
MEMBERS = f"/consumer_groups/{ID['d']}/consumers"
GET_ALICE = Step("GET", "/consumers/alice", answer(200, ALICE))


def test_a_member_is_added_and_nobody_removed_unasked(tasks: Tasks) -> None:
    steps = [
        FOUND, GET_ALICE, _get(MEMBERS, BOB),
        Step("POST", MEMBERS, answer(201, {}), {"consumer": ID["a"]}),
    ]  # fmt: skip
    result = tasks.run(KONG_CONSUMER_GROUP, steps, name="gold", consumers=["alice"])
    assert (result["changed"], result["added"], result["removed"]) == (True, ["alice"], [])
    assert result["consumers"] == ["alice", "bob"]
    assert (result["operation"], result["diff"]["before"]["consumers"]) == ("none", ["bob"])


def test_members_that_are_there_already_are_no_change(tasks: Tasks) -> None:
    steps = [FOUND, GET_ALICE, _get(MEMBERS, ALICE, BOB)]
    result = tasks.run(KONG_CONSUMER_GROUP, steps, name="gold", consumers=["alice"])
    assert (result["changed"], result["added"], result["removed"]) == (False, [], [])


def test_members_are_left_alone_where_none_are_written(tasks: Tasks) -> None:
    assert not tasks.run(KONG_CONSUMER_GROUP, [FOUND], name="gold")["changed"]


def test_others_are_removed_when_asked(tasks: Tasks) -> None:
    steps = [
        FOUND, GET_ALICE, _get(MEMBERS, ALICE, BOB),
        Step("DELETE", f"{MEMBERS}/{ID['b']}", answer(204)),
    ]  # fmt: skip
    params = {"name": "gold", "consumers": ["alice"], "purge_consumers": True}
    assert tasks.run(KONG_CONSUMER_GROUP, steps, **params)["removed"] == ["bob"]


def test_the_members_of_a_group_that_somebody_else_just_created_are_known(tasks: Tasks) -> None:
    taken = answer(409, {"code": 5, "message": "UNIQUE violation", "fields": {"name": "gold"}})
    steps = [
        Step("GET", "/consumer_groups/gold", MISSING), GET_ALICE,
        Step("POST", "/consumer_groups", taken), FOUND, _get(MEMBERS, ALICE, BOB),
        Step("DELETE", f"{MEMBERS}/{ID['b']}", answer(204)),
    ]  # fmt: skip
    params = {"name": "gold", "consumers": ["alice"], "purge_consumers": True}
    result = tasks.run(KONG_CONSUMER_GROUP, steps, **params)
    assert (result["added"], result["removed"]) == ([], ["bob"])


def test_a_purge_without_a_list_of_those_that_stay_is_refused(tasks: Tasks) -> None:
    error = tasks.refusal(KONG_CONSUMER_GROUP, [], name="gold", purge_consumers=True)
    assert "purge_consumers needs consumers" in error.message


def test_somebody_who_does_not_exist_becomes_no_member(tasks: Tasks) -> None:
    steps = [FOUND, Step("GET", "/consumers/nobody", MISSING),
             Step("GET", "/consumers?size=1000&custom_id=nobody", _listed())]  # fmt: skip
    error = tasks.refusal(KONG_CONSUMER_GROUP, steps, name="gold", consumers=["nobody"])
    assert "consumer nobody does not exist" in error.message


def test_members_added_before_a_failure_are_told(tasks: Tasks) -> None:
    steps = [
        FOUND, GET_ALICE, Step("GET", "/consumers/bob", answer(200, BOB)), _get(MEMBERS),
        Step("POST", MEMBERS, answer(201, {})),
        Step("POST", MEMBERS, answer(400, {"message": "no"})),
    ]  # fmt: skip
    error = tasks.refusal(KONG_CONSUMER_GROUP, steps, name="gold", consumers=["alice", "bob"])
    assert f"of consumer_group gold at {URL}" in error.message
    assert (error.partial["changed"], error.partial["added"]) == (True, ["alice"])


# Credentials.

BASIC = f"/consumers/{ID['a']}/basic-auth"
STORED = {
    "id": ID["c"], "username": "al", "password": hashed_password("pw", ID["a"]), "tags": None
}  # fmt: skip
PARAMS: dict[str, Any] = {"type": "basic_auth", "consumer": "alice", "username": "al"}


def test_a_password_is_compared_with_the_hash_that_the_gateway_stores(tasks: Tasks) -> None:
    steps = [GET_ALICE, _get(BASIC, STORED)]
    assert not tasks.run(KONG_CREDENTIAL, steps, **PARAMS, password="pw")["changed"]


def test_a_new_password_is_written_and_shown_nowhere(tasks: Tasks) -> None:
    changed = {**STORED, "password": hashed_password("new-pw", ID["a"])}
    steps = [
        GET_ALICE, _get(BASIC, STORED),
        Step("PATCH", f"{BASIC}/{ID['c']}", answer(200, changed), {"password": "new-pw"}),
    ]  # fmt: skip
    result = tasks.run(KONG_CREDENTIAL, steps, **PARAMS, password="new-pw")
    assert result["diff"]["after"]["password"] == "******** (changed)"
    assert "new-pw" not in repr(result)
    assert str(changed["password"]) not in repr(result)


def test_a_client_secret_is_sent_with_the_rest_as_a_gateway_takes_it_so_only(tasks: Tasks) -> None:
    path = f"/consumers/{ID['a']}/oauth2"
    stored = {"id": ID["c"], "client_id": "x", "client_secret": "hash", "hash_secret": True}
    steps = [
        GET_ALICE, _get(path, stored),
        Step("PUT", f"{path}/{ID['c']}", answer(200, stored), {**stored, "client_secret": "new"}),
    ]  # fmt: skip
    params = {"type": "oauth2", "consumer": "alice", "client_id": "x", "client_secret": "new"}
    assert tasks.run(KONG_CREDENTIAL, steps, **params)["operation"] == "update"


# What gateway 3.9.1 stored for the client secret s1.
SALTED = (
    "$pbkdf2-sha512$i=10000,l=32$kVa4hTLwMq+LiJBQsEWoAQ$+m/W0sr6c5t8aFWv31kneNyedUdA3SLXXRnJeg0WDtg"
)


def test_a_client_secret_is_compared_with_the_hash_that_is_stored(tasks: Tasks) -> None:
    path = f"/consumers/{ID['a']}/oauth2"
    stored = {"id": ID["c"], "client_id": "x", "client_secret": SALTED, "hash_secret": True}
    params = {"type": "oauth2", "consumer": "alice", "client_id": "x", "hash_secret": True}
    steps = [GET_ALICE, _get(path, stored)]
    assert not tasks.run(KONG_CREDENTIAL, steps, **params, client_secret="s1")["changed"]
    put = Step("PUT", f"{path}/{ID['c']}", answer(200, stored), {**stored, "client_secret": "s2"})
    changed = tasks.run(KONG_CREDENTIAL, [*steps, put], **params, client_secret="s2")
    assert changed["operation"] == "update"


def test_a_client_secret_is_hashed_or_not_only_with_the_secret(tasks: Tasks) -> None:
    stored = {"id": ID["c"], "client_id": "x", "client_secret": SALTED, "hash_secret": True}
    steps = [GET_ALICE, _get(f"/consumers/{ID['a']}/oauth2", stored)]
    params = {"type": "oauth2", "consumer": "alice", "client_id": "x", "hash_secret": False}
    with pytest.raises(InputError, match="only be changed together with another client_secret$"):
        tasks.run(KONG_CREDENTIAL, steps, **params)


def test_a_password_of_one_who_is_there_is_left_alone_when_asked(tasks: Tasks) -> None:
    params = {**PARAMS, "password": "new-pw", "update_password": "on_create"}
    assert not tasks.run(KONG_CREDENTIAL, [GET_ALICE, _get(BASIC, STORED)], **params)["changed"]
    steps = [
        GET_ALICE, _get(BASIC),
        Step("POST", BASIC, answer(201, STORED), {"username": "al", "password": "pw"}),
    ]  # fmt: skip
    created = tasks.run(KONG_CREDENTIAL, steps, **{**params, "password": "pw"})
    assert created["operation"] == "create"


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"type": "key_auth", "username": "al", "key": "s3cret"},
         "username is not a field of credentials of type key_auth"),
        ({"type": "acl", "key": "s3cret"}, "key is not a field of credentials of type acl"),
        ({"type": "jwt", "secret": "s3cret"}, "one of the following is required: key, id"),
        ({"type": "basic_auth", "password": "s3cret"},
         "one of the following is required: username, id"),
    ],
)  # fmt: skip
def test_a_credential_has_the_fields_of_its_type(
    tasks: Tasks, params: dict[str, Any], message: str
) -> None:
    error = tasks.refusal(KONG_CREDENTIAL, [], consumer="alice", **params)
    assert isinstance(error, InputError)
    assert error.message.startswith(f"{params['type']} of consumer alice at {URL}: {message}")
    assert "s3cret" not in error.message


def test_a_credential_is_deleted_by_its_id(tasks: Tasks) -> None:
    path = f"/consumers/{ID['a']}/key-auth/{ID['c']}"
    key = {"id": ID["c"], "key": "s3cret"}
    steps = [GET_ALICE, Step("GET", path, answer(200, key)), Step("DELETE", path, answer(204))]
    params = {"type": "key_auth", "consumer": "alice", "id": ID["c"], "state": "absent"}
    result = tasks.run(KONG_CREDENTIAL, steps, **params)
    assert (result["operation"], result["credential"]) == ("delete", {})
    assert "s3cret" not in repr(result)


# Plugins.

CORS: Entity = {
    "id": ID["a"],
    "name": "cors",
    "instance_name": "one",
    "service": None,
    "config": {},
}
CORS_SCHEMA = Step("GET", "/schemas/plugins/cors", answer(200, plugin_schemas("3.10")["cors"]))
NO_ID = Step("GET", f"/plugins/{ID['b']}", MISSING)
NO_NAME = Step("GET", "/plugins/two", MISSING)


@pytest.mark.parametrize(
    ("written", "steps"),
    [
        ({"id": ID["a"]}, [Step("GET", f"/plugins/{ID['a']}", answer(200, CORS)), CORS_SCHEMA]),
        ({"instance_name": "one"}, [Step("GET", "/plugins/one", answer(200, CORS)), CORS_SCHEMA]),
        ({"name": "cors"}, [_get("/plugins", {**CORS, "service": {"id": "s"}}, CORS),
                            CORS_SCHEMA]),
        ({"name": "cors", "id": ID["a"], "instance_name": "one"},
         [Step("GET", f"/plugins/{ID['a']}", answer(200, CORS)), CORS_SCHEMA]),
    ],
)  # fmt: skip
def test_a_plugin_is_found_by_id_then_instance_name_then_name_and_scope(
    tasks: Tasks, written: Entity, steps: list[Step]
) -> None:
    result = tasks.run(KONG_PLUGIN, steps, **written)
    assert (result["changed"], result["plugin"]["id"]) == (False, ID["a"])


def test_each_way_to_find_a_plugin_is_tried_in_turn(tasks: Tasks) -> None:
    steps = [
        NO_ID, _get("/plugins", {**CORS, "instance_name": None}), CORS_SCHEMA,
        Step("PATCH", f"/plugins/{ID['a']}", answer(200, CORS), {"instance_name": "two"}),
    ]  # fmt: skip
    params = {"name": "cors", "instance_name": "two"}
    with pytest.raises(InputError, match="an id cannot be changed"):
        tasks.run(KONG_PLUGIN, steps[:-1], id=ID["b"], **params)
    assert tasks.run(KONG_PLUGIN, steps[1:], **params)["operation"] == "update"


@pytest.mark.parametrize(
    ("scope", "asked"),
    [
        ({"service": ID["b"]}, "services"),
        ({"route": ID["b"]}, "routes"),
        ({"consumer": ID["b"]}, "consumers"),
        ({"consumer_group": ID["b"]}, "consumer_groups"),
        ({"service": ID["c"], "route": ID["b"]}, "routes"),
        ({"service": ID["c"], "consumer": ID["b"]}, "consumers"),
    ],
)
def test_a_plugin_is_looked_for_in_the_narrowest_list(
    tasks: Tasks, scope: dict[str, str], asked: str
) -> None:
    whole: Entity = {name: {"id": key} for name, key in scope.items()}
    steps = [_get(f"/{asked}/{ID['b']}/plugins", CORS, {**CORS, **whole}), CORS_SCHEMA]
    assert not tasks.run(KONG_PLUGIN, steps, name="cors", **scope)["changed"]


@pytest.mark.parametrize("written", [{"id": ID["b"]}, {"instance_name": "two"}])
def test_a_plugin_that_is_not_there_needs_a_name_to_be_made(tasks: Tasks, written: Entity) -> None:
    steps = [NO_ID if "id" in written else NO_NAME]
    assert "a new plugin needs name" in tasks.refusal(KONG_PLUGIN, steps, **written).message
    assert not tasks.run(KONG_PLUGIN, steps, **written, state="absent")["changed"]


def test_a_plugin_that_the_gateway_does_not_have_is_refused_by_its_name(tasks: Tasks) -> None:
    steps = [_get("/plugins"), Step("GET", "/schemas/plugins/mine", MISSING), NO_ROOT]
    error = tasks.refusal(KONG_PLUGIN, steps, name="mine")
    assert error.message == f"plugin mine at {URL}: the gateway has no plugin mine"


def test_a_misspelled_plugin_is_told_the_nearest_one_that_the_gateway_has(tasks: Tasks) -> None:
    root = {"plugins": {"available_on_server": {"rate-limiting": True, "request-size-limiting": 1}}}
    steps = [
        _get("/plugins"),
        Step("GET", "/schemas/plugins/rate-limitting", MISSING),
        Step("GET", "/", answer(200, root)),
    ]
    error = tasks.refusal(KONG_PLUGIN, steps, name="rate-limitting")
    assert error.message.endswith("no plugin rate-limitting; did you mean rate-limiting?")


def test_a_misspelled_setting_is_told_the_nearest_one_of_the_plugin(tasks: Tasks) -> None:
    body = {"code": 2, "name": "schema violation",
            "fields": {"config": {"max_ag": "unknown field"}}}  # fmt: skip
    steps = [
        _get("/plugins"),
        CORS_SCHEMA,
        Step("POST", "/plugins", answer(400, body)),
        Step("GET", "/schemas/plugins", answer(200, {"fields": []})),
    ]
    error = tasks.refusal(KONG_PLUGIN, steps, name="cors", config={"max_ag": 5})
    assert error.message.endswith("(config.max_ag: unknown field; did you mean max_age?)")


def test_a_plugin_of_a_missing_service_is_absent_and_cannot_be_present(tasks: Tasks) -> None:
    steps = [Step("GET", "/services/api", MISSING)]
    params = {"name": "cors", "service": "api"}
    assert not tasks.run(KONG_PLUGIN, steps, **params, state="absent")["changed"]
    error = tasks.refusal(KONG_PLUGIN, steps, **params)
    assert error.message == f"plugin cors at {URL}: service api does not exist"


def test_a_setting_of_the_wrong_type_is_refused_with_its_path(tasks: Tasks) -> None:
    steps = [_get("/plugins"), CORS_SCHEMA]
    error = tasks.refusal(KONG_PLUGIN, steps, name="cors", config={"max_age": "s3cret"})
    assert error.message == f"plugin cors at {URL}: config.max_age: a string is not a number"


# Any other entity.

WORKSPACES = Step("GET", "/schemas/workspaces", answer(200, schemas("3.10")["workspaces"]))


def _any(path: str, **entity: Any) -> dict[str, Any]:
    return {"path": path, "entity": entity}


@pytest.mark.parametrize(
    ("params", "steps", "message"),
    [
        (_any("/plugins", name="cors"), [], "use kong_plugin"),
        (_any("/consumers/a/plugins/", name="cors"), [], "use kong_plugin"),
        (_any("/my-things", name="x"), [Step("GET", "/schemas/my_things", MISSING)],
         f"the gateway at {URL} has no schema my_things; check path, or set schema"),
        (_any("http://127.0.0.1:8001/services", name="x"), [],
         "must be the path of a list, such as services, without a URL"),
        (_any("services?tags=a", name="x"), [], "must be the path of a list, such as services"),
        (_any("/workspaces", comment="x"), [WORKSPACES],
         "one of the following is required: name, id"),
        ({**_any("/workspaces", name="x"), "identity": "comment"}, [WORKSPACES],
         "one of the following is required: comment, id"),
    ],
)  # fmt: skip
def test_an_entity_that_cannot_be_meant_is_refused(
    tasks: Tasks, params: dict[str, Any], steps: list[Step], message: str
) -> None:
    error = tasks.refusal(KONG_ENTITY, steps, **params)
    assert isinstance(error, InputError)
    assert message in error.message


def test_an_entity_is_converted_compared_and_masked_by_the_gateways_schema(tasks: Tasks) -> None:
    fields = [
        {"name": {"type": "string"}}, {"size": {"type": "integer"}},
        {"labels": {"type": "set", "elements": {"type": "string"}}},
        {"token": {"type": "string"}},
    ]  # fmt: skip
    schema = Step("GET", "/schemas/my_things", answer(200, {"fields": fields}))
    stored = {"id": ID["a"], "name": "x", "size": 5, "labels": ["a", "b"], "token": "old"}
    written = {"name": "x", "size": "5", "labels": ["b", "a"], "token": "s3cret"}
    steps = [
        schema,
        Step("GET", "/my-things/x", answer(200, stored)),
        Step("PATCH", f"/my-things/{ID['a']}", answer(200, {**stored, "token": "s3cret"}),
             {"token": "s3cret"}),
    ]  # fmt: skip
    result = tasks.run(KONG_ENTITY, steps, **_any("my-things", **written))
    assert result["operation"] == "update"
    assert result["diff"]["after"]["token"] == "******** (changed)"
    assert "s3cret" not in repr(result)


def test_an_entity_without_a_path_of_its_own_is_searched_for(tasks: Tasks) -> None:
    schema = Step("GET", "/schemas/acls", answer(200, schemas("3.10")["acls"]))
    stored = {"id": ID["c"], "group": "g", "tags": None, "consumer": {"id": ID["a"]}}
    # Its consumer may be called by its custom_id, too.
    consumer = Step("GET", "/consumers/alice", answer(200, {"id": ID["a"], "username": "alice"}))
    listed = _get(f"/consumers/{ID['a']}/acls", {**stored, "group": "h"}, stored)
    steps = [schema, consumer, listed]
    params = {**_any("consumers/alice/acls", group="g"), "identity": "group", "search": True}
    assert not tasks.run(KONG_ENTITY, steps, **params)["changed"]


def test_what_may_be_meant_otherwise_is_warned_about_whatever_the_module(tasks: Tasks) -> None:
    routes = Step("GET", "/schemas/routes", answer(200, schemas("3.10")["routes"]))
    with pytest.raises(AssertionError, match="looks like a regular expression; write ~/v"):
        tasks.run(KONG_ENTITY, [routes], **_any("routes", name="r", paths=[r"/v\d+"]))

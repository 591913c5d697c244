# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Others may write at the same time, and answers may be lost: a task still ends as it says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import httpx
import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._apply import (
    apply,
    apply_all,
    present,
)
from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import Entity
from ansible_collections.irishtek.kong.plugins.module_utils._entities._registry import KINDS
from ansible_collections.irishtek.kong.plugins.module_utils._errors import (
    InputError,
    KongError,
    Refused,
    Unreachable,
)
from ansible_collections.irishtek.kong.plugins.module_utils._gateway._admin import AdminGateway
from ansible_collections.irishtek.kong.plugins.module_utils._plan import (
    Plan,
    plan_absent,
    plan_present,
)
from unit.recordings import schema
from unit.scripted import URL, Script, Step, answer, client_for, gateway_for

Scripts = Callable[..., Script]
TARGET, SERVICE, UPSTREAM, ROUTE, KEY = (
    KINDS[name] for name in ("target", "service", "upstream", "route", "key")
)
ID = "11111111-2222-4333-8444-555555555555"
ADDRESS = "10.0.0.1:80"
POOL, ONE = "/upstreams/web/targets", f"/upstreams/web/targets/{ADDRESS}"
BY_ID = f"/upstreams/web/targets/{ID}"
WANTED = {"target": ADDRESS, "weight": 5}
THEIRS = {"id": ID, "target": ADDRESS, "weight": 100}
TAKEN = answer(
    409,
    {"code": 5, "message": "UNIQUE violation detected on '{…}'",
     "fields": {"target": ADDRESS, "upstream": {"id": ID}}},
)  # fmt: skip
LOST = httpx.ReadError
MISSING = answer(404, {"message": "Not found"})


def _warn(message: str) -> None:
    raise AssertionError(f"not to be warned of: {message}")


def _created(wanted: Entity | None = None) -> Plan:
    return plan_present(TARGET, wanted or WANTED, None, "web")


@pytest.mark.parametrize(
    ("steps", "operation", "weight"),
    [
        ([Step("POST", POOL, answer(201, {**THEIRS, "weight": 5}), WANTED)], "create", 5),
        (
            [
                Step("POST", POOL, TAKEN),
                Step("GET", ONE, answer(200, THEIRS)),
                Step("PATCH", BY_ID, answer(200, {**THEIRS, "weight": 5}), {"weight": 5}),
            ],
            "update",
            5,
        ),
        (
            [Step("POST", POOL, TAKEN), Step("GET", ONE, answer(200, {**THEIRS, "weight": 5}))],
            "none",
            5,
        ),
        (
            [
                Step("POST", POOL, LOST),
                Step("GET", ONE, answer(200, {**THEIRS, "weight": 5})),
            ],
            "create",
            5,
        ),
        (
            [
                Step("POST", POOL, LOST),
                Step("GET", ONE, MISSING),
                Step("POST", POOL, answer(201, {**THEIRS, "weight": 5})),
            ],
            "create",
            5,
        ),
        (
            [
                Step("POST", POOL, answer(503, {"message": "no"})),
                Step("GET", ONE, answer(200, THEIRS)),
                Step("PATCH", BY_ID, answer(200, {**THEIRS, "weight": 5}), {"weight": 5}),
            ],
            "update",
            5,
        ),
        (
            [
                Step("POST", POOL, LOST),
                Step("GET", ONE, MISSING),
                Step("POST", POOL, TAKEN),
                Step("GET", ONE, answer(200, {**THEIRS, "weight": 5})),
            ],
            "none",
            5,
        ),
    ],
    ids=["quiet", "lost race", "lost race, same", "lost answer, done", "lost answer, not done",
         "proxy's error, theirs", "lost answer, then lost race"],
)  # fmt: skip
def test_a_create_ends_as_wanted_whatever_happens_on_the_way(
    script: Scripts,
    monkeypatch: pytest.MonkeyPatch,
    steps: list[Step],
    operation: str,
    weight: int,
) -> None:
    done = apply(gateway_for(script(*steps), monkeypatch), _created(), "web")
    assert done.operation == operation
    assert done.entity["weight"] == weight


@pytest.mark.parametrize(
    ("retries", "sent"), [(0, 1), (1, 2), (3, 4), (10, 11)], ids=["none", "1", "3", "10"]
)
def test_a_create_is_sent_as_often_as_is_written_and_each_time_looked_for(
    script: Scripts, monkeypatch: pytest.MonkeyPatch, retries: int, sent: int
) -> None:
    steps = [Step("POST", POOL, LOST), Step("GET", ONE, MISSING)] * sent
    gateway = gateway_for(script(*steps), monkeypatch, retries=retries, timeout=100.0)
    assert _failure(gateway, _created(), "web").failure["uncertain"] is True


def test_a_create_is_done_after_two_seconds_in_which_writes_fail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return MISSING
        away = clock.now < start + 2
        return answer(503, {"message": "later"}) if away else answer(201, THEIRS)

    monkeypatch.setattr("random.uniform", lambda least, most: least)
    client, clock = client_for(handler, monkeypatch)
    start = clock.now
    assert apply(AdminGateway(client), _created(), "web").operation == "create"


def test_a_create_that_is_sent_again_ends_with_the_deadline(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return MISSING
        clock.now += request.extensions["timeout"]["read"]
        raise httpx.ReadTimeout("slow", request=request)

    client, clock = client_for(handler, monkeypatch, timeout=10.0, retries=3)
    start = clock.now
    error = _failure(AdminGateway(client), _created(), "web")
    assert "it is not known whether the change was made" in error.message
    assert clock.now - start <= 41


def _failure(gateway: Any, plan: Plan, parent: str | None = None) -> KongError:
    with pytest.raises(KongError) as caught:
        apply(gateway, plan, parent)
    return caught.value


def test_a_race_is_run_once(script: Scripts, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = answer(404, {"message": "could not find the entity"})
    steps = [
        Step("POST", POOL, TAKEN), Step("GET", ONE, answer(200, THEIRS)), Step("PATCH", BY_ID, gone)
    ]  # fmt: skip
    error = _failure(gateway_for(script(*steps), monkeypatch), _created(), "web")
    assert isinstance(error, Refused)
    assert "could not find the entity" in error.message


def test_a_race_whose_winner_is_gone_again_says_what_the_gateway_said(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [Step("POST", POOL, TAKEN), Step("GET", ONE, MISSING)]
    error = _failure(gateway_for(script(*steps), monkeypatch), _created(), "web")
    assert error.failure["status"] == 409


def test_another_unique_field_is_no_race_and_is_named(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = answer(
        409, {"code": 5, "message": "UNIQUE violation on '{kid=…}'", "fields": {"kid": "1"}}
    )
    plan = plan_present(KEY, {"name": "k", "kid": "1"}, None)
    listed = answer(200, {"data": [{"id": ID, "name": "other", "kid": "1", "set": None}]})
    steps = (Step("POST", "/keys", refused), Step("GET", "/keys?size=1000", listed))
    error = _failure(gateway_for(script(*steps), monkeypatch), plan)
    assert error.message == f"Could not create key k at {URL}: set and kid are those of key other"
    assert error.failure["fields"] == {"kid": "1"}


@pytest.mark.parametrize(("status", "fields"), [
    (400, {"id": ID}), (409, {"an_index": "1"}), (409, {}),
])  # fmt: skip
def test_an_id_and_what_is_no_field_are_looked_up(
    script: Scripts, monkeypatch: pytest.MonkeyPatch, status: int, fields: dict[str, str]
) -> None:
    body = {"code": 3, "name": "primary key violation", "message": "taken", "fields": fields}
    theirs = {"name": "s", "id": ID, "host": "h"}
    steps = (Step("POST", "/services", answer(status, body)),
             Step("GET", f"/services/{ID}", answer(200, theirs)))  # fmt: skip
    plan = plan_present(SERVICE, theirs, None)
    assert apply(gateway_for(script(*steps), monkeypatch), plan).operation == "none"


def test_a_delete_of_what_is_gone_is_done(script: Scripts, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = gateway_for(script(Step("DELETE", BY_ID, MISSING)), monkeypatch)
    assert apply(gateway, plan_absent(TARGET, THEIRS, "web"), "web").operation == "delete"


@pytest.mark.parametrize(
    "before", [[], [Step("POST", POOL, LOST), Step("GET", ONE, MISSING)]],
    ids=["at once", "after a lost answer"],
)
def test_a_target_of_no_upstream_is_said_so(
    script: Scripts, monkeypatch: pytest.MonkeyPatch, before: list[Step]
) -> None:
    steps = [*before, Step("POST", POOL, MISSING)]
    error = _failure(gateway_for(script(*steps), monkeypatch), _created(), "web")
    assert isinstance(error, InputError)
    assert error.message == (
        f"target {ADDRESS} of upstream web at {URL}: upstream web does not exist"
    )


@pytest.mark.parametrize(
    ("plan", "steps"),
    [
        (plan_present(TARGET, {"weight": 5}, THEIRS, "web"), [Step("PATCH", BY_ID, LOST)]),
        (plan_absent(TARGET, THEIRS, "web"), [Step("DELETE", BY_ID, answer(504, text="<html>"))]),
        (_created(), [Step("POST", POOL, LOST), Step("GET", ONE, LOST)]),
        (_created(), [Step("POST", POOL, LOST), Step("GET", ONE, httpx.ConnectError)]),
        (_created(), [Step("POST", POOL, LOST), Step("GET", ONE, MISSING)]),
        (_created(), [Step("POST", POOL, LOST), Step("GET", ONE, answer(500, {"message": "x"}))]),
        (_created(), [Step("POST", POOL, TAKEN), Step("GET", ONE, answer(200, THEIRS)),
                      Step("PATCH", BY_ID, LOST)]),
    ],
    ids=["update", "delete", "create, look lost", "create, gateway gone", "create once",
         "create, look refused", "lost race, update lost"],
)  # fmt: skip
def test_an_uncertain_outcome_is_said(
    script: Scripts, monkeypatch: pytest.MonkeyPatch, plan: Plan, steps: list[Step]
) -> None:
    error = _failure(gateway_for(script(*steps), monkeypatch, retries=0), plan, "web")
    assert error.failure.get("uncertain") is True
    assert error.message.endswith("; it is not known whether the change was made")
    assert error.message.count("it is not known") == 1
    assert str(error) == error.message


@pytest.mark.parametrize("result", [httpx.ConnectError, answer(400, {"message": "x"})])
def test_a_certain_outcome_is_not_called_uncertain(
    script: Scripts, monkeypatch: pytest.MonkeyPatch, result: Any
) -> None:
    gateway = gateway_for(script(Step("POST", POOL, result)), monkeypatch, retries=0)
    error = _failure(gateway, _created(), "web")
    assert "uncertain" not in error.failure
    assert "not known" not in error.message


def _so_far(done: Sequence[Plan | None]) -> dict[str, Any]:
    return {"done": list(done)}


def test_deletes_come_when_everything_else_is_done(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = gateway_for(
        script(Step("POST", POOL, answer(201, THEIRS)), Step("DELETE", BY_ID, answer(204))),
        monkeypatch,
    )
    plans = [plan_absent(TARGET, THEIRS, "web"), _created()]
    done = apply_all(gateway, plans, "web", _so_far)
    assert [plan.operation for plan in done] == ["delete", "create"]


def test_nothing_is_deleted_after_a_failure_and_what_was_done_is_known(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = answer(400, {"message": "no"})
    gateway = gateway_for(script(Step("POST", POOL, refused)), monkeypatch)
    unchanged = plan_present(TARGET, {"weight": 100}, THEIRS, "web")
    plans = [unchanged, plan_absent(TARGET, THEIRS, "web"), _created()]
    with pytest.raises(KongError, match="Could not create target 10.0.0.1:80") as caught:
        apply_all(gateway, plans, "web", _so_far)
    assert caught.value.partial == {"done": [unchanged, None, None]}


def test_an_unchanged_entity_costs_one_read(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = {"id": ID, "name": "s", "host": "h", "retries": 5, "tags": ["b", "a"]}
    gateway = gateway_for(script(Step("GET", "/services/s", answer(200, stored))), monkeypatch)
    written = {"name": "s", "retries": 5, "tags": ["a", "b"]}
    assert not apply(gateway, present(gateway, SERVICE, written, _warn)).changed


def test_a_written_id_is_looked_for_first_then_the_name(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = {"id": ID.replace("1", "2"), "name": "s", "host": "h"}
    steps = [
        Step("GET", f"/services/{ID}", MISSING), Step("GET", "/services/s", answer(200, other))
    ]  # fmt: skip
    gateway = gateway_for(script(*steps), monkeypatch)
    with pytest.raises(InputError, match=f"service s at {URL}: .* an id cannot be changed"):
        present(gateway, SERVICE, {"id": ID, "name": "s", "host": "h"}, _warn)


def test_a_reference_by_name_or_id_is_looked_up(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [Step("GET", "/routes/r", MISSING), Step("GET", "/services/s", answer(200, {"id": ID}))]
    gateway = gateway_for(script(*steps), monkeypatch)
    assert present(gateway, ROUTE, {"name": "r", "service": "s"}, _warn).body == {
        "name": "r", "service": {"id": ID}
    }  # fmt: skip
    steps = [
        Step("GET", "/routes/r", MISSING), Step("GET", f"/services/{ID}", answer(200, {"id": ID}))
    ]  # fmt: skip
    gateway = gateway_for(script(*steps), monkeypatch)
    plan = present(gateway, ROUTE, {"name": "r", "service": ID}, _warn)
    assert plan.body["service"] == {"id": ID}


def test_a_reference_to_nothing_is_an_error_that_names_both(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [Step("GET", "/routes/r", MISSING), Step("GET", "/services/s", MISSING)]
    with pytest.raises(InputError) as caught:
        present(
            gateway_for(script(*steps), monkeypatch), ROUTE, {"name": "r", "service": "s"}, _warn
        )
    assert caught.value.message == f"route r at {URL}: service s does not exist"


@pytest.mark.parametrize(
    ("written", "asks"),
    [({"host_header": None}, True), ({"client_certificate": None}, False), ({"tags": None}, False)],
)
def test_the_schema_is_asked_for_only_where_a_null_may_mean_a_default(
    script: Scripts, monkeypatch: pytest.MonkeyPatch, written: Entity, asks: bool
) -> None:
    steps = [Step("GET", "/upstreams/web", answer(200, {"id": ID, "name": "web"}))]
    if asks:
        steps.append(Step("GET", "/schemas/upstreams", answer(200, schema(UPSTREAM))))
    gateway = gateway_for(script(*steps), monkeypatch)
    assert not present(gateway, UPSTREAM, {"name": "web", **written}, _warn).changed


def test_a_lost_read_before_the_plan_is_not_an_uncertain_write(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = gateway_for(script(Step("GET", "/services/s", LOST)), monkeypatch, retries=0)
    with pytest.raises(Unreachable) as caught:
        present(gateway, SERVICE, {"name": "s"}, _warn)
    assert "uncertain" not in caught.value.failure


@pytest.mark.parametrize(
    ("path", "doubted"),
    [
        (r"/reader/([^\/]+)", True), (r"/v\d", True), ("/api/.*", True), ("/a|/b", True),
        ("/exact$", True), ("/a{2}", True), ("/x?", True),
        (r"~/v\d+$", False), ("/api/v1.0", False), ("/a-b_c~d/%20", False),
        ("/a:b@c,d;e=1!", False),
    ],
)  # fmt: skip
def test_a_path_that_was_an_expression_before_3_0_is_warned_about(
    path: str, doubted: bool, script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    warnings: list[str] = []
    gateway = gateway_for(script(Step("GET", "/routes/r", MISSING)), monkeypatch)
    present(gateway, ROUTE, {"name": "r", "paths": ["/plain", path]}, warnings.append)
    doubt = (
        f"route r: the path {path} is plain text for the gateway, though it looks like a regular "
        f"expression; write ~{path} if it is one"
    )
    assert warnings == [doubt] * doubted

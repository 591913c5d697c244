# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode predicts what a run would leave, from reads and validations alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._apply import parent_key
from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import (
    PLACEHOLDER,
)
from ansible_collections.irishtek.kong.plugins.module_utils._entities._registry import KINDS
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError, Refused
from ansible_collections.irishtek.kong.plugins.module_utils._plan import Plan
from unit.checking import ReadOnly, Run
from unit.scripted import URL, answer

TARGET, SERVICE, UPSTREAM, ROUTE = (
    KINDS[name] for name in ("target", "service", "upstream", "route")
)
ID = {name: f"{name[0] * 8}-2222-4333-8444-555555555555" for name in ("a", "b", "c")}
WEB = {"id": ID["a"], "name": "web", "slots": 100, "algorithm": "round-robin", "hash_on": "none"}
API = {"id": ID["b"], "name": "api", "host": "web", "protocol": "http"}
TO_API = {"id": ID["c"], "name": "r", "paths": ["/"], "service": {"id": ID["b"]}}
TARGET_1 = {"id": ID["b"], "target": "10.0.0.1:80", "weight": 100, "upstream": {"id": ID["a"]}}


def test_a_create_is_predicted_with_the_gateways_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    handler = ReadOnly({})
    plan = Run(handler, monkeypatch).present(UPSTREAM, name="web", hash_on="ip")
    assert plan.operation == "create"
    assert plan.entity["id"].startswith(PLACEHOLDER)
    assert plan.entity["algorithm"] == "consistent-hashing"
    assert plan.entity["slots"] == 10000
    assert plan.entity["healthchecks"]["active"]["timeout"] == 1
    assert [(kind, body["name"]) for kind, body in handler.judged] == [("upstreams", "web")]


def test_an_update_is_judged_as_the_whole_record_without_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handler = ReadOnly({"/upstreams/web": {**WEB, "created_at": 1, "updated_at": 2}})
    plan = Run(handler, monkeypatch).present(UPSTREAM, name="web", slots=20)
    assert plan.after == {**WEB, "slots": 20, "created_at": 1, "updated_at": 2}
    assert handler.judged == [("upstreams", {**WEB, "slots": 20})]


def test_what_does_not_change_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    handler = ReadOnly({"/upstreams/web": WEB})
    assert not Run(handler, monkeypatch).present(UPSTREAM, name="web", slots=100).changed
    assert handler.judged == []


def test_what_the_gateway_would_refuse_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    handler = ReadOnly({})
    handler.verdict = answer(
        400, {"code": 2, "name": "schema violation", "fields": {"host": "bad"}}
    )
    with pytest.raises(Refused) as caught:
        Run(handler, monkeypatch).present(SERVICE, name="api", host="b d")
    sentence = f"Could not create service api at {URL}: schema violation (host: bad)"
    assert caught.value.message == sentence


def test_a_gateway_that_cannot_judge_does_not_stop_the_prediction(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    handler = ReadOnly({})
    handler.verdict = answer(404, {"message": "Not found"})
    assert Run(handler, monkeypatch).present(SERVICE, name="api", host="web").changed


def test_later_tasks_see_what_earlier_ones_predicted(monkeypatch: pytest.MonkeyPatch) -> None:
    handler = ReadOnly({})
    run = Run(handler, monkeypatch)
    made = run.present(UPSTREAM, name="web")
    assert not run.present(UPSTREAM, name="web", slots=10000).changed
    target = run.target("web", target="10.0.0.1:80")
    assert target.entity["upstream"] == {"id": made.entity["id"]}
    assert not run.target("web", target="10.0.0.1:80", weight=100).changed
    service = run.present(SERVICE, name="api", host="web")
    route = run.present(ROUTE, name="r", paths=["/"], service="api")
    assert route.entity["service"] == {"id": service.entity["id"]}
    listed = run.gateway().entities(TARGET, made.entity["id"]) or []
    assert [each["id"] for each in listed] == [target.entity["id"]]
    assert run.warnings == []


def test_a_predicted_change_is_merged_into_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(ReadOnly({"/upstreams/web": WEB}), monkeypatch)
    run.present(UPSTREAM, name="web", slots=20)
    again = run.present(UPSTREAM, name="web", host_header="h")
    assert (again.entity["slots"], again.body) == (20, {"host_header": "h"})


def test_what_is_predicted_to_be_deleted_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = {
        "/upstreams/web": WEB, f"/upstreams/{ID['a']}": WEB, "/upstreams": {"data": [WEB]}
    }  # fmt: skip
    run = Run(ReadOnly(stored), monkeypatch)
    assert run.absent(UPSTREAM, name="web").operation == "delete"
    gateway = run.gateway()
    assert gateway.find_by(UPSTREAM, "name", "web") is None
    assert gateway.find_by(UPSTREAM, "id", ID["a"]) is None
    assert gateway.entities(UPSTREAM) == []
    assert parent_key(gateway, TARGET, "web") is None
    assert not run.absent(UPSTREAM, name="web").changed
    assert run.present(UPSTREAM, name="web").entity["id"] != ID["a"]


def test_a_renamed_entity_is_found_by_its_new_name_only(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = {f"/upstreams/{ID['a']}": WEB, "/upstreams/web": WEB}
    run = Run(ReadOnly(stored), monkeypatch)
    assert run.present(UPSTREAM, id=ID["a"], name="new").operation == "update"
    gateway = run.gateway()
    assert gateway.find_by(UPSTREAM, "name", "web") is None
    assert (gateway.find_by(UPSTREAM, "name", "new") or {})["id"] == ID["a"]


def test_a_name_that_is_taken_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    stored = {
        f"/services/{ID['b']}": API,
        "/services/other": {**API, "id": ID["c"], "name": "other"},
    }
    with pytest.raises(InputError, match="name other is taken by another service"):
        Run(ReadOnly(stored), monkeypatch).present(SERVICE, id=ID["b"], name="other")


POINTED_AT = {
    "/services/api": API,
    f"/services/{ID['b']}": API,
    f"/services/{ID['b']}/routes": {"data": [TO_API]},
    "/routes/r": TO_API,
}


def test_a_service_that_a_route_points_at_is_not_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match="route r still refers to it; delete that one first"):
        Run(ReadOnly(POINTED_AT), monkeypatch).absent(SERVICE, name="api")


def test_it_is_deleted_once_the_route_is_gone_or_points_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = Run(ReadOnly(POINTED_AT), monkeypatch)
    run.absent(ROUTE, name="r")
    assert run.absent(SERVICE, name="api").changed
    run = Run(ReadOnly(POINTED_AT), monkeypatch)
    run.present(SERVICE, name="new", host="web")
    run.present(ROUTE, name="r", service="new")
    assert run.absent(SERVICE, name="api").changed
    with pytest.raises(InputError, match="route r still refers to it"):
        run.absent(SERVICE, name="new")


@pytest.mark.parametrize("complete", [True, False])
def test_what_no_task_predicted_is_missing_only_where_all_is_known(
    complete: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(ReadOnly({}), monkeypatch, complete)
    if complete:
        with pytest.raises(InputError, match=r"route r at .*: service api does not exist"):
            run.present(ROUTE, name="r", paths=["/"], service="api")
        with pytest.raises(InputError, match="upstream web does not exist"):
            run.target("web", target="10.0.0.1:80")
        assert run.warnings == []
        return
    route = run.present(ROUTE, name="r", paths=["/"], service="api")
    assert route.entity["service"]["id"].startswith(PLACEHOLDER)
    run.target("web", target="10.0.0.1:80")
    assert [warning.partition(" at ")[0] for warning in run.warnings] == [
        "service api does not exist",
        "upstream web does not exist",
    ]


def test_a_reference_by_id_is_looked_up_as_validation_does_not_know_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(InputError, match=f"service {ID['b']} does not exist"):
        Run(ReadOnly({}), monkeypatch).present(ROUTE, name="r", paths=["/"], service=ID["b"])


def test_a_gateway_without_a_database_is_refused_as_the_run_would_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = Run(ReadOnly({"/upstreams/web": WEB}, database="off"), monkeypatch)
    attempts: list[Callable[[], Plan]] = [
        lambda: run.present(UPSTREAM, name="new"),
        lambda: run.present(UPSTREAM, name="web", slots=11),
        lambda: run.absent(UPSTREAM, name="web"),
    ]
    for attempt in attempts:
        with pytest.raises(InputError, match="runs without a database"):
            attempt()
    assert not run.present(UPSTREAM, name="web", slots=100).changed


def test_stored_targets_are_filtered_by_tag_beside_the_predicted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tagged = {**TARGET_1, "tags": ["blue", "x"]}
    other = {**TARGET_1, "id": ID["c"], "target": "10.0.0.2:80", "tags": None}
    stored = {
        "/upstreams/web": WEB,
        f"/upstreams/{ID['a']}/targets": {"data": [tagged, other]},
    }
    run = Run(ReadOnly(stored), monkeypatch)
    run.target("web", target="10.0.0.3:80", tags=["blue"])
    run.target("web", target="10.0.0.4:80")
    found = run.gateway().entities(TARGET, ID["a"], tags=["blue"]) or []
    assert [each["target"] for each in found] == ["10.0.0.3:80", "10.0.0.1:80"]

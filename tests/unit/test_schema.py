# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The predicted entity is the one that real gateways answered."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import Entity, Kind
from ansible_collections.irishtek.kong.plugins.module_utils._entities._registry import KINDS
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError
from ansible_collections.irishtek.kong.plugins.module_utils._plan import plan_present
from ansible_collections.irishtek.kong.plugins.module_utils._schema import (
    complete,
    default_of,
    has_null,
    without_nulls,
)
from ansible_collections.irishtek.kong.plugins.module_utils._values import canonical, normalise
from unit.recordings import VERSIONS, lasting, schema, steps

CASES = (
    "target_addresses", "target_crud", "upstream_crud", "upstream_hashing",
    "hashing_against_stored", "upstream_nested_healthchecks", "nulls", "service", "route",
    "seed_first_upstream_target", "paging_and_tags",
)  # fmt: skip

# Recorded changes after which a task leaves something else than the gateway did, on purpose.
NULL_IS_DEFAULT = "a null means the default, where the gateway stores null"
WRITTEN_WINS = "a written algorithm wins over a stored hash_on"
REFUSED_BY_US = "a contradiction, which the gateway resolves silently, is refused"
DELIBERATE = {
    "hashing_against_stored-1-upstream": WRITTEN_WINS,
    **{f"hashing_against_stored-{number}-upstream": REFUSED_BY_US for number in (3, 4, 12)},
    **{f"nulls-{number}-upstream": NULL_IS_DEFAULT for number in (3, 8, 9, 15, 16, 18, 20)},
    **{f"nulls-{number}-service": NULL_IS_DEFAULT for number in (32, 34, 35)},
    **{f"nulls-{number}-route": NULL_IS_DEFAULT for number in (49, 52)},
}


def _kind_of(path: str) -> Kind | None:
    parts = path.strip("/").split("/")
    collection = parts[2] if len(parts) > 2 else parts[0]
    return next((kind for kind in KINDS.values() if kind.path == collection), None)


def _with_ids(body: Any, answered: Entity) -> Any:
    """A reference by name, as looked up: the answer's id."""
    return {
        name: {"id": answered[name]["id"]} if isinstance(value, dict) and "name" in value else value
        for name, value in body.items()
    }


def _written(kind: Kind, body: Entity, current: Entity | None, version: str) -> Entity:
    """What a task that writes ``body`` plans to have."""
    desired = without_nulls(schema(kind, version), normalise(kind.fields, copy.deepcopy(body)))
    if kind.settle:
        kind.settle(desired, current)
    return desired


def _same(kind: Kind, one: Entity, other: Entity) -> dict[str, tuple[Any, Any]]:
    """Where two entities differ for the gateway."""
    fields = {field.name: field for field in kind.fields}
    return {
        name: (one.get(name), other.get(name))
        for name in one.keys() | other.keys()
        if canonical(fields.get(name), one.get(name))
        != canonical(fields.get(name), other.get(name))
    }


def _recorded(method: str, status: int) -> Iterator[tuple[str, Kind, dict[str, Any], Entity]]:
    """Steps about managed kinds: a name for the step, the kind, the request and the answer."""
    for case in CASES:
        for number, step in enumerate(steps(case)):
            request, answered = step["request"], step["response"]
            kind = _kind_of(request["path"])
            if (request["method"], answered["status"]) == (method, status) and kind:
                yield f"{case}-{number}-{kind.name}", kind, request, answered["body"]


def _creates() -> list[Any]:
    found = []
    for name, kind, request, answered in _recorded("POST", 201):
        body = _with_ids(request["body"], answered)
        if "/routes" in request["path"][1:] and kind.parent is None:
            body["service"] = answered["service"]
        found.append(pytest.param(name, kind, body, answered, id=name))
    return found


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("name", "kind", "body", "answered"), _creates())
def test_a_predicted_create_is_what_the_gateway_answered(
    name: str, kind: Kind, body: Entity, answered: Entity, version: str
) -> None:
    plan = plan_present(kind, _written(kind, body, None, version), None)
    predicted = complete(schema(kind, version), plan.body)
    if kind.parent:
        predicted[kind.parent] = answered[kind.parent]
    differing = _same(kind, predicted, lasting(answered))
    assert bool(differing) == (name in DELIBERATE), differing
    assert not has_null(plan.body)


@pytest.mark.parametrize(("name", "kind", "body", "answered"), _creates())
def test_the_same_again_is_no_change(name: str, kind: Kind, body: Entity, answered: Entity) -> None:
    again = plan_present(kind, _written(kind, body, answered, "3.10"), answered)
    assert again.changed == (name in DELIBERATE), again.body


def _changes() -> list[Any]:
    """Recorded PATCHes that a task can express, with the entity as it was answered before."""
    latest: dict[tuple[str, str], Entity] = {}
    found = []
    for case in CASES:
        for number, step in enumerate(steps(case)):
            request, body = step["request"], step["response"].get("body") or {}
            kind = _kind_of(request["path"])
            if kind is None or step["response"]["status"] not in (200, 201) or "id" not in body:
                continue
            before = latest.get((case, body["id"]))
            if request["method"] == "PATCH" and before and _expressible(kind, request["body"]):
                name = f"{case}-{number}-{kind.name}"
                written = _with_ids(request["body"], body)
                found.append(pytest.param(name, kind, written, before, body, id=name))
            latest[case, body["id"]] = body
    return found


def _expressible(kind: Kind, body: Entity) -> bool:
    fields = {field.name: field for field in kind.fields}
    if kind.parent and kind.identity in body:
        return False
    return all(value is not None or fields[name].nullable for name, value in body.items())


@pytest.mark.parametrize(("name", "kind", "body", "before", "answered"), _changes())
def test_a_predicted_change_is_what_the_gateway_answered(
    name: str, kind: Kind, body: Entity, before: Entity, answered: Entity
) -> None:
    try:
        desired = _written(kind, body, before, "3.10")
    except InputError:
        assert DELIBERATE[name] == REFUSED_BY_US
        return
    plan = plan_present(kind, desired, before)
    differing = _same(kind, lasting(plan.entity), lasting(answered))
    assert bool(differing) == (name in DELIBERATE), differing
    if not differing:
        again = plan_present(kind, _written(kind, body, answered, "3.10"), answered)
        assert not again.changed, again.body


def test_every_deliberate_difference_was_recorded() -> None:
    assert DELIBERATE.keys() <= {each.id for each in (*_creates(), *_changes())}


HEALTHY = {"interval": 0, "successes": 0, "http_statuses": [200, 302]}


@pytest.mark.parametrize(
    ("kind", "written", "meant"),
    [
        (KINDS["target"], {"weight": None, "tags": None}, {"weight": 100, "tags": None}),
        (KINDS["service"], {"retries": None, "path": None}, {"retries": 5, "path": None}),
        (
            KINDS["upstream"],
            {"healthchecks": {"active": {"healthy": None, "timeout": None}}},
            {"healthchecks": {"active": {"healthy": HEALTHY, "timeout": 1}}},
        ),
        (KINDS["upstream"], {"host_header": None, "of_tomorrow": None},
         {"host_header": None, "of_tomorrow": None}),
    ],
)  # fmt: skip
def test_null_means_the_gateways_own_default(kind: Kind, written: Entity, meant: Entity) -> None:
    assert without_nulls(schema(kind), written) == meant


def test_a_schemas_defaults_are_copied_not_shared() -> None:
    spec = {"type": "array", "default": ["a"]}
    default_of(spec).append("b")
    assert spec["default"] == ["a"]


def test_what_the_schema_does_not_know_is_left_for_the_gateway_to_judge() -> None:
    assert complete({"fields": []}, {"of_tomorrow": 1}) == {"of_tomorrow": 1}

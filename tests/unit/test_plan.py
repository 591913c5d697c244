# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One plan says both what changes and what the diff shows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import (
    PLACEHOLDER,
    Entity,
    Kind,
)
from ansible_collections.irishtek.kong.plugins.module_utils._entities._registry import KINDS
from ansible_collections.irishtek.kong.plugins.module_utils._entities._service import expand_url
from ansible_collections.irishtek.kong.plugins.module_utils._entities._upstream import (
    apply_hashing_rules,
)
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError
from ansible_collections.irishtek.kong.plugins.module_utils._plan import (
    Plan,
    plan_absent,
    plan_many,
    plan_present,
    refuse_duplicates,
)
from unit.entities import ANY_KIND, entities, partial

TARGET, SERVICE, UPSTREAM, ROUTE = (
    KINDS[name] for name in ("target", "service", "upstream", "route")
)
QUICK = settings(max_examples=50, deadline=None)
STORED: Entity = {
    "id": "11111111-2222-4333-8444-555555555555",
    "target": "10.0.0.1:80",
    "weight": 100,
    "tags": ["a", "b"],
    "upstream": {"id": "99999999-2222-4333-8444-555555555555"},
    "created_at": 1.5,
    "updated_at": 2.5,
}


def _written(data: st.DataObject, kind: Kind) -> Entity:
    """What a user may write of an existing entity: nothing that never changes."""
    drawn: Entity = data.draw(partial(kind.fields))
    return {name: value for name, value in drawn.items() if name not in kind.identity.fixed}


@given(st.data(), ANY_KIND)
@QUICK
def test_changed_exactly_when_the_diff_shows_a_difference(data: st.DataObject, kind: Kind) -> None:
    stored = {**data.draw(entities(kind.fields)), "id": STORED["id"]}
    plan = plan_present(kind, _written(data, kind), stored)
    diff = plan.diff("gateway")
    assert plan.changed == (diff["before"] != diff["after"])
    assert plan.changed == bool(plan.body)


@given(st.data(), ANY_KIND)
@QUICK
def test_a_plan_carried_out_leaves_nothing_to_do(data: st.DataObject, kind: Kind) -> None:
    stored = {**data.draw(entities(kind.fields)), "id": STORED["id"]}
    desired = _written(data, kind)
    after = plan_present(kind, desired, stored).entity
    assert not plan_present(kind, desired, after).changed


def _nulls_in(body: Any) -> bool:
    values = body.values() if isinstance(body, dict) else ()
    return any(value is None or _nulls_in(value) for value in values)


@given(st.data(), ANY_KIND)
@QUICK
def test_a_create_sends_no_null(data: st.DataObject, kind: Kind) -> None:
    plan = plan_present(kind, data.draw(partial(kind.fields)), None)
    assert plan.operation == "create"
    assert not _nulls_in(plan.body)


def test_a_weight_changes_in_place_and_nothing_else_is_written() -> None:
    plan = plan_present(TARGET, {"target": "10.0.0.1:80", "weight": 5}, STORED, "web")
    assert (plan.operation, plan.body) == ("update", {"weight": 5})
    assert plan.after == {**STORED, "weight": 5}
    assert plan.summary() == {
        "operation": "update",
        "kind": "target",
        "target": "10.0.0.1:80",
        "upstream": "web",
    }


def test_an_id_cannot_be_changed() -> None:
    with pytest.raises(InputError, match="an id cannot be changed to 0"):
        plan_present(TARGET, {"id": "0"}, STORED)


def test_a_diff_shows_whole_entities_without_what_a_gateway_makes_up() -> None:
    diff = plan_present(TARGET, {"weight": 5}, STORED, "web").diff("http://gw:8001")
    assert diff == {
        "before_header": "target 10.0.0.1:80 of upstream web (http://gw:8001)",
        "after_header": "target 10.0.0.1:80 of upstream web (http://gw:8001)",
        "before": {"target": "10.0.0.1:80", "weight": 100, "tags": ["a", "b"]},
        "after": {"target": "10.0.0.1:80", "weight": 5, "tags": ["a", "b"]},
    }


@pytest.mark.parametrize(
    ("plan", "before", "after"),
    [
        (plan_present(TARGET, {"target": "a:1"}, None), "", {"target": "a:1"}),
        (plan_absent(TARGET, {"id": "1", "target": "a:1"}), {"target": "a:1"}, ""),
        (plan_absent(TARGET, None), "", ""),
    ],
)
def test_an_entity_that_is_not_there_is_an_empty_text_in_a_diff(
    plan: Plan, before: Any, after: Any
) -> None:
    diff = plan.diff("gateway")
    assert (diff["before"], diff["after"]) == (before, after)


def test_a_generated_reference_is_shown_as_such() -> None:
    route = {"name": "r", "service": {"id": PLACEHOLDER + "0" * 12}}
    assert plan_present(ROUTE, route, None).diff("gateway")["after"] == {
        "name": "r",
        "service": {"id": "(generated)"},
    }


def _targets(*addresses: str) -> list[Entity]:
    return [{"id": f"id-{address}", "target": address, "weight": 1} for address in addresses]


def test_many_are_planned_in_the_written_order_and_purged_last() -> None:
    wanted: list[Entity] = [{"target": "z:1"}, {"target": "b:1", "weight": 2}, {"target": "c:1"}]
    plans = plan_many(TARGET, wanted, _targets("d:1", "b:1", "a:1", "c:1"), "web", purge=True)
    assert [(plan.operation, plan.entity["target"]) for plan in plans] == [
        ("create", "z:1"),
        ("update", "b:1"),
        ("none", "c:1"),
        ("delete", "a:1"),
        ("delete", "d:1"),
    ]


def test_nothing_is_purged_unasked() -> None:
    plans = plan_many(TARGET, [{"target": "b:1"}], _targets("a:1", "b:1"), "web")
    assert [plan.operation for plan in plans] == ["none"]


def test_one_target_written_twice_is_named_with_both_positions() -> None:
    written = [{"target": "a"}, {"target": "10.0.0.1"}, {"target": "10.0.0.01:8000"}]
    normalised = [
        {"target": "a:8000"}, {"target": "10.0.0.1:8000"}, {"target": "10.0.0.1:8000"}
    ]  # fmt: skip
    with pytest.raises(InputError) as caught:
        refuse_duplicates(TARGET, written, normalised)
    assert caught.value.message == (
        "targets 2 (10.0.0.1) and 3 (10.0.0.01:8000) are the same: 10.0.0.1:8000"
    )


@pytest.mark.parametrize(
    ("written", "stored", "settled", "warned"),
    [
        ({"algorithm": "latency"}, None, {"algorithm": "latency"}, False),
        ({"algorithm": "latency"}, "ip", {"algorithm": "latency", "hash_on": "none"}, True),
        ({"hash_on": "ip"}, None, {"hash_on": "ip", "algorithm": "consistent-hashing"}, False),
        ({"hash_on": "none"}, "ip", {"hash_on": "none", "algorithm": "round-robin"}, False),
        ({"hash_on": "ip"}, "ip", {"hash_on": "ip"}, False),
        ({"algorithm": "consistent-hashing"}, "ip", {"algorithm": "consistent-hashing"}, False),
        ({"slots": 100}, "ip", {"slots": 100}, False),
    ],
)
def test_silent_rules_about_hashing_become_visible(
    written: Entity, stored: str | None, settled: Entity, warned: bool
) -> None:
    current = {"hash_on": stored} if stored else None
    warnings = apply_hashing_rules(written, current)
    assert (written, bool(warnings)) == (settled, warned)


@pytest.mark.parametrize(
    ("written", "stored", "added"),
    [
        ({"algorithm": "least-connections"}, {"hash_on": "ip", "hash_fallback": "path"},
         {"hash_on": "none", "hash_fallback": "none"}),
        ({"hash_on": "none"}, {"hash_on": "ip", "hash_fallback": "path"},
         {"algorithm": "round-robin", "hash_fallback": "none"}),
        ({"hash_on": "cookie", "hash_on_cookie": "c"}, {"hash_on": "ip", "hash_fallback": "path"},
         {"algorithm": "consistent-hashing", "hash_fallback": "none"}),
        ({"hash_on": "ip"}, {"hash_on": "path", "hash_fallback": "consumer"},
         {"algorithm": "consistent-hashing"}),
        ({"hash_on": "header", "hash_on_header": "X-A"},
         {"hash_on": "ip", "hash_fallback": "none", "hash_fallback_header": "X-A"},
         {"algorithm": "consistent-hashing", "hash_fallback_header": None}),
        ({"hash_fallback": "query_arg", "hash_fallback_query_arg": "a"},
         {"hash_on": "ip", "hash_on_query_arg": "a"}, {"hash_on_query_arg": None}),
        ({"hash_on_header": "X-A"},
         {"hash_on": "ip", "hash_fallback": "header", "hash_fallback_header": "X-A"}, {}),
        ({"slots": 20}, {"hash_on": "ip", "hash_fallback": "path"}, {}),
    ],
)  # fmt: skip
def test_what_a_change_of_hash_on_implies_goes_along(
    written: Entity, stored: Entity, added: Entity
) -> None:
    desired = dict(written)
    apply_hashing_rules(desired, stored)
    assert desired == {**written, **added}


@pytest.mark.parametrize("hash_on", ["none", "cookie"])
def test_a_fallback_that_hash_on_leaves_no_room_for_is_refused(hash_on: str) -> None:
    with pytest.raises(InputError, match=f"cannot be combined with hash_on {hash_on}; set"):
        apply_hashing_rules({"hash_on": hash_on, "hash_fallback": "ip"}, None)


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ({"algorithm": "consistent-hashing"}, None),
        ({"algorithm": "consistent-hashing"}, "none"),
        ({"algorithm": "consistent-hashing", "hash_on": "none"}, "ip"),
        ({"algorithm": "latency", "hash_on": "ip"}, None),
    ],
)
def test_contradictions_about_hashing_are_refused(written: Entity, stored: str | None) -> None:
    with pytest.raises(InputError, match=r"needs hash_on|cannot be combined with hash_on"):
        apply_hashing_rules(written, {"hash_on": stored})


@pytest.mark.parametrize(
    ("url", "protocol", "host", "port", "path"),
    [
        ("http://a.test", "http", "a.test", 80, None),
        ("https://a.test/x", "https", "a.test", 443, "/x"),
        ("http://A.test:8080/", "http", "A.test", 8080, "/"),
        ("grpc://[::1]:50051", "grpc", "[::1]", 50051, None),
        ("http://[::1]/x", "http", "[::1]", 80, "/x"),
    ],
)
def test_a_services_url_is_spelt_out(
    url: str, protocol: str, host: str, port: int, path: str | None
) -> None:
    desired: Entity = {"name": "s", "url": url}
    assert expand_url(desired, None) == []
    assert desired == {
        "name": "s", "protocol": protocol, "host": host, "port": port, "path": path
    }  # fmt: skip


@pytest.mark.parametrize(
    "url",
    ["nonsense", "ftp://a.test", "http://", "http://a.test:port", "http://a.test:", "http://[::1",
     "http://a.test/x?y=1", "http://a.test/#x", "http://user@a.test", ""],
)  # fmt: skip
def test_a_url_that_a_service_cannot_hold_is_refused(url: str) -> None:
    with pytest.raises(InputError, match="url"):
        expand_url({"url": url}, None)


def test_a_url_beside_its_parts_is_refused() -> None:
    with pytest.raises(InputError, match="url cannot be combined with port"):
        expand_url({"url": "http://a.test", "port": 80}, None)


def test_a_certificate_keeps_its_label_while_its_snis_are_written() -> None:
    stored: Entity = {"id": STORED["id"], "cert": "one", "snis": ["b.test"], "tags": None}
    plan = plan_present(KINDS["certificate"], {"cert": "two"}, stored)
    done = plan.done({**stored, "cert": "two", "snis": ["a.test", "b.test"]})
    assert done.summary() == plan.summary()

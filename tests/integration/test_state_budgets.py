# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""State files with few requests: the budgets that are promised, counted in the sandbox's log."""

from __future__ import annotations

import threading
from collections import Counter
from typing import Any

import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._entities._kind import Kind
from ansible_collections.irishtek.kong.plugins.module_utils._entities._registry import KINDS
from ansible_collections.irishtek.kong.plugins.module_utils._entities._upstream import TARGET
from ansible_collections.irishtek.kong.plugins.module_utils._gateway._admin import AdminGateway
from harness.engine import Engine
from harness.gateway import Gateway
from harness.state import Document, State, copied, counts, tagged

SIZES = [(1, 1), (3, 2), (12, 5)]


@pytest.fixture
def state(empty_gateway: Gateway, engine: Engine) -> State:
    """Brings the gateway to documents."""
    return State(engine)


def _asked(run: State, document: Document, **options: Any) -> Counter[str]:
    """The requests of one task: kind of request and how often."""
    run.gateway.reset_requests()
    run(document, **options)
    return Counter(_name(each) for each in run.gateway.requests())


def _name(request: dict[str, Any]) -> str:
    path = request["path"].removeprefix("/v1").replace("/schemas/json/", "/schemas/")
    parts = path.strip("/").split("/")
    if request["method"] == "GET" and parts[0] == "upstreams" and len(parts) == 3:
        return "GET /upstreams/…/targets"
    return f"{request['method']} /{'/'.join(parts[:1] + parts[2:3])}"


# The lists that Konnect has instead of one by tag: all of kinds that can be tagged.
TAGGED = {
    f"GET /{kind.global_path or kind.path}": 1
    for kind in KINDS.values()
    if kind.name != "oauth2" and any(field.name == "tags" for field in kind.fields)
}


def _as_promised(gateway: Gateway, asked: dict[str, int]) -> Counter[str]:
    """What an Admin API is asked, as Konnect is: exactly, request by request.

    Konnect takes one request more, which looks up the control plane, and has neither a root nor
    PATCH. All targets are in one list. Nothing lists all that has a tag, so each kind that can have
    it is in scope.
    """
    expected = Counter(asked)
    if not gateway.control_plane:
        return expected
    expected["PUT /upstreams/targets"] = expected.pop("PATCH /upstreams/targets", 0)
    if expected.pop("GET /tags", 0):
        expected |= Counter(TAGGED)
    expected.pop("GET /", 0)
    if expected.pop("GET /upstreams/…/targets", 0):
        expected["GET /targets"] = 1
    expected["GET /v2"] = 1
    return +expected


def _pools(count: int, targets: int) -> Document:
    return tagged("t", upstreams=[
        {"name": f"u{at}.test", "targets": [{"target": f"10.0.{at}.{to}:80"}
                                            for to in range(targets)]}
        for at in range(count)
    ])  # fmt: skip


@pytest.mark.parametrize(("count", "targets"), SIZES)
def test_pools_cost_what_is_promised(state: State, count: int, targets: int) -> None:
    """Lists: one a kind that has one (targets have one an upstream); beside, tags and the root."""
    document = _pools(count, targets)
    first = {
        "GET /": 1, "GET /tags": 1, "GET /upstreams": 1,
        "POST /upstreams": count, "POST /upstreams/targets": count * targets,
    }  # fmt: skip
    gateway = state.gateway
    assert _asked(state, document) == _as_promised(gateway, first)
    nothing = {
        "GET /tags": 1, "GET /upstreams": 1, "GET /upstreams/…/targets": count,
        "GET /schemas": 2,
    }  # fmt: skip
    assert _asked(state, document) == _as_promised(gateway, nothing)
    document["upstreams"][-1]["targets"][-1]["weight"] = 7
    # Of what is written whole, nothing is reset; targets of Konnect have a field more.
    schemas = 2 if count * targets > 1 or gateway.control_plane else 1
    one = {**nothing, "GET /": 1, "GET /schemas": schemas, "PATCH /upstreams/targets": 1}
    assert _asked(state, document) == _as_promised(gateway, one)


def test_applied_asks_for_no_schemas_and_no_tags(state: State) -> None:
    document = _pools(3, 2)
    state(document)
    lists = {"GET /upstreams": 1, "GET /upstreams/…/targets": 3}
    asked = _asked(state, document, state="applied")
    assert asked == _as_promised(state.gateway, lists)


def test_each_kind_in_scope_is_listed_once(state: State) -> None:
    document = tagged(
        "t",
        services=[
            {"name": f"s{at}", "host": "a.test",
             "plugins": [{"name": "cors"}, {"name": "rate-limiting", "config": {"minute": 5}}],
             "routes": [{"name": f"r{at}", "paths": ["/x"], "plugins": [{"name": "cors"}]}]}
            for at in range(4)
        ],
        consumers=[{"username": f"c{at}", "acls": [{"group": "gold"}],
                    "keyauth_credentials": [{"key": f"hidden-{at}"}]} for at in range(4)],
    )  # fmt: skip
    made = _asked(state, document)
    lists = {f"GET /{kind}": 1 for kind in (
        "services", "routes", "plugins", "consumers", "acls", "key-auths", "tags", "")}  # fmt: skip
    plugins = {"GET /schemas/cors": 1, "GET /schemas/rate-limiting": 1}
    read = {name: number for name, number in made.items() if name.startswith("GET")}
    assert read == _as_promised(state.gateway, {**lists, **plugins})
    assert sum(number for name, number in made.items() if name.startswith("POST")) == 32
    again = _asked(state, document)
    # One schema a kind of which the document leaves something out that is stored, to reset it.
    schemas = {"GET /schemas": 3 if state.gateway.control_plane else 5}
    del lists["GET /"]
    assert again == _as_promised(state.gateway, {**lists, **plugins, **schemas})


def test_lists_are_read_side_by_side(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each list of targets waits until all of them are asked for."""
    document = _pools(6, 1)
    state(document)
    together, read = threading.Barrier(6, timeout=60), AdminGateway.entities

    def waiting(self: AdminGateway, kind: Kind, *arguments: Any) -> Any:
        if kind is TARGET:
            together.wait()
        return read(self, kind, *arguments)

    monkeypatch.setattr(AdminGateway, "entities", waiting)
    assert not state(document)["changed"]
    assert not together.broken


def test_check_mode_judges_only_what_would_be_written(state: State) -> None:
    document = _pools(3, 2)
    predicted = _asked(state, document, check=True)
    assert predicted["POST /schemas/validate"] == 9
    state(document)
    assert not [name for name in _asked(state, document, check=True) if name.startswith("POST")]
    changed = copied(document)
    changed["upstreams"][0]["slots"] = 20
    assert _asked(state, changed, check=True)["POST /schemas/validate"] == 1


def test_a_gateway_full_of_what_is_not_ours_costs_no_more(state: State) -> None:
    state({**_pools(5, 2), "_info": {"select_tags": ["other"]}})
    document = tagged("t", upstreams=[{"name": "mine.test", "targets": [{"target": "a:80"}]}])
    assert counts(state(document)) == {"created": 2}
    nothing = {"GET /tags": 1, "GET /upstreams": 1, "GET /upstreams/…/targets": 1}
    expected = _as_promised(state.gateway, {**nothing, "GET /schemas": 2})
    assert _asked(state, document) == expected

# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A token with the rights of the security guide's table is enough for each module's requests."""

from __future__ import annotations

import re

import pytest

from harness.engine import Engine
from harness.gateway import Gateway
from harness.kinds import CASES, Case
from harness.paths import ROOT

GUIDE = (ROOT / "docs/docsite/rst/guide_security.rst").read_text(encoding="utf-8")
TABLE = GUIDE.partition("security.rbac:")[2].partition("security.konnect:")[0]
ROW = re.compile(r"^   \* - (.*(?:\n       .*)*)\n     - (.*(?:\n       .*)*)\n     - (.*)$", re.M)
TYPE = re.compile("TYPES?")
ACTIONS = {"GET": "read", "POST": "create", "PATCH": "update", "PUT": "update", "DELETE": "delete"}
# The paths of the kinds that a task below lists.
OF_KINDS = {("read", "/upstreams"), ("read", "/upstreams/*/targets")}
EVERYWHERE = {("read", "/"), ("read", "/schemas/*"), ("read", "/schemas/*/*"),
              ("create", "/schemas/*/validate"), ("create", "/schemas/*/*/validate")}  # fmt: skip


def _rights(module: str) -> set[tuple[str, str]]:
    """The actions on endpoints that the table gives a module."""
    found = set(EVERYWHERE)
    for modules, endpoints, actions in ROW.findall(TABLE):
        if f"``{module}``" not in modules:
            continue
        own, _separator, only_read = endpoints.partition("; read ")
        found |= {("read", one) for one in re.findall(r"``(/\S*)``", only_read)}
        for endpoint in re.findall(r"``(/\S*)``", own):
            found |= {(action.strip(), endpoint) for action in actions.split(",")}
    return found


def _allowed(rights: set[tuple[str, str]], action: str, path: str) -> bool:
    """As the gateway decides: an asterisk stands for one part of a path."""
    endpoints = [endpoint.replace("*", "[^/]+") for right, endpoint in rights if right == action]
    return any(re.fullmatch(TYPE.sub("[a-z0-9-]+", endpoint), path) for endpoint in endpoints)


# Tasks that do more than write one entity, with what they need.
NEEDS = (("kong_consumer", {"username": "alice"}), ("kong_consumer", {"username": "bob"}),
         ("kong_upstream", {"name": "web", "targets": [{"target": "10.0.0.9"}]}))  # fmt: skip
TASKS = {
    "members": ("kong_consumer_group", (
        {"name": "gold", "consumers": ["alice", "bob"]},
        {"name": "gold", "consumers": ["bob"], "purge_consumers": True},
    )),
    "targets": ("kong_upstream", (
        {"name": "pool", "targets": [{"target": "10.0.0.1"}, {"target": "10.0.0.2"}]},
        {"name": "pool", "targets": [{"target": "10.0.0.2", "weight": 5}], "purge_targets": True},
    )),
    "drained": ("kong_target", (
        {"upstream": "web", "target": "10.0.0.9", "state": "drained", "force": True, "wait": True},
    )),
    "lock": ("kong_lock", ({}, {"state": "absent"})),
    "health": ("kong_info", ({"kinds": ["upstream", "target"], "health": True},)),
}  # fmt: skip


def _unlisted(gateway: Gateway, module: str) -> set[tuple[str, str]]:
    """The requests since the last reset that the table does not allow the module."""
    rights = _rights(module) | (OF_KINDS if module == "kong_info" else set())
    sent = {(ACTIONS[each["method"]], each["path"].partition("?")[0])
            for each in gateway.requests()}  # fmt: skip
    assert sent, "nothing was requested"
    return {one for one in sent if not _allowed(rights, *one)}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_table_has_each_endpoint_that_a_module_requests(
    empty_gateway: Gateway, enterprise: Gateway, pems: dict[str, str], case: Case
) -> None:
    engine = Engine(enterprise if case.enterprise else empty_gateway)
    case = case.filled(pems).on(engine)
    if case.module == "kong_entity":
        pytest.skip("its endpoints are those of the option path")
    engine.gateway.reset_requests()
    for options in (case.create, case.change):
        engine.ok(case.module, **case.identity, **options)
    engine.ok(case.module, **case.absent)
    assert _unlisted(engine.gateway, case.module) == set()


@pytest.mark.parametrize("task", TASKS)
def test_the_table_has_the_endpoints_of_members_targets_and_health(
    enterprise: Gateway, task: str
) -> None:
    engine = Engine(enterprise)
    for module, options in NEEDS:
        engine.ok(module, **options)
    enterprise.reset_requests()
    module, calls = TASKS[task]
    for options in calls:
        engine.ok(module, **options)
    assert _unlisted(enterprise, module) == set()


def test_an_endpoint_that_the_table_lacks_is_noticed() -> None:
    rights = _rights("kong_target")
    assert _allowed(rights, "update", "/upstreams/orders/targets/10.0.0.11:8080")
    assert not _allowed(rights, "update", "/upstreams/orders/targets/10.0.0.11:8080/healthy")
    assert not _allowed(rights, "read", "/services/orders")

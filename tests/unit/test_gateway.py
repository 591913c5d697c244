# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An Admin API is asked in its own terms, and each thing once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._entities._registry import KINDS
from ansible_collections.irishtek.kong.plugins.module_utils._errors import InputError, Refused
from ansible_collections.irishtek.kong.plugins.module_utils._plan import plan_present
from unit.recordings import schema
from unit.scripted import URL, Script, Step, answer, gateway_for

Scripts = Callable[..., Script]
TARGET, SERVICE, UPSTREAM, ROUTE = (
    KINDS[name] for name in ("target", "service", "upstream", "route")
)
MISSING = answer(404, {"message": "Not found"})
EMPTY = answer(200, {"data": [], "next": None})
TAGGED = {"id": "1", "target": "a:1", "tags": ["x", "y"]}
UNTAGGED = {"id": "2", "target": "b:1", "tags": None}


def test_all_of_the_tags_are_asked_of_the_gateway(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = answer(200, {"data": [{"id": "1", "tags": ["y", "x"]}]})
    steps = [Step("GET", "/upstreams?size=1000&tags=x%2Cy", listed)]
    found = gateway_for(script(*steps), monkeypatch).entities(UPSTREAM, tags=["x", "y"])
    assert found == [{"id": "1", "tags": ["y", "x"]}]


@pytest.mark.parametrize("filtered", [
    answer(200, {"data": []}), answer(500, {"message": "An unexpected error occurred"}),
], ids=["3.5", "3.9"])  # fmt: skip
def test_tags_are_filtered_here_where_there_is_no_database(
    script: Scripts, monkeypatch: pytest.MonkeyPatch, filtered: Any
) -> None:
    listed = answer(200, {"data": [{"id": "1", "tags": ["y", "x"]}, {"id": "2", "tags": None}]})
    steps = [
        Step("GET", "/upstreams?size=1000&tags=x%2Cy", filtered),
        Step("GET", "/", answer(200, {"configuration": {"database": "off"}})),
        Step("GET", "/upstreams?size=1000", listed),
    ]
    found = gateway_for(script(*steps), monkeypatch, retries=0).entities(UPSTREAM, tags=["x", "y"])
    assert found == [{"id": "1", "tags": ["y", "x"]}]


def test_targets_are_filtered_on_our_side_as_the_gateway_ignores_their_tags(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [
        Step(
            "GET", "/upstreams/web/targets?size=1000", answer(200, {"data": [TAGGED, UNTAGGED]})
        )
    ]  # fmt: skip
    assert gateway_for(script(*steps), monkeypatch).entities(TARGET, "web", tags=["x"]) == [TAGGED]


def test_what_is_missing_is_none_and_what_is_refused_is_an_error(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [
        Step("GET", "/services/a%2Fb", MISSING),
        Step("GET", "/upstreams/web/targets?size=1000", MISSING),
        Step("GET", "/services/s", answer(403, {"message": "no"})),
    ]
    gateway = gateway_for(script(*steps), monkeypatch)
    assert gateway.find_by(SERVICE, "name", "a/b") is None
    assert gateway.entities(TARGET, "web") is None
    with pytest.raises(Refused):
        gateway.find_by(SERVICE, "name", "s")
    with pytest.raises(InputError, match="service s does not exist"):
        gateway.missing(SERVICE, "s")


def test_schemas_and_the_root_are_asked_for_once(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [
        Step("GET", "/schemas/targets", answer(200, schema(TARGET))),
        Step("GET", "/", answer(200, {"version": "3.10.0"})),
    ]
    gateway = gateway_for(script(*steps), monkeypatch)
    assert gateway.schema("targets") == gateway.schema("targets") == schema(TARGET)
    assert gateway.root() == gateway.root() == {"version": "3.10.0"}


def test_a_change_is_written_to_the_id_so_that_a_rename_meanwhile_does_no_harm(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [
        Step("PATCH", "/services/7", answer(200, {"id": "7"}), {"name": "new"}),
        Step("DELETE", "/services/7", answer(204)),
        Step("PATCH", "/upstreams/a%20b/targets/7", answer(200, {"id": "7"}), {"weight": 1}),
    ]
    gateway = gateway_for(script(*steps), monkeypatch)
    gateway.update(plan_present(SERVICE, {"name": "new"}, {"id": "7", "name": "old"}))
    gateway.delete(SERVICE, {"id": "7", "name": "new"})
    gateway.update(plan_present(TARGET, {"weight": 1}, {"id": "7", "target": "a:1"}), "a b")


def test_what_points_at_an_entity_is_listed_under_it(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = gateway_for(script(Step("GET", "/services/7/routes?size=1000", EMPTY)), monkeypatch)
    assert gateway.entities(ROUTE, "7", "service") == []


@pytest.mark.parametrize("status", [404, 405])
def test_a_gateway_that_cannot_judge_judges_nothing(
    script: Scripts, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    step = Step("POST", "/schemas/routes/validate", answer(status, {"message": "no"}))
    gateway_for(script(step), monkeypatch).validate(ROUTE, {"name": "r"})


def test_a_judgement_is_the_refusal_of_the_write(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = answer(400, {"code": 2, "name": "schema violation", "fields": {"name": "bad"}})
    gateway = gateway_for(script(Step("POST", "/schemas/routes/validate", refused)), monkeypatch)
    with pytest.raises(Refused, match=r"schema violation \(name: bad\)"):
        gateway.validate(ROUTE, {"name": "?"})


FORBIDDEN = answer(403, {"message": "no"})
NO_WORKSPACE = answer(404, {"message": "Workspace 'team' not found"})


def test_the_root_belongs_to_no_workspace(script: Scripts, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = [
        Step("GET", "/", answer(200, {"version": "3.10.0"})),
        Step("GET", "/team/services?size=1000", EMPTY),
    ]
    gateway = gateway_for(script(*steps), monkeypatch, workspace="team")
    assert gateway.root() == gateway.root() == {"version": "3.10.0"}
    assert gateway.entities(SERVICE) == []
    assert gateway.url == f"{URL}/team"


@pytest.mark.parametrize("refusal", [FORBIDDEN, MISSING])
def test_an_account_of_one_workspace_reads_the_root_inside_of_it(
    script: Scripts, monkeypatch: pytest.MonkeyPatch, refusal: Any
) -> None:
    steps = [
        Step("GET", "/", refusal),
        Step("GET", "/a%20b/kong", answer(200, {"version": "3.10.0"})),
    ]
    gateway = gateway_for(script(*steps), monkeypatch, workspace="a b")
    assert gateway.root() == {"version": "3.10.0"}


def test_a_root_that_is_refused_outside_of_workspaces_or_for_a_wrong_token_is_an_error(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Refused, match="403"):
        gateway_for(script(Step("GET", "/", FORBIDDEN)), monkeypatch).root()
    unauthorized = Step("GET", "/", answer(401, {"message": "no"}))
    with pytest.raises(Refused, match="401"):
        gateway_for(script(unauthorized), monkeypatch, workspace="team").root()


def test_a_missing_workspace_is_an_error_and_no_empty_list(
    script: Scripts, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [
        Step("GET", "/team/services?size=1000", NO_WORKSPACE),
        Step("GET", "/team/services/s", NO_WORKSPACE),
        Step("DELETE", "/team/services/s", NO_WORKSPACE),
    ]
    gateway = gateway_for(script(*steps), monkeypatch, workspace="team")
    for ask in (
        lambda: gateway.entities(SERVICE),
        lambda: gateway.find_by(SERVICE, "name", "s"),
        lambda: gateway.delete(SERVICE, {"id": "s"}),
    ):
        with pytest.raises(Refused, match="Workspace 'team' not found"):
            ask()

# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What reads the gateway itself works in a workspace as it does outside of any."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.engine import Engine
from harness.gateway import Gateway

TEAM = {"workspace": "team"}
DOCUMENT: dict[str, Any] = {
    "_format_version": "3.0",
    "services": [{"name": "api", "host": "api.test"}],
}


@pytest.fixture
def team(enterprise: Gateway) -> Engine:
    """An enterprise gateway with an empty workspace."""
    engine = Engine(enterprise)
    engine.ok("kong_workspace", name="team")
    engine.forget()
    return engine


def test_state_dump_info_and_ping_work_in_a_workspace(team: Engine, tmp_path: Path) -> None:
    options = {**TEAM, "content": DOCUMENT, "state": "synced", "purge_kinds": ["service"]}
    predicted = team.ok("kong_state", **options, check=True)
    team.forget()
    done = team.ok("kong_state", **options)
    assert predicted["summary"] == done["summary"] == {
        "service": {"created": 1, "updated": 0, "deleted": 0, "unchanged": 0}
    }  # fmt: skip
    assert not team.ok("kong_state", **options)["changed"]
    dump = team.ok("kong_dump", **TEAM)
    assert [each["name"] for each in dump["document"]["services"]] == ["api"]
    info = team.ok("kong_info", **TEAM, kinds=["service"])
    assert (info["edition"], len(info["entities"][0]["entities"])) == ("enterprise", 1)
    outside = team.ok("kong_info", kinds=["service"])
    assert outside["entities"][0]["entities"] == []
    ping = team.ok("kong_ping", **TEAM)
    assert (ping["version"], ping["url"]) == (info["version"], f"{team.gateway.admin_url}/team")


IN_A_WORKSPACE: list[tuple[str, dict[str, Any]]] = [
    ("kong_info", {"kinds": ["service"]}),
    ("kong_dump", {"kinds": ["service"]}),
    ("kong_state", {"content": DOCUMENT, "state": "absent"}),
    ("kong_state", {"content": DOCUMENT}),
    ("kong_service", {"name": "api", "state": "absent"}),
    ("kong_credential", {"type": "acl", "consumer": "api", "group": "a", "state": "absent"}),
]


@pytest.mark.parametrize(("module", "options"), IN_A_WORKSPACE)
@pytest.mark.parametrize("check", [True, False])
def test_a_workspace_that_does_not_exist_is_named_and_never_empty(
    team: Engine, module: str, options: dict[str, Any], check: bool
) -> None:
    refused = team.refused(module, workspace="taem", check=check, **options)
    assert "Workspace 'taem' not found" in refused["msg"]


@pytest.mark.parametrize(("module", "options"), IN_A_WORKSPACE)
@pytest.mark.parametrize("check", [True, False])
def test_the_open_edition_says_that_it_has_no_workspaces(
    engine: Engine, module: str, options: dict[str, Any], check: bool
) -> None:
    refused = engine.refused(module, workspace="team", check=check, **options)
    assert "workspaces need Kong Gateway Enterprise" in refused["msg"]


def test_the_default_workspace_is_that_of_any_edition(engine: Engine) -> None:
    engine.ok("kong_service", name="api", host="api.test")
    again = engine.ok("kong_service", name="api", host="api.test", workspace="default")
    assert not again["changed"]

# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A second client of one gateway that works as decK does: neither finds work after the other."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.deck import TUTORIAL, shared_document
from harness.deck_like import DeckLike
from harness.engine import Engine
from harness.gateway import Gateway


@pytest.fixture(params=["3.4", "3.5", "3.9", "3.10"])
def shared(request: pytest.FixtureRequest, gateway_of: Callable[[str], Gateway]) -> Gateway:
    """An empty gateway of each version that the project names, to which both clients write."""
    return gateway_of(request.param)


@pytest.fixture(params=["tutorial", "mix"])
def document(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, Any]:
    """The state file of both clients."""
    if request.param == "mix":
        return shared_document(tmp_path)
    return dict(yaml.safe_load(TUTORIAL.read_text()))


def test_the_other_client_finds_nothing_to_do_after_kong_state(
    shared: Gateway, document: dict[str, Any]
) -> None:
    Engine(shared).ok("kong_state", content=document, state="synced")
    assert DeckLike(shared).differences(deepcopy(document)) == []


def test_kong_state_finds_nothing_to_do_after_the_other_client(
    shared: Gateway, document: dict[str, Any]
) -> None:
    written = DeckLike(shared).sync(deepcopy(document))
    shared.reset_requests()
    result = Engine(shared).ok("kong_state", content=document, state="synced")
    assert result["changes"] == []
    assert sum(counts["unchanged"] for counts in result["summary"].values()) == len(written)
    assert shared.writes() == []


def test_both_bring_a_changed_gateway_back_to_the_same(
    shared: Gateway, document: dict[str, Any]
) -> None:
    Engine(shared).ok("kong_state", content=document, state="synced")
    (upstream,) = shared.entities("/upstreams")
    (service,) = shared.entities("/services")
    for path in (f"/upstreams/{upstream['id']}", f"/services/{service['id']}"):
        shared.call("PATCH", path, {"tags": ["another", *service["tags"]]})
    shared.call("PATCH", f"/upstreams/{upstream['id']}", {"slots": 100})
    differing = [f"services {service['name']}", f"upstreams {upstream['name']}"]
    assert sorted(DeckLike(shared).differences(deepcopy(document))) == differing
    result = Engine(shared).ok("kong_state", content=document, state="synced")
    assert sorted(f"{each['kind']}s {each['name']}" for each in result["changes"]) == differing
    assert DeckLike(shared).differences(deepcopy(document)) == []


def test_the_other_client_would_undo_what_kong_state_leaves_alone(
    shared: Gateway, document: dict[str, Any]
) -> None:
    """Else it would find nothing to do because it sees nothing."""
    Engine(shared).ok("kong_state", content=document, state="synced")
    (upstream,), (route,) = (shared.entities(path) for path in ("/upstreams", "/routes"))
    shared.call("POST", f"/upstreams/{upstream['id']}/targets", {"target": "192.0.2.9:80"})
    shared.call("PATCH", f"/routes/{route['id']}", {"protocols": ["https", "http"]})
    other = deepcopy(document)
    (service,) = other["services"]
    (written,) = [*service.get("routes", ()), *other.get("routes", ())]
    written["protocols"] = ["http", "https"]
    assert sorted(DeckLike(shared).differences(deepcopy(other))) == [
        f"routes {route['name']}", "targets 192.0.2.9:80",
    ]  # fmt: skip
    assert Engine(shared).ok("kong_state", content=other, state="synced")["changes"] == []

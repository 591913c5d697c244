# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an edition does not have is refused before the first write, and a failed check says so."""

from __future__ import annotations

from typing import Any

import pytest

from harness.engine import Engine
from harness.gateway import Gateway
from harness.state import State, tagged

LACKS = "which need Kong Gateway Enterprise"
SERVICE = {"name": "s", "host": "a.test"}


@pytest.fixture
def state(empty_gateway: Gateway) -> State:
    """Brings a gateway of the open edition to documents."""
    return State(Engine(empty_gateway))


@pytest.mark.parametrize("check", [True, False], ids=["check", "real"])
@pytest.mark.parametrize(
    ("sections", "name"),
    [
        ({"consumer_groups": [{"name": "gold"}]}, "consumer_groups"),
        ({"consumers": [{"username": "c", "groups": ["gold"]}]}, "consumer_groups"),
        ({"consumers": [{"username": "c", "mtls_auth_credentials": [{"subject_name": "a"}]}]},
         "mtls_auth_credentials"),
        ({"partials": [{"name": "p", "type": "redis-ce", "config": {"host": "a"}}]}, "partials"),
    ],
)  # fmt: skip
def test_kinds_that_the_edition_lacks_are_refused_before_a_write(
    state: State, sections: dict[str, Any], name: str, check: bool
) -> None:
    refused = state.refused(tagged("t", services=[SERVICE], **sections), check=check)
    assert f"the gateway does not have {name}, {LACKS}" in refused["msg"]
    assert refused["msg"].startswith("content: ")
    assert state.gateway.writes() == []


@pytest.mark.parametrize("on_error", ["stop", "rollback"])
def test_a_failed_check_says_that_nothing_was_changed(state: State, on_error: str) -> None:
    wrong = tagged("t", services=[{**SERVICE, "routes": [{"name": "r", "paths": ["noslash"]}]}])
    refused = state.refused(wrong, check=True, on_error=on_error)
    assert refused["msg"].endswith("; nothing was changed")
    assert (refused["changed"], refused["undone"], refused["left"]) == (False, [], [])

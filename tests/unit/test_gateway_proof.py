# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of the role ``gateway`` compares nothing only where what was proven still holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.irishtek.kong.plugins.plugin_utils._gateway_role import _plan
from unit.gateway_role import COLLECTIONS, plan, record


@pytest.mark.parametrize(
    ("facts", "given"),
    [({"seen": "other"}, {}), ({}, {"log": {"keep": 30}}), ({}, {"helm_values": {"a": 1}})],
)
def test_what_runs_and_all_options_are_part_of_the_proof(
    facts: dict[str, Any], given: dict[str, Any]
) -> None:
    proof = plan()["proof"]
    assert proof == plan(collections=COLLECTIONS[::-1])["proof"]
    assert plan(facts, **given)["proof"] != proof


def test_another_version_of_the_role_is_part_of_the_proof(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    proof = plan()["proof"]
    assert list(_plan._ROLE.glob("t*/*.j2")) and list(_plan._ROLE.glob("t*/apply.yml"))
    monkeypatch.setattr(_plan, "_ROLE", tmp_path)
    assert plan()["proof"] != proof


def test_nothing_to_do_is_nothing() -> None:
    first = plan()
    made = plan({"record": record(first), "running": True})
    assert (made["action"], made["reasons"]) == ("none", [])

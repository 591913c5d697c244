# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding what exists takes as many comparisons as there are entities, not each with each."""

from __future__ import annotations

from typing import Any, cast

import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._document._parse import parse
from ansible_collections.irishtek.kong.plugins.module_utils._document._reconcile import (
    SyncOptions,
    reconcile,
)
from ansible_collections.irishtek.kong.plugins.module_utils._document._run import Runner
from ansible_collections.irishtek.kong.plugins.module_utils._entities._identity import ByComparison
from ansible_collections.irishtek.kong.plugins.module_utils._gateway._protocol import Gateway
from unit.stocked import StockedGateway

Sections = dict[str, Any]


class _Gateway(StockedGateway):
    def schema(self, name: str) -> dict[str, Any] | None:
        """Any plugin has no settings."""
        if name.startswith("plugins/"):
            return {"fields": [{"config": {"type": "record", "fields": []}}]}
        return super().schema(name)


def _plugins_of_services(number: int) -> Sections:
    return {"services": [
        {"name": f"s{at}", "host": "a.test", "plugins": [{"name": "cors"}]}
        for at in range(number)]}  # fmt: skip


def _plugins_of_one_consumer(number: int) -> Sections:
    return {"consumers": [{"username": "c"}], "services": [
        {"name": f"s{at}", "host": "a.test", "plugins": [{"name": "cors", "consumer": "c"}]}
        for at in range(number)]}  # fmt: skip


def _keys_of_one_consumer(number: int) -> Sections:
    keys = [{"key": f"hidden-{at}"} for at in range(number)]
    return {"consumers": [{"username": "c", "keyauth_credentials": keys}]}


def _groups_of_one_consumer(number: int) -> Sections:
    groups = [{"group": f"g{at}"} for at in range(number)]
    return {"consumers": [{"username": "c", "acls": groups}]}


@pytest.mark.parametrize("sections", [
    _plugins_of_services, _plugins_of_one_consumer, _keys_of_one_consumer, _groups_of_one_consumer,
])  # fmt: skip
def test_comparisons_grow_with_the_number_of_entities(
    sections: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = 60
    gateway = _Gateway()
    document = {"_format_version": "3.0", "_info": {"select_tags": ["t"]}, **sections(number)}
    options = SyncOptions("synced")
    changes = reconcile(cast(Gateway, gateway), parse(document), options, pytest.fail)
    Runner(cast(Gateway, gateway), "stop", 1, lambda line: None).run(changes)
    compared = 0
    key_of = ByComparison.key_of

    def counted(identity: ByComparison, entity: Any) -> Any:
        nonlocal compared
        compared += 1
        return key_of(identity, entity)

    monkeypatch.setattr(ByComparison, "key_of", counted)
    again = reconcile(cast(Gateway, gateway), parse(document), options, pytest.fail)
    assert not again.changes
    assert 0 < compared <= 3 * number

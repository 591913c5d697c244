# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A dump holds no secret that it is asked to leave out, whatever type that has."""

from __future__ import annotations

from typing import Any, cast

import pytest

from ansible_collections.irishtek.kong.plugins.module_utils._document._dump import Dumper
from ansible_collections.irishtek.kong.plugins.module_utils._gateway._protocol import Gateway
from unit.stocked import StockedGateway

HIDDEN = {"pin": 471100, "rate": 47.11, "flag": True, "pair": {"a": "hidden", "b": [4711]}}


class _Gateway(StockedGateway):
    def schema(self, name: str) -> dict[str, Any] | None:
        """One plugin, all settings of which are secret."""
        if name == "plugins/own":
            types = {"pin": "integer", "rate": "number", "flag": "boolean", "pair": "map"}
            fields = [{key: {"type": kind, "encrypted": True}} for key, kind in types.items()]
            return {"fields": [{"config": {"type": "record", "fields": fields}}]}
        return super().schema(name)


@pytest.mark.parametrize("secrets", ["mask", "env"])
def test_no_secret_of_any_type_is_in_a_dump(secrets: str) -> None:
    gateway = _Gateway()
    gateway.stored["plugin"]["p"] = {"id": "p", "name": "own", "config": HIDDEN}
    document = Dumper(cast(Gateway, gateway), secrets=secrets).dump(["plugin"], [])
    ((found,),) = [document["plugins"]]
    assert not [each for each in ("4711", "47.11", "hidden", "True") if each in repr(found)]
    if secrets == "env":
        assert found["config"] == {
            "pin": '${{ env "DECK_PLUGIN_OWN_CONFIG_PIN" | toInt }}',
            "rate": '${{ env "DECK_PLUGIN_OWN_CONFIG_RATE" | toFloat }}',
            "flag": '${{ env "DECK_PLUGIN_OWN_CONFIG_FLAG" | toBool }}',
            "pair": {
                "a": '${{ env "DECK_PLUGIN_OWN_CONFIG_PAIR_A" }}',
                "b": ['${{ env "DECK_PLUGIN_OWN_CONFIG_PAIR_B_1" | toInt }}'],
            },
        }

# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plugins that take settings from partials, by their own module."""

from __future__ import annotations

from typing import Any

import pytest

from harness.engine import Engine, Result
from harness.gateway import Gateway


@pytest.fixture
def engine(enterprise: Gateway) -> Engine:
    """A gateway with two partials."""
    engine = Engine(enterprise)
    for name in ("one", "two"):
        engine.ok("kong_partial", name=name, type="redis-ce", config={"host": f"{name}.test"})
    return engine


def _holds(engine: Engine, changed: bool = True, **options: Any) -> Result:
    """Check mode predicts what the run leaves, and a second run changes nothing."""
    options = {"name": "rate-limiting", "config": {"minute": 5}, **options}
    engine.forget()
    predicted = engine.ok("kong_plugin", check=True, **options)
    done = engine.ok("kong_plugin", **options)
    assert (predicted["changed"], done["changed"]) == (changed, changed)
    generated = {name: done["plugin"][name] for name in ("id", "created_at", "updated_at")}
    assert {**predicted["plugin"], **generated} == done["plugin"]
    assert not engine.ok("kong_plugin", **options)["changed"]
    plugin: Result = done["plugin"]
    return plugin


def _names(engine: Engine) -> list[str]:
    (plugin,) = engine.gateway.entities("/plugins")
    return [link["name"] for link in plugin.get("partials") or ()]


def test_a_plugin_is_linked_to_partials_and_back(engine: Engine) -> None:
    made = _holds(engine, partials=[{"name": "one"}])
    assert _names(engine) == ["one"]
    (link,) = made["partials"]
    assert link["path"] == "config.redis"
    _holds(engine, changed=False, partials=[{"id": link["id"], "path": "config.redis"}])
    _holds(engine, changed=False)
    assert _holds(engine, partials=[{"name": "two"}])["id"] == made["id"]
    assert _names(engine) == ["two"]
    _holds(engine, config={"minute": 6})
    assert _names(engine) == ["two"]
    assert _holds(engine, partials=[])["id"] == made["id"]
    assert _names(engine) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"partials": [{"name": "three"}]}, "partial three does not exist"),
        ({"partials": [{"path": "config.redis"}]}, "partials must not be empty"),
        ({"partials": ["one"]}, "partials.1 must be a dictionary, got a string"),
        (
            {"partials": [{"name": "one"}], "config": {"redis": {"host": "own.test"}}},
            "config.redis cannot be combined with a partial for it",
        ),
    ],
)
def test_links_that_cannot_be_meant_are_refused(
    engine: Engine, options: dict[str, Any], message: str
) -> None:
    for check in (True, False):
        refused = engine.refused("kong_plugin", check=check, name="rate-limiting", **options)
        assert message in refused["msg"]
    assert engine.gateway.entities("/plugins") == []

# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plugins, found by name and scope and typed by the gateway: the operation behind ``kong_plugin``.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

from typing import Any

from .._apply import carry_out, complete, plugin_kind, resolve
from .._argspec import ArgumentSpec
from .._entities._kind import Entity
from .._entities._plugin import PLUGIN, SCOPES, is_same_plugin
from .._entities._registry import kind_named
from .._errors import InputError, KongError
from .._freeform import config_schema
from .._gateway import Gateway
from .._plan import Plan, plan_absent, plan_present
from .._spelling import spelled_out
from .._values import normalise
from ._base import Operation, Result, Task, result_of_one
from ._entity import STATE, fields_with_id


def run_plugin(task: Task) -> Result:
    written = task.written(PLUGIN)
    try:
        plan = _plan(task, written)
    except KongError as exc:
        exc.within(f"plugin {_called(written)} at {task.gateway.url}")
        raise
    return result_of_one(task, carry_out(task.gateway, plan))


def _called(written: Entity) -> str:
    return str(written.get("instance_name") or written.get("name") or written.get("id"))


def _plan(task: Task, written: Entity) -> Plan:
    gateway, is_absent = task.gateway, task.params["state"] == "absent"
    # What is free-form is typed once the plugin's name, and so its schema, is known.
    scoped = {name: value for name, value in written.items() if name != "config"}
    desired = normalise(PLUGIN.fields, scoped)
    if is_absent and _scope_is_missing(gateway, desired):
        return plan_absent(PLUGIN, None)
    desired = resolve(gateway, PLUGIN, desired)
    current = _find(gateway, desired)
    name = desired.get("name") or (current or {}).get("name")
    if name is None:
        if is_absent:
            return plan_absent(PLUGIN, None)
        raise InputError("it does not exist, and a new plugin needs a name")
    kind = plugin_kind(gateway, str(name))
    if is_absent:
        return plan_absent(kind, current)
    if "config" in written:
        desired["config"] = written["config"]
        if isinstance(desired["config"], dict):
            desired["config"] = spelled_out(config_schema(kind), desired["config"], str(name))
    desired = complete(gateway, kind, normalise(kind.fields, desired), current, task.warn)
    return plan_present(kind, desired, current)


def _scope_is_missing(gateway: Gateway, desired: Entity) -> bool:
    """Whether a plugin cannot be there because what it is for is not."""
    references: dict[str, Any] = {
        scope: desired[scope] for scope in SCOPES if isinstance(desired.get(scope), str)
    }
    return any(gateway.get(kind_named(scope), key) is None for scope, key in references.items())


def _find(gateway: Gateway, desired: Entity) -> Entity | None:
    """By id, by instance name, else by name within the written scope."""
    for name in ("id", "instance_name"):
        current = gateway.get(PLUGIN, desired[name]) if desired.get(name) else None
        if current is not None:
            return current
    if not desired.get("name"):
        return None
    scope = next((scope for scope in SCOPES if desired.get(scope)), None)
    if scope is None:
        stored = gateway.entities(PLUGIN) or []
    else:
        stored = gateway.children(PLUGIN, kind_named(scope), desired[scope]["id"])
    return next((plugin for plugin in stored if is_same_plugin(desired, plugin)), None)


KONG_PLUGIN = Operation(
    name="kong_plugin",
    spec=ArgumentSpec(
        # Links to partials are of state files.
        fields=tuple(each for each in fields_with_id(PLUGIN) if each.name != "partials"),
        options=STATE,
        required_one_of=[("name", "instance_name", "id")],
    ),
    run=run_plugin,
)

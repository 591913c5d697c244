# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plugins, found by name and scope and typed by the gateway: the operation behind ``kong_plugin``.

Private to the collection.
"""

from __future__ import annotations

from .._apply import apply, complete, find, plugin_kind, resolve
from .._argspec import ArgumentSpec
from .._entities._identity import find_by_reference, looks_like_id
from .._entities._kind import Entity
from .._entities._plugin import PLUGIN, SCOPES
from .._entities._registry import KINDS
from .._errors import InputError
from .._freeform import config_schema
from .._gateway._protocol import Gateway
from .._plan import Plan, plan_absent, plan_present
from .._spelling import with_new_names
from .._values import normalise
from ._base import Operation, Result, Task, result_of_one
from ._entity import STATE, fields_with_id


def run_plugin(task: Task) -> Result:
    written = task.written(PLUGIN)
    label = written.get("instance_name") or written.get("name") or written.get("id")
    with task.about(f"plugin {label}"):
        plan = _plan(task, written)
    return result_of_one(task, apply(task.gateway, plan))


def _plan(task: Task, written: Entity) -> Plan:
    gateway = task.gateway
    # What is free-form is typed once the plugin's name, and so its schema, is known.
    own = {name: value for name, value in written.items() if name != "config"}
    desired = normalise(PLUGIN.fields, own)
    PLUGIN.identity.check(PLUGIN, desired)
    if task.removes and _scope_is_missing(gateway, desired):
        return plan_absent(PLUGIN, None)
    desired, current = _found(gateway, desired)
    name = desired.get("name") or (current or {}).get("name")
    if name is None:
        if task.removes:
            return plan_absent(PLUGIN, None)
        raise InputError("it does not exist, and a new plugin needs name")
    kind = plugin_kind(gateway, str(name))
    if task.removes:
        return plan_absent(kind, current, desired=desired)
    if "config" in written:
        desired["config"] = written["config"]
        if isinstance(desired["config"], dict):
            desired["config"] = with_new_names(config_schema(kind), desired["config"], str(name))
    desired = complete(gateway, kind, normalise(kind.fields, desired), current, task.warn)
    return plan_present(kind, desired, current)


def _found(gateway: Gateway, desired: Entity) -> tuple[Entity, Entity | None]:
    """The existing plugin, and what is desired with the IDs of its scope.

    A scope that is written as an ID is one, if the plugin is found there; else it is looked up.
    """
    written = _written_scopes(desired)
    if written and all(map(looks_like_id, written.values())):
        as_ids = {scope: {"id": key} for scope, key in written.items()}
        current = find(gateway, PLUGIN, {**desired, **as_ids})
        if current is not None and all(current.get(scope) == as_ids[scope] for scope in as_ids):
            return {**desired, **as_ids}, current
    desired = resolve(gateway, PLUGIN, desired)
    return desired, find(gateway, PLUGIN, desired)


def _written_scopes(desired: Entity) -> dict[str, str]:
    return {scope: desired[scope] for scope in SCOPES if isinstance(desired.get(scope), str)}


def _scope_is_missing(gateway: Gateway, desired: Entity) -> bool:
    """Whether a plugin cannot exist because what it is for does not."""
    scopes = _written_scopes(desired).items()
    return any(find_by_reference(gateway, KINDS[scope], key) is None for scope, key in scopes)


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

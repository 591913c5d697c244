# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a gateway is and holds: the operation behind ``kong_info``.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._argspec import ArgumentSpec
from .._entities._kind import Entity, Kind
from .._entities._plugin import PLUGIN
from .._entities._registry import KINDS
from .._entities._target import TARGET
from .._entities._upstream import UPSTREAM
from .._errors import InputError
from .._freeform import with_details
from .._parallel import for_each
from ._base import Operation, Result, Task, shown
from ._ping import identify


def run_info(task: Task) -> Result:
    kinds = [_kind(name) for name in task.params.get("kinds", ())]
    found = identify(task.gateway)
    lists = for_each(lambda kind: _entities(task, kind), kinds)
    planes = {"data_planes": task.gateway.data_planes()} if task.params["data_planes"] else {}
    return {
        "changed": False,
        **found,
        **planes,
        "entities": [
            {"kind": kind.name, "entities": entities} for kind, entities in zip(kinds, lists)
        ],
    }


def _kind(name: str) -> Kind:
    if name not in KINDS:
        raise InputError(f"kinds has {name}, which is none of {', '.join(KINDS)}")
    return KINDS[name]


def _entities(task: Task, kind: Kind) -> list[Entity]:
    tags: Sequence[str] = task.params.get("tags", ())
    if kind is TARGET:
        return _targets(task, tags)
    entities = sorted(task.gateway.entities(kind, tags=tags) or [], key=kind.label)
    if kind is PLUGIN:
        return _plugins(task, entities)
    return [shown(kind, entity) for entity in entities]


def _plugins(task: Task, plugins: list[Entity]) -> list[Entity]:
    """Plugins without their secrets, which only each plugin's own schema names."""
    names = sorted({plugin["name"] for plugin in plugins})
    schemas = dict(zip(names, for_each(lambda name: task.gateway.schema(f"plugins/{name}"), names)))
    return [shown(with_details(schemas[each["name"]] or {}), each) for each in plugins]


def _targets(task: Task, tags: Sequence[str]) -> list[Entity]:
    """Targets of all upstreams: a gateway has no list of them, so each upstream's is asked for."""
    upstreams = sorted(task.gateway.entities(UPSTREAM) or [], key=UPSTREAM.label)
    pools = for_each(lambda upstream: _pool(task, upstream, tags), upstreams)
    return [target for pool in pools for target in pool]


def _pool(task: Task, upstream: Entity, tags: Sequence[str]) -> list[Entity]:
    targets = task.gateway.entities(TARGET, upstream["id"], tags=tags) or []
    seen: dict[str, Any] = {}
    if task.params.get("health") and targets:
        health: list[Entity] | None = task.gateway.health(upstream["id"])
        seen = {each["id"]: each for each in health or []}
    for target in targets:
        target["upstream"] = {"id": upstream["id"], "name": upstream["name"]}
        if task.params.get("health"):
            target["health"] = seen.get(target["id"], {}).get("health")
            target["addresses"] = _addresses(seen.get(target["id"], {}))
    return sorted(targets, key=TARGET.label)


def _addresses(target: Entity) -> list[Entity]:
    data = target.get("data") or {}
    # Lua writes an empty list as an empty object.
    return list(data.get("addresses") or [])


KONG_INFO = Operation(
    name="kong_info",
    spec=ArgumentSpec(
        options={
            "kinds": {"type": "list", "elements": "str"},
            "tags": {"type": "list", "elements": "str"},
            "health": {"type": "bool", "default": False},
            "data_planes": {"type": "bool", "default": False},
        }
    ),
    run=run_info,
    writes=False,
)

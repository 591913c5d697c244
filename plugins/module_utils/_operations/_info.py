# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a gateway is and holds: the operations behind ``kong_ping`` and ``kong_info``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._apply import kinds_of_plugins
from .._argspec import ArgumentSpec
from .._deadline import Deadline, poll
from .._entities._kind import Entity, Kind
from .._entities._plugin import PLUGIN
from .._entities._registry import KINDS
from .._entities._upstream import TARGET, UPSTREAM
from .._errors import InputError, KongError, Refused, UnexpectedAnswer, Unreachable, refused_by
from .._gateway._protocol import Gateway
from .._parallel import for_each
from .._spelling import did_you_mean
from ._base import Operation, Result, Task, entity_result
from ._nodes import STATUS_URLS, further_nodes, health_by_address


def run_info(task: Task) -> Result:
    if task.params.get("status_urls") and not task.params["health"]:
        raise InputError("status_urls needs health; set health to true")
    kinds = [_kind(name) for name in task.params.get("kinds", ())]
    found = task.gateway.identify()
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
        near = did_you_mean(name, KINDS)
        raise InputError(f"kinds: no kind {name} in {', '.join(KINDS)}{near}")
    return KINDS[name]


def _entities(task: Task, kind: Kind) -> list[Entity]:
    tags: Sequence[str] = task.params.get("tags", ())
    if kind is TARGET:
        return _targets(task, tags)
    entities = sorted(task.gateway.entities(kind, tags=tags) or [], key=kind.label)
    # Only each plugin's own schema names its secrets.
    typed = kinds_of_plugins(task.gateway, entities) if kind is PLUGIN else {}
    return [entity_result(typed.get(each.get("name", ""), kind), each) for each in entities]


def _targets(task: Task, tags: Sequence[str]) -> list[Entity]:
    """Targets of all upstreams: a gateway lists them by upstream only."""
    upstreams = sorted(task.gateway.entities(UPSTREAM) or [], key=UPSTREAM.label)
    nodes = further_nodes(task)
    pools = for_each(lambda upstream: _pool(task, upstream, tags, nodes), upstreams)
    return [target for pool in pools for target in pool]


def _pool(
    task: Task, upstream: Entity, tags: Sequence[str], nodes: Sequence[Gateway]
) -> list[Entity]:
    targets = task.gateway.entities(TARGET, upstream["id"], tags=tags) or []
    reads_health = bool(task.params["health"] and targets)
    # Without other nodes, a gateway that does not balance reports that itself.
    own = reads_health and (task.gateway.traits().has_balancer or not nodes)
    key = upstream["id"]
    seen = health_by_address(task.gateway, key) if own else {}
    further = {node.url: _health_at(node, key) for node in (nodes if reads_health else ())}
    for target in targets:
        target["upstream"] = {"id": upstream["id"], "name": upstream["name"]}
        if reads_health:
            target.update(_health(seen.get(target["target"], {})))
        if further:
            target["nodes"] = [
                {"url": url, **_health(each.get(target["target"], {}), weight=True)}
                for url, each in further.items()
            ]
    return sorted(targets, key=TARGET.label)


def _health_at(node: Gateway, upstream: str) -> dict[str, Entity]:
    with refused_by(node.url):
        return health_by_address(node, upstream)


def _health(target: Entity, weight: bool = False) -> Entity:
    data = target.get("data") or {}
    # Lua writes an empty list as an empty object.
    found = {"health": target.get("health"), "addresses": list(data.get("addresses") or [])}
    return {**found, "weight": data.get("nodeWeight")} if weight else found


KONG_INFO = Operation(run_info, ArgumentSpec(
    options={
        "kinds": {"type": "list", "elements": "str"},
        "tags": {"type": "list", "elements": "str"},
        "health": {"type": "bool", "default": False},
        "data_planes": {"type": "bool", "default": False},
        **STATUS_URLS,
    },
), writes=False)


def run_ping(task: Task) -> Result:
    gateway = task.gateway
    found = _wait(task) if task.params.get("wait") else gateway.identify()
    return {"changed": False, "msg": gateway.describe(found), "url": gateway.url, **found}


def _wait(task: Task) -> dict[str, Any]:
    """Ping until it responds; refused credentials end the wait."""
    interval, timeout = task.params["wait_interval"], task.params["wait_timeout"]
    try:
        return poll(
            task.gateway.identify,
            Deadline(timeout),
            temporary=lambda exc: not _is_final(exc),
            pause=interval,
            longest_pause=interval,
        )
    except (Unreachable, Refused, UnexpectedAnswer) as exc:
        exc.within(f"waited {timeout} s")
        raise


def _is_final(exc: KongError) -> bool:
    refused = isinstance(exc, Refused) and exc.status in (401, 403)
    return refused or bool(exc.failure.get("final")) or isinstance(exc, InputError)


KONG_PING = Operation(run_ping, ArgumentSpec(
    options={
        "wait": {"type": "bool", "default": False},
        "wait_timeout": {"type": "int", "default": 60},
        "wait_interval": {"type": "float", "default": 1.0},
    },
), writes=False)

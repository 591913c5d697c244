# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter ``kong_report``; its documentation is the YAML file of the same name.

The data model of the report on a run over many gateways. Only what is named here gets into it, so
that no field of an entity, and with it no secret, can.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ansible.errors import AnsibleFilterError

# In the order of the legend; the words that the role rollout and the playbooks use.
STATUSES = ("unchanged", "changed", "planned", "undone", "failed", "not reached")
PHASES = ("preflight", "snapshot", "plan", "apply", "prove", "undo")
_HEALTH = {
    "HEALTHY": "healthy",
    "UNHEALTHY": "unhealthy",
    "DNS_ERROR": "DNS error",
    "HEALTHCHECKS_OFF": "unchecked",
}
# What a result's entry calls an entity by (never a secret, see kong_state), and what it lies below.
_NAMES = (
    *("name", "target", "username", "prefix", "cert", "key", "client_id", "group"),
    *("subject_name", "id"),
)
_PARENTS = ("upstream", "consumer", "consumer_group")
# Width of the chart of times, in its own units.
_WIDTH = 1000.0


def kong_report(
    gateways: Sequence[Mapping[str, Any]], *, title: str = "Kong gateways", time: str = ""
) -> dict[str, Any]:
    """The model from which the page and the JSON file are rendered.

    :param gateways: one dictionary a gateway; the YAML file lists the keys.
    :param time: when the run was, as it shall be shown.
    :raises AnsibleFilterError: a gateway has no name, or a status that no run has.
    """
    rows = [_gateway(each) for each in gateways]
    longest = max((row["seconds"] for row in rows), default=0.0)
    for row in rows:
        row["bars"] = _bars(row["phases"], longest)
    return {
        "title": str(title),
        "time": str(time),
        "statuses": [
            {"name": name, "count": count}
            for name in STATUSES
            if (count := sum(row["status"] == name for row in rows))
        ],
        "gateways": rows,
        "upstreams": _upstreams(rows),
        "differences": _differences(rows),
        "longest": longest,
        "phases": [name for name in PHASES if any(name in row["phases"] for row in rows)],
    }


def _gateway(given: Mapping[str, Any]) -> dict[str, Any]:
    name, status = str(given.get("name") or ""), given.get("status") or "unchanged"
    if not name:
        raise AnsibleFilterError("each gateway of a report needs a name")
    if status not in STATUSES:
        raise AnsibleFilterError(
            f"gateway {name}: status must be one of {', '.join(STATUSES)}, got {status}"
        )
    phases = {
        phase: round(float(seconds), 3)
        for phase, seconds in (given.get("seconds") or {}).items()
        if phase in PHASES
    }
    return {
        "name": name,
        "url": _address(str(given.get("url") or "")),
        "version": str(given.get("version") or ""),
        "edition": str(given.get("edition") or ""),
        "status": status,
        "reason": str(given.get("reason") or ""),
        "changes": [_change(each) for each in given.get("changes") or ()],
        "read": given.get("upstreams") is not None,
        "upstreams": {
            str(each["name"]): [_target(target) for target in each.get("targets") or ()]
            for each in given.get("upstreams") or ()
        },
        "phases": phases,
        "seconds": round(sum(phases.values()), 3),
    }


def _address(url: str) -> str:
    """Scheme, host and port of a URL: what stands before an ``@`` or in a query may be a secret."""
    parts = urlsplit(url)
    if not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")


def _change(given: Mapping[str, Any]) -> dict[str, Any]:
    """An entry of a result's ``changes``: the entity and the names of its fields, no values."""
    return {
        "operation": str(given.get("operation") or ""),
        "kind": str(given.get("kind") or ""),
        "name": _first(given, _NAMES),
        "parent": _first(given, _PARENTS),
        "fields": sorted(str(field) for field in given.get("fields") or ()),
    }


def _first(given: Mapping[str, Any], keys: Sequence[str]) -> str:
    return next((str(given[key]) for key in keys if isinstance(given.get(key), str)), "")


def _target(given: Mapping[str, Any]) -> dict[str, Any]:
    weight = int(given.get("weight", 100))
    health = given.get("health")
    known = _HEALTH.get(str(health), "unknown")
    return {
        "target": str(given["target"]),
        "weight": weight,
        "health": "drained" if weight == 0 else known,
    }


def _upstreams(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The table gateway x upstream: one row an upstream, one cell a gateway, in their order."""
    names = sorted({name for row in rows for name in row["upstreams"]})
    return [
        {"name": name, "cells": [_cell(row, row["upstreams"].get(name)) for row in rows]}
        for name in names
    ]


def _cell(row: Mapping[str, Any], targets: Sequence[Mapping[str, Any]] | None) -> dict[str, Any]:
    if not row["read"]:
        return {"state": "unread", "text": "not read", "targets": []}
    if targets is None:
        return {"state": "missing", "text": "missing", "targets": []}
    bad = sum(each["health"] in ("unhealthy", "DNS error") for each in targets)
    drained = sum(each["health"] == "drained" for each in targets)
    serving = len(targets) - bad - drained
    notes = [f"{bad} down"] * bool(bad) + [f"{drained} drained"] * bool(drained)
    state = "down" if targets and not serving else "degraded" if bad else "well"
    return {
        "state": "empty" if not targets else state,
        "text": ", ".join([f"{serving} of {len(targets)}", *notes]) if targets else "no targets",
        "targets": list(targets),
    }


def _differences(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Targets whose weight is not the same on all gateways; None is a target that is missing.

    Gateways whose upstreams were not read are not compared.
    """
    read = [row for row in rows if row["read"]]
    weights: dict[tuple[str, str], dict[str, int]] = {}
    for row in read:
        for upstream, targets in row["upstreams"].items():
            for each in targets:
                weights.setdefault((upstream, each["target"]), {})[row["name"]] = each["weight"]
    found = []
    for (upstream, target), by_gateway in sorted(weights.items()):
        seen = [by_gateway.get(row["name"]) for row in read]
        if len(set(seen)) > 1:
            values = [{"gateway": row["name"], "weight": weight} for row, weight in zip(read, seen)]
            found.append({"upstream": upstream, "target": target, "weights": values})
    return found


def _bars(phases: Mapping[str, float], longest: float) -> list[dict[str, Any]]:
    """The pieces of a gateway's bar in the chart of times: where each begins, and its width."""
    bars, at = [], 0.0
    for name in PHASES:
        if name in phases and longest > 0:
            width = phases[name] / longest * _WIDTH
            bars.append({"phase": name, "x": round(at, 1), "width": round(width, 1)})
            at += width
    return bars


class FilterModule:
    """What ansible-core asks a file of filters for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"kong_report": kong_report}

# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What became of the gateways of a rollout, from the variables of their hosts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def rows_of(hosts: Sequence[str], hostvars: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row a gateway, in the form that the filter ``kong_report`` takes."""
    return [_row(host, hostvars[host]) for host in hosts]


def failed_of(hosts: Sequence[str], hostvars: Mapping[str, Any]) -> list[str]:
    """The gateways that failed, each with its reason."""
    found = []
    for host in hosts:
        reason = hostvars[host].get("__rollout_reason")
        if reason:
            found.append(f"{host}: {reason}")
    return found


def _row(host: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    planned = variables.get("__rollout_planned") or {}
    applied = variables.get("__rollout_applied") or {}
    changes = applied.get("changes") or planned.get("changes") or []
    return {
        "name": host,
        "url": str(variables.get("kong_admin_url") or ""),
        "status": _status(variables, planned, applied),
        "reason": str(variables.get("__rollout_reason") or _reason_of_batch(variables)),
        "changes": changes,
        "info": variables.get("__rollout_info") or {},
        "seconds": _seconds(variables),
    }


def _status(
    variables: Mapping[str, Any], planned: Mapping[str, Any], applied: Mapping[str, Any]
) -> str:
    if "__rollout_planned" not in variables:
        return "not reached"
    if variables.get("__rollout_undone_well"):
        return "undone"
    if variables.get("__rollout_reason"):
        return "failed"
    if applied.get("changed") and not variables.get("ansible_check_mode"):
        return "changed"
    return "planned" if planned.get("has_changes") else "unchanged"


def _reason_of_batch(variables: Mapping[str, Any]) -> str:
    """Why a gateway that did not fail itself was left or put back as it was."""
    failed = variables.get("__rollout_failed") or []
    if not (variables.get("__rollout_planned") or {}).get("has_changes"):
        return ""
    return f"another gateway of its batch failed: {failed[0]}" if failed else ""


def _seconds(variables: Mapping[str, Any]) -> dict[str, float]:
    """Seconds of each phase, from the times at which it and the next one began."""
    noted, ended = (variables.get(f"__rollout_{name}") or {} for name in ("noted", "ended"))
    began = {
        "snapshot": variables.get("__rollout_began"),
        "apply": noted.get("time"),
        "undo": variables.get("__rollout_undo_began"),
        "end": ended.get("time"),
    }
    marks = [(phase, float(time)) for phase, time in began.items() if time]
    return {
        phase: max(0.0, after - time)
        for (phase, time), (_next, after) in zip(marks, marks[1:])
    }

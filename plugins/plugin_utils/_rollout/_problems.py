# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Results of modules as sentences about what is wrong; none where nothing is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...module_utils._gateway._protocol import connected

_DOWN = {"UNHEALTHY": "is unhealthy", "DNS_ERROR": "has a name that is not resolved"}
_IN_SYNC = (None, "", "normal", "unknown")


def preflight_problems(
    gateway: Mapping[str, Any], *, min_version: str = "", edition: str = ""
) -> list[str]:
    """What a gateway lacks.

    :param gateway: result of ``kong_ping``, which may have failed. Konnect has no version: it is
        always the newest.
    """
    found = []
    version = gateway.get("version")
    if min_version and version and _numbers(version) < _numbers(min_version):
        found.append(f"version {version} is older than {min_version}")
    # Konnect offers what the enterprise edition does.
    offered = {"konnect": "enterprise"}.get(str(gateway.get("edition")), gateway.get("edition"))
    if edition and offered not in (None, edition):
        found.append(f"its edition is {offered}, and {edition} is needed")
    return found


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d+", version)[:4]]


def health_problems(
    info: Mapping[str, Any], *, changes: Sequence[Mapping[str, Any]] = ()
) -> list[str]:
    """Targets that do not serve, of upstreams that were changed.

    :param info: result of ``kong_info`` with upstreams, targets and their health.
    """
    if _is_missing(info, "entities"):
        return [str(info.get("msg"))]
    names = {str(each.get("name")) for each in changes if each.get("kind") == "upstream"}
    names |= {str(each.get("upstream")) for each in changes if each.get("kind") == "target"}
    listed = {each["kind"]: each["entities"] for each in info.get("entities") or ()}
    return [
        f"target {each['target']} of upstream {each['upstream']['name']} {why}"
        for each in listed.get("target", ())
        if each["upstream"]["name"] in names and each.get("weight") != 0
        for why in _why_not_served(each)
    ]


def _why_not_served(target: Mapping[str, Any]) -> Iterable[str]:
    seen = [("", target)] if "health" in target and not target.get("nodes") else []
    seen += [(f" at {node['url']}", node) for node in target.get("nodes") or ()]
    for where, each in seen:
        health = each.get("health")
        if health is None:
            yield f"is not known to the balancer yet{where}"
        elif health in _DOWN:
            yield f"{_DOWN[health]}{where}"


def data_plane_problems(
    info: Mapping[str, Any], *, before: Mapping[str, Any] | None = None
) -> list[str]:
    """Connected data planes that do not run the newest configuration.

    A control plane does not say which hash it expects, so all data planes must have the same one,
    and not the one from before a change.

    :param info: result of ``kong_info`` with ``data_planes``; ``before`` the one from before.
    """
    if _is_missing(info, "data_planes"):
        return [str(info.get("msg"))]
    planes = connected(info.get("data_planes") or ())
    known = (before or {}).get("data_planes") or ()
    earlier = {each["id"]: each.get("config_hash") for each in known}
    hashes = {each.get("config_hash") for each in planes}
    found = []
    for each in planes:
        name = f"data plane {each.get('hostname') or each['id']}"
        if each.get("sync_status") not in _IN_SYNC:
            found.append(f"{name} does not take the configuration: {each['sync_status']}")
        elif earlier.get(each["id"]) == each.get("config_hash"):
            found.append(f"{name} still runs the configuration from before the change")
    if len(hashes) > 1 and not found:
        found.append(f"{len(planes)} data planes run {len(hashes)} different configurations")
    return found


def node_problems(nodes: Mapping[str, Any]) -> list[str]:
    """Connected data planes of Konnect that do not run the expected configuration.

    :param nodes: result of ``konnect_node_info``.
    """
    if _is_missing(nodes, "nodes"):
        return [str(nodes.get("msg"))]
    return [
        f"data plane {each.get('hostname') or each.get('id')} does not run the new configuration"
        for each in nodes.get("nodes") or ()
        if each.get("connected") and not each.get("up_to_date")
    ]


def _is_missing(result: Mapping[str, Any], part: str) -> bool:
    """Whether a task failed before it had what matters: one that was repeated in vain has it."""
    return bool(result.get("failed")) and part not in result


def reason_of(result: Mapping[str, Any]) -> str:
    """Why a task failed: of a loop, the first item that did."""
    items = [each for each in result.get("results") or () if each.get("failed")]
    return str((items[0] if items else result).get("msg") or "it failed without a message")

# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Control planes of Konnect, their certificates and nodes: the operations behind ``konnect_*``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._apply import apply, parent_key
from .._argspec import ArgumentSpec
from .._deadline import Deadline, NotYet, poll, seconds_until
from .._entities._certificate import digest_of
from .._entities._consumer import WORKSPACE
from .._entities._kind import Entity
from .._entities._konnect import (
    CONTROL_PLANE,
    DATA_PLANE_CERTIFICATE,
    DEFAULT_CONTROL_PLANE,
    EXPECTED_CONFIG,
    GROUP,
    GROUP_MEMBER,
    NODE,
    READ_ONLY,
    as_labels,
)
from .._errors import InputError
from .._gateway._protocol import Gateway
from .._plan import CREATE, Plan, plan_absent, plan_present
from ._base import Operation, Result, Task, apply_plans, changes_of, entity_result
from ._consumer_group import run_group
from ._entity import STATE, fields_with_id
from ._workspace import held_in

MOST_CERTIFICATES = 32  # of one control plane
# A data plane pings every 30 seconds.
_SILENT_AFTER = 90


def run_control_plane(task: Task) -> Result:
    return run_group(task, CONTROL_PLANE, GROUP_MEMBER, CONTROL_PLANE, _check)


def _check(task: Task, plan: Plan, members: Sequence[Entity]) -> None:
    if task.removes and plan.changed and not task.params["force"]:
        _refuse_in_use(task.inside(plan.stored))
    if plan.operation == CREATE and "id" in plan.body:
        raise InputError("it does not exist, and Konnect chooses the ID of a new control plane")
    if "members" in task.params and not task.removes and plan.entity.get("cluster_type") != GROUP:
        raise InputError(f"members needs cluster_type {GROUP}")
    for each in members:
        if each.get("cluster_type") in READ_ONLY:
            raise InputError(
                f"control plane {each['name']} cannot be a member: its cluster_type is "
                f"{each['cluster_type']}"
            )


def _refuse_in_use(control_plane: Gateway) -> None:
    """Refuse to delete what data planes or entities would be deleted with."""
    # Each control plane has the default workspace; what another one has is not listed.
    workspaces = (each["name"] for each in control_plane.entities(WORKSPACE) or ())
    held = held_in(control_plane)
    held += [WORKSPACE.path] if set(workspaces) - {"default"} else []
    if control_plane.data_planes():
        held.append("data planes")
    if held:
        raise InputError(
            f"it has {', '.join(held)}, which would be deleted, too: set force to true if that is "
            "what you want"
        )


def control_planes(
    gateway: Gateway, labels: Mapping[str, Any] | None, **equal: str | None
) -> list[Entity]:
    """Control planes as Konnect returns them.

    :param labels: what they must have.
    :param equal: what their fields must be; None: anything.
    """
    wanted = as_labels(dict(labels or {}))
    return [
        CONTROL_PLANE.show(each)
        for each in gateway.entities(CONTROL_PLANE) or ()
        if wanted.items() <= (each.get("labels") or {}).items()
        and all(value in (None, each.get(name)) for name, value in equal.items())
    ]


def run_control_plane_info(task: Task) -> Result:
    equal = {name: task.params.get(name) for name in ("name", "cluster_type")}
    with task.about("control planes"):
        listed = control_planes(task.gateway, task.params.get("labels"), **equal)
    return {"changed": False, "control_planes": listed}


KONNECT_CONTROL_PLANE = Operation(run_control_plane, ArgumentSpec(
    fields=fields_with_id(CONTROL_PLANE),
    options={
        "members": {"type": "list", "elements": "str"},
        "purge_members": {"type": "bool", "default": False},
        "force": {"type": "bool", "default": False},
        **STATE,
    },
    required_one_of=[("name", "id")],
), of_account=True)

KONNECT_CONTROL_PLANE_INFO = Operation(run_control_plane_info, ArgumentSpec(options={
    "name": {"type": "str"},
    "cluster_type": {"type": "str"},
    "labels": {"type": "dict"},
}), writes=False, of_account=True)


def _connected_to(task: Task) -> tuple[str, str]:
    """The name and the ID of the control plane of the connection."""
    name = task.params.get("control_plane") or DEFAULT_CONTROL_PLANE
    return name, str(parent_key(task.gateway, NODE, name, needed=True))


def run_certificate(task: Task) -> Result:
    title = task.params.get("title")
    written = {"cert": _pem(task.params), **({} if title is None else {"title": title})}
    with task.about("data plane certificates"):
        name, key = _connected_to(task)
        plans = _plans(task, written, name, key)
    done = apply_plans(task, plans, key)
    kept = None if task.removes else done[0].after
    if kept is not None and done[0].operation == CREATE and not task.check_mode:
        kept = _keep_one(task, written, kept, key)
    return {
        **changes_of(task, done),
        "fingerprint": digest_of(written["cert"]),
        "certificate": entity_result(DATA_PLANE_CERTIFICATE, kept),
    }


def _keep_one(task: Task, written: Entity, created: Entity, control_plane: str) -> Entity:
    """Delete what other tasks created at once: Konnect has a certificate as often as it is sent."""
    same = _same(task.gateway.entities(DATA_PLANE_CERTIFICATE, control_plane) or [], written)
    same.sort(key=lambda each: (each.get("created_at") or 0, each["id"]))
    kept, *others = same or [created]
    for each in others:
        apply(task.gateway, plan_absent(DATA_PLANE_CERTIFICATE, each), control_plane)
    return kept


def _same(listed: Sequence[Entity], written: Entity) -> list[Entity]:
    kind = DATA_PLANE_CERTIFICATE
    return [each for each in listed if kind.identity.is_same(kind, "cert", written, each)]


def _pem(params: Any) -> str:
    """The certificate that is written, or in the file that is.

    :raises InputError: there is none, or more than a certificate.
    """
    option = "content" if params.get("content") is not None else "path"
    text = params.get("content")
    if text is None:
        try:
            with open(params["path"], encoding="utf-8") as file:
                text = file.read()
        except (OSError, UnicodeDecodeError) as exc:
            raise InputError(f"path {params['path']!r} cannot be read: {exc}") from exc
    if "PRIVATE KEY" in text:
        raise InputError(f"{option} has a private key, which must not leave its host")
    if digest_of(text) is None or text.count("BEGIN CERTIFICATE") > 1:
        raise InputError(f"{option} must have one certificate in PEM format")
    return f"{text.strip()}\n"


def _plans(task: Task, written: Entity, name: str, control_plane: str) -> list[Plan]:
    kind, params = DATA_PLANE_CERTIFICATE, task.params
    listed = task.gateway.entities(kind, control_plane) or []
    same = _same(listed, written)
    surplus = [each for each in listed if (task.removes if each in same else params["purge"])]
    if len(listed) >= MOST_CERTIFICATES and not (same or task.removes):
        raise InputError(
            f"the control plane has {len(listed)} certificates, and {MOST_CERTIFICATES} is the "
            "most: remove one first"
        )
    if surplus and not params["force"]:
        _refuse_used(task.gateway.entities(NODE, control_plane) or (), surplus)
    kept = [] if task.removes else [plan_present(kind, written, next(iter(same), None), name)]
    return [*kept, *(plan_absent(kind, each, name) for each in surplus)]


def _refuse_used(nodes: Sequence[Entity], surplus: Sequence[Entity]) -> None:
    """Refuse to disconnect data planes."""
    used: dict[str | None, str] = {
        node.get("data_plane_cert_id"): str(node.get("hostname"))
        for node in nodes
        if _is_connected(node)
    }
    for each in surplus:
        hostname = used.get(each["id"]) or used.get(None)
        if hostname is not None:
            known = "uses" if each["id"] in used else "may use"
            raise InputError(
                f"the connected data plane {hostname} {known} the certificate {each['id']}: "
                "set force to true to disconnect it"
            )


def _is_connected(node: Entity) -> bool:
    state = node.get("connection_state") or {}
    recent = -seconds_until(float(node.get("last_ping") or 0)) <= _SILENT_AFTER
    return bool(state.get("is_connected", True)) and recent


def run_node_info(task: Task) -> Result:
    wait, wanted, timeout = (task.params[name] for name in ("wait", "nodes", "wait_timeout"))
    if wait and wanted < 1:
        raise InputError(f"nodes must be at least 1, got {wanted}")

    def enough() -> Result:
        seen = _look(task.gateway, key)
        # In check mode what they have to run is predicted only.
        if wait and seen["up_to_date"] < wanted and not task.check_mode:
            raise NotYet(_why(seen, wanted, timeout), **seen)
        return seen

    with task.about("nodes"):
        key = _connected_to(task)[1]
        return poll(enough, Deadline(timeout), pause=1.0, longest_pause=5.0)


def _look(konnect: Gateway, control_plane: str) -> Result:
    found, listed = (konnect.entities(kind, control_plane) for kind in (EXPECTED_CONFIG, NODE))
    expected = found[0].get("expected_hash") if found else None
    nodes = [{**node, "connected": _is_connected(node)} for node in listed or ()]
    for node in nodes:
        node["up_to_date"] = node["connected"] and node.get("config_hash") == expected
    return {
        "changed": False,
        "expected_hash": expected,
        "nodes": nodes,
        "connected": sum(node["connected"] for node in nodes),
        "up_to_date": sum(node["up_to_date"] for node in nodes),
    }


def _why(seen: Result, wanted: int, timeout: int) -> str:
    states = (f"{each.get('hostname')} {_state_of(each)}" for each in seen["nodes"])
    shown = ", ".join(text for text, each in zip(states, seen["nodes"]) if each["connected"])
    return (
        f"{seen['up_to_date']} of {wanted} nodes run the expected configuration after {timeout} s, "
        f"{seen['connected']} are connected{f' ({shown})' if shown else ''}"
    )


def _state_of(node: Entity) -> str:
    issues = (node.get("compatibility_status") or {}).get("issues") or []
    if issues:
        return f"is not compatible: {issues[0].get('description')}"
    return "is up to date" if node["up_to_date"] else f"runs {node.get('config_hash')}"


KONNECT_DATA_PLANE_CERTIFICATE = Operation(run_certificate, ArgumentSpec(
    options={
        "content": {"type": "str"},
        "path": {"type": "path"},
        "title": {"type": "str"},
        "purge": {"type": "bool", "default": False},
        "force": {"type": "bool", "default": False},
        **STATE,
    },
    required_one_of=[("content", "path")],
    mutually_exclusive=[("content", "path")],
), of_account=True)

KONNECT_NODE_INFO = Operation(run_node_info, ArgumentSpec(options={
    "wait": {"type": "bool", "default": False},
    "nodes": {"type": "int", "default": 1},
    "wait_timeout": {"type": "int", "default": 120},
}), writes=False, of_account=True)

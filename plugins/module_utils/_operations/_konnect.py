# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Control planes of Konnect, their certificates and nodes: the operations behind ``konnect_*``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from .._apply import absent, apply, present
from .._argspec import ArgumentSpec
from .._deadline import Deadline, NotYet, poll, seconds_until
from .._entities._certificate import digest_of
from .._entities._identity import find_by_reference
from .._entities._kind import Entity
from .._entities._konnect import CONTROL_PLANE, DATA_PLANE_CERTIFICATE, GROUP, as_returned
from .._entities._registry import KINDS
from .._errors import InputError, KongError
from .._gateway._admin import unless_missing
from .._gateway._konnect import KonnectGateway
from .._gateway._konnect_account import CONTROL_PLANES, KonnectAccount
from .._gateway._protocol import Gateway
from .._parallel import for_each
from .._plan import CREATE, NONE, UPDATE, Plan, plan_absent, plan_present
from ._base import Operation, Result, Task, apply_plans, changes_of, entity_result, result_of_one
from ._entity import STATE, fields_with_id

_MOST_AT_ONCE = 50  # members that one request adds or removes
MOST_CERTIFICATES = 32  # of one control plane
# A data plane pings every 30 seconds.
_SILENT_AFTER = 90


def account(gateway: Gateway, within: bool = False) -> KonnectAccount:
    """Konnect behind the gateway of a task.

    :raises InputError: it is an Admin API.
    """
    if not isinstance(gateway, KonnectGateway):
        raise InputError(
            "this module needs Konnect, and admin_url (or KONG_ADMIN_URL) is an Admin API: "
            "set konnect_token instead"
        )
    return gateway.account(within)


def of_account(task: Task) -> KonnectAccount:
    """What check mode reads, too, and does not predict."""
    return cast(KonnectAccount, task.direct)


def run_control_plane(task: Task) -> Result:
    written = task.written(CONTROL_PLANE)
    if task.removes:
        plan = absent(task.gateway, CONTROL_PLANE, written)
    else:
        plan = present(task.gateway, CONTROL_PLANE, written, task.warn)
    with task.about(plan.description):
        if task.removes and plan.changed and not task.params["force"]:
            _refuse_in_use(task, plan.stored)
        added, removed = ([], []) if task.removes else _members(task, plan)
    done = apply(task.gateway, plan)
    result = result_of_one(task, done)
    result[CONTROL_PLANE.name] = as_returned(result[CONTROL_PLANE.name])
    result.update(added=[], removed=[])
    try:
        with task.about(f"members of {plan.description}"):
            _change_members(task, done, "add", added, result)
            _change_members(task, done, "remove", removed, result)
    except KongError as exc:
        exc.partial = result
        raise
    return result


def _change_members(task: Task, group: Plan, way: str, ids: list[str], result: Result) -> None:
    """Add control planes to a group or remove them, and put those that were into the result."""
    for start in range(0, len(ids), _MOST_AT_ONCE):
        some = ids[start : start + _MOST_AT_ONCE]
        if not task.check_mode:
            path = f"/{CONTROL_PLANE.path}/{group.entity['id']}/group-memberships/{way}"
            body = {"members": [{"id": each} for each in some]}
            of_account(task).request("POST", path, body)
        result["added" if way == "add" else "removed"] += some
        if group.operation == NONE:
            result.update(changed=True, operation=UPDATE)


def _refuse_in_use(task: Task, control_plane: Entity) -> None:
    """Refuse to delete what data planes or entities would be deleted with."""
    konnect, path = of_account(task), f"{CONTROL_PLANES}/{control_plane['id']}"

    def is_in_use(kind: str) -> bool:
        core = f"{path}/core-entities/{kind}"
        found = unless_missing(lambda: konnect.region.request("GET", core, params={"size": "1"}))
        return bool((found or {}).get("data"))

    kinds = [each.path for each in KINDS.values() if not each.parent and each.name != "workspace"]
    held = [kind for kind, used in zip(kinds, for_each(is_in_use, kinds)) if used]
    held += ["data planes"] if unless_missing(lambda: any(konnect.listed(f"{path}/nodes"))) else []
    if held:
        raise InputError(
            f"it has {', '.join(held)}, which would be deleted, too: set force to true if that is "
            "what you want"
        )


def _members(task: Task, plan: Plan) -> tuple[list[str], list[str]]:
    """The IDs of the control planes to add to the group, and of those to remove.

    :raises InputError: it is no group, or a member does not exist.
    """
    names, purge = task.params.get("members"), task.params["purge_members"]
    if names is None:
        if purge:
            raise InputError("purge_members needs members: write those that stay")
        return [], []
    if plan.entity.get("cluster_type") != GROUP:
        raise InputError(f"members needs cluster_type {GROUP}")
    wanted = list(dict.fromkeys(for_each(lambda name: _id_of(task, name), names)))
    current: list[str] = []
    if plan.before:
        path = f"{CONTROL_PLANES}/{plan.stored['id']}/group-memberships"
        current = [each["id"] for each in of_account(task).listed(path)]
    added = [each for each in wanted if each not in current]
    return added, [each for each in current if purge and each not in wanted]


def _id_of(task: Task, name: str) -> str:
    found = find_by_reference(task.gateway, CONTROL_PLANE, name)
    return str(found["id"]) if found is not None else task.gateway.missing(CONTROL_PLANE, name)


def run_control_plane_info(task: Task) -> Result:
    params = task.params
    equal = {name: params.get(name) for name in ("name", "cluster_type")}
    listed = list(of_account(task).control_planes(params.get("labels"), **equal))
    return {"changed": False, "control_planes": listed}


KONNECT_CONTROL_PLANE = Operation(
    spec=ArgumentSpec(
        fields=fields_with_id(CONTROL_PLANE),
        options={
            **STATE,
            "members": {"type": "list", "elements": "str"},
            "purge_members": {"type": "bool", "default": False},
            "force": {"type": "bool", "default": False},
        },
        required_one_of=[("name", "id")],
    ),
    run=run_control_plane,
    writes_control_planes=True,
    opens=account,
)

_FILTERS: dict[str, dict[str, Any]] = {
    "name": {"type": "str"},
    "cluster_type": {"type": "str"},
    "labels": {"type": "dict"},
}

KONNECT_CONTROL_PLANE_INFO = Operation(
    spec=ArgumentSpec(options=_FILTERS),
    run=run_control_plane_info,
    writes=False,
    opens=account,
)


def of_control_plane(gateway: Gateway) -> Gateway:
    return account(gateway, within=True)


def run_certificate(task: Task) -> Result:
    title = task.params.get("title")
    written = {"cert": _pem(task.params), **({} if title is None else {"title": title})}
    with task.about("data plane certificates"):
        plans = _plans(task, written)
    done = apply_plans(task, plans, None)
    kept = None if task.removes else done[0].after
    if kept is not None and done[0].operation == CREATE and not task.check_mode:
        kept = _keep_one(task, written, kept)
    return {
        **changes_of(task, done),
        "fingerprint": digest_of(written["cert"]),
        "certificate": entity_result(DATA_PLANE_CERTIFICATE, kept),
    }


def _keep_one(task: Task, written: Entity, created: Entity) -> Entity:
    """Delete what other tasks created at once: Konnect has a certificate as often as it is sent."""
    same = _same(task.gateway.entities(DATA_PLANE_CERTIFICATE) or [], written)
    same.sort(key=lambda each: (each.get("created_at") or 0, each["id"]))
    kept, *others = same or [created]
    for each in others:
        apply(task.gateway, plan_absent(DATA_PLANE_CERTIFICATE, each))
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


def _plans(task: Task, written: Entity) -> list[Plan]:
    kind, params = DATA_PLANE_CERTIFICATE, task.params
    listed = task.gateway.entities(kind) or []
    same = _same(listed, written)
    surplus = [each for each in listed if params["purge"] and each not in same]
    plans = []
    if task.removes:
        surplus = [*same, *surplus]
    elif same:
        # The text of the certificate may differ in spaces and line breaks.
        plans = [plan_present(kind, {**written, "cert": same[0]["cert"]}, same[0])]
    elif len(listed) >= MOST_CERTIFICATES:
        raise InputError(
            f"the control plane has {len(listed)} certificates, and {MOST_CERTIFICATES} is the "
            "most: remove one first"
        )
    else:
        plans = [plan_present(kind, written, None)]
    if surplus and not params["force"]:
        _refuse_used(task, surplus)
    return [*plans, *(plan_absent(kind, each) for each in surplus)]


def _refuse_used(task: Task, surplus: Sequence[Entity]) -> None:
    """Refuse to disconnect data planes."""
    used: dict[str | None, str] = {
        node.get("data_plane_cert_id"): str(node.get("hostname"))
        for node in task.gateway.data_planes()
        if _is_connected(node)
    }
    for each in surplus:
        node = used.get(each["id"]) or used.get(None)
        if node is not None:
            known = "uses" if each["id"] in used else "may use"
            raise InputError(
                f"the connected data plane {node} {known} the certificate {each['id']}: "
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
        seen = _look(task)
        if wait and seen["up_to_date"] < wanted:
            raise NotYet(_why(seen, wanted, timeout), **seen)
        return seen

    with task.about("nodes"):
        return poll(enough, Deadline(timeout), pause=1.0, longest_pause=5.0)


def _look(task: Task) -> Result:
    plane = of_account(task)
    response = plane.request("GET", "/expected-config-hash") or {}
    expected = response.get("expected_hash")
    nodes = [{**node, "connected": _is_connected(node)} for node in plane.data_planes()]
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


KONNECT_DATA_PLANE_CERTIFICATE = Operation(
    spec=ArgumentSpec(
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
    ),
    run=run_certificate,
    opens=of_control_plane,
)

KONNECT_NODE_INFO = Operation(
    spec=ArgumentSpec(
        options={
            "wait": {"type": "bool", "default": False},
            "nodes": {"type": "int", "default": 1},
            "wait_timeout": {"type": "int", "default": 120},
        }
    ),
    run=run_node_info,
    writes=False,
    opens=of_control_plane,
)

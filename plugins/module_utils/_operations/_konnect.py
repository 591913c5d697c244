# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Control planes of Konnect and their groups: the operations behind ``konnect_control_plane``.

PRIVATE to the collection: it can change in any release.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from .._apply import absent, apply, present
from .._argspec import ArgumentSpec
from .._entities._identity import find_by_reference
from .._entities._kind import Entity
from .._entities._konnect import CONTROL_PLANE, GROUP, as_answered
from .._errors import InputError, KongError
from .._gateway._konnect import CONTROL_PLANES, KonnectAccount, KonnectGateway, items
from .._gateway._protocol import Gateway
from .._parallel import for_each
from .._plan import NONE, UPDATE, Plan
from ._base import Operation, Result, Task, result_of_one
from ._entity import STATE, fields_with_id


def account(gateway: Gateway, within: bool = False) -> KonnectAccount:
    """Konnect behind the gateway of a task.

    :raises InputError: it is an Admin API.
    """
    if not isinstance(gateway, KonnectGateway):
        raise InputError(
            "this module needs Konnect, and admin_url (or KONG_ADMIN_URL) is an Admin API: "
            "set konnect_token instead"
        )
    return KonnectAccount(gateway, within)


def of_account(task: Task) -> KonnectAccount:
    """What check mode reads, too, and does not predict."""
    return cast(KonnectAccount, task.direct)


def run_control_plane(task: Task) -> Result:
    written = task.written(CONTROL_PLANE)
    going = task.params["state"] == "absent"
    if going:
        plan = absent(task.gateway, CONTROL_PLANE, written)
    else:
        plan = present(task.gateway, CONTROL_PLANE, written, task.warn)
    try:
        if going and plan.changed and not task.params["force"]:
            _refuse_in_use(task, plan.stored)
        changes = ([], []) if going else _members(task, plan)
    except KongError as exc:
        exc.within(f"{plan.description} at {task.gateway.url}")
        raise
    done = apply(task.gateway, plan)
    result = result_of_one(task, done)
    result[CONTROL_PLANE.name] = as_answered(result[CONTROL_PLANE.name])
    result.update(added=changes[0], removed=changes[1])
    if any(changes) and done.operation == NONE:
        result.update(changed=True, operation=UPDATE)
    if not task.check_mode:
        for way, ids in zip(("add", "remove"), changes):
            _change_members(task, done.entity, way, ids)
    return result


def _refuse_in_use(task: Task, control_plane: Entity) -> None:
    """Refuse to delete what data planes or entities would go along with."""
    held = of_account(task).of(control_plane["id"]).holds()
    if held:
        raise InputError(
            f"it has {', '.join(held)}, which would go along with it: set force to true if that "
            "is meant"
        )


def _members(task: Task, plan: Plan) -> tuple[list[str], list[str]]:
    """The IDs of the control planes to add to the group, and of those to remove.

    :raises InputError: it is no group, or a member does not exist.
    """
    names = task.params.get("members")
    if names is None:
        if task.params["purge_members"]:
            raise InputError("purge_members needs members: write those that shall stay")
        return [], []
    if plan.entity.get("cluster_type") != GROUP:
        raise InputError(f"members needs cluster_type {GROUP}")
    wanted = list(dict.fromkeys(for_each(lambda name: _id_of(task, name), names)))
    current = _current_members(task, plan.stored["id"]) if plan.before else []
    added = [each for each in wanted if each not in current]
    gone = [each for each in current if each not in wanted]
    return added, gone if task.params["purge_members"] else []


def _id_of(task: Task, name: str) -> str:
    found = find_by_reference(task.gateway, CONTROL_PLANE, name)
    return str(found["id"]) if found is not None else task.gateway.missing(CONTROL_PLANE, name)


def _current_members(task: Task, group: str) -> list[str]:
    path = f"{CONTROL_PLANES}/{group}/group-memberships"
    return [each["id"] for each in items(of_account(task).region, path)]


def _change_members(task: Task, group: Entity, way: str, ids: Sequence[str]) -> None:
    body = {"members": [{"id": each} for each in ids]}
    if ids:
        path = f"/{CONTROL_PLANE.path}/{group['id']}/group-memberships/{way}"
        of_account(task).request("POST", path, body)


def run_control_plane_info(task: Task) -> Result:
    params = task.params
    equal = {name: params.get(name) for name in ("name", "cluster_type")}
    listed = of_account(task).listed(params.get("labels"), **equal)
    return {"changed": False, "control_planes": listed}


KONNECT_CONTROL_PLANE = Operation(
    name="konnect_control_plane",
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
    name="konnect_control_plane_info",
    spec=ArgumentSpec(options=_FILTERS),
    run=run_control_plane_info,
    writes=False,
    opens=account,
)

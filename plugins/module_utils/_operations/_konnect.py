# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Control planes of Konnect and their groups: the operations behind ``konnect_control_plane``.

Private to the collection.
"""

from __future__ import annotations

from typing import Any, cast

from .._apply import absent, apply, present
from .._argspec import ArgumentSpec
from .._entities._identity import find_by_reference
from .._entities._kind import Entity
from .._entities._konnect import CONTROL_PLANE, GROUP, as_returned
from .._entities._registry import KINDS
from .._errors import InputError
from .._gateway._konnect import KonnectGateway
from .._gateway._konnect_account import CONTROL_PLANES, KonnectAccount
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
    result.update(added=added, removed=removed)
    if (added or removed) and done.operation == NONE:
        result.update(changed=True, operation=UPDATE)
    for way, ids in (("add", added), ("remove", removed)):
        if ids and not task.check_mode:
            path = f"/{CONTROL_PLANE.path}/{done.entity['id']}/group-memberships/{way}"
            of_account(task).request("POST", path, {"members": [{"id": each} for each in ids]})
    return result


def _refuse_in_use(task: Task, control_plane: Entity) -> None:
    """Refuse to delete what data planes or entities would be deleted with."""
    konnect, path = of_account(task), f"{CONTROL_PLANES}/{control_plane['id']}"

    def is_in_use(kind: str) -> bool:
        core = f"{path}/core-entities/{kind}"
        return bool((konnect.region.request("GET", core, params={"size": "1"}) or {}).get("data"))

    kinds = [each.path for each in KINDS.values() if not each.parent and each.name != "workspace"]
    held = [kind for kind, used in zip(kinds, for_each(is_in_use, kinds)) if used]
    held += ["data planes"] if any(konnect.listed(f"{path}/nodes")) else []
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

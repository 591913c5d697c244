# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups of control planes: who is in them, and whether they agree."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from . import konnect_errors
from .control_planes import ControlPlanes, number
from .organization import MEMBERSHIPS
from .resources import Answer, Call, Resource
from .store import Entity

GROUP = "CLUSTER_TYPE_CONTROL_PLANE_GROUP"
INGRESS = "CLUSTER_TYPE_K8S_INGRESS_CONTROLLER"

MOST_MEMBERS, MOST_AT_ONCE, MOST_GROUPS = 256, 50, 5
DEFAULT_SIZE = 10

#: Kinds whose names must be unique across the members of a group.
NAMED = {"services": "name", "routes": "name", "upstreams": "name", "consumers": "username"}


class ControlPlaneGroups:
    """`/v2/control-planes/{id}/group-…`."""

    def __init__(self, control_planes: ControlPlanes) -> None:
        self.control_planes = control_planes
        self.organization = control_planes.organization
        self.store = control_planes.store

    def find(self, segments: list[str]) -> Resource | None:
        """The resource below `/v2/control-planes`; None for any other path."""
        match segments:
            case [identifier, "group-memberships"]:
                return Resource({
                    "GET": lambda call: self._members(identifier, call),
                    "PUT": lambda call: self._change(identifier, call, replace=True),
                })
            case [identifier, "group-memberships", "add"]:
                return Resource({"POST": lambda call: self._change(identifier, call)})
            case [identifier, "group-memberships", "remove"]:
                return Resource({"POST": lambda call: self._leave(identifier, call)})
            case [identifier, "group-member-status"]:
                return Resource({"GET": lambda call: self._is_member(identifier)})
            case [identifier, "group-status"]:
                return Resource({"GET": lambda call: self._status(identifier)})
        return None

    def _group(self, identifier: str) -> Entity:
        found = self.control_planes.existing(identifier)
        if found["cluster_type"] != GROUP:
            raise konnect_errors.problem(404, "The control plane is not a group")
        return found

    def _ids(self, group: str) -> list[str]:
        rows = self.store.children(MEMBERSHIPS, "group", group)
        return [str(row["member"]["id"]) for row in rows]

    def _members(self, identifier: str, call: Call) -> Answer:
        self._group(identifier)
        size = number(call.query, "page[size]", DEFAULT_SIZE, MOST_MEMBERS)
        after = call.query.get("page[after]", "")
        ids = sorted(self._ids(identifier))
        rest = [member for member in ids if member > after]
        page: dict[str, Any] = {"next": None, "size": size, "total": len(ids)}
        if len(rest) > size:
            path = f"/v2/control-planes/{identifier}/group-memberships"
            page["next"] = f"{path}?page[size]={size}&page[after]={rest[size - 1]}"
        shown = [self.control_planes.existing(member) for member in rest[:size]]
        found = [self.control_planes.shown(entity) for entity in shown]
        return 200, {"meta": {"page": page}, "data": found}

    def _written(self, call: Call) -> list[str]:
        problems = self.control_planes.specification.problems("GroupMembership", call.body)
        if problems:
            raise konnect_errors.invalid(problems)
        if len(call.body["members"]) > MOST_AT_ONCE:
            raise konnect_errors.invalid([_wrong("members", f"at most {MOST_AT_ONCE} at once")])
        return list(dict.fromkeys(member["id"] for member in call.body["members"]))

    def _change(self, identifier: str, call: Call, replace: bool = False) -> Answer:
        """Let the control planes of a body join, and with `replace` all others leave."""
        members = self._written(call)
        with self.organization.lock:
            self._group(identifier)
            problems = list(self._unfit(identifier, members))
            kept = set(members) if replace else {*members, *self._ids(identifier)}
            if len(kept) > MOST_MEMBERS:
                problems.append(_wrong("members", f"at most {MOST_MEMBERS} control planes"))
            if problems:
                raise konnect_errors.invalid(problems)
            for row in self.store.children(MEMBERSHIPS, "group", identifier):
                if row["member"]["id"] not in kept:
                    self.store.remove(MEMBERSHIPS, row["id"])
            for member in members:
                self._join(identifier, member)
        return 204, None

    def _join(self, group: str, member: str) -> None:
        keys = ({"id": group}, {"id": member})
        if self.store.find(MEMBERSHIPS, ("group", "member"), keys) is None:
            row = {"id": str(uuid.uuid4()), "group": keys[0], "member": keys[1]}
            self.store.put(MEMBERSHIPS, row)

    def _unfit(self, group: str, members: list[str]) -> Iterator[dict[str, Any]]:
        """Why control planes cannot be members."""
        for index, member in enumerate(members):
            found = self.store.get("control_planes", member)
            field = f"members[{index}].id"
            if found is None:
                yield _wrong(field, "control plane not found", "missing_reference")
                continue
            if found["cluster_type"] in (GROUP, INGRESS):
                yield _wrong(field, "this type of control plane cannot be a member")
            joined = self.store.children(MEMBERSHIPS, "member", member)
            others = [row for row in joined if row["group"]["id"] != group]
            if len(others) >= MOST_GROUPS:
                yield _wrong(field, f"is a member of {MOST_GROUPS} groups already")
            nodes = self.organization.workspaces(member).default
            if nodes.kinds["clustering_data_planes"]:
                yield _wrong(field, "a control plane with data planes cannot be a member")

    def _leave(self, identifier: str, call: Call) -> Answer:
        members = self._written(call)
        with self.organization.lock:
            self._group(identifier)
            for row in self.store.children(MEMBERSHIPS, "group", identifier):
                if row["member"]["id"] in members:
                    self.store.remove(MEMBERSHIPS, row["id"])
        return 204, None

    def _is_member(self, identifier: str) -> Answer:
        self.control_planes.existing(identifier)
        return 200, {"is_member": bool(self.store.children(MEMBERSHIPS, "member", identifier))}

    def _status(self, identifier: str) -> Answer:
        group = self._group(identifier)
        conflicts = list(self._conflicts(identifier))
        state = "CONFLICT" if conflicts else "OK"
        item = {"state": state, "conflicts": conflicts}
        times = {name: group[name] for name in ("id", "created_at", "updated_at")}
        return 200, {"item": {**times, **item}}

    def _conflicts(self, group: str) -> Iterator[dict[str, Any]]:
        """Entities of two members that have one name."""
        seen: dict[tuple[str, str], str] = {}
        for member in self._ids(group):
            store = self.organization.workspaces(member).default
            for kind, field in NAMED.items():
                for entity in store.all(kind):
                    key = (kind, entity.get(field) or entity["id"])
                    if seen.setdefault(key, member) != member:
                        yield {
                            "cluster_id": member,
                            "description": f"{field} '{key[1]}' is not unique in the group",
                            "resource": {"id": entity["id"], "type": kind.removesuffix("s")},
                        }


def _wrong(field: str, reason: str, rule: str = "invalid") -> dict[str, Any]:
    return {"field": field, "rule": rule, "reason": reason, "source": "body"}

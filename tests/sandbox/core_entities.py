# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`…/core-entities/` of one control plane of Konnect: its entities as its own API serves them.

The paths and methods are those of Konnect's document; what they do is the Admin API's.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

from . import errors, json_schemas, konnect_errors, paging
from .about import VALID
from .entities import Entities
from .gateway import Gateway, Kind
from .hooks import Hashed
from .membership import Membership
from .resources import Answer, Call, Finder, Handler, Resource, Resources
from .specification import Specification
from .store import Entity, Store
from .validate import is_uuid
from .workspaces import WorkspaceEntities, WorkspacePaths, Workspaces

BASE = ("control-planes", "{controlPlaneId}", "core-entities")

#: Paths that the document leaves out and clients ask for (facts of decK).
UNDOCUMENTED: dict[tuple[str, ...], set[str]] = {
    ("workspaces",): {"GET", "POST"},
    ("workspaces", "*"): {"GET", "PUT", "DELETE"},
    ("v1", "schemas", "json", "*"): {"GET"},
}

#: Kinds of control planes whose entities are not written through the API.
READ_ONLY = {
    "CLUSTER_TYPE_K8S_INGRESS_CONTROLLER": "operation not permitted on KIC cluster",
    "CLUSTER_TYPE_CONTROL_PLANE_GROUP": "operation not permitted on control plane group",
}

#: The paths below which members of groups are named, not entities.
MEMBERS = ("consumers", "consumer_groups")

EMPTY: dict[str, Any] = {"data": []}


def without_nulls(value: Any) -> Any:
    """A response as Konnect gives it: fields that are null are left out.

    Settings of plugins, which have protocols, keep their nulls.
    """
    if isinstance(value, dict):
        return {
            name: item if name == "config" and "protocols" in value else without_nulls(item)
            for name, item in value.items() if item is not None
        }
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def wanted(kind: Kind, query: paging.Query, path: str) -> Callable[[Entity], bool]:
    """What the query of a list asks for: tags and, for kinds that have the filter, names."""
    tagged = paging.has_tags(query)
    key = kind.declared.key if kind.name in ("services", "routes", "consumers") else "name"
    if kind.name not in ("services", "routes", "consumers", "plugins"):
        return tagged
    equal, contained = query.get("filter[name][eq]"), query.get("filter[name][contains]", "")

    def holds(entity: Entity) -> bool:
        name = entity.get(key or "name") or ""
        return tagged(entity) and equal in (None, name) and contained in name

    return holds


class CoreEntities:
    """The entities of one control plane."""

    def __init__(
        self,
        gateway: Gateway,
        workspaces: Workspaces,
        specification: Specification,
        cluster_type: Callable[[], str],
    ) -> None:
        self.gateway = gateway
        self.workspaces = workspaces
        self.specification = specification
        self.cluster_type = cluster_type
        self._paths = WorkspacePaths(workspaces, self._finders)

    def find(self, segments: list[str]) -> Resource | None:
        """The resource of a path, in the default workspace or behind the name of one."""
        allowed = self._methods(segments)
        inner = segments
        if not allowed and len(segments) > 1:
            inner = segments[1:]
            allowed = self._methods(inner)
        if not allowed:
            return None
        resource = self._paths.find(segments)
        if resource is None:
            # The list of a kind that the sandbox does not have: there is none of it.
            return Resource({"GET": lambda call: (200, EMPTY)})
        handlers = {
            name: self._guarded(name, inner, handler)
            for name, handler in resource.methods.items() if name in allowed
        }
        return dataclasses.replace(resource, methods=handlers)

    def _methods(self, segments: list[str]) -> set[str]:
        for path, methods in UNDOCUMENTED.items():
            if len(path) == len(segments) and all(
                part in ("*", text) for part, text in zip(path, segments, strict=True)
            ):
                return methods
        return self.specification.methods([*BASE, *segments])

    def _guarded(self, method: str, segments: list[str], handler: Handler) -> Handler:
        """A method with Konnect's own rules: IDs in paths of writes, read-only control planes."""
        if "schemas" in segments:
            return handler

        def guarded(call: Call) -> Answer:
            reason = READ_ONLY.get(self.cluster_type())
            if reason is not None and method != "GET":
                raise konnect_errors.not_permitted(reason)
            if method in ("PUT", "DELETE"):
                _refuse_names(segments)
            try:
                status, body = handler(_read(call))
            except errors.Refusal as refusal:
                if method == "DELETE" and refusal.status == 404:
                    return 204, None
                raise
            return status, without_nulls(body)

        return guarded

    def _finders(self, store: Store) -> Sequence[Finder]:
        entities = Entities(self.gateway, store)
        resources = Resources(entities, None, wanted)
        return [
            functools.partial(_schemas, entities),
            WorkspaceEntities(self.workspaces, entities, resources).find,
            Membership(resources).find,
            resources.find,
        ]


def _read(call: Call) -> Call:
    """A request with what its query says of its body: a password may be a hash already."""
    password = call.body.get("password")
    if call.query.get("skip_hash") != "true" or not isinstance(password, str):
        return call
    return dataclasses.replace(call, body={**call.body, "password": Hashed(password)})


def _refuse_names(segments: list[str]) -> None:
    """Refuse a name where one entity's id must stand."""
    whole_list = len(segments) % 2 == 1
    by_name = segments[0] == "workspaces" or (len(segments) == 4 and segments[2] in MEMBERS)
    if not whole_list and not by_name and not is_uuid(segments[-1]):
        raise konnect_errors.bad_request(f" '{segments[-1]}' is not a valid uuid")


# -- schemas


def _kind_named(gateway: Gateway, text: str) -> Kind:
    """The kind of a name in a schema's path: one entity's, or the kind's own."""
    name = text.replace("-", "_")
    for kind in gateway.kinds.values():
        if name in (kind.name, kind.name.removesuffix("s"), kind.nested.replace("-", "_")):
            return kind
    raise errors.not_found()


def _schemas(entities: Entities, segments: list[str]) -> Resource | None:
    gateway = entities.gateway
    match segments:
        case ["v1", "schemas", "json", name]:
            return Resource({"GET": lambda call: _json_schema(gateway, name)})
        case ["schemas", "plugins", name] if name != "validate":
            return Resource({"GET": lambda call: _plugin_schema(gateway, name)})
        case ["schemas", "partials", name]:
            return Resource({"GET": lambda call: _partial_schema(gateway, name)})
        case ["schemas", name, "validate"]:
            return Resource({"POST": lambda call: _validated(entities, name, call)})
    return None


def _json_schema(gateway: Gateway, name: str) -> Answer:
    kind = _kind_named(gateway, name)
    if kind.name == "vaults":
        return 200, json_schemas.of_vaults(kind.record, gateway.vaults)
    return 200, json_schemas.of_record(kind.record)


def _plugin_schema(gateway: Gateway, name: str) -> Answer:
    if name not in gateway.plugins:
        raise errors.not_found()
    return 200, gateway.dump["plugins"][name]


def _partial_schema(gateway: Gateway, name: str) -> Answer:
    fields = gateway.dump["entities"]["partials"]["fields"]
    types = next(field["type"] for field in fields if "type" in field)
    if name not in types["one_of"]:
        raise errors.not_found()
    return 200, {"fields": [field for field in fields if "config" in field]}


def _validated(entities: Entities, name: str, call: Call) -> Answer:
    entities.prepared(_kind_named(entities.gateway, name).name, call.body)
    return 200, VALID

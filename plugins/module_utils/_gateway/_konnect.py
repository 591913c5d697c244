# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The dialect of a control plane of Konnect: no PATCH, IDs in paths, refusals of its own.

Knows no Ansible.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, Callable

from .._client import Client
from .._connection import segment
from .._entities._identity import find_by_reference
from .._entities._kind import PLACEHOLDER, Entity, Kind
from .._entities._konnect import CLUSTER_TYPES, CONTROL_PLANE, NODE, READ_ONLY
from .._entities._registry import KINDS
from .._errors import InputError, Refused, UnexpectedAnswer
from .._parallel import for_each
from .._plan import Plan
from .._schema import from_json_schema
from ._admin import AdminGateway, T, unless_missing
from ._errors import UniqueViolation
from ._konnect_account import NOT_KONNECT, TRAITS, read_refusal
from ._protocol import Gateway, Traits

NO_HEALTH = (
    "Konnect does not have the health of targets: set status_urls (of kong_info, and of "
    "kong_target with wait) to the status URLs of the data planes; drain a target with "
    "state drained of kong_target"
)
# The parts of a host's name that say which region it is of.
_REGIONAL = re.compile(r"^https://[a-z]+\.(api|svc)\.konghq\.")
# Credentials that Konnect's data planes do not have.
_NOT_OFFERED = ("oauth2",)
# What a run keeps: a file of it, a name in that file, and what reads it the first time.
Remember = Callable[[str, str, Callable[[], Any]], Any]
CONTROL_PLANES = "control planes"


class KonnectGateway(AdminGateway):
    """The core entities of one control plane, which is looked up with the first request.

    :param account: has the control plane.
    :param remember: keeps for the rest of a run the control plane's ID and type, and the schemas
        of kinds, which all control planes share.
    """

    lists_all = frozenset({"target"})
    takes_names = False
    omits_nulls = True
    managed_tags = frozenset({"konnect-managed", "konnect-managed-plugin"})
    not_offered = "Konnect does not have {}"

    def __init__(self, client: Client, account: Gateway, remember: Remember) -> None:
        super().__init__(client.at("", read_refusal))
        self._account = account
        self._remember = remember
        self._core: Client | None = None
        self._found: dict[str, str] = {}
        # Looked up once something is not found.
        self._has_workspace = not client.connection.workspace
        # Threads of a task look up what they share once.
        self._lock = threading.RLock()
        self.control_plane = client.connection.control_plane
        self.url = f"control plane {self.control_plane} of {client.connection.url}"

    @property
    def _client(self) -> Client:
        """Requests about the control plane's entities."""
        with self._lock:
            if self._core is None:
                # All control planes have the same schemas, and of a new one nothing else is read.
                key = self._like if self.is_new else self.key
                workspace = self.region.connection.workspace
                below = f"/{segment(workspace)}" if workspace else ""
                self._core = self.region.at(f"/v2/control-planes/{key}/core-entities{below}")
            return self._core

    @_client.setter
    def _client(self, client: Client) -> None:
        self.region = client

    @property
    def key(self) -> str:
        """The ID of the control plane."""
        with self._lock:
            if not self._found:
                connection = replace(self.region.connection, workspace=None)
                self._found = self._remember(CONTROL_PLANES, connection.memory_key, self._look_up)
            return self._found["id"]

    def _unless_missing(self, read: Callable[[], T]) -> T | None:
        found = super()._unless_missing(read)
        if found is None and not self._has_workspace:
            self._refuse_missing_workspace()
        return found

    def _refuse_missing_workspace(self) -> None:
        """No refusal of Konnect says that it is the workspace which does not exist."""
        workspace = str(self.region.connection.workspace)
        path = f"/v2/control-planes/{self.key}/core-entities/workspaces/{segment(workspace)}"
        if unless_missing(lambda: self.region.request("GET", path)) is None:
            raise InputError(f"Workspace '{workspace}' does not exist at {self.url}")
        self._has_workspace = True

    @cached_property
    def _like(self) -> str | None:
        """The ID of a control plane that exists, other than a group; None: there is none."""
        listed = self._account.entities(CONTROL_PLANE) or ()
        kept = (each["id"] for each in listed if each["cluster_type"] == CLUSTER_TYPES[0])
        return next((key for key in kept if not key.startswith(PLACEHOLDER)), None)

    @property
    def has_schemas(self) -> bool:  # type: ignore[override]
        return not self.is_new or self._like is not None

    def is_control_plane(self, name: str) -> bool:
        found = find_by_reference(self._account, CONTROL_PLANE, name)
        return found is not None and self.key == found["id"]

    def _look_up(self) -> dict[str, str]:
        wanted = str(self.region.connection.control_plane)
        found = find_by_reference(self._account, CONTROL_PLANE, wanted)
        if found is None:
            found = {"id": self._account.missing(CONTROL_PLANE, wanted)}
        return {name: str(found.get(name)) for name in ("id", "cluster_type")}

    def identify(self) -> dict[str, Any]:
        host = _REGIONAL.sub(r"https://global.\1.konghq.", self.region.url)
        server = self.region.at("", base=host)
        organization = server.request("GET", "/v2/organizations/me") or {}
        if not organization.get("name"):
            raise UnexpectedAnswer(NOT_KONNECT.format(host))
        found = {"organization": organization["name"], "control_plane": self.key}
        return {**found, **self._reported()}

    def describe(self, found: Mapping[str, Any]) -> str:
        return f"Successfully Konnected to the {found['organization']} organization!"

    def traits(self) -> Traits:
        return TRAITS

    def offers(self, kind: Kind) -> bool:
        return kind.name not in _NOT_OFFERED

    def _is_in_path(self, kind: Kind, field: str, value: str) -> bool:
        takes_no_name = bool(kind.parent) or kind.path_key == "instance_name"
        return super()._is_in_path(kind, field, value) and (field == "id" or not takes_no_name)

    def _filtered(
        self, kind: Kind, path: str, parent: str | None, params: Mapping[str, str] | None
    ) -> list[Entity] | None:
        found = super()._filtered(kind, path, parent, params)
        if found is None and parent is None and self.control_plane:
            # What is remembered of the control plane does not hold if it was deleted meanwhile.
            self._look_up()
        return found

    def refuse_read_only(self, current: Entity | None = None) -> None:
        if self.managed_tags & set((current or {}).get("tags") or ()):
            raise InputError(
                "Konnect manages it itself (the tag konnect-managed): it is left alone"
            )
        why = READ_ONLY.get(self.key and self._found["cluster_type"])
        if why is not None:
            raise InputError(
                f"entities of a control plane of the cluster_type {self._found['cluster_type']} "
                f"cannot be written: {why}"
            )

    def create(self, kind: Kind, body: Entity, parent: str | None = None) -> Entity:
        self.refuse_read_only()
        try:
            return super().create(kind, body, parent)
        except Refused as exc:
            if kind.path_id is not None and "already in group" in exc.message:
                raise UniqueViolation(exc) from exc
            if exc.status == 404 and not kind.parent:
                self._look_up()
            raise

    def update(self, plan: Plan, parent: str | None = None) -> Entity:
        self.refuse_read_only(plan.stored)
        kind, body = plan.kind, dict(plan.full_body)
        params = None
        if body.get("hash_on") == "none" and "hash_on" not in plan.body:
            # Written, it would turn the algorithm into round-robin; left out, it stays none.
            del body["hash_on"]
        if "password" in body and "password" not in plan.body:
            params = {"skip_hash": "true"}
        return self._entity("PUT", kind, parent, plan.stored["id"], body, params=params)

    def delete(self, kind: Kind, current: Entity, parent: str | None = None) -> None:
        self.refuse_read_only(current)
        super().delete(kind, current, parent)

    def _read_schema(self, name: str) -> dict[str, Any] | None:
        if name.startswith("vaults/"):
            return None  # it has none of their settings
        if "/" in name:
            return super()._read_schema(name)
        path = f"/v1/schemas/json/{_json_name(name)}"

        def read() -> Any:
            return unless_missing(lambda: self._client.request("GET", path))

        found = self._remember(self.region.url + path, name, read)
        return None if found is None else from_json_schema(found)

    def _validation_path(self, kind: Kind) -> str:
        return f"/schemas/{_json_name(kind.schema_name)}/validate"

    def plugin_names(self) -> list[str]:
        return []

    def kinds_tagged(self, tag: str, known: Collection[str] = ()) -> set[str]:
        """Konnect has no list by tag, so each kind is listed that is not known to have it."""
        unknown = [kind for kind in KINDS.values() if kind.name not in known]
        kinds = [each for each in unknown if self.offers(each) and "tags" in each.fields_by_name]
        lists = for_each(lambda kind: self.entities(kind, tags=(tag,)) or [], kinds)
        return {kind.name for kind, listed in zip(kinds, lists) if listed}

    def data_planes(self) -> list[Entity]:
        nodes = self._account.entities(NODE, self.key) or ()
        return [{**node, "last_seen": node.get("last_ping")} for node in nodes]

    def health(self, upstream: str) -> list[Entity] | None:
        raise InputError(NO_HEALTH)


def _json_name(schema: str) -> str:
    paths = {kind.schema_name: kind.path for kind in KINDS.values()}
    return paths.get(schema, schema).removesuffix("s")

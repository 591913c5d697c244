# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""The dialect of an Admin API: entities are created by POST and changed by PATCH.

Knows no Ansible.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Callable, TypeVar

from .._client import Client
from .._connection import segment
from .._entities._identity import looks_like_id
from .._entities._kind import Entity, Kind
from .._entities._registry import KINDS, parent_of
from .._errors import InputError, KongError, Refused, UnexpectedAnswer
from .._parallel import for_each
from .._plan import Plan
from .._values import with_nulls
from ._errors import NoBalancer, NotOffered, ParentMissing, StillReferenced, UniqueViolation
from ._protocol import Gateway, Traits, refuse_without_workspaces
from ._refusal import NO_DATABASE

T = TypeVar("T")


class AdminGateway(Gateway):
    """An Admin API, with or without a database."""

    predicts = False
    not_offered = "the gateway does not have {}, which need Kong Gateway Enterprise"

    def __init__(self, client: Client) -> None:
        self._client = client
        self.url = client.url
        self._root: dict[str, Any] | None = None
        self._schemas: dict[str, dict[str, Any] | None] = {}
        self._offered: dict[str, bool] = {}

    def root(self) -> dict[str, Any]:
        """What the gateway reports about itself, read once a task."""
        if self._root is None:
            self._root = self._read_root()
        return self._root

    def _read_root(self) -> dict[str, Any]:
        """The root belongs to no workspace; an account of one workspace reads a path in it."""
        try:
            return self._client.at().request("GET", "/") or {}
        except Refused as exc:
            if not self._client.connection.workspace or exc.status not in (403, 404):
                raise
        return self._client.request("GET", "/kong") or {}

    def identify(self) -> dict[str, Any]:
        traits = self.traits()
        if not traits.version:
            raise UnexpectedAnswer(
                f"the response of {self.url} is not that of an Admin API (no version); "
                "check admin_url"
            )
        return self._reported()

    def _reported(self) -> dict[str, Any]:
        names = ("version", "edition", "role", "database", "hostname")
        return {name: getattr(self.traits(), name) for name in names}

    def describe(self, found: Mapping[str, Any]) -> str:
        return f"Connected to Kong Gateway {found['version']} ({found['edition']}) at {self.url}"

    def traits(self) -> Traits:
        root = self.root()
        configuration: Mapping[str, Any] = root.get("configuration") or {}
        version = root.get("version")
        role, database = configuration.get("role"), configuration.get("database")
        return Traits(
            version=version,
            edition=root.get("edition") or _edition_of(str(version)),
            role=role,
            database=database,
            hostname=root.get("hostname"),
            has_balancer=role != "control_plane",
            writes_entities=database != "off",
            restricts_listed_ids=_restricts_listed_ids(str(version)),
        )

    def is_control_plane(self, name: str) -> bool:
        return False

    def offers(self, kind: Kind) -> bool:
        if not kind.optional:
            return True
        if kind.name not in self._offered:
            path = kind.global_path or (parent_of(kind).path if kind.parent else kind.path)
            self._offered[kind.name] = self._serves(f"/{path}")
        return self._offered[kind.name]

    def find_by(
        self, kind: Kind, field: str, value: str, parent: str | None = None
    ) -> Entity | None:
        if self._is_in_path(kind, field, value):
            found = self._unless_missing(lambda: self._entity("GET", kind, parent, value))
            return found if found is not None and _has(found, field, value) else None
        if field in kind.unique and field != kind.path_key:
            # What can be a secret is not sent in a URL.
            params = None if kind.global_path else {field: value}
            listed = self._unless_missing(lambda: self._pages(kind, path_of(kind), None, params))
        else:
            listed = self.entities(kind, parent)
        return next((entity for entity in listed or () if entity.get(field) == value), None)

    def _is_in_path(self, kind: Kind, field: str, value: str) -> bool:
        """Whether a path leads to an entity by such a value."""
        if field == "id":
            return kind.path_id is None
        return field == kind.path_key and not looks_like_id(value)

    def entities(
        self, kind: Kind, parent: str | None = None, of: str = "", tags: Sequence[str] = ()
    ) -> list[Entity] | None:
        if parent is None and kind.is_listed_below and kind.name not in self.lists_all:
            above = self.entities(parent_of(kind)) or []
            lists = for_each(lambda each: self.entities(kind, each["id"], "", tags) or [], above)
            return [entity for entities in lists for entity in entities]
        # Lists of targets are filtered here: the gateway ignores the filter there.
        params = {"tags": ",".join(tags)} if tags and parent is None else None
        path = f"/{KINDS[of].path}/{segment(str(parent))}/{kind.path}" if of else ""
        path = path or path_of(kind, parent)
        found = None
        if params is None or not self._is_known_without_database:
            found = self._filtered(kind, path, parent, params)
        if not found and params is not None and not self.traits().writes_entities:
            found = unless_missing(lambda: self._pages(kind, path, parent))
        if found is None or not tags:
            return found
        return [entity for entity in found if set(tags) <= set(entity.get("tags") or ())]

    @property
    def _is_known_without_database(self) -> bool:
        return self._root is not None and not self.traits().writes_entities

    def _filtered(
        self, kind: Kind, path: str, parent: str | None, params: Mapping[str, str] | None
    ) -> list[Entity] | None:
        """A list, as far as the gateway can filter it.

        Without a database 3.4 and 3.5 find nothing by tags, and newer ones respond with 500 once an
        entity has none.
        """
        try:
            return self._unless_missing(lambda: self._pages(kind, path, parent, params))
        except Refused as exc:
            if params is None or exc.status != 500 or self.traits().writes_entities:
                raise
            return None

    def _unless_missing(self, read: Callable[[], T]) -> T | None:
        """as ``unless_missing``, but a gateway without workspaces finds nothing in any."""
        found = unless_missing(read)
        workspace = self._client.connection.workspace
        if found is None and workspace:
            refuse_without_workspaces(self.traits(), workspace)
        return found

    def _pages(
        self, kind: Kind, path: str, parent: str | None, params: Mapping[str, str] | None = None
    ) -> list[Entity]:
        try:
            listed = list(self._client.pages(path, params))
        except Refused as exc:
            if exc.status == 403:
                raise NotOffered(exc, exc.message, forbidden=True) from exc
            raise
        kept = [each for each in listed if each.get("name") not in kind.reserved]
        return [self._read(kind, each, parent) for each in kept]

    def _read(self, kind: Kind, response: Entity, parent: str | None) -> Entity:
        entity = kind.read(response, parent)
        return with_nulls(kind.fields, entity) if self.omits_nulls else entity

    def refuse_read_only(self, current: Entity | None = None) -> None:
        if not self.traits().writes_entities:
            raise InputError(NO_DATABASE)

    def create(self, kind: Kind, body: Entity, parent: str | None = None) -> Entity:
        try:
            if kind.write is None or kind.path_id is None:
                return self._entity("POST", kind, parent, body=body)
            self._request("POST", path_of(kind, parent), kind.write(body))
            key = f"{parent}:{kind.path_id(body)}"
            return {**body, "id": key, str(kind.parent): {"id": parent}}
        except Refused as exc:
            if exc.status == 404 and kind.parent and self.offers(kind):
                raise ParentMissing(exc) from exc
            if exc.status == 404 and (kind.optional or not self.offers(kind)):
                raise NotOffered(exc, self.not_offered.format(kind.schema_name)) from exc
            raise

    def update(self, plan: Plan, parent: str | None = None) -> Entity:
        kind, key = plan.kind, plan.stored["id"]
        # Only a PUT removes what a PATCH would merge into.
        whole = plan.body.keys() & set(kind.replaced)
        method, body = ("PUT", plan.full_body) if whole else ("PATCH", plan.body)
        return self._entity(method, kind, parent, key, body)

    def delete(self, kind: Kind, current: Entity, parent: str | None = None) -> None:
        key = current["id"] if kind.path_id is None else kind.path_id(current)
        try:
            unless_missing(lambda: self._client.request("DELETE", path_of(kind, parent, key)))
        except Refused as exc:
            if exc.status == 400:
                raise StillReferenced(exc) from exc
            raise

    def schema(self, name: str) -> dict[str, Any] | None:
        if name not in self._schemas:
            self._schemas[name] = self._read_schema(name)
        return self._schemas[name]

    def _read_schema(self, name: str) -> dict[str, Any] | None:
        return unless_missing(lambda: self._client.request("GET", f"/schemas/{name}"))

    def plugin_names(self) -> list[str]:
        try:
            plugins = self.root().get("plugins") or {}
        except KongError:
            return []
        return sorted(plugins.get("available_on_server") or ())

    def validate(self, kind: Kind, body: Entity) -> None:
        try:
            self._client.request("POST", self._validation_path(kind), body, repeatable=True)
        except Refused as exc:
            if exc.status not in (404, 405):
                raise

    def _validation_path(self, kind: Kind) -> str:
        return f"/schemas/{kind.schema_name}/validate"

    def kinds_tagged(self, tag: str, known: Collection[str] = ()) -> set[str]:
        listed: list[Entity] = []
        try:
            listed = list(self._client.pages(f"/tags/{segment(tag)}"))
        except Refused as exc:
            if exc.status != 500 or self.traits().writes_entities:
                raise
        if not listed and not self.traits().writes_entities:
            # It has no list of tags, so any kind can have them.
            return {kind.name for kind in KINDS.values() if "tags" in kind.fields_by_name}
        # Vaults are called sm_vaults there.
        schemas = {each["entity_name"].replace("sm_vaults", "vaults") for each in listed}
        return {kind.name for kind in KINDS.values() if kind.schema_name in schemas}

    def data_planes(self) -> list[Entity]:
        found = unless_missing(lambda: list(self._client.pages("/clustering/data-planes")))
        return found or []

    def health(self, upstream: str) -> list[Entity] | None:
        path = f"/upstreams/{segment(upstream)}/health"
        try:
            found = unless_missing(lambda: list(self._client.pages(path)))
        except Refused as exc:
            if _has_no_balancer(exc):
                return []
            raise
        if found is None:
            self._refuse_status_port()
        return found

    def _refuse_status_port(self) -> None:
        """Only a node without a database shows the health of upstreams at its status port."""
        status = unless_missing(lambda: self._client.request("GET", "/status"))
        if status is None or "configuration_hash" in status:
            return
        if unless_missing(lambda: self._client.request("GET", "/")) is None:
            raise InputError(
                f"{self.url} is the status port of a node with a database, which does not show "
                "the health of upstreams; set the URL of its Admin API"
            )

    def set_health(self, upstream: str, target: str, address: str | None, to: str) -> None:
        path = f"/upstreams/{segment(upstream)}/targets/{segment(target)}"
        path += f"/{segment(address)}" if address else ""
        try:
            self._client.request("PUT", f"{path}/{to}")
        except Refused as exc:
            if _has_no_balancer(exc):
                raise NoBalancer(exc) from exc
            raise

    def load(self, document: str) -> bool:
        body = {"config": document}
        return self._client.request("POST", "/config", body, {"check_hash": "1"}, True) is not None

    def _entity(
        self,
        method: str,
        kind: Kind,
        parent: str | None,
        key: str | None = None,
        body: Entity | None = None,
        *,
        params: Mapping[str, str] | None = None,
    ) -> Entity:
        """A response that must be an entity; the JSON of another server is refused."""
        path = path_of(kind, parent, key)
        response = self._request(method, path, body, params)
        entity = self._read(kind, response, parent) if isinstance(response, dict) else None
        if entity is None or "id" not in entity:
            raise UnexpectedAnswer(
                f"the response to {method} {self._client.url}{path} is not an entity: "
                f"check {self._client.connection.option}"
            )
        return entity

    def _request(
        self, method: str, path: str, body: Entity | None, params: Mapping[str, str] | None = None
    ) -> Any:
        try:
            return self._client.request(method, path, body, params)
        except Refused as exc:
            if exc.is_unique_violation:
                raise UniqueViolation(exc) from exc
            raise

    def _serves(self, path: str) -> bool:
        try:
            self._client.request("GET", path, params={"size": "1"})
        except Refused as exc:
            if exc.status not in (403, 404):
                raise
            return False
        return True


def _edition_of(version: str) -> str:
    # Versions of Enterprise have four numbers: 3.4.3.3, at times with a suffix.
    return "enterprise" if version.count(".") == 3 or "enterprise" in version else "community"


def _restricts_listed_ids(version: str) -> bool:
    """3.10 does, 3.5 does not (the conformance cases certificates of both)."""
    numbers = re.findall(r"\d+", version)[:2]
    return [int(number) for number in numbers] >= [3, 6]


def path_of(kind: Kind, parent: str | None = None, key: str | None = None) -> str:
    path = f"/{kind.path}"
    if kind.parent is not None and parent is None:
        return f"/{kind.global_path or kind.path}"
    if kind.parent is not None:
        path = f"/{parent_of(kind).path}/{segment(str(parent))}{path}"
    return path if key is None else f"{path}/{segment(key)}"


def _has(found: Entity, field: str, value: str) -> bool:
    """Whether what a path leads to was found by this field, and not by another."""
    if field == "id":
        return str(found["id"]).lower() == value.lower()
    return found.get(field) in (None, value)


def _has_no_balancer(exc: Refused) -> bool:
    return "has no balancer" in exc.message


def unless_missing(ask: Callable[[], T | None]) -> T | None:
    try:
        return ask()
    except Refused as exc:
        # A missing workspace says nothing about what would be in it.
        if exc.status == 404 and not exc.message.startswith("Workspace "):
            return None
        raise

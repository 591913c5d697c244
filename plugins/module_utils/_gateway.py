# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A gateway's Admin API as entities: list, get, create, update, delete, validate, schema, health.

PRIVATE to the collection: it can change in any release.

This is the dialect of an Admin API with a database. Knows no Ansible.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Callable, Protocol, TypeVar

from ._client import Client, segment
from ._entities._kind import Entity, Kind
from ._entities._plugin import without_linked
from ._entities._registry import KINDS
from ._errors import InputError, KongError, Refused, UnexpectedAnswer

T = TypeVar("T")


class Gateway(Protocol):
    """What the rest of the engine asks of a gateway; ``parent`` is the parent's name or id.

    ``predicts``: writes are judged and foretold, not done (check mode).
    """

    url: str
    predicts: bool

    def root(self) -> dict[str, Any]: ...

    def get(self, kind: Kind, key: str, parent: str | None = None) -> Entity | None: ...

    def entities(
        self, kind: Kind, parent: str | None = None, tags: Sequence[str] = ()
    ) -> list[Entity] | None: ...

    def create(self, kind: Kind, body: Entity, parent: str | None = None) -> Entity: ...

    def update(
        self, kind: Kind, current: Entity, body: Entity, parent: str | None = None
    ) -> Entity: ...

    def replace(self, kind: Kind, current: Entity, body: Entity) -> Entity: ...

    def delete(self, kind: Kind, current: Entity, parent: str | None = None) -> None: ...

    def children(self, kind: Kind, of: Kind, key: str) -> list[Entity]: ...

    def holder(self, kind: Kind, field: str, value: str) -> Entity | None: ...

    def schema(self, name: str) -> dict[str, Any] | None: ...

    def plugin_names(self) -> list[str]: ...

    def health(self, upstream: str) -> list[Entity] | None: ...

    def load(self, document: str) -> bool: ...

    def kinds_tagged(self, tag: str) -> set[str]: ...

    def data_planes(self) -> list[Entity]: ...

    def set_health(self, upstream: str, target: str, address: str | None, to: str) -> None: ...

    def members(self, group: str) -> list[Entity]: ...

    def add_member(self, group: str, consumer: str) -> None: ...

    def remove_member(self, group: str, consumer: str) -> None: ...

    def missing(self, kind: Kind, key: str) -> str:
        """The id to go on with where an entity that another one needs is not there.

        :raises InputError: there is no going on without it.
        """


class AdminGateway:
    """An Admin API whose entities can be written one by one."""

    predicts = False

    def __init__(self, client: Client) -> None:
        self._client = client
        self.url = client.url
        self._root: dict[str, Any] | None = None
        self._schemas: dict[str, dict[str, Any] | None] = {}

    def root(self) -> dict[str, Any]:
        """What the gateway says of itself, asked for once a task."""
        if self._root is None:
            self._root = self._read_root()
        return self._root

    def _read_root(self) -> dict[str, Any]:
        """The root belongs to no workspace; an account of one workspace reads a path in it."""
        try:
            return self._client.outside_workspaces().request("GET", "/") or {}
        except Refused as exc:
            if not self._client.connection.workspace or exc.status not in (403, 404):
                raise
        return self._client.request("GET", "/kong") or {}

    def get(self, kind: Kind, key: str, parent: str | None = None) -> Entity | None:
        """The entity with this identity or id, None where it (or its parent) is missing."""
        return _unless_missing(lambda: self._entity("GET", kind, _path(kind, parent, key)))

    def entities(
        self, kind: Kind, parent: str | None = None, tags: Sequence[str] = ()
    ) -> list[Entity] | None:
        """All entities of a kind (of a parent) that have all of ``tags``; None: no such parent.

        Without a parent those of all parents, for kinds that a gateway can list so. Lists of
        targets are filtered here: the gateway ignores the filter there.
        """
        params = {"tags": ",".join(tags)} if tags and kind.parent is None else None
        found = _unless_missing(lambda: self._listed(kind, _path(kind, parent), params))
        if found is None or not tags:
            return found
        return [entity for entity in found if set(tags) <= set(entity.get("tags") or ())]

    def children(self, kind: Kind, of: Kind, key: str) -> list[Entity]:
        """The entities of ``kind`` that point at one of another kind."""
        return self._listed(kind, f"/{of.path}/{segment(key)}/{kind.path}")

    def _listed(
        self, kind: Kind, path: str, params: Mapping[str, str] | None = None
    ) -> list[Entity]:
        found = list(self._client.pages(path, params))
        return [without_linked(each) for each in found] if kind.name == "plugin" else found

    def holder(self, kind: Kind, field: str, value: str) -> Entity | None:
        """The entity that has a unique value, wherever it is; a secret is not asked for by name."""
        if kind.everywhere:
            found = _unless_missing(lambda: list(self._client.pages(f"/{kind.everywhere}"))) or []
        elif field == "custom_id":
            found = list(self._client.pages(f"/{kind.path}", {field: value}))
        else:
            entity = self.get(kind, value)
            found = [] if entity is None else [entity]
        return next((entity for entity in found if entity.get(field) == value), None)

    def create(self, kind: Kind, body: Entity, parent: str | None = None) -> Entity:
        return self._entity("POST", kind, _path(kind, parent), body)

    def update(
        self, kind: Kind, current: Entity, body: Entity, parent: str | None = None
    ) -> Entity:
        return self._entity("PATCH", kind, _path(kind, parent, current["id"]), body)

    def replace(self, kind: Kind, current: Entity, body: Entity) -> Entity:
        """Write a whole entity of a kind that has no parent; what is left out gets its default."""
        return self._entity("PUT", kind, _path(kind, None, current["id"]), body)

    def delete(self, kind: Kind, current: Entity, parent: str | None = None) -> None:
        """Delete; what is gone already is done."""
        _unless_missing(lambda: self._client.request("DELETE", _path(kind, parent, current["id"])))

    def load(self, document: str) -> bool:
        """Make a declarative document the whole configuration of a gateway without a database.

        :returns: whether it was another one than the gateway runs already.
        """
        body = {"config": document}
        return self._client.request("POST", "/config", body, {"check_hash": "1"}, True) is not None

    def kinds_tagged(self, tag: str) -> set[str]:
        """Names of the managed kinds of which some entity carries a tag."""
        schemas = {each["entity_name"] for each in self._client.pages(f"/tags/{segment(tag)}")}
        return {kind.name for kind in KINDS.values() if kind.schema_name in schemas}

    def data_planes(self) -> list[Entity]:
        """The data planes that a control plane knows; none where the node is no control plane."""
        found = _unless_missing(lambda: list(self._client.pages("/clustering/data-planes")))
        return found or []

    def set_health(self, upstream: str, target: str, address: str | None, to: str) -> None:
        """Mark a target, or one of its addresses, ``healthy`` or ``unhealthy``."""
        path = f"/upstreams/{segment(upstream)}/targets/{segment(target)}"
        path += f"/{segment(address)}" if address else ""
        self._client.request("PUT", f"{path}/{to}")

    def members(self, group: str) -> list[Entity]:
        """The consumers of a consumer group, which is given by its id."""
        return list(self._client.pages(f"/consumer_groups/{segment(group)}/consumers"))

    def add_member(self, group: str, consumer: str) -> None:
        """Make a consumer a member; one that is already is left so."""
        path = f"/consumer_groups/{segment(group)}/consumers"
        try:
            self._client.request("POST", path, {"consumer": consumer}, repeatable=True)
        except Refused as exc:
            if exc.status != 409:
                raise

    def remove_member(self, group: str, consumer: str) -> None:
        path = f"/consumer_groups/{segment(group)}/consumers/{segment(consumer)}"
        _unless_missing(lambda: self._client.request("DELETE", path))

    def _entity(self, method: str, kind: Kind, path: str, body: Entity | None = None) -> Entity:
        """An answer that has to be an entity; another server's JSON must not pass for one."""
        answer = _unwrapped(kind, self._client.request(method, path, body))
        if not isinstance(answer, dict) or "id" not in answer:
            raise UnexpectedAnswer(
                f"the answer to {method} {self.url}{path} is not an entity: check admin_url"
            )
        return without_linked(answer) if kind.name == "plugin" else answer

    def missing(self, kind: Kind, key: str) -> str:
        raise InputError(f"{kind.name} {key} does not exist")

    def validate(self, kind: Kind, body: Entity) -> None:
        """Let the gateway judge an entity without writing it; its errors are those of the write.

        :raises Refused: as a write would be. A gateway without that endpoint judges nothing.
        """
        try:
            self._client.request(
                "POST", f"/schemas/{kind.schema_name}/validate", body, repeatable=True
            )
        except Refused as exc:
            if exc.status not in (404, 405):
                raise

    def schema(self, name: str) -> dict[str, Any] | None:
        """The gateway's own schema of a kind (or ``plugins/NAME``), None where it has none.

        Asked once a task.
        """
        if name not in self._schemas:
            self._schemas[name] = _unless_missing(
                lambda: self._client.request("GET", f"/schemas/{name}")
            )
        return self._schemas[name]

    def plugin_names(self) -> list[str]:
        """The plugins that the gateway could run, as far as its root may be read."""
        try:
            plugins = self.root().get("plugins") or {}
        except KongError:
            return []
        return sorted(plugins.get("available_on_server") or ())

    def health(self, upstream: str) -> list[Entity] | None:
        """The upstream's targets as its balancer sees them; None: no such upstream.

        A target has no ``health`` until a balancer exists, some seconds after its creation.
        """
        path = f"/upstreams/{segment(upstream)}/health"
        try:
            return _unless_missing(lambda: list(self._client.pages(path)))
        except Refused as exc:
            if "has no balancer" in exc.message:
                return []
            raise


def minds_lists(root: Mapping[str, Any]) -> bool:
    """Whether a gateway looks into lists of ids before it deletes: 3.10 does, 3.5 does not.

    :param root: its answer to ``GET /``. Source: the conformance cases certificates of both.
    """
    numbers = re.findall(r"\d+", str(root.get("version")))[:2]
    return [int(number) for number in numbers] >= [3, 6]


def _path(kind: Kind, parent: str | None, key: str | None = None) -> str:
    path = f"/{kind.path}"
    if kind.parent is not None and parent is None:
        return f"/{kind.everywhere}"
    if kind.parent is not None:
        # A parent's collection lies under the plural of its name: /upstreams/web/targets.
        path = f"/{kind.parent}s/{segment(str(parent))}{path}"
    return path if key is None else f"{path}/{segment(key)}"


def _unwrapped(kind: Kind, answer: Any) -> Any:
    """A consumer group is answered together with its members."""
    inner = answer.get(kind.name) if isinstance(answer, dict) else None
    return inner if isinstance(inner, dict) and "id" in inner else answer


def _unless_missing(ask: Callable[[], T | None]) -> T | None:
    try:
        return ask()
    except Refused as exc:
        # That the workspace is missing says nothing of what would be in it.
        if exc.status == 404 and not exc.message.startswith("Workspace "):
            return None
        raise

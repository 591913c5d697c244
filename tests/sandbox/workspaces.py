# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Workspaces of the enterprise edition: a store each, and paths that begin with their names."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import threading
from collections.abc import Callable, Sequence
from typing import Any

from . import errors
from .entities import Entities
from .fill import filled
from .gateway import Gateway
from .resources import Answer, Call, Finder, Handler, Resource, Resources
from .store import PROXIED, Entity, Store
from .validate import is_uuid

DEFAULT = "default"

#: Where a state file keeps the stores beside the default one, by the workspaces' ids.
OTHERS = "@workspaces"


class Workspaces:
    """All stores of a gateway; the community edition has but the default one.

    The proxy follows it as one configuration. With a state file what it holds outlives the run.
    """

    def __init__(self, gateway: Gateway, state: pathlib.Path | None) -> None:
        self.gateway = gateway
        self.lock = threading.RLock()
        self.default = Store(gateway.unique, gateway.foreign)
        self._others: dict[str, Store] = {}
        #: Changes of stores that are gone: a revision never comes twice.
        self._past = 0
        self._state = state
        if state is not None and state.exists():
            self.load(json.loads(state.read_text(encoding="utf-8")))
        self._saved = self.revision
        self._add_default()

    def _add_default(self) -> None:
        kind = self.gateway.kinds.get("workspaces")
        if kind is not None and self.named(DEFAULT) is None:
            self.default.put(kind.name, filled(kind.record, {"name": DEFAULT}))

    def named(self, name: str) -> Entity | None:
        """The workspace of a name (or an id); the community edition serves none."""
        if "workspaces" not in self.gateway.kinds:
            return None
        found = self.default.find("workspaces", ("name",), (name,))
        return found or self.default.get("workspaces", name)

    def store_of(self, workspace: Entity) -> Store:
        """Where a workspace keeps its entities."""
        if workspace["name"] == DEFAULT:
            return self.default
        with self.lock:
            if workspace["id"] not in self._others:
                self._others[workspace["id"]] = Store(self.gateway.unique, self.gateway.foreign)
            return self._others[workspace["id"]]

    def drop(self, workspace: Entity) -> None:
        """Forget what a workspace, which is deleted, has kept."""
        with self.lock:
            store = self._others.pop(workspace["id"], None)
            self._past += 1 if store is None else store.revision + 1

    def reset(self) -> None:
        """Forget everything but the default workspace, which is a new one."""
        with self.lock:
            self._past += 1 + sum(store.revision for store in self._others.values())
            self._others = {}
            self.default.reset()
            self._add_default()

    # -- as the proxy sees it

    def stores(self) -> list[Store]:
        """Every store, the default one first."""
        with self.lock:
            return [self.default, *self._others.values()]

    @property
    def revision(self) -> int:
        """Rises with every change of any store."""
        with self.lock:
            return self._past + sum(store.revision for store in self.stores())

    def snapshot(self) -> dict[str, list[Entity]]:
        """Plain copies of what the proxy needs, of all workspaces."""
        parts = [store.snapshot() for store in self.stores()]
        return {kind: [entity for part in parts for entity in part[kind]] for kind in PROXIED}

    # -- outliving the process

    def load(self, document: dict[str, Any]) -> None:
        """Keep what `document` held."""
        for identifier, kinds in document.pop(OTHERS, {}).items():
            self._others[identifier] = Store(self.gateway.unique, self.gateway.foreign)
            self._others[identifier].load(kinds)
        self.default.load(document)

    def save(self) -> None:
        """Write the state file, if one is wanted and something changed; whole or not at all."""
        if self._state is None:
            return
        with self.lock:
            revision = self.revision
            if revision == self._saved:
                return
            text = json.dumps(self.document())
        write_whole(self._state, text)
        self._saved = revision

    def document(self) -> dict[str, Any]:
        """What `load` takes."""
        with self.lock:
            others = {identifier: store.document() for identifier, store in self._others.items()}
            return {**self.default.document(), **({OTHERS: others} if others else {})}


def write_whole(path: pathlib.Path, text: str) -> None:
    """Write a file whole or not at all."""
    draft = path.with_name(f"{path.name}.new")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)


class WorkspacePaths:
    """Finds `/{workspace}/…` in that workspace, other paths in the default one."""

    def __init__(
        self, workspaces: Workspaces, finders_of: Callable[[Store], Sequence[Finder]]
    ) -> None:
        """`finders_of` makes the finders that look into one store."""
        self.workspaces = workspaces
        self._finders_of = finders_of
        self._default = finders_of(workspaces.default)

    def find(self, segments: list[str]) -> Resource | None:
        """The resource at decoded path segments; a workspace that is none is refused by name."""
        found = _first(self._default, segments)
        if found is not None or len(segments) < 2:
            return found
        workspace = self.workspaces.named(segments[0])
        if workspace is not None:
            return self._inside(workspace, segments[1:])
        if _first(self._default, segments[1:]) is None:
            return None
        raise errors.Refusal(404, {"message": f"Workspace '{segments[0]}' not found"})

    def _inside(self, workspace: Entity, segments: list[str]) -> Resource | None:
        store = self.workspaces.store_of(workspace)
        # Workspaces are not kept in workspaces: behind every prefix there are the same.
        if store is self.workspaces.default or segments[0] == "workspaces":
            return _first(self._default, segments)
        return _first(self._finders_of(store), segments)


def _first(finders: Sequence[Finder], segments: list[str]) -> Resource | None:
    found = (find(segments) for find in finders)
    return next((resource for resource in found if resource is not None), None)


class WorkspaceEntities:
    """`/workspaces/{name or id}`: no new name, and no delete while something is in it."""

    def __init__(self, workspaces: Workspaces, entities: Entities, resources: Resources) -> None:
        self.workspaces = workspaces
        self.entities = entities
        self.resources = resources

    def find(self, segments: list[str]) -> Resource | None:
        """The resource of one workspace; None for any other path."""
        if len(segments) != 2 or segments[0] != "workspaces":
            return None
        plain = self.resources.find(segments)
        if plain is None:
            return None
        own = {
            "PATCH": lambda call: self._update(segments[1], call, plain.methods["PATCH"]),
            "PUT": lambda call: self._upsert(segments[1], call, plain.methods["PUT"]),
            "DELETE": lambda call: self._delete(segments[1], call),
        }
        return dataclasses.replace(plain, methods={**plain.methods, **own})

    def _upsert(self, text: str, call: Call, plain: Handler) -> Answer:
        """By its name a PUT leaves the name as it is, whatever the body says."""
        return self._update(text, call, plain) if is_uuid(text) else plain(call)

    def _update(self, text: str, call: Call, plain: Handler) -> Answer:
        workspace = self.workspaces.named(text)
        if workspace is not None and call.body.get("name", workspace["name"]) != workspace["name"]:
            raise errors.Refusal(400, {"message": "Cannot rename a workspace"})
        return plain(call)

    def _delete(self, text: str, call: Call) -> Answer:
        workspace = self.workspaces.named(text)
        if workspace is None:
            return 204, None
        if workspace["name"] == DEFAULT:
            raise errors.Refusal(400, {"message": "Cannot delete default workspace"})
        held = self.workspaces.store_of(workspace)
        if any(held.document().values()) and call.query.get("cascade") != "true":
            raise errors.Refusal(400, {"message": "Workspace is not empty"})
        self.entities.delete("workspaces", workspace)
        self.workspaces.drop(workspace)
        return 204, None

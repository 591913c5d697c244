# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An organization of Konnect: its control planes, and what each of them keeps."""

from __future__ import annotations

import datetime
import json
import pathlib
import threading
import uuid
from typing import Any

from .gateway import Gateway
from .reconfigure import Exporter
from .store import Entity, Store
from .workspaces import Workspaces, write_whole

#: The control plane that each organization begins with.
DEFAULT = "default"

#: Where a state file keeps what control planes hold, by their ids.
CONTENTS = "@control_planes"

CERTIFICATES = "dp_client_certificates"
MEMBERSHIPS = "memberships"

UNIQUE: dict[str, tuple[tuple[str, ...], ...]] = {
    "control_planes": (("name",),),
    CERTIFICATES: (),
    MEMBERSHIPS: (("group", "member"),),
}
FOREIGN: dict[str, tuple[str, ...]] = {
    "control_planes": (),
    CERTIFICATES: ("control_plane",),
    MEMBERSHIPS: ("group", "member"),
}


def now() -> str:
    """A time as Konnect writes it."""
    text = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


class Organization:
    """`store` holds control planes, the certificates of their data planes, and groups' members."""

    def __init__(self, gateway: Gateway, name: str, state: pathlib.Path | None = None) -> None:
        self.gateway = gateway
        self.name = name
        self.id = str(uuid.uuid5(uuid.NAMESPACE_DNS, name))
        self.lock = threading.RLock()
        self.store = Store(UNIQUE, FOREIGN)
        self._contents: dict[str, Exporter] = {}
        #: Changes of control planes that are gone: a revision never comes twice.
        self._past = 0
        self._state = state
        if state is not None and state.exists():
            self._load(json.loads(state.read_text(encoding="utf-8")))
        self._saved = self.revision
        self._add_default()

    def _add_default(self) -> None:
        if not self.store.kinds["control_planes"]:
            self.create({"name": DEFAULT})

    def create(self, body: dict[str, Any]) -> Entity:
        """Add the control plane of a body that was judged."""
        moment = now()
        entity = {
            "id": str(uuid.uuid4()),
            "name": body["name"],
            "description": body.get("description", ""),
            "labels": body.get("labels", {}),
            "cluster_type": body.get("cluster_type", "CLUSTER_TYPE_CONTROL_PLANE"),
            "auth_type": body.get("auth_type", "pinned_client_certs"),
            "cloud_gateway": body.get("cloud_gateway", False),
            "proxy_urls": body.get("proxy_urls", []),
            "created_at": moment,
            "updated_at": moment,
        }
        self.store.put("control_planes", entity)
        return entity

    def remove(self, identifier: str) -> None:
        """Remove a control plane and all that belongs to it."""
        with self.lock, self.store.lock:
            for kind, fields in FOREIGN.items():
                for field in fields:
                    for entity in self.store.children(kind, field, identifier):
                        self.store.remove(kind, entity["id"])
            self.store.remove("control_planes", identifier)
            gone = self._contents.pop(identifier, None)
            self._past += 1 if gone is None else gone.workspaces.revision + 1

    def exporter(self, identifier: str) -> Exporter:
        """What makes the configuration that data planes of a control plane run."""
        with self.lock:
            if identifier not in self._contents:
                workspaces = Workspaces(self.gateway, None)
                self._contents[identifier] = Exporter(
                    self.gateway, workspaces, lambda: self._members(identifier)
                )
            return self._contents[identifier]

    def workspaces(self, identifier: str) -> Workspaces:
        """What a control plane holds."""
        return self.exporter(identifier).workspaces

    def _members(self, group: str) -> list[Workspaces]:
        """What the members of a group hold: its data planes serve all of it."""
        rows = self.store.children(MEMBERSHIPS, "group", group)
        return [self.workspaces(row["member"]["id"]) for row in rows]

    # -- as a whole

    @property
    def revision(self) -> int:
        """Rises with every change of anything."""
        with self.lock:
            held = sum(each.workspaces.revision for each in self._contents.values())
            return self._past + self.store.revision + held

    def reset(self) -> None:
        """Forget everything but the default control plane, which is a new one."""
        with self.lock:
            self._past += 1 + sum(each.workspaces.revision for each in self._contents.values())
            self._contents = {}
            self.store.reset()
            self._add_default()

    def _load(self, document: dict[str, Any]) -> None:
        for identifier, held in document.pop(CONTENTS, {}).items():
            self.workspaces(identifier).load(held)
        self.store.load(document)

    def save(self) -> None:
        """Write the state file, if one is wanted and something changed."""
        if self._state is None:
            return
        with self.lock:
            revision = self.revision
            if revision == self._saved:
                return
            held = {key: each.workspaces.document() for key, each in self._contents.items()}
            text = json.dumps({**self.store.document(), CONTENTS: held})
        write_whole(self._state, text)
        self._saved = revision

# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Data planes of one control plane of Konnect: their certificates, nodes, and what they should run.

These paths have the older shape: `item`, or `items` with `page`.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

from . import konnect_errors, values
from .organization import CERTIFICATES, Organization
from .resources import Answer, Call, Resource
from .store import Entity

#: Certificates that a control plane takes.
MOST_CERTIFICATES = 32

DEFAULT_SIZE = 100

COMPATIBILITY = {
    "normal": "COMPATIBILITY_STATE_FULLY_COMPATIBLE",
    "unknown": "COMPATIBILITY_STATE_UNKNOWN",
}
INCOMPATIBLE = "COMPATIBILITY_STATE_INCOMPATIBLE"


class DataPlaneNodes:
    """The paths of one control plane that are about its data planes."""

    def __init__(self, organization: Organization, control_plane: str) -> None:
        self.store = organization.store
        self.control_plane = control_plane
        self.exporter = organization.exporter(control_plane)
        self.nodes = self.exporter.workspaces.default

    def find(self, segments: list[str]) -> Resource | None:
        """The resource below a control plane; None for any other path."""
        match segments:
            case ["dp-client-certificates"]:
                return Resource({"GET": self._certificates, "POST": self._pin})
            case ["dp-client-certificates", identifier]:
                return Resource({
                    "GET": lambda call: (200, {"item": _pinned(self._certificate(identifier))}),
                    "PUT": lambda call: self._replace(identifier, call),
                    "DELETE": lambda call: self._unpin(identifier),
                })
            case ["nodes"]:
                return Resource({"GET": lambda call: self._page(call, _node)})
            case ["nodes", "eol"]:
                return Resource({"GET": lambda call: self._page(call, _end_of_life)})
            case ["nodes", identifier]:
                return Resource({
                    "GET": lambda call: (200, {"item": _node(self._joined(identifier))}),
                    "DELETE": lambda call: self._forget(identifier),
                })
            case ["expected-config-hash"]:
                return Resource({"GET": self._expected_hash})
            case ["expected-config-version"]:
                return Resource({"GET": self._expected_version})
        return None

    # -- certificates

    def _own(self) -> list[Entity]:
        return self.store.children(CERTIFICATES, "control_plane", self.control_plane)

    def _certificate(self, identifier: str) -> Entity:
        found = self.store.get(CERTIFICATES, identifier)
        if found is None or found["control_plane"]["id"] != self.control_plane:
            raise konnect_errors.not_found()
        return found

    def _certificates(self, call: Call) -> Answer:
        found = [_pinned(entity) for entity in self._own()]
        return 200, {"items": found, "page": {"total_count": len(found)}}

    def _pin(self, call: Call) -> Answer:
        with self.store.lock:
            if len(self._own()) >= MOST_CERTIFICATES:
                message = f"a control plane has at most {MOST_CERTIFICATES} certificates"
                raise konnect_errors.bad_request(message)
            return 201, {"item": _pinned(self._put(str(uuid.uuid4()), call.body, None))}

    def _replace(self, identifier: str, call: Call) -> Answer:
        with self.store.lock:
            old = self._certificate(identifier)
            return 200, {"item": _pinned(self._put(identifier, call.body, old))}

    def _put(self, identifier: str, body: dict[str, Any], old: Entity | None) -> Entity:
        certificate, title = body.get("cert"), body.get("title")
        if not isinstance(certificate, str) or values.certificate(certificate) is not None:
            raise konnect_errors.bad_request("cert: must be a PEM-encoded certificate")
        if title is not None and not isinstance(title, str):
            raise konnect_errors.bad_request("title: must be a string")
        moment = int(time.time())
        entity = {
            "id": identifier,
            "cert": certificate,
            **({} if title is None else {"title": title}),
            "created_at": moment if old is None else old["created_at"],
            "updated_at": moment,
            "control_plane": {"id": self.control_plane},
        }
        self.store.put(CERTIFICATES, entity)
        return entity

    def _unpin(self, identifier: str) -> Answer:
        with self.store.lock:
            self._certificate(identifier)
            self.store.remove(CERTIFICATES, identifier)
        return 204, None

    # -- nodes

    def _joined(self, identifier: str) -> Entity:
        found = self.nodes.get("clustering_data_planes", identifier)
        if found is None:
            raise konnect_errors.not_found()
        return found

    def _page(self, call: Call, shown: Callable[[Entity], Entity]) -> Answer:
        """One page of nodes; `page.next` is the path of the next one."""
        nodes = sorted(self.nodes.all("clustering_data_planes"), key=lambda node: str(node["id"]))
        size = call.query.get("page[size]") or str(DEFAULT_SIZE)
        if not size.isdigit() or int(size) < 1:
            raise konnect_errors.bad_request(f"invalid page size '{size}'")
        after = call.query.get("page[after]", "")
        rest = [node for node in nodes if node["id"] > after]
        page: dict[str, Any] = {"total_count": len(nodes)}
        if len(rest) > int(size):
            last = rest[int(size) - 1]["id"]
            page["next"] = f"/nodes?page[size]={size}&page[after]={last}"
            page["next_cursor"] = last
        return 200, {"items": [shown(node) for node in rest[: int(size)]], "page": page}

    def _forget(self, identifier: str) -> Answer:
        with self.nodes.lock:
            self._joined(identifier)
            self.nodes.remove("clustering_data_planes", identifier)
        return 204, None

    # -- what they should run

    def _expected_hash(self, call: Call) -> Answer:
        current = self.exporter.current()
        moment = int(current.timestamp)
        return 200, {"expected_hash": current.hash, "created_at": moment, "updated_at": moment}

    def _expected_version(self, call: Call) -> Answer:
        current = self.exporter.current()
        moment = int(current.timestamp)
        return 200, {"expected_config_version": current.hash, "created_at": moment}


def _pinned(entity: Entity) -> Entity:
    return {name: value for name, value in entity.items() if name != "control_plane"}


def _node(row: Entity) -> Entity:
    """A data plane as Konnect shows it."""
    state = COMPATIBILITY.get(row["sync_status"], INCOMPATIBLE)
    issues = [] if state != INCOMPATIBLE else [_issue(row)]
    return {
        "id": row["id"],
        "version": row["version"],
        "hostname": row["hostname"],
        "last_ping": row["last_seen"],
        "type": "kong-proxy",
        "created_at": row.get("created_at", row["updated_at"]),
        "updated_at": row["updated_at"],
        "config_hash": row["config_hash"],
        "compatibility_status": {"state": state, "issues": issues},
        "labels": row["labels"] or {},
        "connection_state": {"is_connected": row.get("connected", False)},
        "data_plane_cert_id": row["cert_id"],
        "process_conf": row["process_conf"],
    }


def _issue(row: Entity) -> Entity:
    return {
        "code": row["sync_status"].upper(),
        "severity": "error",
        "description": f"the data plane was refused: {row['sync_status']}",
        "resolution": "run a version that the control plane works with",
    }


def _end_of_life(row: Entity) -> Entity:
    return {"id": row["id"], "hostname": row["hostname"], "version": row["version"]}

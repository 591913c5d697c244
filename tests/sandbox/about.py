# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a gateway tells about itself: `/`, `/status`, `/schemas`, `/tags` and their like."""

from __future__ import annotations

import os
import platform
import resource
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from . import errors, paging, validate, values
from .entities import Entities
from .resources import Answer, Call, Resource
from .store import Entity

#: From this release on `/` names the edition, and a certificate's schema has `snis`.
EDITION_NAMED = (3, 9)

#: What the gateway tells of a listener beside its address, none of which the sandbox has.
FLAGS = (
    "ssl", "http2", "proxy_protocol", "deferred", "bind", "reuseport", "backlog=%d+",
    "ipv6only=on", "ipv6only=off", "so_keepalive=on", "so_keepalive=off",
    "so_keepalive=%w*:%w*:%d*",
)  # fmt: skip

#: What `/tags` calls kinds that have another name in all other places (conformance: tags).
TAGGED_AS = {"vaults": "sm_vaults"}

CONTROL_PLANE_ONLY = (
    "this endpoint is only available when Kong is configured to run as "
    "Control Plane for the cluster"
)

VALID = {"message": "schema validation successful"}


@dataclass(frozen=True)
class Node:
    """One node of a gateway; `ports` by name ("admin", and "proxy" where it has one)."""

    id: str
    mode: str
    ports: dict[str, int]

    @property
    def database(self) -> str:
        """What the node says of its database."""
        return "off" if self.mode in ("dbless", "data_plane") else "postgres"

    @property
    def role(self) -> str:
        """What the node says of its part in a cluster."""
        return self.mode if self.mode in ("control_plane", "data_plane") else "traditional"

    def listens(self, name: str) -> list[str]:
        """What the node says of a port."""
        return [f"127.0.0.1:{self.ports[name]}"] if name in self.ports else ["off"]

    def listeners(self, name: str) -> list[dict[str, Any]]:
        """The same as the node reads it."""
        if name not in self.ports:
            return []
        address = {"ip": "127.0.0.1", "port": self.ports[name], "listener": self.listens(name)[0]}
        return [{**address, **dict.fromkeys(FLAGS, False)}]


class About:
    """Paths that are no kind's. `find` gives None for a path that is not here either."""

    def __init__(
        self, entities: Entities, node: Node, running: Callable[[], str] | None = None
    ) -> None:
        """`running`: the hash of what a gateway without a database runs."""
        self.entities = entities
        self.running = running
        self.gateway = entities.gateway
        self.node = node
        self._fixed = self._fixed_paths()

    def find(self, segments: list[str]) -> Resource | None:
        """The resource at decoded path segments."""
        match segments:
            case ["tags", tag]:
                return Resource({"GET": lambda call: self._tags(call, tag)})
            case ["filter-chains", *rest] if len(rest) < 2:
                return Resource({"GET": self._no_wasm, "POST": self._no_wasm})
            case ["schemas", *rest]:
                return self._schemas(rest)
        return self._fixed.get(tuple(segments))

    def _fixed_paths(self) -> dict[tuple[str, ...], Resource]:
        """The paths in which nothing varies."""
        found = {
            (): Resource({"GET": self._root}),
            ("status",): Resource({"GET": self._status}),
            ("config",): Resource({"GET": self._no_config, "POST": self._no_config}),
            ("plugins", "enabled"): Resource({"GET": self._enabled}),
            ("tags",): Resource(
                {"GET": lambda call: self._tags(call, None), "POST": self._no_tag}
            ),
            ("clustering", "data-planes"): Resource({"GET": self._data_planes}),
            ("clustering", "status"): Resource({"GET": self._cluster_status}),
        }
        if self.gateway.edition == "enterprise":
            found["kong",] = Resource({"GET": self._root})
        return found

    def _root(self, call: Call) -> Answer:
        version = self.gateway.version
        available = {name: {"version": version} for name in sorted(self.gateway.plugins)}
        enabled = {entity["name"] for entity in self.entities.store.all("plugins")}
        configuration = {
            "database": self.node.database,
            "role": self.node.role,
            "admin_listen": self.node.listens("admin"),
            "admin_listeners": self.node.listeners("admin"),
            "proxy_listen": self.node.listens("proxy"),
            "proxy_listeners": self.node.listeners("proxy"),
            "router_flavor": "traditional_compatible",
        }
        body: dict[str, Any] = {
            "version": version,
            "tagline": "Welcome to kong",
            "hostname": socket.gethostname(),
            "node_id": self.node.id,
            "lua_version": "LuaJIT 2.1.0-beta3",
            "pids": {"master": os.getpid(), "workers": [os.getpid()]},
            "plugins": {"available_on_server": available, "enabled_in_cluster": sorted(enabled)},
            "configuration": configuration,
            "timers": {"running": 0, "pending": 0},
        }
        if self.gateway.release >= EDITION_NAMED or self.gateway.edition == "enterprise":
            body["edition"] = self.gateway.edition
        return 200, body

    def _status(self, call: Call) -> Answer:
        server = {
            name: 1
            for name in (
                "connections_accepted",
                "connections_active",
                "connections_handled",
                "connections_reading",
                "connections_waiting",
                "connections_writing",
                "total_requests",
            )
        }
        kibibytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        worker = {"http_allocated_gc": f"{kibibytes / 1024:.2f} MiB", "pid": os.getpid()}
        memory: dict[str, Any] = {"lua_shared_dicts": {}, "workers_lua_vms": [worker]}
        body: dict[str, Any] = {"database": {"reachable": True}, "server": server, "memory": memory}
        if self.running is not None:
            body["configuration_hash"] = self.running()
        return 200, {**body, "platform": platform.system()}

    def _no_config(self, call: Call) -> Answer:
        message = "this endpoint is only available when Kong is configured to not use a database"
        return 400, {"message": message}

    def _no_wasm(self, call: Call) -> Answer:
        return 400, {"message": "this endpoint is only available when wasm is enabled"}

    def _data_planes(self, call: Call) -> Answer:
        if self.node.role != "control_plane":
            return 400, {"message": CONTROL_PLANE_ONLY}
        items = list(self.entities.store.all("clustering_data_planes"))
        path = "/clustering/data-planes"
        return 200, paging.by_key(items, lambda item: [item["id"]], call.query, path)

    def _cluster_status(self, call: Call) -> Answer:
        """The older form of the list of data planes: by id."""
        if self.node.role != "control_plane":
            return 400, {"message": CONTROL_PLANE_ONLY}
        rows = self.entities.store.all("clustering_data_planes")
        return 200, {
            row["id"]: {name: row[name] for name in row if name != "id"} for row in rows
        }

    def _enabled(self, call: Call) -> Answer:
        return 200, {"enabled_plugins": sorted(self.gateway.plugins)}

    # -- tags

    def _tagged(self) -> Iterator[Entity]:
        for identifier, kind, tag in self.entities.store.tagged():
            name = TAGGED_AS.get(kind, kind)
            yield {"tag": tag, "entity_name": name, "entity_id": identifier}

    def _tags(self, call: Call, tag: str | None) -> Answer:
        error = None if tag is None else values.tag(tag)
        if error is not None:
            raise errors.invalid_unique("tag", error)
        items = [item for item in self._tagged() if tag in (None, item["tag"])]
        path = "/tags" if tag is None else f"/tags/{tag}"
        return 200, paging.by_key(
            items, lambda item: [item["entity_id"], item["tag"]], call.query, path
        )

    def _no_tag(self, call: Call) -> Answer:
        reason = "does not support insert/upsert/update/delete operations"
        raise errors.schema_violation({"tags": reason})

    # -- schemas

    def _schemas(self, rest: list[str]) -> Resource | None:
        entities, plugins = self.gateway.dump["entities"], self.gateway.dump["plugins"]
        match rest:
            case ["plugins", "validate"]:
                return self._validation("plugins")
            case ["plugins", name]:
                return Resource({"GET": lambda call: _named(plugins, "plugin", name)})
            case ["vaults", name] if name != "validate" and self.gateway.release >= (3, 5):
                vaults = self.gateway.vault_schemas
                return Resource({"GET": lambda call: _named(vaults, "vault", name)})
            case [name]:
                return Resource({"GET": lambda call: _named(entities, "entity", name)})
            case [name, "validate"]:
                return self._validation(name)
        return None

    def _validation(self, kind: str) -> Resource:
        return Resource({"POST": lambda call: self._validate(kind, call)})

    def _validate(self, kind: str, call: Call) -> Answer:
        if kind not in self.gateway.kinds:
            raise errors.Refusal(404, {"message": f"No entity named '{kind}'"})
        body, unknown = dict(call.body), {}
        if kind == "certificates" and self.gateway.release < EDITION_NAMED and "snis" in body:
            # Only a write takes them out before (conformance: certificate_validation).
            del body["snis"]
            unknown = {"snis": validate.UNKNOWN_FIELD}
        try:
            self.entities.prepared(kind, body)
        except errors.Refusal as refusal:
            found = refusal.body.get("fields")
            raise errors.schema_violation({**found, **unknown}) if found else refusal from refusal
        if unknown:
            raise errors.schema_violation(unknown)
        return 200, VALID


def _named(schemas: dict[str, Any], what: str, name: str) -> Answer:
    if name not in schemas:
        raise errors.Refusal(404, {"message": f"No {what} named '{name}'"})
    return 200, schemas[name]

# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a control plane sends: the table of all entities, its hashes, what older nodes get of it.

Recorded from a control plane 3.9.1 (../conformance/hybrid); the hashes are made as the gateway's.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from . import partials, schema
from .declarative import LEFT_OUT, flat
from .gateway import Gateway, Kind
from .schema import Field, Record
from .store import Entity, Store
from .workspaces import Workspaces

Table = dict[str, Any]

#: The hash of no configuration.
NONE_LOADED = "0" * 32

#: The parts of a table that have hashes of their own, in the order in which they make the whole's.
HASHED = ("routes", "services", "plugins", "upstreams", "targets")

#: A part of a table is hashed on its own when the text grows beyond it, as the gateway does.
LONGEST_TEXT = 1_000_000


# -- hashes


class _Text:
    """The text of a value, of which the gateway makes hashes."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def digest(self, value: Any) -> str:
        """The hash of a value; zeros for none."""
        if value is None:
            return NONE_LOADED
        self._add(value)
        return hashlib.md5(b"".join(self._parts), usedforsecurity=False).hexdigest()

    def _put(self, text: str) -> None:
        data = text.encode()
        self._parts.append(data)
        self._size += len(data)

    def _add(self, value: Any) -> None:
        if self._size > LONGEST_TEXT:
            data = hashlib.md5(b"".join(self._parts), usedforsecurity=False).digest()
            self._parts, self._size = [data], len(data)
        if value is None:
            self._put("/null/")
        elif isinstance(value, bool):
            self._put("true" if value else "false")
        elif isinstance(value, str | int):
            self._put(str(value))
        elif isinstance(value, float):
            self._put(f"{value:.14g}")
        elif not value:
            self._put("{}")
        elif isinstance(value, list):
            self._list(value)
        else:
            for key in sorted(value):
                self._put(f"{key}:")
                self._add(value[key])
                self._put(";")

    def _list(self, items: list[Any]) -> None:
        """Up to four items have the mark between them only, more after each."""
        for index, item in enumerate(items):
            self._add(item)
            if len(items) > 4 or index < len(items) - 1:
                self._put(";")


def hashes(table: Table) -> dict[str, str]:
    """The hashes of a table: of the whole as `config`, and of its greater parts."""
    parts = {name: _Text().digest(table.get(name)) for name in HASHED}
    rest = _Text().digest({name: items for name, items in table.items() if name not in HASHED})
    whole = "".join([*(parts[name] for name in HASHED), rest])
    return {"config": hashlib.md5(whole.encode(), usedforsecurity=False).hexdigest(), **parts}


# -- tables


@dataclass(frozen=True)
class Configuration:
    """A table with its hashes."""

    table: Table
    hashes: dict[str, str]
    timestamp: float = field(default_factory=lambda: round(time.time(), 3))

    @property
    def hash(self) -> str:
        """That of the whole."""
        return self.hashes["config"]

    @property
    def plugins(self) -> set[str]:
        """The names of the plugins that it configures."""
        return {plugin["name"] for plugin in self.table.get("plugins", ())}

    def message(self, table: Table) -> bytes:
        """The message by which a data plane gets `table`, which may be less than the whole."""
        body = {
            "type": "reconfigure",
            "timestamp": self.timestamp,
            "config_table": table,
            "config_hash": self.hash,
            "hashes": self.hashes,
        }
        return gzip.compress(json.dumps(body, separators=(",", ":")).encode(), 1)


def unpacked(message: bytes) -> dict[str, Any]:
    """The body of such a message; `ValueError` for what is none."""
    try:
        body = json.loads(gzip.decompress(message))
    except (OSError, EOFError) as error:
        raise ValueError(str(error)) from error
    if not isinstance(body, dict):
        raise ValueError("an object was expected")
    return body


#: Further workspaces of which a configuration is made.
Others = Callable[[], list[Workspaces]]


class Exporter:
    """Makes the configuration of all workspaces; the same as long as nothing changes."""

    def __init__(
        self, gateway: Gateway, workspaces: Workspaces, others: Others = lambda: []
    ) -> None:
        """`others`: of a group of control planes, what its members hold."""
        self.gateway = gateway
        self.workspaces = workspaces
        self._others = others
        self._revisions: list[tuple[int, int]] = []
        self._moment = int(time.time())
        self._ids = {name: str(uuid.uuid4()) for name in ("cluster", "workspace")}
        self._made = Configuration({}, {"config": NONE_LOADED})

    def current(self) -> Configuration:
        """The configuration of this moment."""
        sources = [self.workspaces, *self._others()]
        revisions = [(id(each), each.revision) for each in sources]
        if revisions != self._revisions:
            table = self._table([store for each in sources for store in each.stores()])
            # Rows of data planes change the store, too: they are no part of the configuration.
            if table != self._made.table:
                self._made = Configuration(table, hashes(table))
            self._revisions = revisions
        return self._made

    def _table(self, stores: list[Store]) -> Table:
        table: Table = {"_format_version": "3.0", "_transform": False}
        for store in stores:
            with store.lock:
                for name, kind in self.gateway.kinds.items():
                    if name not in LEFT_OUT:
                        listed = self._enabled(store, name)
                        found = [flat(entity, kind, store) for entity in listed]
                        table.setdefault(name, []).extend(found)
        table |= self._surroundings()
        return {name: items for name, items in table.items() if items != []}

    def _surroundings(self) -> Table:
        """What is no entity that anyone has written."""
        times = {"created_at": self._moment, "updated_at": self._moment}
        workspace = {"id": self._ids["workspace"], "name": "default", "comment": None}
        identity = {"key": "cluster_id", "value": self._ids["cluster"], "created_at": None}
        return {
            "workspaces": [{**workspace, "config": {}, "meta": {}, **times}],
            "parameters": [identity],
        }

    @staticmethod
    def _enabled(store: Store, kind: str) -> Iterator[Entity]:
        """The entities of a kind but those that are switched off, and what belongs to them."""
        for entity in store.all(kind):
            if kind in ("services", "plugins") and not entity["enabled"]:
                continue
            route = store.get("routes", (entity.get("route") or {}).get("id", "")) or {}
            for holder in (entity, route):
                key = (holder.get("service") or {}).get("id", "")
                if not (store.get("services", key) or {"enabled": True})["enabled"]:
                    break
            else:
                yield partials.expanded(store, entity) if kind == "plugins" else entity


# -- what older nodes get


@functools.cache
def known_to(version: str) -> Gateway:
    """The gateway whose schemas a node of a version has: the newest that is not newer.

    Versions of four numbers are the enterprise edition's.
    """
    release = tuple(int(part) for part in version.split(".")[:2])
    older = [name for name in schema.VERSIONS if _release(name) <= release]
    edition = "enterprise" if version.count(".") > 2 else "community"
    return Gateway(older[-1] if older else schema.VERSIONS[0], edition)


def _release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def tailored(table: Table, gateway: Gateway) -> Table:
    """What of a table a node with these schemas can read.

    Fields that it does not know are left out; an entity that belongs to one of an unknown kind
    is, too: without that it would hold for everything.
    """
    found: Table = {}
    for name, items in table.items():
        kind = gateway.kinds.get(name)
        if not isinstance(items, list) or name in ("workspaces", "parameters"):
            found[name] = items
        elif kind is not None:
            kept = [_known(gateway, kind, item) for item in items if _readable(kind, item)]
            found |= {name: kept} if kept else {}
    return found


def _readable(kind: Kind, item: Entity) -> bool:
    """Whether a node knows what an entity belongs to."""
    return not item.get("consumer_group") or "consumer_group" in kind.record.fields


def _known(gateway: Gateway, kind: Kind, item: Entity) -> Entity:
    return _of_record(gateway.record(kind.name, item), item)


def _of_record(record: Record, item: Entity) -> Entity:
    return {
        name: _of_field(record.fields[name], value)
        for name, value in item.items() if name in record.fields
    }


def _of_field(known: Field, value: Any) -> Any:
    if known.record is not None and isinstance(value, dict):
        return _of_record(known.record, value)
    if known.elements is not None and isinstance(value, list):
        return [_of_field(known.elements, item) for item in value]
    return value

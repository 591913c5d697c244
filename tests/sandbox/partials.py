# Copyright: (c) 2026, the irishtek.kong authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plugins of the enterprise edition that take settings from partials.

Source: the gateway's reference of partials. What belongs to a partial is not stored with the
plugin; it is refused beside a link, shown in the answer to a write, and left out by reads.
"""

from __future__ import annotations

import copy
from typing import Any

from . import errors
from .store import Entity, Store

#: Where plugins have what partials of the types known here hold.
PATH = "config.redis"

FIELD: dict[str, Any] = {
    "partials": {
        "type": "array",
        "elements": {
            "type": "record",
            "fields": [
                {"id": {"type": "string", "uuid": True}},
                {"name": {"type": "string"}},
                {"path": {"type": "string"}},
            ],
        },
    }
}


def written(store: Store, data: Entity) -> Entity:
    """A plugin as it was written, its links by id and with their paths."""
    links = data.get("partials")
    if not isinstance(links, list):
        return data
    return {**data, "partials": [_link(store, link, data) for link in links]}


def _link(store: Store, link: Entity, data: Entity) -> Entity:
    partial = _partial(store, link)
    path = link.get("path") or PATH
    inline: Any = data
    for name in path.split("."):
        inline = inline.get(name) if isinstance(inline, dict) else None
    if inline is not None:
        message = f"{path} cannot be used with a linked partial"
        raise errors.schema_violation({"partials": message})
    return {"id": partial["id"], "name": None, "path": path}


def _partial(store: Store, link: Entity) -> Entity:
    name = "id" if link.get("id") else "name"
    value = link.get(name)
    found = store.get("partials", str(value))
    if name == "name":
        found = store.find("partials", ("name",), (value,))
    if found is None:
        raise errors.foreign_keys_unresolved("partials", name, value, "partials")
    return found


def stored(plugin: Entity) -> Entity:
    """A plugin without what belongs to its partials."""
    plugin = copy.deepcopy(plugin)
    for link in plugin.get("partials") or ():
        *above, last = link["path"].split(".")
        inside: Any = plugin
        for name in above:
            inside = inside.get(name) or {}
        inside.pop(last, None)
    return plugin


def shown(store: Store, plugin: Entity) -> Entity:
    """A plugin as reads have it: its links with names."""
    links = [
        {**link, "name": (store.get("partials", link["id"]) or {}).get("name")}
        for link in plugin.get("partials") or ()
    ]
    return {**plugin, "partials": links} if links else plugin


def expanded(store: Store, plugin: Entity) -> Entity:
    """A plugin as the answer to a write has it."""
    plugin = copy.deepcopy(plugin)
    for link in plugin.get("partials") or ():
        *above, last = link["path"].split(".")
        inside: Any = plugin
        for name in above:
            inside = inside[name]
        settings = copy.deepcopy((store.get("partials", link["id"]) or {}).get("config") or {})
        inside[last] = {**(inside.get(last) or {}), **settings}
    return plugin


def judged(store: Store, plugin: Entity) -> Entity:
    """A plugin as its schema judges it: with the settings of its partials."""
    written, links = plugin.get("partials"), []
    if not written or not isinstance(written, list):
        return plugin
    for link in (each for each in written if isinstance(each, dict)):
        name = "id" if link.get("id") else "name"
        found = [each for each in store.all("partials") if each.get(name) == link.get(name)]
        links += [{"id": each["id"], "path": link.get("path") or PATH} for each in found]
    return {**expanded(store, {**plugin, "partials": links}), "partials": written}


def refuse_linked(store: Store, partial: Entity) -> None:
    """Refuse to delete what plugins are linked to."""
    for plugin in store.all("plugins"):
        if any(link["id"] == partial["id"] for link in plugin.get("partials") or ()):
            raise errors.still_referenced("partials", "plugins")

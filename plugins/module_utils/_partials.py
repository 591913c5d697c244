# Copyright: (c) 2026, the irishtek.kong authors
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plugins that take some of their settings from partials. Pure.

A gateway takes either a setting or a link to the partial that has it (Kong's page on partials).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Callable

from ._entities._kind import Entity, Kind
from ._entities._plugin import without_linked
from ._errors import InputError
from ._freeform import config_schema
from ._schema import replacements, value_at

# Where plugins have what partials were made for.
_USUAL = "config.redis"


def links_of(
    kind: Kind,
    written: Entity,
    current: Entity | None,
    partials: Iterable[tuple[str, str | None]],
    id_of: Callable[[str], str],
) -> list[Entity]:
    """The links of a typed plugin to partials by ID, with the setting that each stands for.

    :param partials: the name or ID of each, and the path of that setting where it is written.
    :raises InputError: such a setting is written, too.
    """
    known = {each["id"]: each.get("path") for each in (current or {}).get("partials") or ()}
    links = []
    for key, setting in partials:
        partial = id_of(key)
        path = setting or known.get(partial) or _usual_path(kind)
        if value_at(written, path.split(".")) is not None:
            raise InputError(f"{path} cannot be combined with a partial for it")
        links.append({"id": partial, "path": path})
    return links


def _usual_path(kind: Kind) -> str:
    """Where a plugin has the settings of a partial, where nobody says it."""
    supported: Any = (kind.details or {}).get("supported_partials") or {}
    paths = [path for found in supported.values() for path in found]
    return str(paths[0]) if len(paths) == 1 else _USUAL


def as_linked(kind: Kind, plugin: Entity) -> Entity:
    """A typed plugin as reads return it: settings that its partials have are null by old names.

    :param plugin: with links to partials by ID.
    """
    linked = without_linked(plugin)
    config = linked.get("config")
    if linked is plugin or not isinstance(config, dict):
        return linked
    successors = replacements(config_schema(kind)).items()
    old = {name: value_at(config, path) for name, path in successors if name in config}
    return {**linked, "config": {**config, **old}}
